/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service role, when a device is named and no stream: the hub is asked about it. The device
 * itself hears nothing of that. */
#include "daemon/diagnosis/private.h"

#include "common/codec/device-id.h"

#include <string.h>

/* The part of DEVICE/MODULE that the hub lists. Caller frees. */
static char *
diagnosis_device_id(const Diagnosis *diagnosis)
{
    return g_strndup(diagnosis->device, strcspn(diagnosis->device, "/"));
}

/* Borrowed from DEVICES, or NULL. */
static const ListedDevice *
diagnosis_find_device(const GPtrArray *devices, const char *id)
{
    for (guint i = 0; i < devices->len; i++) {
        const ListedDevice *device = g_ptr_array_index(devices, i);

        if (strcmp(device->id, id) == 0)
            return device;
    }
    return NULL;
}

static void
diagnosis_judge_device(Diagnosis *diagnosis, const ListedDevice *device)
{
    if (*device->connection_state != '\0')
        diagnosis_note(diagnosis, "state", device->connection_state);
    if (strcmp(device->status, "disabled") == 0)
        diagnosis_fail_text(diagnosis, reason_code(REASON_REVOKED), STREAMD_ERROR_OFFLINE,
                            "the device is disabled at the hub");
    else if (strcmp(device->connection_state, "Disconnected") == 0)
        diagnosis_fail_text(diagnosis, reason_code(REASON_OFFLINE), STREAMD_ERROR_OFFLINE,
                            reason_text(REASON_OFFLINE));
    else if (*device->connection_state != '\0')
        diagnosis_ok(diagnosis);
    else
        diagnosis_skip(diagnosis, "not-told");
}

static void diagnosis_ask_page(Diagnosis *diagnosis, const char *after);

static void
diagnosis_page(GPtrArray *devices, const char *after, const GError *error, void *data)
{
    Diagnosis *diagnosis = data;
    g_autofree char *id = diagnosis_device_id(diagnosis);
    const ListedDevice *device = devices ? diagnosis_find_device(devices, id) : NULL;

    diagnosis->list = NULL;
    if (device)
        diagnosis_judge_device(diagnosis, device);
    else if (devices && after)
        diagnosis_ask_page(diagnosis, after);
    else if (devices)
        diagnosis_fail_text(diagnosis, reason_code(REASON_NOT_FOUND), STREAMD_ERROR_NOT_FOUND,
                            reason_text(REASON_NOT_FOUND));
    else if (g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_DENIED))
        diagnosis_skip(diagnosis, "not-told");
    else
        diagnosis_fail(diagnosis, "hub-answer", error);
}

static void
diagnosis_ask_page(Diagnosis *diagnosis, const char *after)
{
    Hub *hub = app_find_hub(diagnosis->app, diagnosis->hub);
    g_autofree char *id = diagnosis_device_id(diagnosis);
    g_autoptr(GError) error = NULL;
    ServiceOpenOptions options = {0};

    if (!hub) {
        diagnosis_skip(diagnosis, "not-told");
        return;
    }
    hub_fill_open(hub, &options);
    options.device = id;
    diagnosis->list = service_list_new(&options, after, diagnosis_page, diagnosis, &error);
    if (!diagnosis->list)
        diagnosis_fail(diagnosis, "request", error);
}

static gboolean
diagnosis_device_late(gpointer data)
{
    Diagnosis *diagnosis = data;

    diagnosis->limit = 0;
    diagnosis_skip(diagnosis, "not-told");
    return G_SOURCE_REMOVE;
}

void
diagnose_presence(Diagnosis *diagnosis)
{
    g_autofree char *id = diagnosis_device_id(diagnosis);

    if (!device_id_is_valid(id, -1)) {
        diagnosis_fail_text(diagnosis, "request", STREAMD_ERROR_INVALID,
                            "no device can have this name");
        return;
    }
    diagnosis->limit = g_timeout_add((guint)(DIAGNOSIS_STEP_LIMIT / G_TIME_SPAN_MILLISECOND),
                                     diagnosis_device_late, diagnosis);
    diagnosis_ask_page(diagnosis, NULL);
}
