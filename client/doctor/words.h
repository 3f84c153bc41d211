/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doctor: what the steps of a diagnosis (Hub.Diagnose) are called, what they say, and what helps
 * when one fails. Codes come over the bus; the words for them are here, translated. */
#pragma once

#include <glib.h>

/* One check, of the daemon's or one of ours. */
typedef struct {
    const char *step;   /* code */
    const char *result; /* "ok", "failed", "skipped", "limited" */
    GVariant *details;  /* a{sv} */
} DoctorCheck;

/* "TLS" of "tls"; an unknown step as it is. */
const char *doctor_step(const char *step);

/* "ok", translated; an unknown result as it is. */
const char *doctor_result(const char *result);

/* What it found, or why it failed or was left out; "" for nothing. Caller frees. */
char *doctor_finding(const DoctorCheck *check);

/* What to do about it; NULL when nothing is known. */
const char *doctor_cure(const char *cause);

/* "12 ms", "3.4 s"; "" when it is not told. Caller frees. */
char *doctor_time(GVariant *details);
