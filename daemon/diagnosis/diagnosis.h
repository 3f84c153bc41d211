/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diagnosis: checks, step by step, everything between this streamd and a stream, and says which
 * step fails and why. For a device hub: up to the subscription, then the accept policy and the
 * targets here. For a service hub: up to a request that the hub accepts, then, if a device is
 * named, what the hub says of it; and if a stream is named, too, a real stream to it.
 *
 * It copies what it needs of the hub at the start, so the hub may be removed meanwhile. Every step
 * has its own time limit. Main thread. */
#pragma once

#include "daemon/app.h"

typedef struct Diagnosis Diagnosis;

#define DIAGNOSIS_NAME_LIMIT (5 * G_TIME_SPAN_SECOND)   /* a look-up in the DNS */
#define DIAGNOSIS_STEP_LIMIT (10 * G_TIME_SPAN_SECOND)  /* any other question */
#define DIAGNOSIS_OPEN_LIMIT (10 * G_TIME_SPAN_SECOND)  /* the device's answer */
#define DIAGNOSIS_CLOCK_SKEW (120 * G_TIME_SPAN_SECOND) /* if it is more, the clock is wrong */
#define DIAGNOSIS_TARGETS_MAX 16                        /* are tried, when no stream is named */
#define DIAGNOSIS_CAUSE_MAX 32

typedef enum {
    CHECK_OK,
    CHECK_FAILED,
    CHECK_SKIPPED,
} CheckResult;

const char *check_result_name(CheckResult result); /* "ok", "failed", "skipped" */

/* A value beside the result. */
typedef struct {
    const char *key; /* dbus/io.streamd.Streamd1.Hub.xml lists them */
    char type;       /* 's': TEXT; 'x', 't', 'u': NUMBER */
    char *text;
    gint64 number;
} CheckDetail;

typedef struct {
    const char *step; /* "dns", "proxy", ... */
    CheckResult result;
    GArray *details; /* CheckDetail */
} Check;

typedef struct {
    const char *device; /* service: DEVICE or DEVICE/MODULE; NULL: none is asked about */
    const char *stream; /* the stream to open; device: for which the policy is asked; NULL: any */
    const char *initiator; /* device: of that stream; NULL: unknown */
    guint32 uid;           /* the user who asks, and who owns the stream */
} DiagnosisOptions;

/* Called once, later. CHECKS (Check, in their order) are freed after the call. */
typedef void (*DiagnosisDone)(GPtrArray *checks, void *data);

/* INVALID: the options do not fit the role. */
Diagnosis *diagnosis_new(App *app, Hub *hub, const DiagnosisOptions *options, DiagnosisDone done,
                         void *data, GError **error);

/* Tries a hub that is in no list yet: the way to it, and whether it takes the identity, unless the
 * control link of the hub in whose place it is to be has shown that. Where it is tried, the control
 * link takes over from that one. */
Diagnosis *diagnosis_try(App *app, Hub *hub, DiagnosisDone done, void *data, GError **error);

/* TRUE, with the error, when one of CHECKS has failed: the first. */
gboolean diagnosis_failure(const GPtrArray *checks, GError **error);

/* DONE is not called any more; NULL is fine. Not after DONE. */
void diagnosis_cancel(Diagnosis *diagnosis);
