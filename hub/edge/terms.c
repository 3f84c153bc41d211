/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/terms.h"

EdgeTerms *
edge_terms_new(TlsContext *tls, Networks *balancers, Origins *origins)
{
    EdgeTerms *terms = g_new0(EdgeTerms, 1);

    atomic_init(&terms->references, 1);
    terms->tls = tls_context_ref(tls);
    terms->balancers = networks_ref(balancers);
    terms->origins = origins_ref(origins);
    return terms;
}

EdgeTerms *
edge_terms_ref(EdgeTerms *terms)
{
    atomic_fetch_add(&terms->references, 1);
    return terms;
}

void
edge_terms_unref(EdgeTerms *terms)
{
    if (!terms || atomic_fetch_sub(&terms->references, 1) != 1)
        return;
    tls_context_unref(terms->tls);
    networks_unref(terms->balancers);
    origins_unref(terms->origins);
    g_free(terms);
}
