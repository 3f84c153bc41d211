/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app-change.h"

#include "common/base/error.h"
#include "daemon/app-private.h"

AppChange *
app_change_new(const ChangeKind *kind, AppDone done, void *data)
{
    AppChange *change = g_new0(AppChange, 1);

    change->kind = kind;
    change->done = done;
    change->data = data;
    change->keeps = TRUE;
    return change;
}

static void
change_free(AppChange *change)
{
    store_state_free(change->asked);
    g_free(change->name);
    author_free(change->author);
    hub_free(change->hub);
    if (change->target)
        target_unref(change->target);
    tunnel_free(change->tunnel);
    config_plan_free(change->plan);
    g_free(change);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppChange, change_free)

void
app_forget_change(AppChange *change)
{
    change->done = NULL;
}

static void
change_end(AppChange *change, gpointer object, const GError *error)
{
    if (change->done)
        change->done(object, error, change->data);
    change_free(change);
}

static gboolean
app_check(App *app, AppChange *change, GError **error)
{
    if (!app->draft)
        app->draft = app_draft_new(app);
    change->checked = change->kind->check(app, change, app->draft, error);
    return change->checked;
}

/* A reload (`alone`) is under way or waits: until it is done, new changes cannot be checked. */
static gboolean
app_is_blocked(const App *app)
{
    for (const GList *link = app->waiting.head; link; link = link->next)
        if (((const AppChange *)link->data)->kind->alone)
            return TRUE;
    return app->carried.head && ((const AppChange *)app->carried.head->data)->kind->alone;
}

/* Moves waiting changes, in order and up to the next reload, into the next write. */
static void
app_carry(App *app)
{
    AppChange *change;

    while ((change = g_queue_peek_head(&app->waiting)) != NULL) {
        g_autoptr(GError) error = NULL;

        if (change->kind->alone && app->carried.length > 0)
            return;
        (void)g_queue_pop_head(&app->waiting);
        if (!change->checked && !app_check(app, change, &error)) {
            change_end(change, NULL, error);
            continue;
        }
        g_queue_push_tail(&app->carried, change);
        if (change->kind->alone)
            return;
    }
}

static gboolean
app_carries_kept(const App *app)
{
    for (const GList *link = app->carried.head; link; link = link->next)
        if (((const AppChange *)link->data)->keeps)
            return TRUE;
    return FALSE;
}

static gboolean
app_on_turn(gpointer data)
{
    App *app = data;

    app->turn = 0;
    if (app->carried.length > 0 || app->stopping)
        return G_SOURCE_REMOVE;
    app_carry(app);
    if (app->carried.length == 0)
        g_clear_pointer(&app->draft, app_draft_free);
    else if (app->writer && app_carries_kept(app))
        store_writer_write(app->writer, app_draft_kept(app->draft, app));
    else
        app_written(NULL, app);
    return G_SOURCE_REMOVE;
}

/* Runs from the main loop, so that no change ends before the call that asked for it returns. */
static void
app_take_turn(App *app)
{
    if (!app->turn)
        app->turn = g_idle_add_full(G_PRIORITY_DEFAULT, app_on_turn, app, NULL);
}

static void
app_apply_all(App *app, GQueue *carried)
{
    AppChange *change;

    while ((change = g_queue_pop_head(carried)) != NULL) {
        if (change->kind->alone)
            g_clear_pointer(&app->draft, app_draft_free);
        change_end(change, change->kind->apply(app, change), NULL);
    }
}

static void
app_refuse_all(GQueue *changes, const GError *error)
{
    AppChange *change;

    while ((change = g_queue_pop_head(changes)) != NULL)
        change_end(change, NULL, error);
}

/* Checks the waiting changes again: those that they were checked against have failed. */
static void
app_check_again(App *app)
{
    GQueue waiting = app->waiting;
    AppChange *change;

    g_queue_init(&app->waiting);
    while ((change = g_queue_pop_head(&waiting)) != NULL) {
        g_autoptr(GError) error = NULL;

        if (change->checked && !app_check(app, change, &error))
            change_end(change, NULL, error);
        else
            g_queue_push_tail(&app->waiting, change);
    }
}

void
app_written(const GError *error, void *data)
{
    App *app = data;
    GQueue carried = app->carried;
    g_autoptr(GError) failure = error ? g_error_copy(error) : NULL;

    g_queue_init(&app->carried);
    if (!failure) {
        app_apply_all(app, &carried);
    } else {
        g_clear_pointer(&app->draft, app_draft_free); /* it points to what is freed now */
        g_prefix_error(&failure, "cannot save this change: ");
        app_refuse_all(&carried, failure);
        app_check_again(app);
    }
    if (!app->stopping)
        app_take_turn(app);
}

AppChange *
app_submit(App *app, AppChange *change, GError **error)
{
    g_autoptr(AppChange) owned = change;

    if (app->stopping || app->waiting.length >= APP_WAITING_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_BUSY,
                    app->stopping ? "streamd is stopping"
                                  : "%u changes wait to be saved already, which is the limit",
                    app->waiting.length);
        return NULL;
    }
    if (!change->kind->alone && !app_has_state(app, error))
        return NULL;
    if (!change->kind->alone && !app_is_blocked(app) && !app_check(app, change, error))
        return NULL;
    g_queue_push_tail(&app->waiting, change);
    app_take_turn(app);
    return g_steal_pointer(&owned);
}

guint
app_count_unopened(const App *app, guint32 uid)
{
    guint count = 0;

    for (guint i = 0; app->draft && i < app->draft->tunnels->len; i++) {
        Tunnel *tunnel = app->draft->tunnels->pdata[i];

        count += tunnel_owner_uid(tunnel) == uid && !g_ptr_array_find(app->tunnels, tunnel, NULL);
    }
    return count;
}

void
app_finish_changes(App *app)
{
    g_autoptr(GError) stops = NULL, slow = NULL;

    if (app->stopping)
        return;
    app->stopping = TRUE;
    g_clear_handle_id(&app->turn, g_source_remove);
    if (app->writer && store_writer_is_busy(app->writer))
        (void)store_writer_wait(app->writer, APP_STOP_WAIT);
    g_clear_pointer(&app->draft, app_draft_free);
    g_set_error(&slow, STREAMD_ERROR, STREAMD_ERROR_TIMED_OUT,
                "streamd stops, and the disk has not taken this change after %d s",
                (int)(APP_STOP_WAIT / G_TIME_SPAN_SECOND));
    app_refuse_all(&app->carried, slow);
    g_set_error_literal(&stops, STREAMD_ERROR, STREAMD_ERROR_CANCELLED, "streamd is stopping");
    app_refuse_all(&app->waiting, stops);
}
