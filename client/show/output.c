/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/output.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Whoever wants colours on a pipe, or none on a terminal, says it with the option or as for
 * systemd's programs; NO_COLOR is https://no-color.org. */
static gboolean
output_color(const Cli *cli)
{
    const char *when = cli->values[OPTION_COLOR];
    const char *systemd = g_getenv("SYSTEMD_COLORS"), *no_color = g_getenv("NO_COLOR");
    static const char *const no[] = {"0", "no", "n", "false", "f", "off", NULL};

    if (when != NULL && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    if (systemd != NULL && *systemd != '\0')
        return !g_strv_contains(no, systemd);
    if ((no_color != NULL && *no_color != '\0') || g_strcmp0(g_getenv("TERM"), "dumb") == 0)
        return FALSE;
    return isatty(STDOUT_FILENO) == 1;
}

/* 0: there is none, or it does not say. */
static guint
output_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

TableStyle
output_style(const Cli *cli)
{
    return (TableStyle){
        .color = output_color(cli),
        .untitled = cli->given[OPTION_NO_LEGEND],
        .width = cli->given[OPTION_FULL] ? 0 : output_width(),
    };
}

void
output_table(const Cli *cli, const Table *table, const char *empty)
{
    const TableStyle style = output_style(cli);
    g_autofree char *text = NULL;

    if (table_rows(table) == 0) {
        if (!style.untitled)
            (void)puts(empty);
        return;
    }
    text = table_format(table, &style);
    (void)fputs(text, stdout);
}

TablePaint
output_paint(const char *state)
{
    static const char *const good[] = {"connected", "open", "accept", NULL};
    static const char *const over[] = {"closed", "disconnected", NULL};
    static const char *const bad[] = {"refused", "rejected",     "timed-out",
                                      "offline", "unauthorized", NULL};

    if (g_strv_contains(good, state))
        return TABLE_GOOD;
    if (g_strv_contains(over, state))
        return TABLE_OVER;
    return g_strv_contains(bad, state) ? TABLE_BAD : TABLE_WAITS;
}

char *
output_painted(const TableStyle *style, TablePaint paint, const char *text)
{
    const char *on = style->color ? table_paint_sequence(paint) : NULL;

    return on != NULL ? g_strconcat(on, text, TABLE_PAINT_OFF, NULL) : g_strdup(text);
}

void
output_add_state(Table *table, const char *state, const char *text)
{
    table_add(table, text);
    table_paint(table, output_paint(state));
}

char *
output_snake_case(const char *name)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (const char *p = name; *p != '\0'; p++) {
        if (g_ascii_isupper(*p) && p != name)
            g_string_append_c(text, '_');
        g_string_append_c(text, *p == '-' ? '_' : g_ascii_tolower(*p));
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void output_build(JsonBuilder *builder, GVariant *value);

static void
output_build_object(JsonBuilder *builder, GVariant *value)
{
    (void)json_builder_begin_object(builder);
    for (gsize i = 0; i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(value, i);
        g_autoptr(GVariant) name = g_variant_get_child_value(entry, 0);
        g_autoptr(GVariant) member = g_variant_get_child_value(entry, 1);
        g_autofree char *key = output_snake_case(g_variant_get_string(name, NULL));

        (void)json_builder_set_member_name(builder, key);
        output_build(builder, member);
    }
    (void)json_builder_end_object(builder);
}

static void
output_build_array(JsonBuilder *builder, GVariant *value)
{
    (void)json_builder_begin_array(builder);
    for (gsize i = 0; i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) member = g_variant_get_child_value(value, i);

        output_build(builder, member);
    }
    (void)json_builder_end_array(builder);
}

static void
output_build(JsonBuilder *builder, GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
        g_autoptr(GVariant) inner = g_variant_get_variant(value);

        output_build(builder, inner);
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE("a{s*}"))) {
        output_build_object(builder, value);
    } else if (g_variant_is_container(value)) {
        output_build_array(builder, value);
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
        (void)json_builder_add_boolean_value(builder, g_variant_get_boolean(value));
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64)) {
        (void)json_builder_add_int_value(builder, (gint64)g_variant_get_uint64(value));
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_INT64)) {
        (void)json_builder_add_int_value(builder, g_variant_get_int64(value));
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32)) {
        (void)json_builder_add_int_value(builder, (gint64)g_variant_get_uint32(value));
    } else {
        (void)json_builder_add_string_value(builder, g_variant_get_string(value, NULL));
    }
}

void
output_json(GVariant *value, gboolean compact)
{
    g_autoptr(GVariant) own = g_variant_ref_sink(value);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;

    output_build(builder, own);
    root = json_builder_get_root(builder);
    text = json_to_string(root, !compact);
    (void)puts(text);
    (void)fflush(stdout);
}

char *
output_age(guint64 time)
{
    gint64 seconds = (g_get_real_time() - (gint64)time) / G_USEC_PER_SEC;

    if (time == 0)
        return g_strdup("");
    if (seconds < 60)
        return g_strdup_printf(_("%d s"), (int)MAX(seconds, 0));
    if (seconds < 3600)
        return g_strdup_printf(_("%d min"), (int)(seconds / 60));
    if (seconds < 48 * 3600)
        return g_strdup_printf(_("%d h"), (int)(seconds / 3600));
    return g_strdup_printf(_("%d days"), (int)(seconds / 86400));
}

char *
output_size(guint64 bytes)
{
    return g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
}
