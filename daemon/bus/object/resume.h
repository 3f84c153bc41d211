/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resume: the options "resume" and "resume-time" of a hub, as AddHub and Update take them. Main
 * thread. */
#pragma once

#include "daemon/bus/options.h"

typedef struct {
    /* as read */
    int wanted;
    guint64 usec;
    /* bus_resume_take: */
    gboolean given;     /* NO_RESUME says something */
    gboolean no_resume; /* as in HubSettings; likewise the next */
    guint time;         /* s; 0: not given */
} BusResume;

#define BUS_RESUME_OPTIONS 2

/* Fills OPTIONS, BUS_RESUME_OPTIONS of them, for bus_options_read. */
void bus_resume_expect(BusOption *options, BusResume *resume);

/* A time of 0 turns it off. Any other one turns it on, unless "resume" says no, and counts in whole
 * seconds: a part of one is one. 0, or negative errno with ERROR set. */
int bus_resume_take(const BusOption *options, BusResume *resume, sd_bus_error *error);

/* The same of a rule: µs, as AcceptRule.resume_time has them. */
int bus_resume_check(guint64 usec, gint64 *ret, sd_bus_error *error);
