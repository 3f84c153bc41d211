/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/route.h"

#include <string.h>

/* docs/wire-protocol.md, sections 1.1, 3, 4, 6 and 9 */
/* clang-format off */
static const Route routes[] = {
    {"GET", "/$iothub/websocket", ROUTE_MQTT, ROUTE_AUTH_CONNECT, TRUE, 0},
    {"GET", "/bridges/ih/{hub}/d/{device}/sid/{id}/r/{side}", ROUTE_LEG, ROUTE_AUTH_TOKEN, TRUE, 0},
    {"POST", "/twins/{device}/streams/{stream}", ROUTE_STREAM, ROUTE_AUTH_SERVICE, FALSE, 0},
    {"POST", "/twins/{device}/modules/{module}/streams/{stream}", ROUTE_STREAM, ROUTE_AUTH_SERVICE, FALSE, 0},
    {"GET", "/devices", ROUTE_DEVICES, ROUTE_AUTH_READER, FALSE, 0},
    {"POST", "/devices", ROUTE_BULK, ROUTE_AUTH_WRITER, FALSE, ROUTE_BULK_MAX},
    {"POST", "/devices/query", ROUTE_QUERY, ROUTE_AUTH_LISTER, FALSE, ROUTE_QUERY_MAX},
    {"GET", "/devices/{device}", ROUTE_IDENTITY_GET, ROUTE_AUTH_READER, FALSE, 0},
    {"PUT", "/devices/{device}", ROUTE_IDENTITY_PUT, ROUTE_AUTH_WRITER, FALSE, ROUTE_IDENTITY_MAX},
    {"DELETE", "/devices/{device}", ROUTE_IDENTITY_DELETE, ROUTE_AUTH_WRITER, FALSE, 0},
    {"GET", "/devices/{device}/modules", ROUTE_MODULES, ROUTE_AUTH_READER, FALSE, 0},
    {"GET", "/devices/{device}/modules/{module}", ROUTE_IDENTITY_GET, ROUTE_AUTH_READER, FALSE, 0},
    {"PUT", "/devices/{device}/modules/{module}", ROUTE_IDENTITY_PUT, ROUTE_AUTH_WRITER, FALSE, ROUTE_IDENTITY_MAX},
    {"DELETE", "/devices/{device}/modules/{module}", ROUTE_IDENTITY_DELETE, ROUTE_AUTH_WRITER, FALSE, 0},
    {"GET", "/twins/{device}", ROUTE_TWIN_GET, ROUTE_AUTH_LISTER, FALSE, 0},
    {"PATCH", "/twins/{device}", ROUTE_TWIN_PATCH, ROUTE_AUTH_WRITER, FALSE, ROUTE_TWIN_MAX},
    {"PUT", "/twins/{device}", ROUTE_TWIN_PUT, ROUTE_AUTH_WRITER, FALSE, ROUTE_TWIN_MAX},
    {"GET", "/twins/{device}/modules/{module}", ROUTE_TWIN_GET, ROUTE_AUTH_LISTER, FALSE, 0},
    {"PATCH", "/twins/{device}/modules/{module}", ROUTE_TWIN_PATCH, ROUTE_AUTH_WRITER, FALSE, ROUTE_TWIN_MAX},
    {"PUT", "/twins/{device}/modules/{module}", ROUTE_TWIN_PUT, ROUTE_AUTH_WRITER, FALSE, ROUTE_TWIN_MAX},
    {"GET", "/statistics/devices", ROUTE_COUNT_DEVICES, ROUTE_AUTH_READER, FALSE, 0},
    {"GET", "/statistics/service", ROUTE_COUNT_CONNECTED, ROUTE_AUTH_LISTER, FALSE, 0},
    {"PUT", "/enrollments/{invitation}/devices/{device}", ROUTE_ENROLL, ROUTE_AUTH_INVITED, FALSE, ROUTE_ENROLL_MAX},
    {"PUT", "/enrollments/{invitation}/devices/{device}/modules/{module}", ROUTE_ENROLL, ROUTE_AUTH_INVITED, FALSE, ROUTE_ENROLL_MAX},
    {"PUT", "/enrollments/{invitation}/users/{user}", ROUTE_ENROLL, ROUTE_AUTH_INVITED, FALSE, ROUTE_ENROLL_MAX},
};
static const Route metrics_routes[] = {
    {"GET", "/metrics", ROUTE_METRICS, ROUTE_AUTH_METRICS, FALSE, 0},
};
/* clang-format on */

/* The wire's hub says that it implements no such thing; a scraper is told that there is none. */
const RouteTable route_hub = {routes, G_N_ELEMENTS(routes), 501};
const RouteTable route_metrics = {metrics_routes, G_N_ELEMENTS(metrics_routes), 404};

static const char *const part_names[ROUTE_PARTS] = {
    [ROUTE_HUB] = "{hub}",
    [ROUTE_DEVICE] = "{device}",
    [ROUTE_MODULE] = "{module}",
    [ROUTE_STREAM_NAME] = "{stream}",
    [ROUTE_STREAM_ID] = "{id}",
    [ROUTE_SIDE] = "{side}",
    [ROUTE_INVITATION] = "{invitation}",
    [ROUTE_USER] = "{user}",
};

static gboolean
part_find(Slice name, RoutePart *ret)
{
    for (guint i = 0; i < ROUTE_PARTS; i++)
        if (slice_equal(name, part_names[i])) {
            *ret = (RoutePart)i;
            return TRUE;
        }
    return FALSE;
}

static gboolean
segment_matches(Slice wanted, const HttpPath *path, guint index, RouteMatch *match)
{
    RoutePart part;

    if (!part_find(wanted, &part))
        return http_path_is(path, index, wanted);
    match->parts[part] = http_path_decode(path, index);
    return match->parts[part] != NULL;
}

static gboolean
route_matches(const Route *route, const HttpPath *path, RouteMatch *match)
{
    HttpPath pattern = {0};

    if (!http_path_split(slice_of(route->pattern), &pattern) || pattern.count != path->count)
        return FALSE;
    for (guint i = 0; i < pattern.count; i++)
        if (!segment_matches(pattern.items[i], path, i, match))
            return FALSE;
    match->route = route;
    return TRUE;
}

/* A slash at the end of a path is an empty segment. */
static HttpPath
path_without_slash(const HttpPath *path)
{
    HttpPath shorter = *path;

    if (shorter.count > 1 && shorter.items[shorter.count - 1].len == 0)
        shorter.count--;
    return shorter;
}

static gboolean
route_takes(const Route *route, const HttpPath *path, RouteMatch *match)
{
    HttpPath shorter = path_without_slash(path);

    return route_matches(route, route->upgrade ? path : &shorter, match);
}

gboolean
route_find(const RouteTable *table, Slice method, Slice path, RouteMatch *ret)
{
    HttpPath split = {0};

    if (!http_path_split(path, &split))
        return FALSE;
    for (guint i = 0; i < table->count; i++) {
        const Route *route = &table->routes[i];
        g_auto(RouteMatch) match = {0};

        if (!slice_equal(method, route->method) || !route_takes(route, &split, &match))
            continue;
        *ret = match;
        match = (RouteMatch){0};
        return TRUE;
    }
    return FALSE;
}

char *
route_methods(const RouteTable *table, Slice path)
{
    g_autoptr(GString) methods = g_string_new(NULL);
    HttpPath split = {0};

    if (!http_path_split(path, &split))
        return NULL;
    for (guint i = 0; i < table->count; i++) {
        const Route *route = &table->routes[i];
        g_auto(RouteMatch) match = {0};

        if (route_takes(route, &split, &match) && !strstr(methods->str, route->method))
            g_string_append_printf(methods, "%s%s", methods->len > 0 ? ", " : "", route->method);
    }
    return methods->len > 0 ? g_strdup(methods->str) : NULL;
}

void
route_match_clear(RouteMatch *match)
{
    for (guint i = 0; i < ROUTE_PARTS; i++)
        g_clear_pointer(&match->parts[i], g_free);
    match->route = NULL;
}
