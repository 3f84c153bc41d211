/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/bounds.h"

#include "daemon/bus/error.h"

#include <string.h>

static int bounds_walk(sd_bus_message *message, guint max, sd_bus_error *error);

static int
bounds_check_string(sd_bus_message *message, char type, sd_bus_error *error)
{
    const char *value;
    int r = sd_bus_message_read_basic(message, type, &value);

    if (r >= 0 && strnlen(value, BUS_BOUNDS_STRING + 1) > BUS_BOUNDS_STRING)
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "a string is longer than %d bytes",
                              BUS_BOUNDS_STRING);
    return r;
}

/* sd-bus and the bus itself limit the depth of nesting. */
static int
bounds_check_container(sd_bus_message *message, char type, const char *contents,
                       sd_bus_error *error)
{
    int r = sd_bus_message_enter_container(message, type, contents);

    if (r >= 0)
        r = bounds_walk(message, type == SD_BUS_TYPE_ARRAY ? BUS_BOUNDS_ARRAY : G_MAXUINT, error);
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int
bounds_check_value(sd_bus_message *message, char type, const char *contents, sd_bus_error *error)
{
    const char basic[] = {type, '\0'};

    switch (type) {
    case SD_BUS_TYPE_STRING:
    case SD_BUS_TYPE_OBJECT_PATH:
    case SD_BUS_TYPE_SIGNATURE:
        return bounds_check_string(message, type, error);
    case SD_BUS_TYPE_ARRAY:
    case SD_BUS_TYPE_VARIANT:
    case SD_BUS_TYPE_STRUCT:
    case SD_BUS_TYPE_DICT_ENTRY:
        return bounds_check_container(message, type, contents, error);
    default:
        return sd_bus_message_skip(message, basic);
    }
}

/* Checks the rest of the container at which MESSAGE stands: at most MAX values. */
static int
bounds_walk(sd_bus_message *message, guint max, sd_bus_error *error)
{
    const char *contents;
    char type;
    int r;

    for (guint n = 0; (r = sd_bus_message_peek_type(message, &type, &contents)) > 0; n++) {
        if (n >= max)
            return bus_error_setf(error, STREAMD_ERROR_INVALID,
                                  "an array has more than %d elements", BUS_BOUNDS_ARRAY);
        r = bounds_check_value(message, type, contents, error);
        if (r < 0)
            return r;
    }
    return r;
}

int
bus_bounds_check(sd_bus_message *message, sd_bus_error *error)
{
    int r = bounds_walk(message, G_MAXUINT, error);

    if (r >= 0)
        r = sd_bus_message_rewind(message, 1);
    return r < 0 ? r : 0;
}
