/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options --max-streams to --stall-timeout, for rules and for targets. */
#pragma once

#include "client/cli/option.h"
#include "common/cli/cli.h"

#define LIMIT_OPTIONS                                                                              \
    OPTION_MAX_STREAMS, OPTION_MAX_RATE, OPTION_MAX_BYTES, OPTION_MAX_DURATION,                    \
        OPTION_IDLE_TIMEOUT, OPTION_STALL_TIMEOUT

#define LIMIT_ARGUMENTS                                                                            \
    "[--max-streams N] [--max-rate N] [--max-bytes SIZE] [--max-duration TIME] "                   \
    "[--idle-timeout TIME] [--stall-timeout TIME]"

/* Adds the given options to an a{sv}, under the same names. */
gboolean limit_options_add(const Cli *cli, GVariantBuilder *builder, GError **error);

/* The limits in an a{sv} as a phrase, by the keys of a rule or by the properties of a target: "4 at
 * once, idle 10min"; "" for none. Caller frees. */
char *limit_options_text(GVariant *from, gboolean target);
