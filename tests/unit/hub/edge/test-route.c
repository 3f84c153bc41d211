/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/route.h"

static const char *const methods[] = {"GET",     "HEAD",    "POST",  "PUT", "PATCH", "DELETE",
                                      "OPTIONS", "CONNECT", "TRACE", "get", "post"};

/* A path that fits the pattern: every {name} is its name. */
static char *
pattern_path(const char *pattern)
{
    char *path = g_strdup(pattern);

    g_strdelimit(path, "{}", 'x');
    return path;
}

static gboolean
found(const char *method, const char *path, RouteMatch *ret)
{
    route_match_clear(ret);
    return route_find(&route_hub, slice_of(method), slice_of(path), ret);
}

/* R29: a route is found with its own method alone, and says what admits to it. */
static void
test_table(void)
{
    const Route *routes = route_hub.routes;

    for (guint i = 0; i < route_hub.count; i++) {
        g_autofree char *path = pattern_path(routes[i].pattern);
        g_auto(RouteMatch) match = {0};

        for (guint j = 0; j < G_N_ELEMENTS(methods); j++) {
            gboolean own = g_strcmp0(methods[j], routes[i].method) == 0;

            route_match_clear(&match);
            if (own)
                g_assert_true(found(methods[j], path, &match) && match.route == &routes[i]);
            else
                g_assert_true(!found(methods[j], path, &match) || match.route != &routes[i]);
        }
        g_assert_true(routes[i].auth == ROUTE_AUTH_TOKEN || routes[i].auth == ROUTE_AUTH_SERVICE ||
                      routes[i].auth == ROUTE_AUTH_READER || routes[i].auth == ROUTE_AUTH_LISTER ||
                      routes[i].auth == ROUTE_AUTH_WRITER ||
                      (routes[i].auth == ROUTE_AUTH_INVITED && routes[i].kind == ROUTE_ENROLL) ||
                      (routes[i].auth == ROUTE_AUTH_CONNECT && routes[i].kind == ROUTE_MQTT));
    }
}

/* A path with one segment more, less or misspelled is another route's or none. A slash at the end
 * changes nothing, but for a WebSocket. */
static void
test_neighbours(void)
{
    const Route *routes = route_hub.routes;

    for (guint i = 0; i < route_hub.count; i++) {
        g_autofree char *path = pattern_path(routes[i].pattern);
        g_autofree char *longer = g_strconcat(path, "/x", NULL);
        g_autofree char *slash = g_strconcat(path, "/", NULL);
        g_autofree char *front = g_strconcat("/", path, NULL);
        g_autofree char *shorter = g_strndup(path, (gsize)(strrchr(path, '/') - path));
        g_autofree char *upper = g_ascii_strup(path, -1);
        const char *const others[] = {longer, front, *shorter ? shorter : "/", upper};
        g_auto(RouteMatch) match = {0};

        for (guint j = 0; j < G_N_ELEMENTS(others); j++)
            g_assert_true(!found(routes[i].method, others[j], &match) || match.route != &routes[i]);
        route_match_clear(&match);
        g_assert_cmpint(found(routes[i].method, slash, &match), ==, !routes[i].upgrade);
    }
}

static void
test_parts(void)
{
    g_auto(RouteMatch) match = {0};

    g_assert_true(found("POST", "/twins/dev1/streams/ssh", &match));
    g_assert_cmpstr(match.parts[ROUTE_DEVICE], ==, "dev1");
    g_assert_null(match.parts[ROUTE_MODULE]);
    g_assert_cmpstr(match.parts[ROUTE_STREAM_NAME], ==, "ssh");
    g_assert_true(found("POST", "/twins/dev1/modules/m/streams/s", &match));
    g_assert_cmpstr(match.parts[ROUTE_MODULE], ==, "m");
    g_assert_true(found("GET", "/bridges/ih/h/d/dev1/sid/00/r/device", &match));
    g_assert_cmpstr(match.parts[ROUTE_HUB], ==, "h");
    g_assert_cmpstr(match.parts[ROUTE_STREAM_ID], ==, "00");
    g_assert_cmpstr(match.parts[ROUTE_SIDE], ==, "device");
    g_assert_true(found("GET", "/$iothub/websocket", &match));
}

/* Decoded once, and an encoded slash stays in its segment. */
static void
test_encoding(void)
{
    g_auto(RouteMatch) match = {0};

    g_assert_true(found("POST", "/twins/a%2Fb/streams/s", &match));
    g_assert_cmpstr(match.parts[ROUTE_DEVICE], ==, "a/b");
    g_assert_true(found("POST", "/twins/a%252Fb/streams/s", &match));
    g_assert_cmpstr(match.parts[ROUTE_DEVICE], ==, "a%2Fb");
    g_assert_false(found("POST", "/twins//streams/s", &match));
    g_assert_false(found("POST", "/twins/%00/streams/s", &match));
    g_assert_false(found("POST", "/twins/%ff/streams/s", &match));
    g_assert_false(found("POST", "/twins/x/streams/a/b/c/d/e/f/g/h/i/j/k/l/m", &match));
}

/* Paths compare decoded, segment by segment. */
static void
test_decoded(void)
{
    static const struct {
        const char *method, *path;
        RouteKind kind;
        const char *device, *module, *stream; /* device NULL: there is no such path */
    } rows[] = {
        {"POST", "/%74wins/d/streams/s", ROUTE_STREAM, "d", NULL, "s"},
        {"POST", "/%74%77%69%6e%73/d/%73treams/s", ROUTE_STREAM, "d", NULL, "s"},
        {"POST", "/twins/%64/streams/%73", ROUTE_STREAM, "d", NULL, "s"},
        {"POST", "/twins/d/modules/%6D/streams/s", ROUTE_STREAM, "d", "m", "s"},
        {"POST", "/twins/d/%6dodules/m/streams/s", ROUTE_STREAM, "d", "m", "s"},
        {"POST", "/twins/d/streams/a%2Fb", ROUTE_STREAM, "d", NULL, "a/b"},
        {"POST", "/twins/d%2fmodules%2Fm/streams/s", ROUTE_STREAM, "d/modules/m", NULL, "s"},
        {"POST", "/twins/d/streams/%2e%2e", ROUTE_STREAM, "d", NULL, ".."},
        {"POST", "/twins/d/streams/a%3Fb", ROUTE_STREAM, "d", NULL, "a?b"},
        {"POST", "/twins/d/streams/%25", ROUTE_STREAM, "d", NULL, "%"},
        {"GET", "/devices/gw%2D1", ROUTE_IDENTITY_GET, "gw-1", NULL, NULL},
        {"GET", "/%64evices/gw-1/%6Dodules/", ROUTE_MODULES, "gw-1", NULL, NULL},
        {"PATCH", "/t%77ins/gw-1", ROUTE_TWIN_PATCH, "gw-1", NULL, NULL},
        {"POST", "/twins%2Fd%2Fstreams%2Fs", 0, NULL, NULL, NULL},
        {"POST", "/twins%2Fd/streams/s", 0, NULL, NULL, NULL},
        {"POST", "/twins/d/streams%2Fs", 0, NULL, NULL, NULL},
        {"POST", "/Twins/d/streams/s", 0, NULL, NULL, NULL},
        {"POST", "/%54wins/d/streams/s", 0, NULL, NULL, NULL},
        {"POST", "/%2574wins/d/streams/s", 0, NULL, NULL, NULL},
        {"POST", "/twins%00/d/streams/s", 0, NULL, NULL, NULL},
        {"POST", "/twins/d/streams/%00", 0, NULL, NULL, NULL},
        {"POST", "/twins/d/streams/s%00", 0, NULL, NULL, NULL},
        {"POST", "/twins/d/streams/%", 0, NULL, NULL, NULL},
        {"POST", "/twins/d/streams/%4", 0, NULL, NULL, NULL},
        {"POST", "/%twins/d/streams/s", 0, NULL, NULL, NULL},
    };
    g_auto(RouteMatch) match = {0};

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(found(rows[i].method, rows[i].path, &match), ==, rows[i].device != NULL);
        if (!rows[i].device)
            continue;
        g_assert_cmpint(match.route->kind, ==, rows[i].kind);
        g_assert_cmpstr(match.parts[ROUTE_DEVICE], ==, rows[i].device);
        g_assert_cmpstr(match.parts[ROUTE_MODULE], ==, rows[i].module);
        g_assert_cmpstr(match.parts[ROUTE_STREAM_NAME], ==, rows[i].stream);
    }
    g_assert_true(found("GET", "/%24iothub/websocket", &match));
    g_assert_true(found("GET", "/$iothub/web%73ocket", &match));
    g_assert_false(found("GET", "/$iothub%2Fwebsocket", &match));
    g_assert_true(found("GET", "/bridges/%69h/h/d/dev1/sid/00/r/device", &match));
}

static void
test_methods(void)
{
    static const struct {
        const char *path, *methods;
    } rows[] = {
        {"/devices", "GET, POST"},
        {"/devices/", "GET, POST"},
        {"/devices/gw-1", "GET, PUT, DELETE"},
        {"/devices/query", "POST, GET, PUT, DELETE"}, /* a device may have this name */
        {"/devices/gw-1/modules", "GET"},
        {"/twins/gw-1", "GET, PATCH, PUT"},
        {"/twins/gw-1/streams/ssh", "POST"},
        {"/$iothub/websocket", "GET"},
        {"/$iothub/websocket/", NULL},
        {"/twins", NULL},
        {"/devices/gw-1/modules/m/x", NULL},
        {"/devices//modules", NULL},
        {"//devices", NULL},
        {"/", NULL},
        {"/a/b/c/d/e/f/g/h/i/j/k/l/m", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *names = route_methods(&route_hub, slice_of(rows[i].path));

        g_assert_cmpstr(names, ==, rows[i].methods);
    }
}

/* The listener of the metrics has one path, and nothing of the hub's; the hub's has not that one. */
static void
test_metrics(void)
{
    static const struct {
        const char *method, *path;
        gboolean there;
    } rows[] = {
        {"GET", "/metrics", TRUE},   {"GET", "/metrics/", TRUE},      {"POST", "/metrics", FALSE},
        {"HEAD", "/metrics", FALSE}, {"GET", "/", FALSE},             {"GET", "/metrics/x", FALSE},
        {"GET", "/devices", FALSE},  {"GET", "/$iothub/websocket", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Slice method = slice_of(rows[i].method), path = slice_of(rows[i].path);
        g_auto(RouteMatch) match = {0};

        g_assert_cmpint(route_find(&route_metrics, method, path, &match), ==, rows[i].there);
        if (rows[i].there)
            g_assert_cmpint(match.route->auth, ==, ROUTE_AUTH_METRICS);
        route_match_clear(&match);
        g_assert_true(!route_find(&route_hub, method, path, &match) || !rows[i].there);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/route/table", test_table);
    g_test_add_func("/route/neighbours", test_neighbours);
    g_test_add_func("/route/parts", test_parts);
    g_test_add_func("/route/encoding", test_encoding);
    g_test_add_func("/route/decoded", test_decoded);
    g_test_add_func("/route/methods", test_methods);
    g_test_add_func("/route/metrics", test_metrics);
    return g_test_run();
}
