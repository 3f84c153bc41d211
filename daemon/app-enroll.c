/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Joining hubs by invitations: the new key is kept first, then the hub is told of it, and when it
 * has taken it, that is kept. */
#include "daemon/app-private.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/invitation.h"
#include "daemon/config/claim.h"

#include <string.h>

/* The same hub as when the change was made: another may have its name by now. */
static Hub *
find_joined(GPtrArray *hubs, const AppChange *change)
{
    const HubSettings asked = store_state_hub(change->asked, 0);

    for (guint i = 0; i < hubs->len; i++) {
        const HubSettings hub = hub_settings(hubs->pdata[i]);

        if (strcmp(hub.name, asked.name) == 0 && hub.invitation && hub.connection_string &&
            secret_equals(hub.connection_string, asked.connection_string))
            return hubs->pdata[i];
    }
    return NULL;
}

static gboolean
joined_check(App *app G_GNUC_UNUSED, AppChange *change, AppDraft *draft, GError **error)
{
    Hub *hub = find_joined(draft->hubs, change);

    if (hub)
        g_ptr_array_add(draft->joined, hub);
    else
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND, "the hub is gone");
    return hub != NULL;
}

static gpointer
joined_apply(App *app, AppChange *change)
{
    Hub *hub = find_joined(app->hubs, change);

    if (hub)
        hub_set_enrolled(hub);
    return hub;
}

static const ChangeKind joined_kind = {joined_check, joined_apply};

void
app_hub_enrolled(Hub *hub, void *data)
{
    const HubSettings settings = hub_settings(hub);
    AppChange *change = app_change_new(&joined_kind, NULL, NULL);
    g_autoptr(GError) error = NULL;

    change->asked = store_state_new();
    store_state_add_hub(change->asked, &settings);
    /* When it is refused, or the disk does not take it, the hub asks again later. */
    if (!app_submit(data, change, &error))
        g_warning("hub %s: joined, but that cannot be kept yet: %s", settings.name, error->message);
}

AppChange *
app_join_hub(App *app, const HubSettings *settings, const char *ticket, const char *as,
             AppDone done, void *data, GError **error)
{
    g_autoptr(InvitationTicket) parts = invitation_ticket_parse(ticket, error);
    g_auto(SecretText) identity = NULL;
    HubSettings hub = *settings;

    if (!parts)
        return NULL;
    if (!app->writer) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "streamd keeps nothing without a state directory, and the key that an "
                            "invitation is redeemed with must be kept");
        return NULL;
    }
    identity = claim_connection_string(parts, as, error);
    if (!identity)
        return NULL;
    hub.connection_string = identity;
    hub.invitation = ticket;
    return app_add_hub(app, &hub, done, data, error);
}

static void
on_own_joined(gpointer hub G_GNUC_UNUSED, const GError *error, void *data)
{
    g_autofree char *name = data;

    if (error)
        g_warning("[enroll %s]: %s", name, error->message);
}

static void
join_own(App *app, const StoreEnroll *own)
{
    const HubSettings settings = {.name = own->name, .ca = own->ca};
    g_autoptr(GError) error = NULL;
    char *name = g_strdup(own->name);

    if (own->ticket &&
        app_join_hub(app, &settings, own->ticket, own->as, on_own_joined, name, &error))
        return;
    g_warning("[enroll %s]: %s", own->name, own->ticket ? error->message : own->why);
    g_free(name);
}

void
app_join_configured(App *app)
{
    for (guint i = 0; app->started && i < store_state_enrolls(app->enrolls); i++) {
        const StoreEnroll own = store_state_enroll(app->enrolls, i);

        if (!app_find_hub(app, own.name))
            join_own(app, &own);
    }
}
