/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failure: what an error of the bus means to the user: an exit code and what to try. */
#pragma once

#include "common/base/exit-code.h"

/* NAME: the full name of a D-Bus error. EXIT_CODE_OTHER when nothing fits better. */
ExitCode failure_code(const char *name);

/* TEXT, the English message of the error NAME, with its kind in front of it in the language of the
 * user. Caller frees. */
char *failure_text(const char *name, const char *text);

/* What to try, translated. SYSTEM: the machine's streamd was meant. MESSAGE: the error's. NULL: no
 * hint. */
const char *failure_hint(gboolean system, ExitCode code, const char *message);
