/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/serve-status.h"

#include "common/base/escape.h"
#include "hub/admin/identity.h"

#include <systemd/sd-daemon.h>

#define LOOK_MS 1000
#define DAY_S (24 * 60 * 60)
#define PROBLEM_MAX 200

struct ServeStatus {
    const AdminHub *hub;
    AdminServer *const *admin;
    gboolean stopping;
    char *text; /* the last one that was sent */
    guint look, daily;
};

static void
add_count(GString *text, guint count, const char *noun)
{
    g_string_append_printf(text, ", %u %s%s", count, noun, count == 1 ? "" : "s");
}

static void
add_problem(GString *text, const char *problem)
{
    if (!problem || !*problem)
        return;
    g_string_append(text, "; ");
    escape_append(text, problem, -1, PROBLEM_MAX);
}

char *
serve_status_text(const ServeStanding *standing)
{
    const HubFigures *counts = &standing->counts;
    GString *text = g_string_new(NULL);
    g_autofree char *cloned = NULL;

    g_string_printf(text, "%s %s, port %u", standing->stopping ? "Ending streams of" : "Serving",
                    standing->name, standing->port);
    add_count(text, counts->devices, "device");
    add_count(text, counts->streams, "stream");
    if (counts->draining)
        g_string_append(text, ", taking no new ones");
    if (standing->held)
        g_string_append(text, ", the registry is read-only on request");
    add_problem(text, standing->registry);
    add_problem(text, standing->certificate);
    if (counts->cloned > 0)
        cloned = g_strdup_printf("two machines use the identity of %u device%s", counts->cloned,
                                 counts->cloned == 1 ? "" : "s");
    add_problem(text, cloned);
    if (standing->no_admin)
        add_problem(text, "the admin socket cannot be made");
    return g_string_free(text, FALSE);
}

static char *
status_make(const ServeStatus *status)
{
    const AdminHub *hub = status->hub;
    g_autofree char *certificate = identity_warning(hub->identity(hub->data));

    return serve_status_text(&(ServeStanding){
        .name = hub->host,
        .port = hub->port,
        .counts = hub->figures(hub->data),
        .stopping = status->stopping,
        .held = registry_is_held(hub->registry),
        .no_admin = *status->admin == NULL,
        .certificate = certificate,
        .registry = registry_trouble(hub->registry),
    });
}

static gboolean
on_look(void *data)
{
    ServeStatus *status = data;
    g_autofree char *text = status_make(status);

    if (g_strcmp0(text, status->text) == 0)
        return G_SOURCE_CONTINUE;
    (void)sd_notifyf(0, "STATUS=%s", text);
    g_free(status->text);
    status->text = g_steal_pointer(&text);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_day(void *data)
{
    const AdminHub *hub = ((ServeStatus *)data)->hub;

    serve_warn_of_identity(hub->identity(hub->data));
    return G_SOURCE_CONTINUE;
}

ServeStatus *
serve_status_new(const AdminHub *hub, AdminServer *const *admin)
{
    ServeStatus *status = g_new0(ServeStatus, 1);

    status->hub = hub;
    status->admin = admin;
    status->text = status_make(status);
    status->daily = g_timeout_add_seconds(DAY_S, on_day, status);
    status->look = g_timeout_add(LOOK_MS, on_look, status);
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status->text);
    return status;
}

void
serve_status_free(ServeStatus *status)
{
    if (!status)
        return;
    g_source_remove(status->daily);
    g_source_remove(status->look);
    g_free(status->text);
    g_free(status);
}

void
serve_status_stopping(ServeStatus *status)
{
    status->stopping = TRUE;
    (void)sd_notify(0, "STOPPING=1");
    (void)on_look(status);
}

/* The certificate works, but the administrator should act. */
void
serve_warn_of_identity(const Identity *identity)
{
    g_autofree char *warning = identity_warning(identity);

    if (warning)
        g_warning("%s", warning);
}
