/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/option.h"

#include <glib/gi18n.h>
#include <string.h>

static const OptionRow shared[OPTION_OWN] = {
    [OPTION_JSON] = {"json", VALUE_NONE, NULL, N_("Print JSON, for programs"), "-j"},
    [OPTION_HELP] = {"help", VALUE_NONE, NULL, N_("Print the help of a verb, or of all"), "-h"},
    [OPTION_VERSION] = {"version", VALUE_NONE, NULL, N_("Print the version"), NULL},
    [OPTION_COLOR] = {"color", VALUE_REQUIRED, "auto|always|never",
                      N_("When to print in colour; auto, the default: on a terminal"), NULL},
    [OPTION_NO_LEGEND] = {"no-legend", VALUE_NONE, NULL, N_("Print tables without their titles"),
                          NULL},
    [OPTION_FULL] = {"full", VALUE_NONE, NULL,
                     N_("Print tables in full width, even if the terminal is narrower"), "-l"},
};

guint
option_count(const OptionTable *table)
{
    return OPTION_OWN + table->count;
}

const OptionRow *
option_row(const OptionTable *table, Option option)
{
    return option < OPTION_OWN ? &shared[option] : &table->own[option - OPTION_OWN];
}

gboolean
option_is_in(const Option *list, Option option)
{
    for (; list != NULL && *list != OPTION_NONE; list++)
        if (*list == option)
            return TRUE;
    return FALSE;
}

gboolean
option_is_everywhere(const OptionTable *table, Option option)
{
    return option < OPTION_OWN || option_is_in(table->everywhere, option);
}

gboolean
option_find(const OptionTable *table, const char *name, gsize length, Option *ret_option)
{
    for (Option i = 0; i < option_count(table); i++) {
        const char *known = option_row(table, i)->name;

        if (strlen(known) == length && strncmp(known, name, length) == 0) {
            *ret_option = i;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
option_find_brief(const OptionTable *table, const char *text, Option *ret_option)
{
    for (Option i = 0; i < option_count(table); i++)
        if (g_strcmp0(option_row(table, i)->brief, text) == 0) {
            *ret_option = i;
            return TRUE;
        }
    return FALSE;
}
