/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/endpoint.h"
#include "desktop/base/ui.h"

#include <glib/gi18n.h>

#define TEXT_MAX 256

struct Endpoint {
    Model *model;
    GtkWidget *grid, *hub, *device, *stream;
    GStrv hubs;
    int rows;
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

void
endpoint_add_row(Endpoint *endpoint, const char *mnemonic, GtkWidget *widget)
{
    gtk_widget_set_hexpand(widget, TRUE);
    gtk_grid_attach(GTK_GRID(endpoint->grid), ui_label_for(mnemonic, widget), 0, endpoint->rows, 1,
                    1);
    gtk_grid_attach(GTK_GRID(endpoint->grid), widget, 1, endpoint->rows, 1, 1);
    endpoint->rows++;
}

/* What was typed earlier, the newest first, without repeats. */
static GtkEntryCompletion *
endpoint_suggestions(Endpoint *endpoint, gboolean devices)
{
    GtkEntryCompletion *completion = gtk_entry_completion_new();
    g_autoptr(GtkListStore) store = gtk_list_store_new(1, G_TYPE_STRING);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    const Recent *recent;

    for (guint i = 0; (recent = settings_recent(endpoint->model->settings, i)) != NULL; i++) {
        const char *text = devices ? recent->device : recent->stream;

        if (*text != '\0' && g_hash_table_add(seen, (gpointer)text))
            gtk_list_store_insert_with_values(store, NULL, -1, 0, text, -1);
    }
    gtk_entry_completion_set_model(completion, GTK_TREE_MODEL(store));
    gtk_entry_completion_set_text_column(completion, 0);
    return completion;
}

static GtkWidget *
endpoint_entry(Endpoint *endpoint, gboolean devices, const char *text, const char *hint)
{
    GtkWidget *entry = gtk_entry_new();
    g_autoptr(GtkEntryCompletion) completion = endpoint_suggestions(endpoint, devices);

    gtk_entry_set_max_length(GTK_ENTRY(entry), TEXT_MAX);
    gtk_entry_set_placeholder_text(GTK_ENTRY(entry), hint);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    gtk_entry_set_completion(GTK_ENTRY(entry), completion);
    gtk_editable_set_text(GTK_EDITABLE(entry), text);
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
    GtkWidget *choice = gtk_drop_down_new_from_strings((const char *const *)endpoint->hubs);

    for (guint i = 0; endpoint->hubs[i] != NULL; i++) {
        if (g_str_equal(endpoint->hubs[i], hub))
            gtk_drop_down_set_selected(GTK_DROP_DOWN(choice), i);
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
    endpoint->grid = gtk_grid_new();
    gtk_grid_set_row_spacing(GTK_GRID(endpoint->grid), 12);
    gtk_grid_set_column_spacing(GTK_GRID(endpoint->grid), 18);
    endpoint->hub = endpoint_hub_choice(endpoint, hub);
    endpoint->device = endpoint_entry(endpoint, TRUE, device, _("DEVICE or DEVICE/MODULE"));
    endpoint->stream = endpoint_entry(endpoint, FALSE, endpoint_last_stream(model, device),
                                      _("as the device calls it: ssh, web, …"));
    endpoint_add_row(endpoint, _("_Hub"), endpoint->hub);
    endpoint_add_row(endpoint, _("_Device"), endpoint->device);
    endpoint_add_row(endpoint, _("_Stream"), endpoint->stream);
    g_object_set_data_full(G_OBJECT(endpoint->grid), "streamd-endpoint", endpoint,
                           (GDestroyNotify)endpoint_free);
    return endpoint;
}

GtkWidget *
endpoint_widget(Endpoint *endpoint)
{
    return endpoint->grid;
}

const char *
endpoint_hub(Endpoint *endpoint)
{
    guint i = gtk_drop_down_get_selected(GTK_DROP_DOWN(endpoint->hub));

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
                                      "Add one: streamctl hub add NAME"));
    (void)gtk_widget_grab_focus(*device == '\0' ? endpoint->device : endpoint->stream);
    gtk_window_present(dialog);
}
