/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app-resume.h"

#include "daemon/app-private.h"

#include <string.h>

struct AppResume {
    App *app;
    ServiceResumes *services;
    Tombstones *tombstones;
    GHashTable *waiting; /* the stream's id -> AppWaiting */
    AppResumeCounts counts;
};

/* A stream that is suspended. */
typedef struct {
    guint64 id;
    char *hub;
    StreamRole role;
    gint64 since; /* monotonic */
} AppWaiting;

static void
waiting_free(void *data)
{
    AppWaiting *waiting = data;

    g_free(waiting->hub);
    g_free(waiting);
}

static gboolean
app_resume_fill(Stream *stream, ServiceOpenOptions *options, void *data)
{
    AppResume *resume = data;
    Hub *hub = app_find_hub(resume->app, stream_hub(stream));

    if (!hub || hub_role(hub) != HUB_ROLE_SERVICE || !app_check_hub(hub, NULL))
        return FALSE;
    app_fill_open(resume->app, hub, options);
    return TRUE;
}

AppResume *
app_resume_new(App *app)
{
    AppResume *resume = g_new0(AppResume, 1);
    const ServiceResumeContext context = {.fill = app_resume_fill, .data = resume};

    resume->app = app;
    resume->services = service_resumes_new(&context);
    resume->tombstones = tombstones_new();
    resume->waiting = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, waiting_free);
    return resume;
}

void
app_resume_free(AppResume *resume)
{
    if (!resume)
        return;
    service_resumes_free(resume->services);
    tombstones_free(resume->tombstones);
    g_hash_table_unref(resume->waiting);
    g_free(resume);
}

void
app_resume_stop(AppResume *resume)
{
    service_resumes_stop(resume->services);
}

Tombstones *
app_resume_tombstones(AppResume *resume)
{
    return resume->tombstones;
}

static void
app_resume_tell_lost(Hub *hub, Stream *stream)
{
    StreamAnswer lost;

    if (stream_lost_leg(stream, &lost))
        hub_tell_end(hub, &lost);
}

void
app_resume_hub_connected(AppResume *resume, Hub *hub)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, resume->waiting);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const AppWaiting *waiting = value;
        Stream *stream = app_find_stream(resume->app, waiting->id);

        if (stream && g_str_equal(waiting->hub, hub_name(hub)))
            app_resume_tell_lost(hub, stream);
    }
}

void
app_resume_suspended(AppResume *resume, Stream *stream)
{
    Hub *hub = app_find_hub(resume->app, stream_hub(stream));

    if (stream_role(stream) == STREAM_ROLE_SERVICE)
        service_resumes_lead(resume->services, stream);
    else if (hub)
        app_resume_tell_lost(hub, stream);
    if (hub)
        hub_hurry(hub);
}

static void
app_resume_wait(AppResume *resume, Stream *stream)
{
    AppWaiting *waiting = g_new0(AppWaiting, 1);

    waiting->id = stream_id(stream);
    waiting->hub = g_strdup(stream_hub(stream));
    waiting->role = stream_role(stream);
    waiting->since = stream_lost_at(stream);
    g_hash_table_insert(resume->waiting, &waiting->id, waiting);
    app_journal_stream_suspended(stream);
}

/* It goes on. */
static void
app_resume_went_on(AppResume *resume, Stream *stream, const AppWaiting *waiting)
{
    resume->counts.resumed[waiting->role]++;
    app_journal_stream_resumed(stream, g_get_monotonic_time() - waiting->since);
}

/* What its service is told that still tries to lead it back. */
static void
app_resume_bury(AppResume *resume, Stream *stream)
{
    const Hub *hub = app_find_hub(resume->app, stream_hub(stream));
    gint64 time = MAX(hub ? hub_resume_time(hub) : 0, stream_resume_time(stream));
    Tombstone tombstone = {
        .hub = stream_hub(stream),
        .id = stream_hub_id(stream),
        .reason = stream_reason(stream),
        .known = stream_end_is_known(stream),
        .until = g_get_monotonic_time() + time + TOMBSTONES_LATE,
    };

    memcpy(tombstone.digest, stream_resume_secret(stream), RESUME_KEY_LEN);
    tombstones_add(resume->tombstones, &tombstone);
}

static void
app_resume_ended(AppResume *resume, Stream *stream, const AppWaiting *waiting)
{
    if (waiting && stream_gave_up(stream))
        resume->counts.given_up[waiting->role]++;
    if (stream_role(stream) == STREAM_ROLE_DEVICE && stream_resume_secret(stream))
        app_resume_bury(resume, stream);
    service_resumes_ended(resume->services, stream);
}

void
app_resume_changed(AppResume *resume, Stream *stream)
{
    guint64 id = stream_id(stream);
    const AppWaiting *waiting = g_hash_table_lookup(resume->waiting, &id);
    StreamState state = stream_state(stream);

    if (state == STREAM_SUSPENDED && !waiting)
        app_resume_wait(resume, stream);
    if (state == STREAM_OPEN && waiting) {
        app_resume_went_on(resume, stream, waiting);
        service_resumes_went_on(resume->services, stream);
    }
    if (stream_has_ended(stream))
        app_resume_ended(resume, stream, waiting);
    if (waiting && (state == STREAM_OPEN || stream_has_ended(stream)))
        (void)g_hash_table_remove(resume->waiting, &id);
}

void
app_resume_removed(AppResume *resume, Stream *stream)
{
    service_resumes_leave(resume->services, stream);
}

void
app_resume_unsaid(AppResume *resume, Stream *stream)
{
    service_resumes_ended(resume->services, stream);
}

void
app_resume_inherited(AppResume *resume, Stream *stream)
{
    app_resume_changed(resume, stream);
    app_resume_suspended(resume, stream);
}

void
app_resume_left(AppResume *resume, Stream *stream)
{
    const guint64 id = stream_id(stream);

    service_resumes_leave(resume->services, stream);
    (void)g_hash_table_remove(resume->waiting, &id);
}

void
app_resume_network_changed(AppResume *resume)
{
    service_resumes_network_changed(resume->services);
}

void
app_resume_check_policy(AppResume *resume)
{
    g_autoptr(GPtrArray) list = stream_table_list(resume->app->streams);

    for (guint i = 0; i < list->len; i++) {
        Stream *stream = list->pdata[i];
        g_autofree char *rule = NULL;

        if (stream_role(stream) != STREAM_ROLE_DEVICE || stream_state(stream) != STREAM_SUSPENDED)
            continue;
        rule = accept_policy_digest(resume->app->policy, stream_rule(stream));
        if (strcmp(rule, stream_grant(stream)) != 0)
            stream_close(stream, REASON_POLICY);
    }
}

gboolean
app_resume_awaits(AppResume *resume, const char *hub)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, resume->waiting);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const AppWaiting *waiting = value;

        if (waiting->role == STREAM_ROLE_DEVICE && g_str_equal(waiting->hub, hub))
            return TRUE;
    }
    return FALSE;
}

AppResumeCounts
app_resume_counts(const AppResume *resume)
{
    return resume->counts;
}
