/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of the command line, as data: one row each, whichever verbs take them. */
#pragma once

#include <glib.h>

typedef enum {
    OPTION_USER,
    OPTION_SYSTEM,
    OPTION_JSON,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_NO_ASK_PASSWORD,
    OPTION_COLOR,
    OPTION_NO_LEGEND,
    OPTION_FULL,
    OPTION_CONNECTION_STRING_FILE,
    OPTION_CA,
    OPTION_TRANSPORT,
    OPTION_MQTT_PORT,
    OPTION_PROXY,
    OPTION_PROXY_CREDENTIALS_FILE,
    OPTION_NO_PROXY,
    OPTION_HUB,
    OPTION_STREAM,
    OPTION_INITIATOR,
    OPTION_POSITION,
    OPTION_ACCEPT,
    OPTION_REJECT,
    OPTION_LISTEN,
    OPTION_BACKGROUND,
    OPTION_SHARED,
    OPTION_WAIT,
    OPTION_TIMEOUT,
    OPTION_ALL,
    OPTION_ONCE,
    OPTION_FDPASS,
    OPTION_SSH_HOST,
    OPTION_TARGET,
    OPTION_ADDRESS,
    OPTION_WEEKDAYS,
    OPTION_TIME,
    OPTION_HANDLER,
    OPTION_HANDLER_USER,
    OPTION_ASK,
    OPTION_ASK_TIMEOUT,
    OPTION_MAX_STREAMS,
    OPTION_MAX_RATE,
    OPTION_MAX_BYTES,
    OPTION_MAX_DURATION,
    OPTION_IDLE_TIMEOUT,
    OPTION_STALL_TIMEOUT,
    OPTION_AT,
    OPTION_ALLOWED_USERS,
    OPTION_STREAM_HOSTS,
    OPTION_LAST,
} Option;

#define OPTION_BIT(option) (G_GUINT64_CONSTANT(1) << (option))
G_STATIC_ASSERT(OPTION_LAST <= 64);

/* Every verb takes these. */
#define OPTIONS_GLOBAL                                                                             \
    (OPTION_BIT(OPTION_USER) | OPTION_BIT(OPTION_SYSTEM) | OPTION_BIT(OPTION_JSON) |               \
     OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION) | OPTION_BIT(OPTION_NO_ASK_PASSWORD) |   \
     OPTION_BIT(OPTION_COLOR) | OPTION_BIT(OPTION_NO_LEGEND) | OPTION_BIT(OPTION_FULL))

typedef enum { VALUE_NONE, VALUE_REQUIRED, VALUE_OPTIONAL } ValueKind;

typedef struct {
    const char *name; /* without the dashes */
    ValueKind kind;
    const char *value; /* what it takes, for usage: "FILE"; words between | are the whole choice */
    const char *help;  /* one line, untranslated: passed through gettext when shown */
    const char *brief; /* the short form: "-j"; NULL: none */
} OptionRow;

const OptionRow *option_row(Option option);

/* The option called NAME, LENGTH bytes of it. FALSE: there is none. */
gboolean option_find(const char *name, gsize length, Option *ret_option);

/* The row of a short form; NULL: there is none. */
const OptionRow *option_of_brief(const char *text);
