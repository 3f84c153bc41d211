/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/page/spark.h"

#define WIDTH 72
#define HEIGHT 20
/* The curve never uses a smaller scale than this, in bytes per second, so that an idle prompt does
 * not look busy. */
#define SCALE_MIN 4096.0

static void
spark_path(cairo_t *cairo, const double *history, guint count, int width, int height)
{
    double step = (double)width / (ITEM_HISTORY - 1), top = SCALE_MIN;

    for (guint i = 0; i < count; i++)
        top = MAX(top, history[i]);
    for (guint i = 0; i < count; i++) {
        double x = width - (count - 1 - i) * step;

        cairo_line_to(cairo, x, height - 1.5 - history[i] / top * (height - 3));
    }
}

static void
spark_draw(GtkDrawingArea *area, cairo_t *cairo, int width, int height, gpointer item)
{
    double history[ITEM_HISTORY] = {0};
    guint count = item_history(item, history);
    GdkRGBA color;

    if (count < 2)
        return;
    gtk_style_context_get_color(gtk_widget_get_style_context(GTK_WIDGET(area)), &color);
    spark_path(cairo, history, count, width, height);
    cairo_set_line_width(cairo, 1.5);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    gdk_cairo_set_source_rgba(cairo, &color);
    cairo_stroke_preserve(cairo);
    cairo_line_to(cairo, width, height);
    cairo_line_to(cairo, width - (count - 1) * (double)width / (ITEM_HISTORY - 1), height);
    cairo_close_path(cairo);
    color.alpha *= 0.18f;
    gdk_cairo_set_source_rgba(cairo, &color);
    cairo_fill(cairo);
}

static void
spark_on_changed(Item *item, GtkWidget *area)
{
    gtk_widget_queue_draw(area);
}

GtkWidget *
spark_new(Item *item)
{
    GtkWidget *area = gtk_drawing_area_new();

    gtk_drawing_area_set_content_width(GTK_DRAWING_AREA(area), WIDTH);
    gtk_drawing_area_set_content_height(GTK_DRAWING_AREA(area), HEIGHT);
    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(area), spark_draw, g_object_ref(item),
                                   g_object_unref);
    gtk_widget_add_css_class(area, "spark");
    (void)g_signal_connect_object(item, "changed", G_CALLBACK(spark_on_changed), area, 0);
    return area;
}
