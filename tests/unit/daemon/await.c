/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/daemon/await.h"

#include "common/base/error.h"

void
await_done(gpointer object, const GError *error, void *data)
{
    Awaited *awaited = data;

    g_assert_false(awaited->ended);
    awaited->ended = TRUE;
    awaited->object = object;
    awaited->error = error ? g_error_copy(error) : NULL;
}

void
await_end(Awaited *awaited)
{
    gint64 until = g_get_monotonic_time() + AWAIT_PATIENCE;

    while (!awaited->ended) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(200);
    }
}

gpointer
await_well(AppChange *change, Awaited *awaited)
{
    g_assert_no_error(awaited->error);
    g_assert_nonnull(change);
    await_end(awaited);
    g_assert_no_error(awaited->error);
    return awaited->object;
}

char *
await_fails(AppChange *change, Awaited *awaited, int code)
{
    char *text;

    if (change)
        await_end(awaited);
    g_assert_error(awaited->error, STREAMD_ERROR, code);
    text = g_strdup(awaited->error->message);
    g_clear_error(&awaited->error);
    return text;
}
