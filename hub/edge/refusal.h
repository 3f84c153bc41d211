/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Refusal: what the edge itself answers to a request before anybody is asked about it, in the
 * wire's form (docs/wire-protocol.md, section 3). The connection ends with it. Any thread. */
#pragma once

#include "hub/edge/route.h"

typedef struct {
    guint status;
    const char *methods; /* of 405: those the path has */
    const char *text;    /* one English sentence; NULL: the usual one */
    gboolean head_only;  /* the request was HEAD */
} Refusal;

/* Appends the whole answer. */
void refusal_append(GString *out, const Refusal *refusal);

/* Of a request that no route takes; *ret_methods is what it points to, and the caller's to free. */
Refusal refusal_of_path(const RouteTable *table, Slice method, Slice path, char **ret_methods);
