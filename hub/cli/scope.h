/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scope: turns the options about what a user can reach into JSON for the hub, and the hub's answer
 * into text. */
#pragma once

#include "common/cli/cli.h"
#include "hub/cli/option.h"

#include <json-glib/json-glib.h>

#define SCOPE_BOUNDS                                                                               \
    OPTION_DEVICES, OPTION_TAG, OPTION_STREAMS, OPTION_STREAMS_MAX, OPTION_OPENS_PER_MINUTE,       \
        OPTION_BYTES_PER_DAY
/* All these options: for a verb's list, and as the usage shows them. */
#define SCOPE_OPTIONS SCOPE_BOUNDS, OPTION_EXPIRES
#define SCOPE_USAGE                                                                                \
    "[--devices PATTERN]... [--tag KEY=VALUE]... [--streams PATTERN]... [--expires TIME] "         \
    "[--streams-max N] [--opens-per-minute N] [--bytes-per-day SIZE]"

/* The same for a verb that has an --expires of its own. */
#define SCOPE_OPTIONS_INVITED SCOPE_BOUNDS, OPTION_USER_EXPIRES
#define SCOPE_USAGE_INVITED                                                                        \
    "[--devices PATTERN]... [--tag KEY=VALUE]... [--streams PATTERN]... [--user-expires TIME] "    \
    "[--streams-max N] [--opens-per-minute N] [--bytes-per-day SIZE]"

gboolean verb_scope_is_given(const Cli *cli);

/* Adds the member "scope" with what the options say. FALSE with ERROR set: a value is wrong. */
gboolean verb_scope_add(const Cli *cli, JsonBuilder *builder, GError **error);

/* Adds the member "expires": the value of OPTION, or FALLBACK (may be NULL: nothing). "never" is
 * null. FALSE with ERROR set: it is no time. */
gboolean verb_time_add(const Cli *cli, Option option, const char *fallback, JsonBuilder *builder,
                       GError **error);

/* "devices gw-*; tags site=berlin; until 2027-01-31T12:00:00Z", or "everything". Caller frees. */
char *verb_scope_text(JsonNode *user);
