/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/endpoint.h"
#include "desktop/app/recent-menu.h"
#include "desktop/base/form.h"
#include "desktop/base/ui.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define TEXT_MAX 256

struct Endpoint {
    Model *model;
    GtkWidget *group, *hub, *device, *stream;
    GStrv hubs;
    EndpointChanged changed;
    void *data;
};

static void
endpoint_free(Endpoint *endpoint)
{
    g_strfreev(endpoint->hubs);
    g_free(endpoint);
}

static void
endpoint_on_changed(GtkWidget *widget, Endpoint *endpoint)
{
    endpoint->changed(endpoint->data);
}

static GtkWidget *
endpoint_entry(Endpoint *endpoint, gboolean devices, const char *text)
{
    GtkWidget *entry =
        form_entry(endpoint->group, devices ? _("_Device") : _("_Stream"), text, TEXT_MAX);

    form_set_hint(entry, devices ? _("DEVICE or DEVICE/MODULE")
                                 : _("as the device calls it: ssh, web, …"));
    recent_menu_add(entry, endpoint->model->settings, devices);
    (void)g_signal_connect(entry, "changed", G_CALLBACK(endpoint_on_changed), endpoint);
    return entry;
}

/* The stream last opened to the device; "" for a new device. */
static const char *
endpoint_last_stream(Model *model, const char *device)
{
    const Recent *recent;

    for (guint i = 0; (recent = settings_recent(model->settings, i)) != NULL; i++) {
        if (g_str_equal(recent->device, device))
            return recent->stream;
    }
    return "";
}

static GtkWidget *
endpoint_hub_choice(Endpoint *endpoint, const char *hub)
{
    GtkWidget *choice =
        form_choice(endpoint->group, _("_Hub"), (const char *const *)endpoint->hubs);

    for (guint i = 0; endpoint->hubs[i] != NULL; i++) {
        if (g_str_equal(endpoint->hubs[i], hub))
            adw_combo_row_set_selected(ADW_COMBO_ROW(choice), i);
    }
    return choice;
}

Endpoint *
endpoint_new(Model *model, const char *hub, const char *device, EndpointChanged changed, void *data)
{
    Endpoint *endpoint = g_new0(Endpoint, 1);

    endpoint->model = model;
    endpoint->hubs = model_service_hubs(model);
    endpoint->changed = changed;
    endpoint->data = data;
    endpoint->group = form_group_new(NULL, NULL);
    endpoint->hub = endpoint_hub_choice(endpoint, hub);
    endpoint->device = endpoint_entry(endpoint, TRUE, device);
    endpoint->stream = endpoint_entry(endpoint, FALSE, endpoint_last_stream(model, device));
    g_object_set_data_full(G_OBJECT(endpoint->group), "streamd-endpoint", endpoint,
                           (GDestroyNotify)endpoint_free);
    return endpoint;
}

GtkWidget *
endpoint_widget(Endpoint *endpoint)
{
    return endpoint->group;
}

const char *
endpoint_hub(Endpoint *endpoint)
{
    guint i = adw_combo_row_get_selected(ADW_COMBO_ROW(endpoint->hub));

    return i < g_strv_length(endpoint->hubs) ? endpoint->hubs[i] : "";
}

static char *
endpoint_text(GtkWidget *entry)
{
    return g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(entry))));
}

char *
endpoint_device(Endpoint *endpoint)
{
    return endpoint_text(endpoint->device);
}

char *
endpoint_stream(Endpoint *endpoint)
{
    return endpoint_text(endpoint->stream);
}

gboolean
endpoint_valid(Endpoint *endpoint)
{
    g_autofree char *device = endpoint_device(endpoint);
    g_autofree char *stream = endpoint_stream(endpoint);

    return *endpoint_hub(endpoint) != '\0' && *device != '\0' && *stream != '\0';
}

void
endpoint_remember(Endpoint *endpoint)
{
    g_autofree char *device = endpoint_device(endpoint);
    g_autofree char *stream = endpoint_stream(endpoint);

    settings_use(endpoint->model->settings, endpoint_hub(endpoint), device, stream);
    model_devices_changed(endpoint->model);
}

void
endpoint_present(Endpoint *endpoint, GtkWindow *dialog, GtkWidget *complaint)
{
    g_autofree char *device = endpoint_device(endpoint);

    if (*endpoint_hub(endpoint) == '\0')
        ui_complaint_set(complaint, _("There is no hub with an identity that may open streams. "
                                      "Join one: it is on the page Hubs."));
    (void)gtk_widget_grab_focus(*device == '\0' ? endpoint->device : endpoint->stream);
    gtk_window_present(dialog);
}
