/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doctor: looks, step by step, at what a hub needs and whether clients get to it, also when it does
 * not run. Every step is bounded in time. It changes nothing but for a file that is written and
 * removed again, to see whether that is possible. One thread; waits. */
#pragma once

#include "hub/certificate/pair.h"
#include "hub/cli/client.h"
#include "hub/base/settings.h"

#include <json-glib/json-glib.h>

typedef enum {
    DOCTOR_OK,
    DOCTOR_FAILED,
    DOCTOR_LIMITED, /* it works; FOUND is what is not as good as it could be */
    DOCTOR_SKIPPED,
} DoctorResult;

typedef struct {
    const char *step; /* "disk"; a code, see doctor_step */
    DoctorResult result;
    gint64 time;       /* µs */
    char *found;       /* for people: what there is, what is wrong, or why it was left out */
    const char *cause; /* a code for doctor_cure; NULL: none */
} DoctorCheck;

typedef struct {
    /* What is asked about; borrowed. */
    const char *state_dir; /* NULL: not known, so its files are left out */
    const char *config;    /* NULL: default settings */
    AdminClient *client;
    /* What steps have found for the later ones. */
    Settings *settings;    /* NULL: the file is not good */
    gboolean missing;      /* there is no state folder */
    CertificatePair *pair; /* NULL: it cannot be used */
    JsonNode *status;      /* NULL: the hub does not answer, for the reason in UNHEARD */
    GError *unheard;
    gint64 asked; /* µs that this took */
    char *name;   /* NULL: not known */
    guint16 port;
    GPtrArray *checks; /* DoctorCheck */
} Doctor;

void doctor_run(Doctor *doctor);
void doctor_clear(Doctor *doctor);

/* For steps: each ends with one of these. FOUND is taken and may be NULL. */
void doctor_good(DoctorCheck *check, char *found);
void doctor_fail(DoctorCheck *check, const char *cause, char *found);
void doctor_limit(DoctorCheck *check, const char *cause, char *found);
void doctor_skip(DoctorCheck *check, const char *why);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Doctor, doctor_clear)
