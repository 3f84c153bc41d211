/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diagnosis: what Hub.Diagnose found, in words, with what helps. Pure. */
#pragma once

#include <glib.h>

typedef enum {
    DIAGNOSIS_OK,
    DIAGNOSIS_FAILED,
    DIAGNOSIS_SKIPPED,
} DiagnosisResult;

typedef struct {
    DiagnosisResult result;
    const char *step; /* in words; static, or borrowed from the checks */
    char *finding;    /* on one line; may be "" */
    const char *cure; /* what helps; NULL: nothing does, or nothing has to */
} Diagnosis;

/* CHECKS: a(ssa{sv}), which the rows borrow from. Free with g_ptr_array_unref. */
GPtrArray *diagnosis_read(GVariant *checks);

/* How many steps failed. */
guint diagnosis_failures(GPtrArray *rows);

/* The rows as text, to send to somebody. TITLE is its first line. Caller frees. */
char *diagnosis_text(const char *title, GPtrArray *rows);

/* What helps against a failure of that cause; NULL: it is not known. */
const char *diagnosis_cure(const char *cause);
