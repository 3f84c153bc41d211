/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/remote.h"

#include "common/base/error.h"
#include "common/bus/names.h"
#include "common/bus/util.h"

#include <systemd/sd-bus.h>

#define RELOAD_LIMIT ((uint64_t)60 * G_USEC_PER_SEC)

static int
remote_call(sd_bus *bus, const char *member, sd_bus_error *failure)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r = sd_bus_message_new_method_call(bus, &message, BUS_NAME, BUS_ROOT, BUS_MANAGER, member);

    if (r >= 0)
        r = sd_bus_message_set_auto_start(message, FALSE);
    return r < 0 ? r : sd_bus_call(bus, message, RELOAD_LIMIT, failure, NULL);
}

gboolean
bus_remote_reload(gboolean user, GError **error)
{
    g_autoptr(sd_bus) bus = NULL;
    sd_bus_error failure = SD_BUS_ERROR_NULL;
    int r = user ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);

    if (r >= 0)
        r = remote_call(bus, "Reload", &failure);
    if (r < 0)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "not reloaded: %s",
                    failure.message ? failure.message : g_strerror(-r));
    sd_bus_error_free(&failure);
    return r >= 0;
}
