/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/base/fold.h"

#define GAP 12
#define GAP_BELOW 6
#define COMFORT 20 /* characters that FIRST has at least when they are side by side */

typedef struct {
    int least, natural;
} Need;

static Need
fold_need(GtkWidget *child, GtkOrientation orientation, int for_size)
{
    Need need = {0, 0};

    if (gtk_widget_should_layout(child))
        gtk_widget_measure(child, orientation, for_size, &need.least, &need.natural, NULL, NULL);
    return need;
}

static int
fold_comfort(GtkWidget *fold)
{
    PangoContext *context = gtk_widget_get_pango_context(fold);
    PangoFontMetrics *metrics = pango_context_get_metrics(context, NULL, NULL);
    int width = pango_font_metrics_get_approximate_char_width(metrics);

    pango_font_metrics_unref(metrics);
    return COMFORT * PANGO_PIXELS_CEIL(width);
}

/* Whether they are side by side in that width, and how wide the second one is then. */
static gboolean
fold_fits(GtkWidget *fold, int width, int *ret_second)
{
    GtkWidget *first = gtk_widget_get_first_child(fold);
    Need one = fold_need(first, GTK_ORIENTATION_HORIZONTAL, -1);
    Need two = fold_need(gtk_widget_get_next_sibling(first), GTK_ORIENTATION_HORIZONTAL, -1);

    *ret_second = two.natural;
    return width >= MAX(one.least, MIN(one.natural, fold_comfort(fold))) + GAP + two.natural;
}

static void
fold_measure(GtkWidget *fold, GtkOrientation orientation, int for_size, int *least, int *natural,
             int *least_baseline, int *natural_baseline)
{
    GtkWidget *first = gtk_widget_get_first_child(fold),
              *second = gtk_widget_get_next_sibling(first);
    gboolean across = orientation == GTK_ORIENTATION_HORIZONTAL;
    int beside = 0;
    gboolean fits = !across && (for_size < 0 || fold_fits(fold, for_size, &beside));
    Need one =
        fold_need(first, orientation, fits && for_size > 0 ? for_size - GAP - beside : for_size);
    Need two = fold_need(second, orientation, fits ? -1 : for_size);

    if (across) {
        *least = MAX(one.least, two.least);
        *natural = one.natural + (two.natural > 0 ? GAP + two.natural : 0);
    } else if (fits) {
        *least = MAX(one.least, two.least);
        *natural = MAX(one.natural, two.natural);
    } else {
        int gap = two.natural > 0 ? GAP_BELOW : 0;

        *least = one.least + gap + two.least;
        *natural = one.natural + gap + two.natural;
    }
    *least_baseline = *natural_baseline = -1;
}

static void
fold_allocate(GtkWidget *fold, int width, int height, int baseline)
{
    GtkWidget *first = gtk_widget_get_first_child(fold),
              *second = gtk_widget_get_next_sibling(first);
    gboolean mirrored = gtk_widget_get_direction(fold) == GTK_TEXT_DIR_RTL;
    GtkAllocation one = {0, 0, width, height}, two = {0, 0, width, 0};
    int beside;

    if (!gtk_widget_should_layout(second)) {
        gtk_widget_size_allocate(first, &one, -1);
        return;
    }
    if (fold_fits(fold, width, &beside)) {
        one.width = width - GAP - beside;
        two = (GtkAllocation){mirrored ? 0 : width - beside, 0, beside, height};
        one.x = mirrored ? beside + GAP : 0;
    } else {
        two.height = fold_need(second, GTK_ORIENTATION_VERTICAL, width).natural;
        one.height = MAX(fold_need(first, GTK_ORIENTATION_VERTICAL, width).least,
                         height - GAP_BELOW - two.height);
        two.y = one.height + GAP_BELOW;
    }
    gtk_widget_size_allocate(first, &one, -1);
    gtk_widget_size_allocate(second, &two, -1);
}

static GtkSizeRequestMode
fold_mode(GtkWidget *fold)
{
    return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

GtkWidget *
fold_new(GtkWidget *first, GtkWidget *second)
{
    GtkWidget *fold = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);

    gtk_box_append(GTK_BOX(fold), first);
    gtk_box_append(GTK_BOX(fold), second);
    gtk_widget_set_layout_manager(fold,
                                  gtk_custom_layout_new(fold_mode, fold_measure, fold_allocate));
    return fold;
}
