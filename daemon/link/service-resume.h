/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service resume: leads the service's streams back that have lost their leg (docs/wire-protocol.md,
 * section 8a): the same POST again, until one brings a leg, an answer is final, or the stream's
 * time is over. Main thread. */
#pragma once

#include "daemon/link/service-attempt.h"
#include "daemon/link/service-open.h"

/* Those of one streamd. */
typedef struct ServiceResumes ServiceResumes;

#define SERVICE_RESUME_FIRST 1000U     /* ms: the first try comes a random time below it */
#define SERVICE_RESUME_PAUSE 1000U     /* ms: the pause after it, which doubles, */
#define SERVICE_RESUME_PAUSE_MAX 3000U /* to this */
#define SERVICE_RESUME_HURRY 250       /* ms: the same when the network has changed */
#define SERVICE_RESUME_CHANGED (5 * G_TIME_SPAN_SECOND) /* for so long that is so */
#define SERVICE_RESUME_WAIT (30 * G_TIME_SPAN_SECOND)   /* for the device to come */
#define SERVICE_RESUME_ANSWER (20 * G_TIME_SPAN_SECOND) /* for its answer */
/* Every other try takes no longer to reach the hub: packets that were lost are sent again more and
 * more rarely, and a new connection begins with new ones. */
#define SERVICE_RESUME_DIAL 4000 /* ms */

typedef struct {
    /* Fills in what depends on the stream's hub. FALSE: it cannot be used just now. */
    gboolean (*fill)(Stream *stream, ServiceOpenOptions *options, void *data);
    void *data;
} ServiceResumeContext;

ServiceResumes *service_resumes_new(const ServiceResumeContext *context);
/* Cancels all attempts, and begins no other one: they hold connections of the runtime's reactors,
 * which must not have ended by then. */
void service_resumes_stop(ServiceResumes *resumes);
void service_resumes_free(ServiceResumes *resumes); /* NULL is fine */

/* STREAM is suspended, or has lost a leg before the other end talked on it. */
void service_resumes_lead(ServiceResumes *resumes, Stream *stream);

/* STREAM has ended here. If it was still to be led back, the other end does not know, and would
 * keep its side for the rest of the stream's time: it is led back to be told, for
 * SERVICE_RESUME_PARTING at most. So it is when the last word was lost with a leg that seemed to
 * live, and when a leg came too late for it. */
#define SERVICE_RESUME_PARTING (30 * G_TIME_SPAN_SECOND)
void service_resumes_ended(ServiceResumes *resumes, Stream *stream);

/* STREAM goes on; it may be lost again at once, and then the pauses go on where they were. */
void service_resumes_went_on(ServiceResumes *resumes, const Stream *stream);

/* STREAM is left to others, or will be freed. */
void service_resumes_leave(ServiceResumes *resumes, const Stream *stream);

/* network-watch.h: all that wait, or hang, try at once. */
void service_resumes_network_changed(ServiceResumes *resumes);

/* What an attempt's failure means. FINAL: no other one makes sense; a device that has too much to
 * do just now (`limit`) is asked again. Pure. */
gboolean service_resume_is_final(const ServiceOutcome *outcome);

/* ms before the next try, when TRIES have failed and who answered the last one wants none for
 * ASKED. RANDOM: from 0 to below 1. Pure. */
guint service_resume_pause(guint tries, guint asked, double random);
