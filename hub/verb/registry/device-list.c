/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub device list */
#include "common/cli/words.h"
#include "common/codec/percent.h"
#include "hub/cli/json.h"
#include "hub/cli/listing.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <string.h>

/* Less than the hub's maximum: the hub makes a page on the thread that also opens streams. */
#define PAGE "200"

#define SORT_STATE "state"

typedef struct {
    const char *name;  /* as in --columns */
    const char *title; /* passed through gettext when shown */
    const char *member;
} Column;

static const Column columns[] = {
    {"device", N_("DEVICE"), "deviceId"},       {"module", N_("MODULE"), "moduleId"},
    {"status", N_("STATUS"), "status"},         {"state", N_("STATE"), "state"},
    {"last-seen", N_("LAST SEEN"), "lastSeen"}, {"address", N_("ADDRESS"), "lastAddress"},
    {"client", N_("CLIENT"), "client"},         {"refused", N_("REFUSED"), "lastRefused"},
    {"refusal", N_("REFUSAL"), "lastRefusal"},  {"take-overs", N_("TAKE-OVERS"), "takeOvers"},
    {"created", N_("CREATED"), "createdTime"},  {"tags", N_("TAGS"), "tags"},
    {"comment", N_("COMMENT"), "comment"},
};

static const char *const shown_usually[] = {"device",    "module",     "status", "state",
                                            "last-seen", "take-overs", "tags",   NULL};

/* In the order of --sort state. */
static const char *const states[] = {"connected", "refused", "away", "never", NULL};

/* Which page. */
typedef struct {
    const char *state; /* NULL: of any */
    char *id, *module; /* begins after these; NULL: from the first */
    char *seen;
} Place;

static void
place_clear(Place *place)
{
    g_free(place->id);
    g_free(place->module);
    g_free(place->seen);
    *place = (Place){0};
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static void
append_query(GString *path, const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    g_string_append_printf(path, "&%s=", name);
    percent_append(path, PERCENT_SEGMENT, value, -1);
}

static JsonNode *
ask_page(const Cli *cli, AdminClient *client, const Place *place, GError **error)
{
    const char *const *tags = cli_list(cli, OPTION_TAG);
    const char *sort = cli->values[OPTION_SORT];
    g_autofree char *joined = tags != NULL ? g_strjoinv("\n", (char **)(guintptr)tags) : NULL;
    g_autoptr(GString) path = g_string_new("/v1/devices?limit=" PAGE);

    append_query(path, "after", place->id);
    append_query(path, "afterModule", place->module);
    append_query(path, "afterSeen", place->seen);
    append_query(path, "tags", joined);
    append_query(path, "state", place->state);
    append_query(path, "sort", g_strcmp0(sort, SORT_STATE) == 0 ? "id" : sort);
    return admin_client_call(client, "GET", path->str, NULL, error);
}

void
verb_device_columns(void (*func)(const char *name, const char *title, void *data), void *data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        func(columns[i].name, _(columns[i].title), data);
}

static const Column *
column_find(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}

static void
column_fail(const char *name, GError **error)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        g_string_append_printf(all, "%s%s", i > 0 ? ", " : "", columns[i].name);
    cli_fail(error, EXIT_CODE_USAGE, _("--columns: there is no column '%s'; there are: %s"), name,
             all->str);
}

/* The columns of NAMES, separated by commas, behind those that COLUMNS has. */
static gboolean
columns_add(GPtrArray *chosen, const char *names, GError **error)
{
    g_auto(GStrv) list = g_strsplit(names, ",", -1);

    for (char **name = list; *name; name++) {
        const Column *column = column_find(g_strstrip(*name));

        if (column == NULL) {
            column_fail(*name, error);
            return FALSE;
        }
        g_ptr_array_add(chosen, (gpointer)(guintptr)column);
    }
    return TRUE;
}

/* What --columns names, or the usual ones; NULL with ERROR set. */
static GPtrArray *
columns_choose(const Cli *cli, GError **error)
{
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();
    const char *const *given = cli_list(cli, OPTION_COLUMNS);

    for (const char *const *names = given != NULL ? given : shown_usually; *names; names++)
        if (!columns_add(chosen, *names, error))
            return NULL;
    return g_steal_pointer(&chosen);
}

static Table *
make_table(const GPtrArray *chosen)
{
    g_autoptr(GPtrArray) titles = g_ptr_array_new();

    for (guint i = 0; i < chosen->len; i++)
        g_ptr_array_add(titles, (gpointer)(guintptr)_(((const Column *)chosen->pdata[i])->title));
    g_ptr_array_add(titles, NULL);
    return table_new_of((const char *const *)titles->pdata);
}

static void
add_cell(Table *table, const Column *column, JsonNode *device)
{
    g_autofree char *tags = NULL;

    if (strcmp(column->name, "tags") == 0)
        table_add(table, tags = verb_device_tags(device));
    else if (strcmp(column->name, "state") == 0)
        output_add_state(table, verb_json_text(device, column->member),
                         words_of_code(verb_json_text(device, column->member)));
    else if (strcmp(column->name, "status") == 0)
        table_add(table, words_of_code(verb_json_text(device, column->member)));
    else if (strcmp(column->name, "take-overs") == 0 && verb_json_number(device, "takeOvers") > 0)
        table_addf(table, "%" G_GINT64_FORMAT, verb_json_number(device, "takeOvers"));
    else
        table_add(table, verb_json_text(device, column->member));
}

static void
table_add_device(Table *table, JsonNode *device, const void *data)
{
    const GPtrArray *chosen = data;

    for (guint i = 0; i < chosen->len; i++)
        add_cell(table, chosen->pdata[i], device);
}

static char *
text_of(JsonNode *node, const char *member)
{
    const char *text = verb_json_text(node, member);

    return *text != '\0' ? g_strdup(text) : NULL;
}

/* Prints PAGE. PLACE becomes its end; *RET_MORE: something follows there. LAST: nothing follows
 * behind this state. */
static gboolean
print_page(Listing *listing, JsonNode *page, Place *place, gboolean last, gboolean *ret_more,
           GError **error)
{
    JsonArray *devices = verb_json_array(page, "devices");
    gboolean more = verb_json_boolean(page, "more");
    JsonNode *end = json_object_get_member(json_node_get_object(page), "last");
    const char *state = place->state;

    if (!devices || (more && !end))
        return listing_fail(error);
    place_clear(place);
    place->state = state;
    if (more) {
        place->id = text_of(end, "deviceId");
        place->module = text_of(end, "moduleId");
        place->seen = text_of(end, "seen");
    }
    *ret_more = more;
    return listing_print(listing, devices, more || !last, error);
}

static gboolean
list_state(const Cli *cli, AdminClient *client, Listing *listing, const char *state, gboolean last,
           GError **error)
{
    g_auto(Place) place = {.state = state};
    gboolean more = TRUE;

    while (more) {
        g_autoptr(JsonNode) page = ask_page(cli, client, &place, error);

        if (page == NULL || !print_page(listing, page, &place, last, &more, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_choice(const Cli *cli, Option option, const char *name, const char *const *choices,
             GError **error)
{
    g_autofree char *all = g_strjoinv(", ", (char **)(guintptr)choices);
    const char *value = cli->values[option];

    if (value == NULL || g_strv_contains(choices, value))
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE, _("--%s: there is no '%s'; there are: %s"), name, value, all);
    return FALSE;
}

ExitCode
verb_device_list(Cli *cli, GError **error)
{
    static const char *const sorts[] = {"id", "last-seen", SORT_STATE, NULL};
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(GPtrArray) chosen = columns_choose(cli, error);
    g_autoptr(Table) table = chosen != NULL ? make_table(chosen) : NULL;
    gboolean by_state = g_strcmp0(cli->values[OPTION_SORT], SORT_STATE) == 0;
    const char *state = cli->values[OPTION_STATE];
    Listing listing;
    gboolean ok = TRUE;

    if (table == NULL || !check_choice(cli, OPTION_SORT, "sort", sorts, error) ||
        !check_choice(cli, OPTION_STATE, "state", states, error))
        return verb_end(FALSE, error);
    listing = listing_begin(cli, table, NULL, _("No devices"));
    listing.add_with = table_add_device;
    listing.data = chosen;
    if (!by_state || state != NULL)
        return verb_end(list_state(cli, client, &listing, state, TRUE, error), error);
    for (guint i = 0; ok && states[i]; i++)
        ok = list_state(cli, client, &listing, states[i], states[i + 1] == NULL, error);
    return verb_end(ok, error);
}
