/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/certificate-review.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* One run of the thread; the main thread reads the result after its message has come. */
typedef struct {
    CertificateReview *review; /* NULL: it was freed; the message frees this */
    Queue *queue;
    GPtrArray *items;
    TlsTrust *trust;
    TlsClientStanding *standings; /* one for each item */
    atomic_bool stop;
    pthread_t thread;
    Message done;
} Round;

struct CertificateReview {
    Queue *queue;
    const ReviewEvents *events;
    void *data;
    Round *round;     /* the one that runs; NULL: none */
    TlsTrust *wanted; /* of the next one */
    gboolean again;
};

ReviewItem *
review_item_new(const char *client_id, TlsClient *client)
{
    ReviewItem *item = g_new0(ReviewItem, 1);

    item->client_id = g_strdup(client_id);
    item->client = tls_client_ref(client);
    return item;
}

void
review_item_free(ReviewItem *item)
{
    g_free(item->client_id);
    tls_client_unref(item->client);
    g_free(item);
}

static void
round_free(Round *round)
{
    g_ptr_array_unref(round->items);
    tls_trust_unref(round->trust);
    g_free(round->standings);
    g_free(round);
}

static void *
round_thread(void *data)
{
    Round *round = data;

    for (guint i = 0; i < round->items->len && !atomic_load(&round->stop); i++) {
        const ReviewItem *item = round->items->pdata[i];

        round->standings[i] = tls_client_judge(item->client, round->trust);
    }
    (void)queue_post(round->queue, &round->done);
    return NULL;
}

static void
round_done(Message *message)
{
    Round *round = CONTAINER_OF(message, Round, done);
    CertificateReview *review = round->review;

    if (!review) {
        round_free(round);
        return;
    }
    (void)pthread_join(round->thread, NULL);
    for (guint i = 0; i < round->items->len; i++)
        if (round->standings[i] != TLS_CLIENT_TRUSTED)
            review->events->refused(round->items->pdata[i], round->standings[i], review->data);
    round_free(round);
    review->round = NULL;
    if (review->again) {
        g_autoptr(TlsTrust) wanted = g_steal_pointer(&review->wanted);

        review->again = FALSE;
        certificate_review_begin(review, wanted);
    }
}

/* The thread blocks all signals: the main thread handles them. */
static gboolean
round_start(Round *round)
{
    sigset_t all, before;
    int result;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&round->thread, NULL, round_thread, round);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result == 0)
        (void)pthread_setname_np(round->thread, "certificates");
    return result == 0;
}

CertificateReview *
certificate_review_new(Queue *queue, const ReviewEvents *events, void *data)
{
    CertificateReview *review = g_new0(CertificateReview, 1);

    review->queue = queue;
    review->events = events;
    review->data = data;
    return review;
}

void
certificate_review_free(CertificateReview *review)
{
    if (!review)
        return;
    if (review->round) {
        atomic_store(&review->round->stop, TRUE);
        (void)pthread_join(review->round->thread, NULL);
        review->round->review = NULL;
    }
    tls_trust_unref(review->wanted);
    g_free(review);
}

/* Without a thread, whoever is connected has to come back, and is judged then. */
static void
round_refuse_all(const Round *round)
{
    const CertificateReview *review = round->review;

    for (guint i = 0; i < round->items->len; i++)
        review->events->refused(round->items->pdata[i], TLS_CLIENT_UNFIT, review->data);
}

void
certificate_review_begin(CertificateReview *review, TlsTrust *trust)
{
    Round *round;

    if (review->round) {
        tls_trust_unref(review->wanted);
        review->wanted = trust ? tls_trust_ref(trust) : NULL;
        review->again = TRUE;
        return;
    }
    round = g_new0(Round, 1);
    round->review = review;
    round->queue = review->queue;
    round->items = review->events->collect(review->data);
    round->trust = trust ? tls_trust_ref(trust) : NULL;
    round->standings = g_new0(TlsClientStanding, MAX(round->items->len, 1));
    round->done.func = round_done;
    review->round = round;
    if (round->items->len > 0 && round_start(round))
        return;
    review->round = NULL;
    round_refuse_all(round);
    round_free(round);
}
