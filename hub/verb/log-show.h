/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Show: prints records as a table for people, or as the lines that they are. What is found appears
 * within a moment, however long the search goes on. One thread. */
#pragma once

#include "common/cli/output.h"
#include "hub/log/filter.h"

typedef struct {
    Table *table; /* NULL: the lines themselves */
    TableStyle style;
    GTimeZone *zone;
    gboolean begun; /* something was shown */
    guint waiting;  /* rows, or lines, that are not written yet */
    guint turns;
    gint64 written; /* when something was, monotonic µs */
} LogShow;

LogShow log_show_begin(const Cli *cli);
void log_show_clear(LogShow *show);

/* A record: LINE is without its line end. */
void log_show_add(LogShow *show, const char *line, gsize len);

/* Now and then, while it is searched: writes what has waited for a moment. FALSE with ERROR set. */
gboolean log_show_turn(LogShow *show, GError **error);

/* Writes what waits. FALSE with ERROR set. */
gboolean log_show_flush(LogShow *show, GError **error);

/* The same at the end: says so where there was nothing. */
gboolean log_show_end(LogShow *show, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LogShow, log_show_clear)
