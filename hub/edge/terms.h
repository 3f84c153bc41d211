/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Terms: what a reload changes at the edge while it serves, in one piece. Immutable and counted;
 * any thread. */
#pragma once

#include "common/net/tls-context.h"
#include "hub/base/networks.h"
#include "hub/base/origins.h"

#include <stdatomic.h>

typedef struct {
    atomic_uint references;
    TlsContext *tls;
    Networks *balancers; /* NULL: none */
    Origins *origins;    /* NULL: none may come */
} EdgeTerms;

/* Takes a reference of each. */
EdgeTerms *edge_terms_new(TlsContext *tls, Networks *balancers, Origins *origins);
EdgeTerms *edge_terms_ref(EdgeTerms *terms);
void edge_terms_unref(EdgeTerms *terms); /* NULL is fine */
