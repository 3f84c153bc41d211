/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/http-exchange.h"

#include "daemon/net/job.h"

#include <errno.h>

#define HTTP_EXCHANGE_BUFFER (HTTP_HEAD_MAX + HTTP_EXCHANGE_BODY_MAX)

struct HttpExchange {
    Job job;
    GString *request; /* NULL when sent */
    char *buffer;
    gsize len;
    gboolean answered; /* a byte was received */
    gboolean have_head;
    HttpAnswer answer;
    gsize total; /* of head and body, as far as it is read */
    HttpExchangeDone done;
    void *data;
};

void
http_request_wipe(GString *request)
{
    if (!request)
        return;
    explicit_bzero(request->str, request->len);
    g_string_free(request, TRUE);
}

/* How much of the body is wanted, and whether the connection can be used again afterwards. */
static void
http_exchange_plan(HttpExchange *exchange)
{
    const HttpResponse *head = &exchange->answer.head;
    gboolean no_body = head->status == 101 || head->status == 204 || head->status == 304;
    gboolean bounded =
        no_body || (head->has_content_length && head->content_length <= HTTP_EXCHANGE_BODY_MAX);

    exchange->have_head = TRUE;
    exchange->answer.reusable = bounded && head->keep_alive && head->status != 101;
    exchange->total = head->head_len;
    if (bounded && !no_body)
        exchange->total += (gsize)head->content_length;
}

/* An interim answer (100, 103) is skipped: the final one follows. */
static gboolean
http_exchange_skip_interim(HttpExchange *exchange)
{
    const HttpResponse *head = &exchange->answer.head;

    if (head->status >= 200 || head->status == 101)
        return FALSE;
    exchange->len -= head->head_len;
    memmove(exchange->buffer, exchange->buffer + head->head_len, exchange->len);
    return TRUE;
}

typedef enum {
    EXCHANGE_MORE,  /* read on */
    EXCHANGE_WHOLE, /* the answer is there */
    EXCHANGE_BROKEN,
} ExchangeResult;

static ExchangeResult
http_exchange_parse(HttpExchange *exchange, const char **ret_text)
{
    HttpRefusal refusal = {0};

    while (!exchange->have_head) {
        HttpHeadResult result =
            http_response_parse(exchange->buffer, exchange->len, &exchange->answer.head, &refusal);

        if (result == HTTP_HEAD_REFUSED) {
            *ret_text = refusal.text;
            return EXCHANGE_BROKEN;
        }
        if (result == HTTP_HEAD_MORE)
            break;
        if (!http_exchange_skip_interim(exchange))
            http_exchange_plan(exchange);
    }
    if (exchange->have_head && exchange->len >= exchange->total)
        return EXCHANGE_WHOLE;
    *ret_text = "the answer is too large";
    return exchange->len == HTTP_EXCHANGE_BUFFER ? EXCHANGE_BROKEN : EXCHANGE_MORE;
}

static void
http_exchange_complete(HttpExchange *exchange)
{
    const HttpResponse *head = &exchange->answer.head;

    exchange->answer.body =
        (Slice){exchange->buffer + head->head_len, exchange->total - head->head_len};
    if (exchange->len > exchange->total) {
        if (exchange->answer.reusable) /* a second answer, which nobody asked for */
            exchange->answer.reusable = FALSE;
        else
            connection_unread(exchange->job.connection, exchange->buffer + exchange->total,
                              exchange->len - exchange->total);
    }
    /* From here on the connection becomes a control link or a leg. Those check for a dead peer
     * themselves, and rarely enough. */
    connection_keep_alive(exchange->job.connection, 0);
    job_succeed(&exchange->job);
}

/* Once the job has ended it belongs to the main thread and may be freed: every end must return at
 * once. */
static void
http_exchange_read(HttpExchange *exchange)
{
    Job *job = &exchange->job;
    const char *text = NULL;

    for (;;) {
        ssize_t r = connection_read(job->connection, exchange->buffer + exchange->len,
                                    HTTP_EXCHANGE_BUFFER - exchange->len);

        if (r == -EAGAIN)
            return;
        if (r == -EACCES) {
            job_fail(job, STREAMD_ERROR_UNAUTHORIZED,
                     tls_session_error(connection_tls(job->connection)));
            return;
        }
        if (r <= 0) {
            job_fail(job, STREAMD_ERROR_UNREACHABLE, "the connection was closed before the answer");
            return;
        }
        exchange->answered = TRUE;
        exchange->len += (gsize)r;
        switch (http_exchange_parse(exchange, &text)) {
        case EXCHANGE_MORE:
            break;
        case EXCHANGE_WHOLE:
            http_exchange_complete(exchange);
            return;
        case EXCHANGE_BROKEN:
            job_fail(job, STREAMD_ERROR_PROTOCOL, text);
            return;
        }
    }
}

/* Reactor. */
static void
http_exchange_begin(Job *job)
{
    HttpExchange *exchange = CONTAINER_OF(job, HttpExchange, job);

    exchange->buffer = g_malloc(HTTP_EXCHANGE_BUFFER);
    (void)connection_queue(job->connection, exchange->request->str, exchange->request->len);
    g_clear_pointer(&exchange->request, http_request_wipe);
}

static void
http_exchange_ready(Job *job)
{
    int r = connection_flush(job->connection);

    if (r < 0 && r != -EAGAIN)
        job_fail(job, STREAMD_ERROR_UNREACHABLE, g_strerror(-r));
    else
        http_exchange_read(CONTAINER_OF(job, HttpExchange, job));
}

static void
http_exchange_home(Job *job)
{
    HttpExchange *exchange = CONTAINER_OF(job, HttpExchange, job);
    g_autoptr(GError) error = NULL;
    Connection *connection = job_take_connection(job);

    if (job_failed(job, &error))
        exchange->done(NULL, NULL, error, exchange->data);
    else
        exchange->done(connection, &exchange->answer, NULL, exchange->data);
}

static void
http_exchange_free(Job *job)
{
    HttpExchange *exchange = CONTAINER_OF(job, HttpExchange, job);

    http_request_wipe(exchange->request);
    if (exchange->buffer)
        explicit_bzero(exchange->buffer, exchange->len); /* it may have tokens of the stream */
    g_free(exchange->buffer);
    g_free(exchange);
}

static const JobClass http_exchange_class = {
    .begin = http_exchange_begin,
    .ready = http_exchange_ready,
    .done = http_exchange_home,
    .free = http_exchange_free,
};

HttpExchange *
http_exchange_new(Runtime *runtime, Reactor *reactor, Connection *connection, GString *request,
                  gint64 limit, HttpExchangeDone done, void *data)
{
    HttpExchange *exchange = g_new0(HttpExchange, 1);

    exchange->request = request;
    exchange->done = done;
    exchange->data = data;
    connection_keep_alive(connection, CONNECTION_IDLE);
    job_run(&exchange->job, &http_exchange_class, connection, reactor, runtime, limit);
    return exchange;
}

gboolean
http_exchange_was_answered(const HttpExchange *exchange)
{
    return exchange->answered;
}

void
http_exchange_cancel(HttpExchange *exchange)
{
    if (exchange)
        job_cancel(&exchange->job);
}

static char *
host_in_brackets(const char *host)
{
    return strchr(host, ':') ? g_strdup_printf("[%s]", host) : g_strdup(host);
}

char *
http_authority_with_port(const char *host, guint16 port)
{
    g_autofree char *name = host_in_brackets(host);

    return g_strdup_printf("%s:%u", name, port);
}

char *
http_authority(const char *host, guint16 port)
{
    return port == 443 ? host_in_brackets(host) : http_authority_with_port(host, port);
}
