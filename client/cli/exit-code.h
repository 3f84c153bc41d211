/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit codes of streamctl, and the one table that ties them to D-Bus errors and to reasons. */
#pragma once

#include <glib.h>

typedef enum {
    EXIT_CODE_OK = 0,
    EXIT_CODE_OTHER = 1,
    EXIT_CODE_USAGE = 2,     /* usage or malformed input */
    EXIT_CODE_NO_DAEMON = 3, /* streamd cannot be reached */
    EXIT_CODE_NOT_FOUND = 4, /* hub, target, rule, tunnel, stream; device unknown to the hub */
    EXIT_CODE_DENIED = 5,    /* denied locally */
    EXIT_CODE_EXISTS = 6,
    EXIT_CODE_LIMIT = 7,
    EXIT_CODE_OFFLINE = 10,      /* the device is not connected */
    EXIT_CODE_UNAUTHORIZED = 11, /* the hub refused the identity */
    EXIT_CODE_REJECTED = 12,     /* the device rejected: policy, no target, target down */
    EXIT_CODE_TIMED_OUT = 13,
    EXIT_CODE_UNREACHABLE = 14, /* the hub */
    EXIT_CODE_UNTRUSTED = 15,   /* the hub's certificate */
    EXIT_CODE_PROTOCOL = 16,
    EXIT_CODE_CUT = 17,   /* a stream was cut in the middle */
    EXIT_CODE_PROXY = 18, /* the proxy wants credentials, or does not let us reach the hub */
} ExitCode;

/* Errors of this program: the code is the ExitCode, the message is for people. */
#define EXIT_ERROR (exit_error_quark())
GQuark exit_error_quark(void);

/* Of a D-Bus error's full name; EXIT_CODE_OTHER when there is nothing better. */
ExitCode exit_code_of_bus_error(const char *name);

/* Of the reason code of a stream that was open: 0 when it ended in order, else EXIT_CODE_CUT. */
ExitCode exit_code_of_reason(const char *reason);

/* What to try, translated; NULL when there is nothing to say. */
const char *exit_code_hint(ExitCode code);
