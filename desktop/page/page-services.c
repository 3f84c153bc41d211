/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/base/text.h"
#include "desktop/base/ui.h"
#include "desktop/page/page.h"
#include "desktop/page/row.h"
#include "desktop/setup/listening.h"
#include "desktop/setup/rule-text.h"

#include <glib/gi18n.h>

/* -- what is offered ------------------------------------------------------------------------ */

static gboolean
is_of_config(Item *item, const char *key)
{
    return g_str_equal(item_string(item, key), "config");
}

static void
target_update(Row *row, Item *target)
{
    const guint64 streams = item_number(target, "Streams");
    g_autofree char *count = g_strdup_printf(
        ngettext("%u connection", "%u connections", (unsigned long)streams), (guint)streams);
    g_autofree char *subtitle =
        text_join(item_string(target, "Address"), streams > 0 ? count : "",
                  is_of_config(target, "Source") ? _("set up in the configuration") : "", NULL);

    row_set_icon(row, "streamd-in-symbolic", streams > 0 ? "success" : "dim");
    row_set_title(row, item_string(target, "Name"));
    row_set_subtitle(row, subtitle);
}

static GtkWidget *
target_create(gpointer item, gpointer data)
{
    Row *row = row_new("streamd-in-symbolic");
    const char *name = item_string(item, "Name");
    g_autofree char *withdraw = g_strdup_printf(_("Withdraw %s"), name);

    if (!is_of_config(item, "Source"))
        row_add(row, ui_icon_button("list-remove-symbolic", withdraw, "app.withdraw",
                                    g_variant_new("s", name)));
    row_bind(row, item, target_update);
    return row_widget(row);
}

/* -- what could be offered ------------------------------------------------------------------ */

static void
found_update(Row *row, Item *found)
{
    row_set_title(row, _(item_string(found, "What")));
    row_set_subtitle(row, item_string(found, "Address"));
}

static GtkWidget *
found_create(gpointer item, gpointer data)
{
    Row *row = row_new("list-add-symbolic");
    GtkWidget *button = gtk_button_new_with_label(_("Offer…"));
    g_autofree char *name = g_strdup_printf(_("Offer %s"), item_string(item, "Name"));

    ui_name(button, name);
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "(ss)", item_string(item, "Name"),
                                     item_string(item, "Address"));
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "app.offer");
    row_add(row, button);
    row_bind(row, item, found_update);
    return row_widget(row);
}

static gboolean
is_offered(Model *model, const char *address)
{
    GListModel *targets = G_LIST_MODEL(model->targets);

    for (guint i = 0; i < g_list_model_get_n_items(targets); i++) {
        g_autoptr(Item) target = g_list_model_get_item(targets, i);

        if (g_str_equal(item_string(target, "Address"), address))
            return TRUE;
    }
    return FALSE;
}

typedef struct {
    Model *model;
    Rules *rules;
    GListStore *found;         /* Items with Name, Address, What */
    GCancellable *cancellable; /* of looking what listens */
} Services;

static void
services_free(Services *services)
{
    (void)g_signal_handlers_disconnect_by_data(services->model->targets, services);
    g_cancellable_cancel(services->cancellable);
    g_object_unref(services->cancellable);
    g_object_unref(services->found);
    g_free(services);
}

static void
services_on_look(GObject *source, GAsyncResult *result, gpointer data)
{
    Services *services = data;
    g_autoptr(GPtrArray) listening = listening_look_finish(result);

    if (listening == NULL)
        return; /* DATA is gone */
    g_list_store_remove_all(services->found);
    for (guint i = 0; i < listening->len; i++) {
        const Listening *one = g_ptr_array_index(listening, i);
        g_autoptr(Item) item = NULL;
        GVariantDict dict;

        if (is_offered(services->model, one->address))
            continue;
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "Name", "s", one->service->name);
        g_variant_dict_insert(&dict, "Address", "s", one->address);
        g_variant_dict_insert(&dict, "What", "s", one->service->what);
        item = item_new(one->service->name, g_variant_dict_end(&dict), 0);
        g_list_store_append(services->found, item);
    }
}

static void
services_look(Services *services)
{
    listening_look(services->cancellable, services_on_look, services);
}

/* -- who may come in ------------------------------------------------------------------------ */

static void
rule_update(Row *row, Item *rule)
{
    GVariant *properties = item_properties(rule);
    const guint order = (guint)item_number(rule, "Order");
    g_autofree char *when = rule_text_when(properties), *limits = rule_text_limits(properties);
    g_autofree char *outcome = rule_text_outcome(item_string(rule, "verdict"), properties);
    g_autofree char *title =
        order == 0 ? g_strdup(_("Everything else")) : g_strdup_printf("%u. %s", order, when);
    g_autofree char *subtitle =
        text_join(outcome, limits,
                  is_of_config(rule, "source") ? _("set up in the configuration") : "", NULL);
    const gboolean rejects = g_str_equal(item_string(rule, "verdict"), "reject");

    row_set_icon(row, rejects ? "action-unavailable-symbolic" : "emblem-ok-symbolic",
                 rejects ? "dim" : "success");
    row_set_title(row, title);
    row_set_subtitle(row, subtitle);
}

/* The one row where there would be rules. */
static void
rules_denied_update(Row *row, Item *item)
{
    row_set_icon(row, "action-unavailable-symbolic", "dim");
    row_set_title(row, _("On this machine, that is up to its administrator."));
}

static GtkWidget *
rules_denied_create(Item *item)
{
    Row *row = row_new("action-unavailable-symbolic");
    GtkWidget *button = gtk_button_new_with_label(_("Show…"));

    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "app.show-rules");
    row_add(row, button);
    row_bind(row, item, rules_denied_update);
    return row_widget(row);
}

static GtkWidget *
rule_create(gpointer item, gpointer data)
{
    Row *row;

    if (g_str_equal(item_path(item), RULES_DENIED))
        return rules_denied_create(item);
    row = row_new("emblem-ok-symbolic");
    row_bind(row, item, rule_update);
    return row_widget(row);
}

static void
services_on_map(GtkWidget *page, Services *services)
{
    services_look(services);
    rules_set_wanted(services->rules, TRUE);
}

static void
services_on_unmap(GtkWidget *page, Services *services)
{
    rules_set_wanted(services->rules, FALSE);
}

GtkWidget *
page_services_new(Model *model, Rules *rules)
{
    Services *services = g_new0(Services, 1);
    GtkWidget *button = ui_button(_("_Offer a Service…"));
    GtkWidget *page = page_new(ui_status_new("streamd-in-symbolic", _("Services"), "", NULL));

    services->model = model;
    services->rules = rules;
    services->found = g_list_store_new(ITEM_TYPE);
    services->cancellable = g_cancellable_new();
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "(ss)", "", "");
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "app.offer");
    page_add_list(page, _("Offered by this machine"), model->targets, target_create);
    page_add_list(page, _("Found on this machine, and not offered"), services->found, found_create);
    page_add_widget(page, button);
    page_add_list(page, _("Who may come in: the first rule that fits decides"), rules_store(rules),
                  rule_create);
    g_object_set_data_full(G_OBJECT(page), "streamd-services", services,
                           (GDestroyNotify)services_free);
    (void)g_signal_connect(page, "map", G_CALLBACK(services_on_map), services);
    (void)g_signal_connect(page, "unmap", G_CALLBACK(services_on_unmap), services);
    (void)g_signal_connect_swapped(model->targets, "items-changed", G_CALLBACK(services_look),
                                   services);
    return page;
}
