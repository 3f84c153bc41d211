/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a command line, as data: one row each, whichever verbs take them. Some are the
 * same in both programs; for the others each program has its own table. */
#pragma once

#include <glib.h>

/* The index of an option: first the options of every program, then the program's own. */
typedef guint Option;

enum {
    OPTION_JSON,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COLOR,
    OPTION_NO_LEGEND,
    OPTION_FULL,
    OPTION_OWN, /* a program's first own option */
};

#define OPTIONS_MAX 128 /* in all, per program */
#define OPTION_NONE G_MAXUINT

/* A list of options, for tables: ends with OPTION_NONE. NULL is the list of none. */
#define OPTION_LIST(...) ((const Option[]){__VA_ARGS__, OPTION_NONE})

/* VALUE_REPEATED takes a value and may be given more than once. */
typedef enum { VALUE_NONE, VALUE_REQUIRED, VALUE_OPTIONAL, VALUE_REPEATED } ValueKind;

typedef struct {
    const char *name; /* without the dashes */
    ValueKind kind;
    const char *value; /* the value's name in usage: "FILE"; words between | are all the choices */
    const char *help;  /* one line, untranslated: passed through gettext when shown */
    const char *brief; /* the short form: "-j"; NULL: none */
} OptionRow;

/* All options that a program has. */
typedef struct {
    const OptionRow *own;     /* OPTION_OWN and those after it */
    guint count;              /* of them */
    const Option *everywhere; /* OPTION_LIST of own ones that every verb takes, beside those of all
                                 programs */
} OptionTable;

/* How many options there are in all. */
guint option_count(const OptionTable *table);

const OptionRow *option_row(const OptionTable *table, Option option);

/* Whether LIST has it. */
gboolean option_is_in(const Option *list, Option option);

/* Whether every verb takes it. */
gboolean option_is_everywhere(const OptionTable *table, Option option);

/* The option called NAME, LENGTH bytes of it. FALSE: there is none. */
gboolean option_find(const OptionTable *table, const char *name, gsize length, Option *ret_option);

/* The option with the short form TEXT. FALSE: there is none. */
gboolean option_find_brief(const OptionTable *table, const char *text, Option *ret_option);
