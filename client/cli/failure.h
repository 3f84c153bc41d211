/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failure: what an error of the bus means to who typed the command: an exit code, and what to try.
 */
#pragma once

#include "common/base/exit-code.h"

/* Of a D-Bus error's full name; EXIT_CODE_OTHER when there is nothing better. */
ExitCode failure_code(const char *name);

/* What to try, translated; NULL when there is nothing to say. */
const char *failure_hint(ExitCode code);
