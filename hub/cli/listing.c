/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/cli/listing.h"

#include <glib/gi18n.h>

Listing
listing_begin(const Cli *cli, Table *table, void (*add)(Table *table, JsonNode *item),
              const char *none)
{
    return (Listing){.table = cli->given[OPTION_JSON] ? NULL : table,
                     .style = output_style(cli),
                     .add = add,
                     .none = none};
}

static char *
format_json(const Listing *listing, JsonArray *items, gboolean more)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < json_array_get_length(items); i++) {
        g_autofree char *text = output_format_node(json_array_get_element(items, i), TRUE);

        g_string_append(out, i > 0 || listing->begun ? ",\n" : "[\n");
        g_string_append(out, text);
    }
    if (!more)
        g_string_append(out, out->len > 0 || listing->begun ? "\n]\n" : "[]\n");
    return g_string_free(out, FALSE);
}

/* A list of only one page is formatted like any other table. A page on which a filter has left
 * nothing prints nothing, not the titles either. */
static char *
format_rows(const Listing *listing, JsonArray *items, gboolean more)
{
    for (guint i = 0; i < json_array_get_length(items); i++)
        if (listing->add)
            listing->add(listing->table, json_array_get_element(items, i));
        else
            listing->add_with(listing->table, json_array_get_element(items, i), listing->data);
    if (table_rows(listing->table) == 0 && (more || listing->begun))
        return g_strdup("");
    if (more || listing->begun)
        return table_take(listing->table, &listing->style);
    if (table_rows(listing->table) > 0)
        return table_format(listing->table, &listing->style);
    return listing->style.untitled ? g_strdup("") : g_strconcat(listing->none, "\n", NULL);
}

gboolean
listing_print(Listing *listing, JsonArray *items, gboolean more, GError **error)
{
    g_autofree char *text =
        listing->table ? format_rows(listing, items, more) : format_json(listing, items, more);

    listing->begun = listing->begun || json_array_get_length(items) > 0;
    return output_write(text, error);
}

gboolean
listing_fail(GError **error)
{
    cli_fail(error, EXIT_CODE_PROTOCOL, _("the hub's list makes no sense"));
    return FALSE;
}
