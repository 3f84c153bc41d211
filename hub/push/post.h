/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Post: one request to the receiver of the records. It goes to the host of the url and nowhere
 * else: no redirect is followed, and no proxy is asked. Main thread; calls iterate the default main
 * context while they wait. */
#pragma once

#include <gio/gio.h>

#define POST_TIMEOUT_S 60 /* for all of a request */

typedef struct Post Post;

/* URL is a good one (hub/base/push-url.h). CA: a file of authorities in PEM; NULL: the system's.
 * NULL with ERROR set: it cannot be read. */
Post *post_new(const char *url, const char *ca, GError **error);
void post_free(Post *post); /* NULL is fine */

typedef struct {
    guint status;      /* 0: there was no answer */
    char *reason;      /* why not, or the answer's own words; for g_free */
    char *retry_after; /* the header; NULL: none; for g_free */
} PostAnswer;

void post_answer_clear(PostAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PostAnswer, post_answer_clear)

/* TOKEN: for "Authorization: Bearer", NULL: none. CANCELLABLE ends it at once. */
PostAnswer post_send(Post *post, const char *token, GBytes *body, GCancellable *cancellable);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Post, post_free)
