/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/loop/status-line.h"

struct StatusLine {
    StatusMake make;
    StatusSend send;
    void *data;
    char *text;  /* the last one; NULL: none was sent */
    gint64 next; /* monotonic: not before */
    guint timer;
};

StatusLine *
status_line_new(StatusMake make, StatusSend send, void *data)
{
    StatusLine *line = g_new0(StatusLine, 1);

    line->make = make;
    line->send = send;
    line->data = data;
    return line;
}

void
status_line_free(StatusLine *line)
{
    if (!line)
        return;
    g_clear_handle_id(&line->timer, g_source_remove);
    g_free(line->text);
    g_free(line);
}

static gboolean
status_line_on_time(gpointer data)
{
    StatusLine *line = data;
    g_autofree char *text = line->make(line->data);

    line->timer = 0;
    if (g_strcmp0(text, line->text) == 0)
        return G_SOURCE_REMOVE;
    line->next = g_get_monotonic_time() + STATUS_LINE_PAUSE;
    line->send(text, line->data);
    g_free(line->text);
    line->text = g_steal_pointer(&text);
    return G_SOURCE_REMOVE;
}

void
status_line_touch(StatusLine *line)
{
    gint64 left;

    if (!line || line->timer)
        return;
    left = MAX(line->next - g_get_monotonic_time(), 0);
    line->timer = g_timeout_add((guint)((left + 999) / 1000), status_line_on_time, line);
}
