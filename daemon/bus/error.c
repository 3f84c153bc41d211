/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/error.h"

#include "common/bus/names.h"

/* Messages may carry text of a hub or a device, so they are limited. */
#define BUS_ERROR_TEXT_MAX 1024

/* The problems of a configuration, a line each, get more room: the administrator wrote it. */
#define BUS_ERROR_LINES_MAX 16384

static int
bus_error_set_text(sd_bus_error *ret, StreamdError code, const char *text, gsize max)
{
    g_autofree char *name = g_strconcat(BUS_ERROR_PREFIX, streamd_error_name(code), NULL);
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, max));

    return sd_bus_error_set(ret, name, valid);
}

static int
bus_error_set_bounded(sd_bus_error *ret, const GError *error, gsize max)
{
    StreamdError code = STREAMD_ERROR_FAILED;

    if (error != NULL && error->domain == STREAMD_ERROR)
        code = (StreamdError)error->code;
    return bus_error_set_text(ret, code, error != NULL ? error->message : "no reason was given",
                              max);
}

int
bus_error_set(sd_bus_error *ret, const GError *error)
{
    return bus_error_set_bounded(ret, error, BUS_ERROR_TEXT_MAX);
}

int
bus_error_set_lines(sd_bus_error *ret, const GError *error)
{
    return bus_error_set_bounded(ret, error, BUS_ERROR_LINES_MAX);
}

int
bus_error_setf(sd_bus_error *ret, StreamdError code, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    return bus_error_set_text(ret, code, text, BUS_ERROR_TEXT_MAX);
}

int
bus_error_reply(sd_bus_message *message, const GError *error)
{
    g_auto(sd_bus_error) bus_error = SD_BUS_ERROR_NULL;

    (void)bus_error_set(&bus_error, error);
    return sd_bus_reply_method_error(message, &bus_error);
}
