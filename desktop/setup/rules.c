/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/setup/rules.h"
#include "desktop/base/names.h"
#include "desktop/bus/failure.h"

struct Rules {
    Daemon *daemon;
    GListStore *store;
    GVariant *list; /* the answer of List, until that of GetAll has come; NULL: none */
    GCancellable *cancellable;
    gboolean wanted, reading, denied;
};

Rules *
rules_new(Daemon *daemon)
{
    Rules *rules = g_new0(Rules, 1);

    rules->daemon = daemon;
    rules->store = g_list_store_new(ITEM_TYPE);
    rules->cancellable = g_cancellable_new();
    return rules;
}

void
rules_free(Rules *rules)
{
    if (rules == NULL)
        return;
    g_cancellable_cancel(rules->cancellable);
    g_object_unref(rules->cancellable);
    g_object_unref(rules->store);
    g_clear_pointer(&rules->list, g_variant_unref);
    g_free(rules);
}

GListStore *
rules_store(Rules *rules)
{
    return rules->store;
}

void
rules_clear(Rules *rules)
{
    rules->denied = FALSE;
    g_list_store_remove_all(rules->store);
}

/* Puts an item at the index I: the one that is there, when it is the same rule. */
static void
rules_put(Rules *rules, guint i, const char *path, GVariant *properties)
{
    g_autoptr(Item) there = g_list_model_get_item(G_LIST_MODEL(rules->store), i);
    g_autoptr(Item) fresh = NULL;
    gpointer added;

    if (there != NULL && g_str_equal(item_path(there), path)) {
        item_update(there, properties, 0);
        return;
    }
    fresh = item_new(path, properties, 0);
    added = fresh;
    g_list_store_splice(rules->store, i, there == NULL ? 0 : 1, &added, 1);
}

static void
rules_put_rule(Rules *rules, guint i)
{
    g_autoptr(GVariant) rule = NULL;
    g_autofree char *path = NULL;
    GVariantDict dict;
    guint64 id;

    g_variant_get_child(rules->list, i, "(t@a{sv})", &id, &rule);
    path = g_strdup_printf("%" G_GUINT64_FORMAT, id);
    g_variant_dict_init(&dict, rule);
    g_variant_dict_insert(&dict, "Order", "u", i + 1);
    rules_put(rules, i, path, g_variant_dict_end(&dict));
}

static void
rules_put_default(Rules *rules, guint i, GVariant *policy)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "verdict", "s", properties_string(policy, "DefaultVerdict"));
    g_variant_dict_insert(&dict, "reason", "s", properties_string(policy, "DefaultReason"));
    rules_put(rules, i, "default", g_variant_dict_end(&dict));
}

static void
rules_on_default(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Rules *rules = data;
    const guint count = (guint)g_variant_n_children(rules->list);
    g_autoptr(GVariant) policy = NULL;
    guint there;

    rules->reading = FALSE;
    if (error == NULL) {
        g_variant_get(result, "(@a{sv})", &policy);
        for (guint i = 0; i < count; i++)
            rules_put_rule(rules, i);
        rules_put_default(rules, count, policy);
        there = g_list_model_get_n_items(G_LIST_MODEL(rules->store));
        g_list_store_splice(rules->store, count + 1, there - count - 1, NULL, 0);
    }
    g_clear_pointer(&rules->list, g_variant_unref);
}

static void
rules_deny(Rules *rules)
{
    g_autoptr(Item) item = item_new(RULES_DENIED, g_variant_new("a{sv}", NULL), 0);

    rules_clear(rules);
    rules->denied = TRUE;
    g_list_store_append(rules->store, item);
}

static void
rules_on_list(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Rules *rules = data;
    DaemonCall call = {
        .path = STREAMD_ROOT, .interface = "org.freedesktop.DBus.Properties", .method = "GetAll"};

    if (error != NULL) {
        rules->reading = FALSE;
        if (failure_is_of_machine(error))
            rules_deny(rules);
        return;
    }
    rules->denied = FALSE;
    rules->list = g_variant_get_child_value(result, 0);
    call.args = g_variant_new("(s)", STREAMD_POLICY);
    daemon_call(rules->daemon, &call, rules->cancellable, rules_on_default, rules);
}

static void
rules_read(Rules *rules, gboolean unasked)
{
    const DaemonCall call = {
        .path = STREAMD_ROOT, .interface = STREAMD_POLICY, .method = "List", .unasked = unasked};

    if (rules->reading || daemon_state(rules->daemon) != DAEMON_PRESENT)
        return;
    rules->reading = TRUE;
    daemon_call(rules->daemon, &call, rules->cancellable, rules_on_list, rules);
}

void
rules_refresh(Rules *rules)
{
    if (rules->wanted && !rules->denied)
        rules_read(rules, TRUE);
}

void
rules_ask(Rules *rules)
{
    rules_read(rules, FALSE);
}

void
rules_set_wanted(Rules *rules, gboolean wanted)
{
    rules->wanted = wanted;
    rules->denied = FALSE;
    rules_refresh(rules);
}
