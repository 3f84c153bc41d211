/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every method of every interface, as the bus itself describes them, called again and again with
 * wrong signatures, hostile values, sixteen descriptors and by callers that do not wait: afterwards
 * streamd has the objects and the descriptors that it had. STREAMD_LONG: 10,000 calls of each. */
#include "tests/bus/bus-fixture.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define CALLS 2000
#define CALLS_LONG 10000
#define BATCH 16           /* calls that are under way at once */
#define FDS 16             /* what one message of a bus may carry */
#define RULE "(ta{sv})"    /* of Policy.List */
#define LONG_STRING 4096   /* the longest one that is taken: daemon/bus/bounds.h */
#define LONG_ARRAY 64      /* likewise */
#define VANISHING_EVERY 8u /* one in so many batches is of a caller that leaves at once */

typedef struct {
    char *path;
    char *interface;
    char *member;
    char *signature;
    gboolean ends; /* with the right arguments it would end the object */
} Method;

typedef struct {
    Fixture *fixture;
    sd_bus *bus;
    GPtrArray *methods;
    GRand *rand;
    char *longest;
    char *too_long;
    int null;
    int open_pipe[2]; /* never ends while the calls go on */
} Hostile;

static void
method_free(gpointer data)
{
    Method *method = data;

    g_free(method->path);
    g_free(method->interface);
    g_free(method->member);
    g_free(method->signature);
    g_free(method);
}

static char *
method_signature(const GDBusMethodInfo *info)
{
    g_autoptr(GString) signature = g_string_new(NULL);

    for (guint i = 0; info->in_args != NULL && info->in_args[i] != NULL; i++)
        g_string_append(signature, info->in_args[i]->signature);
    return g_strdup(signature->str);
}

static void
hostile_add_methods(Hostile *hostile, const char *path)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(hostile->bus, path, BUS_INTROSPECTABLE, "Introspect", NULL);
    g_autoptr(GDBusNodeInfo) node = NULL;
    const char *xml;

    g_assert_cmpint(sd_bus_message_read(reply, "s", &xml), >=, 0);
    node = g_dbus_node_info_new_for_xml(xml, NULL);
    g_assert_nonnull(node);
    for (guint i = 0; node->interfaces[i] != NULL; i++) {
        GDBusMethodInfo **methods = node->interfaces[i]->methods;

        for (guint j = 0; methods != NULL && methods[j] != NULL; j++) {
            Method *method = g_new0(Method, 1);

            method->path = g_strdup(path);
            method->interface = g_strdup(node->interfaces[i]->name);
            method->member = g_strdup(methods[j]->name);
            method->signature = method_signature(methods[j]);
            method->ends = strcmp(path, BUS_ROOT) != 0 && *method->signature == '\0' &&
                           g_str_has_prefix(method->interface, BUS_NAME ".");
            g_ptr_array_add(hostile->methods, method);
        }
    }
}

/* An object of each kind. Two hubs of one role, so that no call with an empty name means one. The
 * stream has failed, and stays to be looked at. */
static void
hostile_add_objects(Hostile *hostile)
{
    static const char service[] =
        "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0";
    g_autofree char *work = fixture_add_hub(hostile->bus, "work", service, TRUE);
    g_autofree char *home G_GNUC_UNUSED = fixture_add_hub(hostile->bus, "home", service, TRUE);
    g_autofree char *failed G_GNUC_UNUSED =
        fixture_fails(hostile->bus, "HubUnreachable", BUS_ROOT, BUS_MANAGER, "OpenStream",
                      "sssa{sv}", "work", "dev1", "ssh", 0);
    g_autoptr(sd_bus_message) target G_GNUC_UNUSED = fixture_call(
        hostile->bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "t", "tcp:[::1]:9", 0);
    g_autoptr(sd_bus_message) tunnel =
        fixture_call(hostile->bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "work", "dev1",
                     "ssh", "", 0);
    const char *path;

    g_assert_cmpint(sd_bus_message_read(tunnel, "os", &path, NULL), >=, 0);
    hostile_add_methods(hostile, BUS_ROOT);
    hostile_add_methods(hostile, work);
    hostile_add_methods(hostile, BUS_PATH_TARGET "/t");
    hostile_add_methods(hostile, BUS_PATH_STREAM "/1");
    hostile_add_methods(hostile, path);
}

static const char *
hostile_string(const Hostile *hostile)
{
    static const char *const strings[] = {
        "",
        ".",
        "../../../../etc/shadow",
        "/etc/shadow",
        "a/../../b",
        "%s%n%p%999999d",
        "line\nanother\r\n",
        "\x1b[31mred",
        "\xe2\x80\xaen\xc3\xbb",
        "gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x92\xa5",
        "'; DROP TABLE device; --",
        "tcp:127.0.0.1:65536",
        "tcp:[::1",
        "udp:127.0.0.1:1",
        "io.streamd.Streamd1.Manager",
        "HostName=h;DeviceId=d;SharedAccessKey=",
    };
    gint32 n = g_rand_int_range(hostile->rand, 0, G_N_ELEMENTS(strings) + 1);

    return n < (gint32)G_N_ELEMENTS(strings) ? strings[n] : hostile->longest;
}

/* Of an app's own object, or of one of streamd's. */
static const char *
hostile_path(const Hostile *hostile)
{
    static const char *const paths[] = {
        "/",
        "/me",
        "/me/too",
        BUS_ROOT,
        BUS_PATH_REQUEST "/1",
        "/org/freedesktop/DBus",
    };

    return paths[g_rand_int_range(hostile->rand, 0, G_N_ELEMENTS(paths))];
}

/* Options that no method knows, and one that a method knows, of another type. */
static void
hostile_append_options(const Hostile *hostile, sd_bus_message *message)
{
    switch (g_rand_int_range(hostile->rand, 0, 5)) {
    case 0:
        (void)sd_bus_message_append(message, "a{sv}", 0);
        break;
    case 1:
        (void)sd_bus_message_append(message, "a{sv}", 1, hostile_string(hostile), "s",
                                    hostile_string(hostile));
        break;
    case 2:
        (void)sd_bus_message_append(message, "a{sv}", 2, "timeout", "s", "soon", "verdict", "t",
                                    G_MAXUINT64);
        break;
    case 3:
        (void)sd_bus_message_append(message, "a{sv}", 1, "name", "s", hostile_string(hostile));
        break;
    default:
        (void)sd_bus_message_append(message, "a{sv}", 2, "wait", "t", G_MAXUINT64, "wait", "v", "v",
                                    "s", "deep");
    }
}

/* What the method takes, with values that nobody means well with. */
static void
hostile_append_arguments(const Hostile *hostile, sd_bus_message *message, const char *signature)
{
    for (const char *type = signature; *type != '\0'; type++) {
        guint64 number = ((guint64)g_rand_int(hostile->rand) << 32) | g_rand_int(hostile->rand);

        if (g_str_has_prefix(type, "a{sv}")) {
            hostile_append_options(hostile, message);
            type += strlen("a{sv}") - 1;
        } else if (*type == 's') {
            (void)sd_bus_message_append(message, "s", hostile_string(hostile));
        } else if (*type == 'o') {
            (void)sd_bus_message_append(message, "o", hostile_path(hostile));
        } else if (*type == 'v') {
            (void)sd_bus_message_append(message, "v", "s", hostile_string(hostile));
        } else if (*type == 'h') {
            (void)sd_bus_message_append(message, "h",
                                        number % 2 == 0 ? hostile->null : hostile->open_pipe[0]);
        } else if (*type == 't') {
            (void)sd_bus_message_append(message, "t", number);
        } else if (*type == 'u') {
            (void)sd_bus_message_append(message, "u", (guint32)number);
        } else {
            g_error("There is no hostile value of the type '%s' yet", type);
        }
    }
}

static void
hostile_append_fds(const Hostile *hostile, sd_bus_message *message, guint count)
{
    for (guint i = 0; i < count; i++)
        (void)sd_bus_message_append(message, "h", hostile->null);
}

/* Beyond the bounds, in a place where nothing of the kind is expected. */
static void
hostile_append_too_much(const Hostile *hostile, sd_bus_message *message, gboolean string)
{
    if (string) {
        (void)sd_bus_message_append(message, "v", "(sv)", "x", "s", hostile->too_long);
        return;
    }
    (void)sd_bus_message_open_container(message, 'a', "u");
    for (guint32 i = 0; i <= LONG_ARRAY; i++)
        (void)sd_bus_message_append(message, "u", i);
    (void)sd_bus_message_close_container(message);
}

static sd_bus_message *
hostile_message(const Hostile *hostile, sd_bus *bus, const Method *method, guint n)
{
    static const char *const nowhere[] = {"/18446744073709551615", "/0", "/_2e_2e_2f", "/1/2"};
    gboolean well_formed = n % 6 == 0;
    g_autofree char *parent = g_path_get_dirname(method->path);
    g_autofree char *other = g_strconcat(parent, nowhere[n / 6 % G_N_ELEMENTS(nowhere)], NULL);
    sd_bus_message *message = fixture_message(
        bus, well_formed && method->ends ? other : method->path, method->interface, method->member);

    if (well_formed || n % 6 == 1)
        hostile_append_arguments(hostile, message, method->signature);
    if (n % 6 == 1)
        hostile_append_fds(hostile, message, strchr(method->signature, 'h') ? FDS - 1 : FDS);
    if (n % 6 == 2)
        hostile_append_fds(hostile, message, FDS);
    if (n % 6 == 3)
        (void)sd_bus_message_append(message, "(ii)dax", 1, 2, 3.0, 1, (gint64)4);
    if (n % 6 > 3)
        hostile_append_too_much(hostile, message, n % 6 == 4);
    return message;
}

/* Half of the callers do not even want an answer. */
static void
hostile_send(const Hostile *hostile, sd_bus *bus, const Method *method, guint first, guint count)
{
    for (guint n = first; n < first + count; n++) {
        g_autoptr(sd_bus_message) message = hostile_message(hostile, bus, method, n);
        uint64_t cookie;

        g_assert_cmpint(sd_bus_send(bus, message, n % 2 == 0 ? &cookie : NULL), >=, 0);
    }
    g_assert_cmpint(sd_bus_flush(bus), >=, 0);
}

static void
hostile_call(const Hostile *hostile, const Method *method, guint calls)
{
    for (guint n = 0; n < calls; n += BATCH) {
        guint count = MIN(BATCH, calls - n);

        if (n / BATCH % VANISHING_EVERY == 0) {
            sd_bus *other = fixture_connect(hostile->fixture);

            hostile_send(hostile, other, method, n, count);
            sd_bus_close_unref(other);
        } else {
            hostile_send(hostile, hostile->bus, method, n, count);
            sd_bus_message_unref(fixture_call(hostile->bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
            while (sd_bus_process(hostile->bus, NULL) > 0)
                continue;
        }
    }
}

static guint
count_entries(sd_bus_message *reply, const char *type)
{
    guint count = 0;

    g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', type), >=, 0);
    while (sd_bus_message_at_end(reply, 0) == 0) {
        g_assert_cmpint(sd_bus_message_skip(reply, type), >=, 0);
        count++;
    }
    return count;
}

static guint
count_objects(sd_bus *bus)
{
    g_autoptr(sd_bus_message) objects =
        fixture_call(bus, BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects", NULL);
    g_autoptr(sd_bus_message) rules = fixture_call(bus, BUS_ROOT, BUS_POLICY, "List", NULL);

    return count_entries(objects, "{oa{sa{sv}}}") + count_entries(rules, RULE);
}

static void
test_calls(Fixture *fixture, gconstpointer data)
{
    guint calls = g_getenv("STREAMD_LONG") != NULL ? CALLS_LONG : CALLS;
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(GPtrArray) methods = g_ptr_array_new_with_free_func(method_free);
    g_autofree char *longest = g_strnfill(LONG_STRING, 'A');
    g_autofree char *too_long = g_strnfill(LONG_STRING + 1, 'A');
    Hostile hostile = {fixture,
                       bus,
                       methods,
                       g_rand_new_with_seed(1),
                       longest,
                       too_long,
                       open("/dev/null", O_RDWR | O_CLOEXEC),
                       {-1, -1}};
    guint fds, objects;

    g_assert_cmpint(pipe2(hostile.open_pipe, O_CLOEXEC), ==, 0);
    hostile_add_objects(&hostile);
    fds = fixture_count_fds(fixture);
    objects = count_objects(bus);
    g_assert_cmpuint(objects, ==, 5);
    g_assert_cmpuint(methods->len, >, 40);
    for (guint i = 0; i < methods->len; i++) {
        const Method *method = g_ptr_array_index(methods, i);

        hostile_call(&hostile, method, calls);
        g_test_message("%u calls of %s.%s of %s", calls, method->interface, method->member,
                       method->path);
        g_assert_cmpuint(count_objects(bus), ==, objects);
    }
    (void)close(hostile.null);
    (void)close(hostile.open_pipe[0]);
    (void)close(hostile.open_pipe[1]);
    fixture_assert_fds(fixture, fds);
    g_assert_cmpuint(count_objects(bus), ==, objects);
    g_rand_free(hostile.rand);
}

/* The limits are told, by the place where they are. */
static void
test_bounds(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *longest = g_strnfill(LONG_STRING, 'A');
    g_autofree char *too_long = g_strnfill(LONG_STRING + 1, 'A');
    g_autofree char *taken = NULL, *text = NULL, *array = NULL;
    g_autoptr(sd_bus_message) message = NULL;

    taken = fixture_fails(bus, "org.freedesktop.DBus.Error.UnknownProperty", BUS_ROOT,
                          BUS_PROPERTIES, "Get", "ss", BUS_MANAGER, longest);
    text =
        fixture_fails(bus, "Invalid", BUS_ROOT, BUS_PROPERTIES, "Get", "ss", BUS_MANAGER, too_long);
    g_assert_nonnull(strstr(text, "4096"));
    message = fixture_message(bus, BUS_ROOT, BUS_POLICY, "Add");
    g_assert_cmpint(sd_bus_message_open_container(message, 'a', "{sv}"), >=, 0);
    for (guint i = 0; i <= LONG_ARRAY; i++)
        g_assert_cmpint(sd_bus_message_append(message, "{sv}", "stream", "s", "x"), >=, 0);
    g_assert_cmpint(sd_bus_message_close_container(message), >=, 0);
    array = fixture_call_fails(bus, message, "Invalid");
    g_assert_nonnull(strstr(array, "64"));
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/hostile/calls", test_calls);
    ADD("/hostile/bounds", test_bounds);
    return g_test_run();
}
