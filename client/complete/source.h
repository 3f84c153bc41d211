/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the words come from that streamd knows: see complete.h. */
#pragma once

#include <glib.h>

/* What a placeholder of a usage line stands for. */
typedef enum {
    SOURCE_NONE,
    SOURCE_HUBS,
    SOURCE_TARGETS,
    SOURCE_RULES,
    SOURCE_STREAMS,
    SOURCE_TUNNELS,
    SOURCE_REQUESTS,
    SOURCE_DEVICES,
    SOURCE_NAMES, /* of streams */
    SOURCE_FILES,
} Source;

/* PLACEHOLDER is "NAME", "DEVICE[/MODULE]", ... of a verb whose first word is NOUN. */
Source complete_source(const char *noun, const char *placeholder);

/* Calls FUNC for each word; a word may come more than once. HUB: the one whose devices are wanted;
 * NULL: the only one. */
typedef void (*SourceFunc)(const char *word, const char *description, void *data);
void
complete_source_read(Source source, gboolean system, const char *hub, SourceFunc func, void *data);
