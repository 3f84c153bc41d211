/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options: reads an a{sv} argument with a table of the keys that a method knows.
 *
 * It is strict: an unknown key, a key that comes twice, a value of a wrong type and a string that
 * is too long are errors. So no option is silently ignored. */
#pragma once

#include "common/bus/util.h"

#define BUS_STRING_MAX 4096 /* requirement R23 */
#define BUS_OPTIONS_MAX 64
#define BUS_STRINGS_MAX 64 /* in one array; requirement R23 */

/* TYPE is one of: 's' const char * (owned by the message), 't' guint64, 'u' guint32, 'q' guint16,
 * 'b' int, 'h' int (the message's), 'a' GStrv (an `as`, owned by the caller even when reading fails
 * later). VALUE is not changed when the key is absent. */
typedef struct {
    const char *key;
    char type;
    void *value;
    gboolean given; /* out */
} BusOption;

/* Reads the a{sv} at which MESSAGE stands. 0, or negative errno with ERROR set. */
int bus_options_read(sd_bus_message *message, BusOption *options, guint count, sd_bus_error *error);

/* A string argument that is used as a name or an address: not longer than BUS_STRING_MAX. */
int bus_options_check_string(const char *what, const char *value, sd_bus_error *error);
