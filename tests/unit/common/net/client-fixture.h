/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates of clients with any names, and authorities that issue them. */
#pragma once

#include "common/net/tls-client.h"

#include <gnutls/x509.h>

typedef struct {
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
} ClientPair;

typedef struct {
    const char *name; /* an authority's, or the first common name; NULL: none */
    gsize name_len;   /* 0: strlen */
    const char *second_name;
    const char *const *alternatives; /* DNS names; NULL-terminated, or NULL */
    guint many_alternatives;         /* as many more, "0" and so on */
    int begin, end;                  /* s from now */
    gboolean authority;
    const char *purpose; /* an OID; NULL: any */
} ClientWish;

/* Of ISSUER; NULL: signed by itself. */
ClientPair client_pair_new(const ClientWish *wish, const ClientPair *issuer);
void client_pair_clear(ClientPair *pair);

char *client_pair_pem(const ClientPair *pair);
char *client_pair_key_pem(const ClientPair *pair);

/* The chain of COUNT pairs as it comes over the wire. */
GPtrArray *client_chain(const ClientPair *const *pairs, guint count);

/* A list of ISSUER that revokes the N pairs; NEXT: s from now until there should be another. */
char *
client_list_pem(const ClientPair *issuer, const ClientPair *const *revoked, guint n, int next);
