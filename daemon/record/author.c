/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/record/author.h"

Author *
author_new(guint32 uid, guint64 pid, const char *bus_name, const char *object)
{
    Author *author = g_new0(Author, 1);

    author->uid = uid;
    author->pid = pid;
    author->bus_name = g_strdup(bus_name);
    author->object = g_strdup(object);
    return author;
}

void
author_free(Author *author)
{
    if (!author)
        return;
    g_free(author->bus_name);
    g_free(author->object);
    g_free(author);
}
