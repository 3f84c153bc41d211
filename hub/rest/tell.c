/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/tell.h"

#include "common/log/events.h"

static const char *
operation_of(const RegistryWriting *writing)
{
    gboolean others = writing->status_changed || writing->auth_changed || writing->labels_changed;

    if (writing->removed)
        return "device.remove";
    if (writing->created)
        return "device.add";
    return writing->replaced != REGISTRY_KEYS_NONE && !others ? "device.key" : "device.set";
}

static void
add_word(GString *out, gboolean is_so, const char *word)
{
    if (is_so)
        g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", word);
}

/* Names of what changed. */
static char *
detail_of(const RegistryWriting *writing, const RegistryDevice *device)
{
    GString *out = g_string_new(NULL);

    if (!writing->created && !writing->removed) {
        add_word(out, writing->status_changed, device->enabled ? "enabled" : "disabled");
        add_word(out, writing->auth_changed, "authentication");
        add_word(out, writing->labels_changed, "tags or comment");
        add_word(out, (writing->replaced & REGISTRY_KEY_PRIMARY) != 0, "primary key");
        add_word(out, (writing->replaced & REGISTRY_KEY_SECONDARY) != 0, "secondary key");
    }
    return g_string_free(out, FALSE);
}

void
rest_tell_written(const RestCall *call, const RegistryResult *result)
{
    const RegistryWriting *writing = result->extra;
    const RegistryDevice *device = result->device;
    g_autofree char *what = g_strjoin("/", device->id, device->module, NULL);
    g_autofree char *detail = detail_of(writing, device);
    const RecordChange change = {
        .operation = operation_of(writing),
        .by = call->policy,
        .address = call->request->peer,
        .what = what,
        .detail = detail,
    };
    g_autofree char *text = g_strjoin(" ", change.operation, what, *detail ? detail : NULL, NULL);

    event_log(EVENT_REGISTRY_WRITTEN,
              &(EventData){.initiator = call->policy, .peer = call->request->peer, .detail = text});
    records_change(call->rest->records, &change);
}
