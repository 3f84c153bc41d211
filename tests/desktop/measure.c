/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linked into streamd-desktop for tests/desktop/layout.py: at each SIGUSR1 it writes to the file
 * STREAMD_MEASURED what is on the screen, a line for each widget, parents first:
 *
 *     WINDOW DEPTH TYPE X Y WIDTH HEIGHT CUT TEXT
 *
 * with tabs between; WINDOW counts from 0, the place is in pixels of the window, and CUT is 1 for a
 * label of which something is missing. Assistive technology is not told all of this. */
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <gtk/gtk.h>
#include <signal.h>

static char *
measure_text(GtkWidget *widget)
{
    const char *text = GTK_IS_LABEL(widget) ? gtk_label_get_text(GTK_LABEL(widget)) : "";

    return g_strdelimit(g_strdup(text), "\t\n", ' ');
}

/* Of what can be scrolled, whether it can be scrolled to the side. */
static const char *
measure_kind(GtkWidget *widget)
{
    GtkPolicyType across = GTK_POLICY_NEVER;

    if (GTK_IS_SCROLLED_WINDOW(widget))
        gtk_scrolled_window_get_policy(GTK_SCROLLED_WINDOW(widget), &across, NULL);
    return across != GTK_POLICY_NEVER ? "sideways" : G_OBJECT_TYPE_NAME(widget);
}

static void
measure_widget(GString *out, GtkWidget *widget, GtkWidget *window, guint number, int depth)
{
    graphene_rect_t at;
    g_autofree char *text = measure_text(widget);
    gboolean cut =
        GTK_IS_LABEL(widget) && pango_layout_is_ellipsized(gtk_label_get_layout(GTK_LABEL(widget)));

    if (!gtk_widget_get_mapped(widget) || !gtk_widget_get_child_visible(widget) ||
        !gtk_widget_compute_bounds(widget, window, &at))
        return;
    g_string_append_printf(out, "%u\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", number, depth,
                           measure_kind(widget), (int)at.origin.x, (int)at.origin.y,
                           (int)at.size.width, (int)at.size.height, cut, text);
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
         child = gtk_widget_get_next_sibling(child))
        measure_widget(out, child, window, number, depth + 1);
}

static gboolean
measure_on_signal(gpointer data)
{
    const char *path = g_getenv("STREAMD_MEASURED");
    GListModel *windows = gtk_window_get_toplevels();
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *made = g_strconcat(path, ".new", NULL);

    for (guint i = 0; i < g_list_model_get_n_items(windows); i++) {
        g_autoptr(GtkWidget) window = g_list_model_get_item(windows, i);

        measure_widget(out, window, window, i, 0);
    }
    if (g_file_set_contents(made, out->str, (gssize)out->len, NULL))
        (void)g_rename(made, path);
    return G_SOURCE_CONTINUE;
}

__attribute__((constructor)) static void
measure_begin(void)
{
    if (g_getenv("STREAMD_MEASURED") != NULL)
        (void)g_unix_signal_add(SIGUSR1, measure_on_signal, NULL);
}
