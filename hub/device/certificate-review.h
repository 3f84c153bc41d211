/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificate review: judges the certificates of connected devices again when the authorities, or
 * what they have revoked, have changed (requirement R18). It works in a thread of its own, because
 * each certificate takes about as long as a handshake. Main thread. */
#pragma once

#include "common/loop/queue.h"
#include "common/net/tls-client.h"

typedef struct CertificateReview CertificateReview;

typedef struct {
    char *client_id;
    TlsClient *client;
} ReviewItem;

typedef struct {
    /* An array of ReviewItem, to be taken: those that are to be judged. */
    GPtrArray *(*collect)(void *data);
    /* One of them is not trusted any more. It may have gone meanwhile. */
    void (*refused)(const ReviewItem *item, TlsClientStanding standing, void *data);
} ReviewEvents;

ReviewItem *review_item_new(const char *client_id, TlsClient *client); /* takes a reference */
void review_item_free(ReviewItem *item);

/* Kept by reference: all. */
CertificateReview *certificate_review_new(Queue *queue, const ReviewEvents *events, void *data);
void certificate_review_free(CertificateReview *review); /* waits for the certificate at hand */

/* Judges all by TRUST (NULL: no authorities). While one review runs, the next one waits for it. */
void certificate_review_begin(CertificateReview *review, TlsTrust *trust);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CertificateReview, certificate_review_free)
