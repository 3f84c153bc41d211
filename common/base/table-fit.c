/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/table-fit.h"

static guint
fit_total(const TableColumn *columns, guint count, guint gap)
{
    guint total = 0;

    for (guint i = 0; i < count; i++)
        if (columns[i].width > 0)
            total += columns[i].width + (total > 0 ? gap : 0);
    return total;
}

static void
fit_reset(TableColumn *columns, guint count, gboolean brief)
{
    for (guint i = 0; i < count; i++)
        if (columns[i].width > 0)
            columns[i].width = brief ? columns[i].brief : columns[i].full;
}

/* Takes from the widest column, of those that may be cut or of all, until everything fits. */
static gboolean
fit_cut(TableColumn *columns, guint count, guint gap, guint width, guint least, gboolean all)
{
    while (fit_total(columns, count, gap) > width) {
        TableColumn *widest = NULL;

        for (guint i = 0; i < count; i++)
            if ((all || columns[i].cut) && (!widest || columns[i].width > widest->width))
                widest = &columns[i];
        if (!widest || widest->width <= least)
            return FALSE;
        widest->width--;
    }
    return TRUE;
}

/* FALSE: only those are left that stay. */
static gboolean
fit_drop(TableColumn *columns, guint count)
{
    TableColumn *first = NULL;

    for (guint i = 0; i < count; i++)
        if (columns[i].width > 0 && columns[i].rank > 0 &&
            (!first || columns[i].rank > first->rank))
            first = &columns[i];
    if (first)
        first->width = 0;
    return first != NULL;
}

/* Short forms before texts lose half of what they say, long forms while these have room. */
gboolean
table_fit(TableColumn *columns, guint count, guint gap, guint width)
{
    gboolean brief = FALSE;

    for (guint i = 0; i < count; i++)
        columns[i].width = columns[i].full;
    if (fit_cut(columns, count, gap, width, 2 * TABLE_FIT_LEAST, FALSE))
        return FALSE;
    do {
        fit_reset(columns, count, TRUE);
        brief = TRUE;
        if (fit_cut(columns, count, gap, width, TABLE_FIT_LEAST, FALSE))
            return brief;
    } while (fit_drop(columns, count));
    (void)fit_cut(columns, count, gap, width, 1, TRUE);
    return brief;
}
