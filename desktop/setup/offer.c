/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/setup/offer.h"
#include "desktop/base/names.h"
#include "desktop/bus/failure.h"
#include "desktop/setup/rule-text.h"

#include <glib/gi18n.h>

typedef struct {
    Daemon *daemon;
    char *name, *address, *initiator;
    char *target;    /* path of the target: the one added, or the one to remove; NULL: none */
    GArray *rules;   /* guint64: ids of those to remove */
    guint left;      /* rules that stay and lead to it */
    GError *failure; /* what happened before it is undone */
    OfferDone done;
    void *data;
} Offer;

static void
offer_end(Offer *offer, const GError *error)
{
    offer->done(offer->left, error, offer->data);
    g_free(offer->name);
    g_free(offer->address);
    g_free(offer->initiator);
    g_free(offer->target);
    g_clear_error(&offer->failure);
    g_array_unref(offer->rules);
    g_free(offer);
}

static Offer *
offer_new(Daemon *daemon, const OfferPlan *plan, OfferDone done, void *data)
{
    Offer *offer = g_new0(Offer, 1);

    offer->daemon = daemon;
    offer->name = g_strdup(plan->name);
    offer->address = g_strdup(plan->address);
    offer->initiator = g_strdup(plan->initiator);
    offer->rules = g_array_new(FALSE, FALSE, sizeof(guint64));
    offer->done = done;
    offer->data = data;
    return offer;
}

static void
offer_call(Offer *offer, const char *path, const char *interface, const char *method,
           GVariant *args, DaemonDone done)
{
    const DaemonCall call = {.path = path, .interface = interface, .method = method, .args = args};

    daemon_call(offer->daemon, &call, NULL, done, offer);
}

gboolean
offer_is_rule(GVariant *rule, const char *name)
{
    return g_str_equal(properties_string(rule, "target"), name) &&
           g_str_equal(properties_string(rule, "verdict"), "accept") &&
           g_str_equal(properties_string(rule, "stream"), name);
}

/* -- making --------------------------------------------------------------------------------- */

/* Whether a rule makes this very offer, and says no more: not when, nor how many. */
static gboolean
offer_is_same(const Offer *offer, GVariant *rule)
{
    static const char *const own[] = {"stream", "initiator", "verdict", "target", "source", NULL};
    GVariantIter iter;
    const char *key;

    if (!offer_is_rule(rule, offer->name) ||
        !g_str_equal(properties_string(rule, "initiator"), offer->initiator))
        return FALSE;
    g_variant_iter_init(&iter, rule);
    while (g_variant_iter_next(&iter, "{&sv}", &key, NULL)) {
        if (!g_strv_contains(own, key))
            return FALSE;
    }
    return TRUE;
}

static void
offer_on_undone(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Offer *offer = data;

    offer_end(offer, offer->failure);
}

static void
offer_on_rule(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Offer *offer = data;

    if (error == NULL || offer->target == NULL) {
        offer_end(offer, error);
        return;
    }
    offer->failure = g_error_copy(error);
    offer_call(offer, offer->target, STREAMD_TARGET, "Remove", NULL, offer_on_undone);
}

static GVariant *
offer_rule(const Offer *offer)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "stream", "s", offer->name);
    if (*offer->initiator != '\0')
        g_variant_dict_insert(&dict, "initiator", "s", offer->initiator);
    g_variant_dict_insert(&dict, "verdict", "s", "accept");
    g_variant_dict_insert(&dict, "target", "s", offer->name);
    return g_variant_new("(@a{sv})", g_variant_dict_end(&dict));
}

/* A rule that lets in others than the one alone for whom the offer is to be, as the page shows it:
 * with its number. */
static GError *
offer_conflict(const Offer *offer, GVariant *rules)
{
    for (gsize i = 0; *offer->initiator != '\0' && i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;
        g_autofree char *when = NULL, *text = NULL;

        g_variant_get_child(rules, i, "(t@a{sv})", NULL, &rule);
        if (!offer_is_rule(rule, offer->name) ||
            g_str_equal(properties_string(rule, "initiator"), offer->initiator))
            continue;
        when = rule_text_when(rule);
        text = g_strdup_printf(_("Streams named %s are accepted already, and reach %s"),
                               offer->name, offer->address);
        return g_error_new(FAILURE, FAILURE_EXISTS, "%s\n%u. %s", text, (guint)i + 1, when);
    }
    return NULL;
}

static void
offer_on_rules(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Offer *offer = data;
    g_autoptr(GVariant) rules = error == NULL ? g_variant_get_child_value(result, 0) : NULL;
    g_autoptr(GError) conflict = error == NULL ? offer_conflict(offer, rules) : NULL;

    if (error != NULL || conflict != NULL) {
        offer_on_rule(NULL, NULL, error != NULL ? error : conflict, offer);
        return;
    }
    for (gsize i = 0; i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;

        g_variant_get_child(rules, i, "(t@a{sv})", NULL, &rule);
        if (offer_is_same(offer, rule)) {
            offer_end(offer, NULL);
            return;
        }
    }
    offer_call(offer, STREAMD_ROOT, STREAMD_POLICY, "Add", offer_rule(offer), offer_on_rule);
}

static void
offer_on_target(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Offer *offer = data;

    if (error != NULL) {
        offer_end(offer, error);
        return;
    }
    g_variant_get(result, "(o)", &offer->target);
    offer_call(offer, STREAMD_ROOT, STREAMD_POLICY, "List", NULL, offer_on_rules);
}

void
offer_make(Daemon *daemon, Model *model, const OfferPlan *plan, OfferDone done, void *data)
{
    Offer *offer = offer_new(daemon, plan, done, data);
    Item *target = model_named(model->targets, plan->name);

    if (target != NULL && g_str_equal(item_string(target, "Address"), plan->address))
        offer_call(offer, STREAMD_ROOT, STREAMD_POLICY, "List", NULL, offer_on_rules);
    else
        offer_call(
            offer, STREAMD_ROOT, STREAMD_MANAGER, "ExposeTarget",
            g_variant_new("(ss@a{sv})", plan->name, plan->address, g_variant_new("a{sv}", NULL)),
            offer_on_target);
}

/* -- withdrawing ---------------------------------------------------------------------------- */

static void
withdraw_on_target(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    offer_end(data, error);
}

/* Removes one rule after the other, then the target. */
static void
withdraw_on_rule(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Offer *offer = data;

    if (error != NULL) {
        offer_end(offer, error);
    } else if (offer->rules->len > 0) {
        const guint64 id = g_array_index(offer->rules, guint64, 0);

        (void)g_array_remove_index(offer->rules, 0);
        offer_call(offer, STREAMD_ROOT, STREAMD_POLICY, "Remove", g_variant_new("(t)", id),
                   withdraw_on_rule);
    } else if (offer->left == 0 && offer->target != NULL) {
        offer_call(offer, offer->target, STREAMD_TARGET, "Remove", NULL, withdraw_on_target);
    } else {
        offer_end(offer, NULL);
    }
}

static void
withdraw_on_rules(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Offer *offer = data;
    g_autoptr(GVariant) rules = error == NULL ? g_variant_get_child_value(result, 0) : NULL;

    for (gsize i = 0; rules != NULL && i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;
        guint64 id;

        g_variant_get_child(rules, i, "(t@a{sv})", &id, &rule);
        if (offer_is_rule(rule, offer->name) &&
            !g_str_equal(properties_string(rule, "source"), "config"))
            g_array_append_val(offer->rules, id);
        else if (g_str_equal(properties_string(rule, "target"), offer->name))
            offer->left++;
    }
    withdraw_on_rule(NULL, NULL, error, offer);
}

void
offer_withdraw(Daemon *daemon, Model *model, const char *name, OfferDone done, void *data)
{
    const OfferPlan plan = {name, "", ""};
    Offer *offer = offer_new(daemon, &plan, done, data);
    Item *target = model_named(model->targets, name);

    offer->target = target == NULL ? NULL : g_strdup(item_path(target));
    offer_call(offer, STREAMD_ROOT, STREAMD_POLICY, "List", NULL, withdraw_on_rules);
}
