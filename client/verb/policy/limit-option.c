/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb/policy/limit-option.h"

#include "client/bus/bus.h"
#include "client/cli/value.h"
#include "common/codec/quantity.h"

#include <glib/gi18n.h>

typedef enum { UNIT_COUNT, UNIT_SIZE, UNIT_TIME } Unit;

static const struct {
    Option option; /* has the same name as the key of a rule */
    const char *property;
    Unit unit;
} rows[] = {
    {OPTION_MAX_STREAMS, "MaxStreams", UNIT_COUNT},
    {OPTION_MAX_RATE, "MaxRate", UNIT_COUNT},
    {OPTION_MAX_BYTES, "MaxBytes", UNIT_SIZE},
    {OPTION_MAX_DURATION, "MaxDuration", UNIT_TIME},
    {OPTION_IDLE_TIMEOUT, "IdleTimeout", UNIT_TIME},
    {OPTION_STALL_TIMEOUT, "StallTimeout", UNIT_TIME},
};

static gboolean
option_size(const Cli *cli, Option option, guint64 *ret, GError **error)
{
    if (!cli->given[option] || quantity_parse_size(cli->values[option], ret))
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE, _("--%s is a size such as 4096, 64K or 10M, not '%.64s'"),
             option_row(&streamctl_options, option)->name, cli->values[option]);
    return FALSE;
}

static gboolean
option_amount(const Cli *cli, Option option, Unit unit, guint64 *ret, GError **error)
{
    if (unit == UNIT_COUNT)
        return cli_number(cli, option, 1, G_MAXUINT32, ret, error);
    return unit == UNIT_SIZE ? option_size(cli, option, ret, error)
                             : value_time(cli, option, ret, error);
}

gboolean
limit_options_add(const Cli *cli, GVariantBuilder *builder, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Option option = rows[i].option;
        guint64 amount = 0;

        if (!option_amount(cli, option, rows[i].unit, &amount, error))
            return FALSE;
        if (cli->given[option])
            g_variant_builder_add(builder, "{sv}", option_row(&streamctl_options, option)->name,
                                  rows[i].unit == UNIT_COUNT ? g_variant_new_uint32((guint32)amount)
                                                             : g_variant_new_uint64(amount));
    }
    return TRUE;
}

static char *
amount_text(guint64 amount, Unit unit)
{
    if (unit == UNIT_SIZE)
        return quantity_format_size(amount);
    return unit == UNIT_TIME ? quantity_format_time(amount)
                             : g_strdup_printf("%" G_GUINT64_FORMAT, amount);
}

static void
append_phrase(GString *text, Option option, const char *amount)
{
    switch (option) {
    case OPTION_MAX_STREAMS:
        g_string_append_printf(text, _("%s at once"), amount);
        break;
    case OPTION_MAX_RATE:
        g_string_append_printf(text, _("%s a minute"), amount);
        break;
    case OPTION_MAX_BYTES:
        g_string_append_printf(text, _("%s each"), amount);
        break;
    case OPTION_MAX_DURATION:
        g_string_append_printf(text, _("%s long"), amount);
        break;
    case OPTION_IDLE_TIMEOUT:
        g_string_append_printf(text, _("idle %s"), amount);
        break;
    default:
        g_string_append_printf(text, _("stalled %s"), amount);
        break;
    }
}

char *
limit_options_text(GVariant *from, gboolean target)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *key =
            target ? rows[i].property : option_row(&streamctl_options, rows[i].option)->name;
        guint64 amount = bus_number(from, key);
        g_autofree char *shown = amount_text(amount, rows[i].unit);

        if (amount == 0)
            continue;
        g_string_append(text, text->len > 0 ? ", " : "");
        append_phrase(text, rows[i].option, shown);
    }
    return g_strdup(text->str);
}
