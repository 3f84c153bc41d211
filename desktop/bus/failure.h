/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failure: an error of streamd's, by its name on the bus, and in words that say what helps. */
#pragma once

#include <gio/gio.h>

#define FAILURE (failure_quark())

typedef enum {
    FAILURE_INVALID,
    FAILURE_EXISTS,
    FAILURE_NOT_FOUND,
    FAILURE_DENIED,
    FAILURE_LIMIT,
    FAILURE_OFFLINE,
    FAILURE_UNAUTHORIZED,
    FAILURE_REJECTED,
    FAILURE_TIMED_OUT,
    FAILURE_UNREACHABLE,
    FAILURE_UNTRUSTED,
    FAILURE_PROTOCOL,
    FAILURE_UNASKED, /* a person would have to be asked for a password, and was not to be */
} FailureCode;

/* The domain of errors that daemon_call() gives. The first call tells GDBus their names. */
GQuark failure_quark(void);

/* Whether this machine did not let us: an administrator may. */
gboolean failure_is_of_machine(const GError *error);

/* ERROR's message, which is streamd's own, with what helps on a line below it. Caller frees. */
char *failure_text(const GError *error);
