/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A twin, and conditions, as a service sends them: tags that are read are text, at most as many as
 * there may be in a request, and what is refused has a reason. */
#include "hub/edge/route.h"
#include "hub/rest/condition.h"
#include "hub/rest/twin.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    guint64 etag = 7;
    Condition condition = condition_parse(text, &etag);
    g_auto(RegistryWrite) write = {0};
    g_autofree char *why = NULL;
    gboolean ok = twin_parse(text, size, size % 2 == 1, "gw-1", NULL, &write, &why);

    g_assert_true(condition == CONDITION_ETAG || etag == 7);
    g_assert_cmpint(ok, ==, why == NULL);
    g_assert_true(ok || (!write.tags && !write.no_tags && !write.replace));
    g_assert_true(!ok || size <= ROUTE_TWIN_MAX);
    for (char **tag = write.tags; tag && *tag; tag++)
        g_assert_nonnull(strchr(*tag, '='));
    g_assert_true(!write.tags || g_strv_length(write.tags) <= 2 * REGISTRY_TAGS_MAX);
    return 0;
}
