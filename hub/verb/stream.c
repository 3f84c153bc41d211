/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub stream list, show, close */
#include "common/base/table.h"
#include "common/cli/output.h"
#include "common/cli/words.h"
#include "common/codec/percent.h"
#include "hub/cli/json.h"
#include "hub/cli/listing.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

#define PAGE "100"

static void
add_stream(Table *table, JsonNode *stream)
{
    const char *state = verb_json_text(stream, "state");
    guint64 begun = (guint64)(g_get_real_time() - verb_json_number(stream, "age"));
    g_autofree char *age = output_age(begun);
    g_autofree char *out = output_size((guint64)verb_json_number(stream, "bytes_from_device"));
    g_autofree char *in = output_size((guint64)verb_json_number(stream, "bytes_from_service"));

    table_add(table, verb_json_text(stream, "id"));
    table_add(table, verb_json_text(stream, "device"));
    table_add(table, verb_json_text(stream, "stream"));
    table_add(table, verb_json_text(stream, "user"));
    output_add_state(table, state, words_of_code(state));
    table_add(table, verb_json_text(stream, "waits_for"));
    table_add(table, out);
    table_add(table, in);
    table_add(table, age);
    table_add(table, verb_json_text(stream, "resumes"));
}

/* *NEXT: where the next page begins; -1: there is none. */
static gboolean
print_page(Listing *listing, JsonNode *page, gint64 *next, GError **error)
{
    JsonArray *streams = verb_json_array(page, "streams");
    gboolean more = verb_json_boolean(page, "more");
    guint len = streams ? json_array_get_length(streams) : 0;
    JsonNode *last = len ? json_array_get_element(streams, len - 1) : NULL;
    gint64 number = last ? verb_json_number(last, "number") : *next;

    if (!streams || (more && number <= *next))
        return listing_fail(error);
    *next = more ? number : -1;
    return listing_print(listing, streams, more, error);
}

ExitCode
verb_stream_list(Cli *cli, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(Table) table =
        table_new(_("ID"), _("DEVICE"), _("STREAM"), _("USER"), _("STATE"), _("WAITS FOR"),
                  _("FROM DEVICE"), _("FROM USER"), _("AGE"), _("GOES ON WITH"), NULL);
    Listing listing = listing_begin(cli, table, add_stream, _("No streams."));
    gint64 next = 0;

    table_align_right(table, 6);
    table_align_right(table, 7);
    while (next >= 0) {
        g_autofree char *path =
            g_strdup_printf("/v1/streams?limit=" PAGE "&after=%" G_GINT64_FORMAT, next);
        g_autoptr(JsonNode) page = admin_client_call(client, "GET", path, NULL, error);

        if (page == NULL || !print_page(&listing, page, &next, error))
            return verb_end(FALSE, error);
    }
    return EXIT_CODE_OK;
}

static JsonNode *
ask_stream(const Cli *cli, const char *method, const char *tail, GError **error)
{
    g_autoptr(GString) path = g_string_new("/v1/streams/");

    if (*cli->words[0] == '\0') {
        cli_fail(error, EXIT_CODE_NOT_FOUND, _("there is no stream %s"), "''");
        return NULL;
    }
    percent_append(path, PERCENT_SEGMENT, cli->words[0], -1);
    g_string_append(path, tail);
    return verb_ask(cli, method, path->str, error);
}

/* A line per member; objects are indented below their name. */
static void
print_object(JsonNode *node, int depth)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *member;

    json_object_iter_init(&iter, json_node_get_object(node));
    while (json_object_iter_next(&iter, &name, &member)) {
        g_autofree char *value = NULL;

        if (JSON_NODE_HOLDS_OBJECT(member)) {
            (void)printf("%*s%s:\n", depth * 2, "", name);
            print_object(member, depth + 1);
            continue;
        }
        value = JSON_NODE_HOLDS_VALUE(member) && json_node_get_value_type(member) == G_TYPE_STRING
                    ? json_node_dup_string(member)
                    : json_to_string(member, FALSE);
        (void)printf("%*s%s: %s\n", depth * 2, "", name, value);
    }
}

ExitCode
verb_stream_show(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) stream = ask_stream(cli, "GET", "", error);

    if (stream == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(stream, FALSE);
    else
        print_object(stream, 0);
    return EXIT_CODE_OK;
}

ExitCode
verb_stream_close(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) stream = ask_stream(cli, "POST", "/close", error);

    if (stream == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(stream, FALSE);
    else
        (void)printf(_("Closed stream %s\n"), cli->words[0]);
    return EXIT_CODE_OK;
}
