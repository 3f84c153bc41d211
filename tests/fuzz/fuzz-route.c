/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Method and path of a request, with a blank between them: a route has all the parts of its
 * pattern, and no other. */
#include "hub/edge/route.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[ROUTE_PARTS] = {
    [ROUTE_HUB] = "{hub}",       [ROUTE_DEVICE] = "{device}",
    [ROUTE_MODULE] = "{module}", [ROUTE_STREAM_NAME] = "{stream}",
    [ROUTE_STREAM_ID] = "{id}",  [ROUTE_SIDE] = "{side}",
    [ROUTE_USER] = "{user}",     [ROUTE_INVITATION] = "{invitation}",
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = size > 0 ? memchr(text, ' ', size) : NULL;
    Slice method = {text, end ? (gsize)(end - text) : 0};
    Slice path = {end ? end + 1 : NULL, end ? size - method.len - 1 : 0};
    g_auto(RouteMatch) match = {0};

    if (path.len == 0 || path.ptr[0] != '/')
        return 0; /* the head's parser lets no such path through */
    if (route_find(&route_metrics, method, path, &match)) {
        g_assert_cmpint(match.route->kind, ==, ROUTE_METRICS);
        route_match_clear(&match);
    }
    if (!route_find(&route_hub, method, path, &match)) {
        g_assert_null(match.route);
        return 0;
    }
    g_assert_true(slice_equal(method, match.route->method));
    for (guint i = 0; i < ROUTE_PARTS; i++) {
        gboolean wanted = strstr(match.route->pattern, names[i]) != NULL;

        g_assert_cmpint(match.parts[i] != NULL, ==, wanted);
        g_assert_true(!wanted || (*match.parts[i] && g_utf8_validate(match.parts[i], -1, NULL)));
    }
    return 0;
}
