/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notices: what a hub tells the streamd of a device about itself (docs/wire-protocol.md,
 * section 8), a PUBLISH to NOTICE_TOPIC whose payload is one JSON object:
 *
 *   {"kind": "taken-over", ...}
 *
 * The kind says what the other members mean. A reader ignores kinds and members that it does not
 * know. Pure; any thread. */
#pragma once

#include "common/base/slice.h"

#include <json-glib/json-glib.h>

#define NOTICE_TOPIC "$iothub/streamd/notice/"
#define NOTICE_MAX (16 * 1024) /* bytes of a payload */
#define NOTICE_KIND_MAX 32     /* of a kind: a to z, 0 to 9, "-" */
#define NOTICE_DEPTH_MAX 8     /* open arrays and objects */

typedef struct {
    const char *kind;   /* inside FIELDS */
    JsonObject *fields; /* all members, "kind" among them */
} Notice;

/* PAYLOAD is that of a PUBLISH to NOTICE_TOPIC. FALSE: it is no notice, and *ret_fault is a static
 * text that says why. */
gboolean notice_parse(Slice payload, Notice *ret, const char **ret_fault);
void notice_clear(Notice *notice);

/* A member that is a text of at most MAX bytes without control characters; NULL: it is none. */
const char *notice_text(const Notice *notice, const char *name, gsize max);

/* A member that is an integer of at least 0; else FALLBACK. */
gint64 notice_number(const Notice *notice, const char *name, gint64 fallback);

/* The payload of a notice with the members of FIELDS (NULL: no other ones than the kind; it is not
 * changed). NULL when the kind is not one, or when a reader would not take it, because it is too
 * long or too deep. Caller frees. */
char *notice_build(const char *kind, JsonObject *fields);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Notice, notice_clear)
