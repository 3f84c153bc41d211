/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/options.h"

#include "daemon/bus/error.h"

#include <string.h>

int
bus_options_check_string(const char *what, const char *value, sd_bus_error *error)
{
    if (strnlen(value, BUS_STRING_MAX + 1) <= BUS_STRING_MAX)
        return 0;
    return bus_error_setf(error, STREAMD_ERROR_INVALID, "%s is longer than %d bytes", what,
                          BUS_STRING_MAX);
}

static BusOption *
bus_option_find(BusOption *options, guint count, const char *key)
{
    for (guint i = 0; i < count; i++)
        if (strcmp(options[i].key, key) == 0)
            return &options[i];
    return NULL;
}

static int
bus_option_read_strings(sd_bus_message *message, const BusOption *option, sd_bus_error *error)
{
    g_autoptr(GStrvBuilder) strings = g_strv_builder_new();
    const char *string;
    guint count = 0;
    int r;

    r = sd_bus_message_enter_container(message, 'v', "as");
    if (r >= 0)
        r = sd_bus_message_enter_container(message, 'a', "s");
    while (r >= 0 && (r = sd_bus_message_read(message, "s", &string)) > 0) {
        if (++count > BUS_STRINGS_MAX)
            return bus_error_setf(error, STREAMD_ERROR_INVALID, "'%s' has more than %d strings",
                                  option->key, BUS_STRINGS_MAX);
        r = bus_options_check_string(option->key, string, error);
        g_strv_builder_add(strings, string);
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r >= 0)
        *(GStrv *)option->value = g_strv_builder_end(strings);
    return r;
}

static int
bus_option_read_value(sd_bus_message *message, BusOption *option, sd_bus_error *error)
{
    const char expected[] = {option->type, option->type == 'a' ? 's' : '\0', '\0'};
    const char *contents = NULL;
    char type;
    int r;

    r = sd_bus_message_peek_type(message, &type, &contents);
    if (r < 0)
        return r;
    if (g_strcmp0(contents, expected) != 0)
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "option '%s' has the type '%s', it takes '%s'", option->key, contents,
                              expected);
    if (option->type == 'a') {
        option->given = TRUE;
        return bus_option_read_strings(message, option, error);
    }
    r = sd_bus_message_read(message, "v", expected, option->value);
    if (r < 0)
        return r;
    option->given = TRUE;
    if (option->type != 's')
        return 0;
    return bus_options_check_string(option->key, *(const char **)option->value, error);
}

static int
bus_option_read(sd_bus_message *message, BusOption *options, guint count, sd_bus_error *error)
{
    BusOption *option;
    const char *key;
    int r;

    r = sd_bus_message_read(message, "s", &key);
    if (r < 0)
        return r;
    option = bus_option_find(options, count, key);
    if (option == NULL)
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "unknown option '%.64s'", key);
    if (option->given)
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "option '%s' is given twice", key);
    return bus_option_read_value(message, option, error);
}

int
bus_options_read(sd_bus_message *message, BusOption *options, guint count, sd_bus_error *error)
{
    int r;

    r = sd_bus_message_enter_container(message, 'a', "{sv}");
    if (r < 0)
        return r;
    for (guint n = 0; (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0; n++) {
        if (n >= BUS_OPTIONS_MAX)
            return bus_error_setf(error, STREAMD_ERROR_INVALID, "more than %d options",
                                  BUS_OPTIONS_MAX);
        r = bus_option_read(message, options, count, error);
        if (r < 0)
            return r;
        r = sd_bus_message_exit_container(message);
        if (r < 0)
            return r;
    }
    if (r < 0)
        return r;
    return sd_bus_message_exit_container(message);
}
