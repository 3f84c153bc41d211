/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doctor: texts for a diagnosis (Hub.Diagnose): the names of its steps, what they found, and what
 * helps when one fails. The bus carries codes; their translated texts are here. */
#pragma once

#include "client/doctor/check.h"

/* "TLS" for "tls"; an unknown step stays as it is. */
const char *doctor_step(const char *step);

/* "ok", translated; an unknown result stays as it is. */
const char *doctor_result(const char *result);

/* What the check found, or why it failed or was left out; "" for nothing. Caller frees. */
char *doctor_finding(const DoctorCheck *check);

/* What to do about it; NULL when nothing is known. */
const char *doctor_cure(const char *cause);

/* "12 ms", "3.4 s"; "" when the time is absent. Caller frees. */
char *doctor_time(GVariant *details);
