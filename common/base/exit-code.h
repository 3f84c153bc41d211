/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit codes, the same in streamctl and streamhub: one table, of which the help is made. The manual
 * has a paragraph for each (man/exit-codes.in). Any thread. */
#pragma once

#include <glib.h>

typedef enum {
    EXIT_CODE_OK = 0,
    EXIT_CODE_OTHER = 1,
    EXIT_CODE_USAGE = 2,       /* usage or malformed input */
    EXIT_CODE_NOT_RUNNING = 3, /* who would do it cannot be reached: streamd, or the hub itself */
    EXIT_CODE_NOT_FOUND = 4,   /* hub, target, rule, tunnel, stream, device, user */
    EXIT_CODE_DENIED = 5,      /* denied locally */
    EXIT_CODE_EXISTS = 6,
    EXIT_CODE_LIMIT = 7,
    EXIT_CODE_OFFLINE = 10,      /* the device is not connected */
    EXIT_CODE_UNAUTHORIZED = 11, /* the hub refused the identity */
    EXIT_CODE_REJECTED = 12,     /* the device rejected: policy, no target, target down */
    EXIT_CODE_TIMED_OUT = 13,
    EXIT_CODE_UNREACHABLE = 14, /* the hub, for streamd */
    EXIT_CODE_UNTRUSTED = 15,   /* the hub's certificate */
    EXIT_CODE_PROTOCOL = 16,
    EXIT_CODE_CUT = 17,   /* a stream was cut in the middle */
    EXIT_CODE_PROXY = 18, /* the proxy wants credentials, or does not let us reach the hub */
} ExitCode;

typedef struct {
    ExitCode code;
    const char *word; /* for the list in the help; passed through gettext when shown */
} ExitCodeRow;

/* In order; ends with a row whose WORD is NULL. */
const ExitCodeRow *exit_code_rows(void);

/* Errors of a command line: the code is the ExitCode, the message is for people. */
#define EXIT_ERROR (exit_error_quark())
GQuark exit_error_quark(void);

/* Of a StreamdError. */
ExitCode exit_code_of_number(int number);

/* Of any error: of this domain, of STREAMD_ERROR or G_OPTION_ERROR, or about a file that is there.
 */
ExitCode exit_code_of_error(const GError *error);

/* Of the reason code of a stream that was open: 0 when it ended in order, else EXIT_CODE_CUT. */
ExitCode exit_code_of_reason(const char *reason);
