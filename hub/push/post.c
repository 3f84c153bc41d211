/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/push/post.h"

#include "common/base/secret.h"

#include <libsoup/soup.h>
#include <string.h>

#define IDLE_TIMEOUT_S 30
#define BODY_MAX ((gsize)16 * 1024) /* of an answer, so that the connection can be used again */

struct Post {
    SoupSession *session;
    char *url;
};

Post *
post_new(const char *url, const char *ca, GError **error)
{
    g_autoptr(GTlsDatabase) trusted = ca ? g_tls_file_database_new(ca, error) : NULL;
    Post *post;

    if (ca && !trusted)
        return NULL;
    post = g_new0(Post, 1);
    post->url = g_strdup(url);
    post->session = soup_session_new_with_options(
        "timeout", IDLE_TIMEOUT_S, "idle-timeout", 60, "max-conns", 1, "max-conns-per-host", 1,
        "proxy-resolver", NULL, "user-agent", "streamhub-push/" STREAMD_VERSION, NULL);
    if (trusted)
        soup_session_set_tls_database(post->session, trusted);
    return post;
}

void
post_free(Post *post)
{
    if (!post)
        return;
    g_object_unref(post->session);
    g_free(post->url);
    g_free(post);
}

void
post_answer_clear(PostAnswer *answer)
{
    g_clear_pointer(&answer->reason, g_free);
    g_clear_pointer(&answer->retry_after, g_free);
}

/* The steps of one request, on the main context. */
typedef struct {
    GCancellable *cancellable;
    GInputStream *body;
    GError *error;
    char bytes[4096];
    gsize read;
    gboolean answered, over, late;
} Call;

static void read_body(Call *call);

static void
on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    Call *call = data;
    gssize n = g_input_stream_read_finish(G_INPUT_STREAM(source), result, NULL);

    if (n > 0)
        call->read += (gsize)n;
    if (n > 0 && call->read < BODY_MAX)
        read_body(call);
    else
        call->over = TRUE;
}

static void
read_body(Call *call)
{
    g_input_stream_read_async(call->body, call->bytes, sizeof call->bytes, G_PRIORITY_DEFAULT,
                              call->cancellable, on_read, call);
}

static void
on_sent(GObject *source, GAsyncResult *result, gpointer data)
{
    Call *call = data;

    call->body = soup_session_send_finish(SOUP_SESSION(source), result, &call->error);
    call->answered = call->body != NULL;
    if (call->body)
        read_body(call);
    else
        call->over = TRUE;
}

static gboolean
on_late(gpointer data)
{
    Call *call = data;

    call->late = TRUE;
    g_cancellable_cancel(call->cancellable);
    return G_SOURCE_CONTINUE; /* removed when the call is over */
}

static void
on_outer_cancelled(GCancellable *outer G_GNUC_UNUSED, gpointer data)
{
    g_cancellable_cancel(data);
}

static SoupMessage *
message_new(const Post *post, const char *token, GBytes *body)
{
    SoupMessage *message = soup_message_new("POST", post->url);
    SoupMessageHeaders *headers = soup_message_get_request_headers(message);

    soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT);
    soup_message_disable_feature(message, SOUP_TYPE_AUTH_MANAGER); /* never asks, never repeats */
    soup_message_set_request_body_from_bytes(message, "application/x-ndjson", body);
    if (token) {
        g_auto(SecretText) value = g_strconcat("Bearer ", token, NULL);

        soup_message_headers_replace(headers, "Authorization", value);
    }
    return message;
}

static char *
why_not(const Call *call)
{
    if (call->late)
        return g_strdup_printf("no answer in %d s", POST_TIMEOUT_S);
    return g_strdup(call->error ? call->error->message : "no answer");
}

static PostAnswer
answer_of(const Call *call, SoupMessage *message)
{
    SoupMessageHeaders *headers = soup_message_get_response_headers(message);

    if (!call->answered)
        return (PostAnswer){.reason = why_not(call)};
    return (PostAnswer){.status = soup_message_get_status(message),
                        .reason = g_strdup(soup_message_get_reason_phrase(message)),
                        .retry_after =
                            g_strdup(soup_message_headers_get_one(headers, "Retry-After"))};
}

PostAnswer
post_send(Post *post, const char *token, GBytes *body, GCancellable *cancellable)
{
    g_autoptr(SoupMessage) message = message_new(post, token, body);
    g_autoptr(GCancellable) inner = g_cancellable_new();
    gulong outer = g_cancellable_connect(cancellable, G_CALLBACK(on_outer_cancelled), inner, NULL);
    guint timer;
    Call call = {.cancellable = inner};
    PostAnswer answer;

    timer = g_timeout_add_seconds(POST_TIMEOUT_S, on_late, &call);
    soup_session_send_async(post->session, message, G_PRIORITY_DEFAULT, inner, on_sent, &call);
    while (!call.over)
        (void)g_main_context_iteration(NULL, TRUE);
    (void)g_source_remove(timer);
    g_cancellable_disconnect(cancellable, outer);
    answer = answer_of(&call, message);
    g_clear_object(&call.body);
    g_clear_error(&call.error);
    return answer;
}
