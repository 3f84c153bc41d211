/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/cli/scope.h"

#include "common/cli/output.h"
#include "common/codec/quantity.h"
#include "hub/cli/json.h"

#include <glib/gi18n.h>
#include <string.h>

/* Which option says until when the user is good. */
static Option
expiry_option(const Cli *cli)
{
    return option_is_in(cli->verb->options, OPTION_USER_EXPIRES) ? OPTION_USER_EXPIRES
                                                                 : OPTION_EXPIRES;
}

gboolean
verb_scope_is_given(const Cli *cli)
{
    static const Option bounds[] = {SCOPE_BOUNDS, OPTION_NONE};

    return cli->given[expiry_option(cli)] || cli_has_any(cli, bounds);
}

/* A single empty value gives an empty list, which removes the bound. */
static void
add_list(const Cli *cli, Option option, JsonBuilder *builder, const char *name)
{
    const char *const *list = cli_list(cli, option);

    if (!list)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (; *list; list++)
        if (**list)
            json_builder_add_string_value(builder, *list);
    json_builder_end_array(builder);
}

/* "7d": that long from now; "2027-01-31" or "2027-01-31T12:00": that local time. NULL: neither. */
static GDateTime *
parse_time(const char *text)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GTimeZone) here = g_time_zone_new_local();
    g_autofree char *midnight = g_strconcat(text, "T00:00:00", NULL);
    g_autofree char *exact = g_strconcat(text, ":00", NULL);
    GDateTime *when;
    guint64 usec;

    if (quantity_parse_time(text, &usec) && usec > 0 && usec < G_MAXINT64 / 2)
        return g_date_time_add(now, (GTimeSpan)usec);
    when = g_date_time_new_from_iso8601(text, here);
    if (!when)
        when = g_date_time_new_from_iso8601(midnight, here);
    return when ? when : g_date_time_new_from_iso8601(exact, here);
}

gboolean
verb_time_add(const Cli *cli, Option option, const char *fallback, JsonBuilder *builder,
              GError **error)
{
    const char *text = cli->given[option] ? cli->values[option] : fallback;
    g_autoptr(GDateTime) when = NULL;
    g_autoptr(GDateTime) utc = NULL;
    g_autofree char *shown = NULL;

    if (!text)
        return TRUE;
    json_builder_set_member_name(builder, "expires");
    if (strcmp(text, "never") == 0) {
        json_builder_add_null_value(builder);
        return TRUE;
    }
    when = parse_time(text);
    if (!when) {
        cli_fail(error, EXIT_CODE_USAGE,
                 _("--%s %s: want a span such as 7d, a time such as 2027-01-31T12:00, or never"),
                 streamhub_options.own[option - OPTION_OWN].name, text);
        return FALSE;
    }
    utc = g_date_time_to_utc(when);
    shown = g_date_time_format(utc, "%Y-%m-%dT%H:%M:%SZ");
    json_builder_add_string_value(builder, shown);
    return TRUE;
}

static gboolean
add_number(const Cli *cli, Option option, JsonBuilder *builder, const char *name, GError **error)
{
    guint64 number = 0;

    if (!cli->given[option])
        return TRUE;
    if (!cli_number(cli, option, 0, G_MAXUINT, &number, error))
        return FALSE;
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, (gint64)number);
    return TRUE;
}

static gboolean
add_size(const Cli *cli, JsonBuilder *builder, GError **error)
{
    const char *text = cli->values[OPTION_BYTES_PER_DAY];
    guint64 bytes;

    if (!text)
        return TRUE;
    if (!quantity_parse_size(text, &bytes) || bytes > G_MAXINT64) {
        cli_fail(error, EXIT_CODE_USAGE, _("--bytes-per-day %s: want a size such as 500M or 10G"),
                 text);
        return FALSE;
    }
    json_builder_set_member_name(builder, "bytes_per_day");
    json_builder_add_int_value(builder, (gint64)bytes);
    return TRUE;
}

gboolean
verb_scope_add(const Cli *cli, JsonBuilder *builder, GError **error)
{
    json_builder_set_member_name(builder, "scope");
    json_builder_begin_object(builder);
    add_list(cli, OPTION_DEVICES, builder, "devices");
    add_list(cli, OPTION_TAG, builder, "tags");
    add_list(cli, OPTION_STREAMS, builder, "streams");
    if (!verb_time_add(cli, expiry_option(cli), NULL, builder, error) ||
        !add_number(cli, OPTION_STREAMS_MAX, builder, "streams_max", error) ||
        !add_number(cli, OPTION_OPENS_PER_MINUTE, builder, "opens_per_minute", error) ||
        !add_size(cli, builder, error))
        return FALSE;
    json_builder_end_object(builder);
    return TRUE;
}

static void
text_add(GString *text, const char *format, const char *value)
{
    g_autofree char *piece = output_fill(format, value);

    g_string_append_printf(text, "%s%s", text->len ? "; " : "", piece);
}

static void
text_add_list(GString *text, const char *format, JsonNode *scope, const char *name)
{
    JsonArray *list = verb_json_array(scope, name);
    g_autoptr(GString) joined = g_string_new(NULL);

    if (!list)
        return;
    for (guint i = 0; i < json_array_get_length(list); i++)
        g_string_append_printf(joined, "%s%s", i > 0 ? ", " : "",
                               json_array_get_string_element(list, i));
    text_add(text, format, joined->str);
}

static void
text_add_number(GString *text, const char *format, JsonNode *scope, const char *name)
{
    JsonObject *object = json_node_get_object(scope);
    g_autofree char *number = NULL;

    if (!json_object_has_member(object, name))
        return;
    number = g_strdup_printf("%" G_GINT64_FORMAT,
                             json_object_get_int_member_with_default(object, name, 0));
    text_add(text, format, number);
}

char *
verb_scope_text(JsonNode *user)
{
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(user) ? json_node_get_object(user) : NULL;
    JsonNode *scope = object ? json_object_get_member(object, "scope") : NULL;
    GString *text = g_string_new(NULL);

    if (scope && JSON_NODE_HOLDS_OBJECT(scope)) {
        const char *until = verb_json_text(scope, "expires");
        g_autofree char *bytes = NULL;
        gint64 size = json_object_get_int_member_with_default(json_node_get_object(scope),
                                                              "bytes_per_day", 0);

        text_add_list(text, _("devices %s"), scope, "devices");
        text_add_list(text, _("tags %s"), scope, "tags");
        text_add_list(text, _("streams %s"), scope, "streams");
        if (*until)
            text_add(text, _("until %s"), until);
        text_add_number(text, _("%s streams at once"), scope, "streams_max");
        text_add_number(text, _("%s new streams a minute"), scope, "opens_per_minute");
        bytes = quantity_format_size((guint64)MAX(size, 0));
        if (size > 0)
            text_add(text, _("%s bytes a day"), bytes);
    }
    if (text->len == 0)
        g_string_append(text, _("everything"));
    return g_string_free(text, FALSE);
}
