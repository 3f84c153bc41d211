/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/page/page.h"
#include "desktop/page/row.h"
#include "desktop/page/spark.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"

#include <glib/gi18n.h>

static gboolean
stream_comes_in(Item *stream)
{
    return g_str_equal(item_string(stream, "Role"), "device");
}

/* "to sshd", "from support-1", ...: the other end of the stream. */
static char *
stream_ends(Item *stream)
{
    const char *initiator = item_string(stream, "Initiator"),
               *target = item_string(stream, "Target");
    guint64 tunnel = item_number(stream, "Tunnel");
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, tunnel);
    g_autofree char *from = NULL, *to = NULL;

    if (!stream_comes_in(stream)) {
        if (tunnel == 0)
            return g_strdup("");
        return g_strdup_printf(_("through tunnel %s"), number);
    }
    from = *initiator == '\0' ? g_strdup("") : g_strdup_printf(_("from %s"), initiator);
    to = *target == '\0' ? g_strdup("") : g_strdup_printf(_("to %s"), target);
    return text_join(from, to, NULL);
}

static void
stream_show_rates(Row *row, Item *stream)
{
    GtkWidget *label = row_get(row, "rates");
    g_autofree char *text = text_rates(item_rate_in(stream), item_rate_out(stream));

    gtk_label_set_text(GTK_LABEL(label), text);
    gtk_widget_set_visible(label, *text != '\0');
}

static char *
stream_amounts(Item *stream)
{
    guint64 bytes_in = item_number(stream, "BytesIn"), bytes_out = item_number(stream, "BytesOut");
    g_autofree char *in = text_size(bytes_in);
    g_autofree char *out = text_size(bytes_out);

    if (bytes_in == 0 && bytes_out == 0)
        return g_strdup("");
    /* TRANSLATORS: amounts of bytes: 1.2 MB in, 3 kB out */
    return g_strdup_printf(_("%s in, %s out"), in, out);
}

static gboolean
stream_is_suspended(Item *stream)
{
    return g_str_equal(item_string(stream, "State"), "suspended");
}

/* "Suspended for 12 s", "Open for 3 min", "Closed". */
static char *
stream_state(Item *stream)
{
    const guint64 time =
        item_number(stream, stream_is_suspended(stream) ? "SuspendedSince" : "OpenedAt");
    g_autofree char *since = text_stream_ended(stream) ? g_strdup("") : text_since(time);

    return g_strchomp(
        g_strdup_printf("%s %s", text_stream_state(item_string(stream, "State")), since));
}

static void
stream_update_lines(Row *row, Item *stream)
{
    g_autofree char *title =
        text_join(item_string(stream, "DeviceId"), item_string(stream, "StreamName"), NULL);
    g_autofree char *state = stream_state(stream);
    g_autofree char *ends = stream_ends(stream);
    g_autofree char *amounts = stream_amounts(stream);
    g_autofree char *via = text_via(item_string(stream, "Hub"));
    g_autofree char *subtitle = text_join(state, ends, via, amounts, NULL);

    row_set_title(row, title);
    row_set_subtitle(row, subtitle);
}

static const char *
stream_icon(Item *stream)
{
    return stream_comes_in(stream) ? "streamd-in-symbolic" : "streamd-out-symbolic";
}

/* What there is to know of one that is suspended, for who points at it or has it read out. */
static void
stream_explain(Row *row, Item *stream)
{
    g_autofree char *text = NULL;

    if (stream_is_suspended(stream))
        /* TRANSLATORS: %s is a word of the protocol for why: "silent", "hub-stopping" */
        text = g_strdup_printf(_("Its connection was lost (%s). It goes on as soon as there is "
                                 "another one; nothing of it is lost."),
                               item_string(stream, "SuspendReason"));
    gtk_widget_set_tooltip_text(row_widget(row), text);
}

static void
stream_update(Row *row, Item *stream)
{
    gboolean open = g_str_equal(item_string(stream, "State"), "open");

    stream_update_lines(row, stream);
    stream_explain(row, stream);
    row_set_icon(row, stream_icon(stream),
                 open                          ? "success"
                 : stream_is_suspended(stream) ? "warning"
                                               : "dim");
    stream_show_rates(row, stream);
}

/* How fast it is and was: the rates of now, and the curve. */
static GtkWidget *
stream_speed(Row *row, Item *stream)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12), *label = gtk_label_new(NULL);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_widget_add_css_class(label, "numeric");
    gtk_box_append(GTK_BOX(box), label);
    gtk_box_append(GTK_BOX(box), spark_new(stream));
    row_remember(row, label, "rates");
    return box;
}

static GtkWidget *
stream_create(gpointer item, gpointer data)
{
    Item *stream = item;
    Row *row = row_new("streamd-out-symbolic");
    g_autofree char *close =
        g_strdup_printf(_("End the stream %s · %s"), item_string(stream, "DeviceId"),
                        item_string(stream, "StreamName"));

    row_add_line(row, stream_speed(row, stream));
    row_add(row, ui_icon_button("window-close-symbolic", close, "app.close",
                                g_variant_new("s", item_path(stream))));
    row_bind(row, stream, stream_update);
    return row_widget(row);
}

/* Whether the end was in order or wanted. Every other reason is shown to the user. */
static gboolean
ended_well(Item *stream)
{
    static const char *const reasons[] = {"completed", "device-closed", "service-closed",
                                          "closed-by-user", NULL};

    return g_strv_contains(reasons, item_string(stream, "CloseReason"));
}

static void
ended_update(Row *row, Item *stream)
{
    gboolean well = ended_well(stream);

    stream_update_lines(row, stream);
    row_set_icon(row, stream_icon(stream), well ? "dim" : "error");
    row_set_error(row, well ? "" : item_string(stream, "CloseText"));
}

static GtkWidget *
ended_create(gpointer item, gpointer data)
{
    Row *row = row_new("streamd-out-symbolic");

    gtk_widget_add_css_class(row_widget(row), "ended");
    row_bind(row, item, ended_update);
    return row_widget(row);
}

GtkWidget *
page_streams_new(Model *model)
{
    GtkWidget *button = ui_button(_("_Test a Transfer…"));
    GtkWidget *empty = ui_status_new(
        "streamd-out-symbolic", _("No Streams"),
        _("Each connection through a tunnel is a stream, and so is each one that another "
          "machine opens to this one. What moves is shown here as it moves."),
        button);
    GtkWidget *page = page_new(empty);

    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "app.new-transfer");
    page_add_list(page, _("Open"), model->streams, stream_create);
    page_add_list(page, _("Ended a moment ago"), model->ended, ended_create);
    return page;
}
