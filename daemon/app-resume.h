/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that survive their legs, as the app sees them: who leads them back, what is remembered of
 * those that ended, what is counted and recorded. Shared by the files app*.c alone. Main thread. */
#pragma once

#include "daemon/app.h"
#include "daemon/link/service-resume.h"
#include "daemon/stream/figures.h"
#include "daemon/stream/tombstone.h"

typedef struct AppResume AppResume;

AppResume *app_resume_new(App *app);
void app_resume_free(AppResume *resume); /* NULL is fine */
/* Nothing is led back any more: the process ends. To be called while the reactors run. */
void app_resume_stop(AppResume *resume);

Tombstones *app_resume_tombstones(AppResume *resume);

/* Members of StreamTableEvents. */
void app_resume_suspended(AppResume *resume, Stream *stream);
void app_resume_changed(AppResume *resume, Stream *stream);
void app_resume_removed(AppResume *resume, Stream *stream);
void app_resume_unsaid(AppResume *resume, Stream *stream);

/* A stream of a former process, which waits for its leg; after the hubs are there. */
void app_resume_inherited(AppResume *resume, Stream *stream);
/* A stream is left to the next process: nobody leads it back here. */
void app_resume_left(AppResume *resume, Stream *stream);
/* The control link of a device is up: the hub is told of the legs that are lost here, because it
 * may not know, and then neither does the other end, which is to lead the streams back. */
void app_resume_hub_connected(AppResume *resume, Hub *hub);

void app_resume_network_changed(AppResume *resume);

/* The policy has changed: a suspended stream whose rule is gone, or another one, cannot be led
 * back, and ends. */
void app_resume_check_policy(AppResume *resume);

/* A device's stream of HUB waits for a leg. */
gboolean app_resume_awaits(AppResume *resume, const char *hub);

/* Since the start, by StreamRole. */
typedef struct {
    guint64 resumed[STREAM_ROLES]; /* how often a stream went on */
    guint64
        given_up[STREAM_ROLES]; /* streams that ended because they had waited too long for a leg */
} AppResumeCounts;
AppResumeCounts app_resume_counts(const AppResume *resume);
