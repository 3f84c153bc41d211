/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new key from a hub (docs/wire-protocol.md, section 8): first it is on the disk, then in use,
 * and then the hub is told. When the answer is lost, the hub sends the same key again. */
#include "daemon/app-private.h"

#include "common/base/error.h"
#include "common/base/secret.h"

#include <string.h>

/* The answer that is owed. The hub, or its device, may be another one by then. */
typedef struct {
    App *app;
    char *hub;
    char *identity;
    char rid[KEY_OFFER_RID_MAX + 1];
} KeyTurn;

static KeyTurn *
key_turn_new(App *app, const Hub *hub, const char *rid)
{
    KeyTurn *turn = g_new0(KeyTurn, 1);

    turn->app = app;
    turn->hub = g_strdup(hub_name(hub));
    turn->identity = g_strdup(hub_identity(hub));
    g_strlcpy(turn->rid, rid, sizeof turn->rid);
    return turn;
}

static void
key_turn_free(KeyTurn *turn)
{
    g_free(turn->hub);
    g_free(turn->identity);
    g_free(turn);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyTurn, key_turn_free)

static void
key_answer(Hub *hub, const char *rid, KeyAnswerCode code)
{
    KeyAnswer answer = {.code = code};

    g_strlcpy(answer.rid, rid, sizeof answer.rid);
    hub_answer_key(hub, &answer);
}

static void
key_done(gpointer object G_GNUC_UNUSED, const GError *error, void *data)
{
    g_autoptr(KeyTurn) turn = data;
    Hub *hub = app_find_hub(turn->app, turn->hub);

    if (!hub || g_strcmp0(hub_identity(hub), turn->identity) != 0)
        return;
    hub_set_key_busy(hub, FALSE);
    app_journal_hub_key(hub, error ? error->message : "it is saved and in use");
    key_answer(hub, turn->rid, error ? KEY_ANSWER_FAILED : KEY_ANSWER_STORED);
}

/* NAME is the hub's, ASKED its settings with the new key. */
static Hub *
key_find(GPtrArray *hubs, const AppChange *change)
{
    for (guint i = 0; i < hubs->len; i++)
        if (g_str_equal(hub_name(hubs->pdata[i]), change->name))
            return hubs->pdata[i];
    return NULL;
}

/* The string differs from the hub's in its key alone: otherwise it is for another device. */
static gboolean
key_fits(const Hub *hub, const char *connection_string)
{
    g_autoptr(ConnectionString) parts = connection_string_parse(connection_string, -1, NULL);
    g_auto(SecretText) same = parts ? hub_string_with_key(hub, parts->key) : NULL;

    return same && secret_equals(same, connection_string);
}

static gboolean
key_check(App *app G_GNUC_UNUSED, AppChange *change, AppDraft *draft, GError **error)
{
    const HubSettings settings = store_state_hub(change->asked, 0);
    Hub *hub = key_find(draft->hubs, change);

    if (!hub || hub_source(hub) || !key_fits(hub, settings.connection_string)) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND,
                            "the hub was removed or changed meanwhile");
        return FALSE;
    }
    app_draft_set_key(draft, hub, settings.connection_string);
    return TRUE;
}

static gpointer
key_apply(App *app, AppChange *change)
{
    const HubSettings settings = store_state_hub(change->asked, 0);
    Hub *hub = key_find(app->hubs, change);

    if (hub)
        hub_set_key(hub, settings.connection_string);
    return hub;
}

static const ChangeKind key_kind = {key_check, key_apply};

static void
key_submit(App *app, Hub *hub, const KeyOffer *offer)
{
    g_auto(SecretText) string = hub_string_with_key(hub, offer->key);
    HubSettings settings = hub_settings(hub);
    KeyTurn *turn = key_turn_new(app, hub, offer->rid);
    AppChange *change = app_change_new(&key_kind, key_done, turn);
    g_autoptr(GError) error = NULL;

    settings.connection_string = string;
    change->name = g_strdup(hub_name(hub));
    change->asked = store_state_new();
    store_state_add_hub(change->asked, &settings);
    hub_set_key_busy(hub, TRUE);
    if (!app_submit(app, change, &error))
        key_done(NULL, error, turn);
}

/* While one is being saved others are dropped: the hub sends them again. */
void
app_hub_key(Hub *hub, const KeyOffer *offer, void *data)
{
    App *app = data;

    if (hub_key_is_busy(hub)) {
        g_debug("hub %s: a new key was dropped while another one is being saved", hub_name(hub));
    } else if (hub_has_key(hub, offer->key)) {
        key_answer(hub, offer->rid, KEY_ANSWER_STORED);
    } else if (hub_source(hub) || !app->writer || !hub_is_keyed(hub)) {
        app_journal_hub_key(hub, "the present one is not kept by streamd, and not changed");
        key_answer(hub, offer->rid, KEY_ANSWER_READ_ONLY);
    } else if (!hub_take_key_turn(hub, g_get_monotonic_time())) {
        app_journal_hub_key(hub, "it comes too soon after others");
        key_answer(hub, offer->rid, KEY_ANSWER_BUSY);
    } else {
        key_submit(app, hub, offer);
    }
}
