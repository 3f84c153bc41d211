/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Check: one step of a diagnosis, done by the daemon or by this program. */
#pragma once

#include <glib.h>

typedef struct {
    const char *step;   /* code */
    const char *result; /* "ok", "failed", "skipped", "limited" */
    GVariant *details;  /* a{sv} */
} DoctorCheck;

/* An array of DoctorCheck, which owns them. */
GPtrArray *doctor_checks_new(void);

/* STEP and RESULT are borrowed: from what owns DETAILS, or constant. DETAILS is consumed when
 * floating; NULL: none. */
void doctor_checks_add(GPtrArray *checks, const char *step, const char *result, GVariant *details);

/* A step that was left out; WHY is a code (words.c). */
void doctor_checks_skip(GPtrArray *checks, const char *step, const char *why);

/* A step that failed: ERROR is the last part of the name of the D-Bus error that it is. */
void doctor_checks_fail(GPtrArray *checks, const char *step, const char *error, const char *cause,
                        const char *message);
