/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hint: what to try after an error, by its code, its message, and which streamds run here. Blocks
 * for two seconds at most. */
#pragma once

#include "common/base/exit-code.h"

/* Translated; NULL: no hint. SYSTEM: the machine's streamd was meant. Caller frees. */
char *show_hint(gboolean system, ExitCode code, const char *message);

/* The same for a call that was not allowed. NULL when MESSAGE does not say why. Caller frees. */
char *show_denial_hint(gboolean system, const char *message);
