/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The admin server, asked with raw bytes: what it answers, what it refuses, and whom. */
#include "hub/admin/server.h"

#include "common/base/error.h"
#include "hub/base/private-file.h"
#include "tests/unit/hub/registry/registry-helper.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    Scratch scratch;
    AdminHub hub;
    char *path;
    AdminServer *server;
} Fixture;

static gboolean
is_connected(void *data G_GNUC_UNUSED, const char *device, const char *module)
{
    return strcmp(device, "dev1") == 0 && !module;
}

static HubFigures
figures(void *data G_GNUC_UNUSED)
{
    return (HubFigures){.connections = 3, .devices = 2, .streams_total = 7};
}

static void
serve(Fixture *f, uid_t owner)
{
    g_autoptr(GError) error = NULL;

    f->server = admin_server_new(f->path, owner, &f->hub, &error);
    g_assert_no_error(error);
}

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_make(&f->scratch);
    f->path = g_build_filename(f->scratch.folder, "admin.sock", NULL);
    f->hub = (AdminHub){.registry = f->scratch.registry,
                        .host = "hub.example",
                        .port = 8443,
                        .is_connected = is_connected,
                        .figures = figures};
    serve(f, geteuid());
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    admin_server_free(f->server);
    scratch_clear(&f->scratch);
    g_free(f->path);
}

static int
dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(strlen(path), <, sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Everything that comes until the server closes. */
static char *
hear(int fd)
{
    GString *text = g_string_new(NULL);
    char bytes[4096];

    for (;;) {
        ssize_t count = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

        if (count > 0)
            g_string_append_len(text, bytes, count);
        else if (count == 0 || errno != EAGAIN)
            break;
        else
            g_main_context_iteration(NULL, TRUE);
    }
    close(fd);
    return g_string_free(text, FALSE);
}

static void
say(int fd, const char *bytes, gsize len)
{
    while (len > 0) {
        ssize_t count = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (count > 0) {
            bytes += count;
            len -= (gsize)count;
        } else if (errno == EAGAIN)
            g_main_context_iteration(NULL, FALSE);
        else
            return; /* the server has answered and gone already */
    }
}

static const char status_call[] = "GET /v1/status HTTP/1.1\r\nHost: h\r\n\r\n";
static const char devices_call[] = "GET /v1/devices HTTP/1.1\r\nHost: h\r\n\r\n";

static char *
talk(Fixture *f, const char *bytes)
{
    int fd = dial(f->path);

    g_assert_cmpint(fd, >=, 0);
    say(fd, bytes, strlen(bytes));
    return hear(fd);
}

static char *
ask(Fixture *f, const char *method, const char *path, const char *body)
{
    g_autofree char *bytes =
        g_strdup_printf("%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
                        method, path, strlen(body), body);

    return talk(f, bytes);
}

static void
assert_answer(Fixture *f, const char *method, const char *path, const char *body, guint status,
              const char *part)
{
    g_autofree char *answer = ask(f, method, path, body);
    g_autofree char *line = g_strdup_printf("HTTP/1.1 %u ", status);

    if (!g_str_has_prefix(answer, line) || !strstr(answer, part))
        g_error("%s %s %s: %s", method, path, body, answer);
}

static void
test_calls(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    assert_answer(f, "GET", "/v1/devices", "", 200, "{\"devices\":[],\"more\":false}");
    assert_answer(f, "POST", "/v1/devices", "{\"deviceId\":\"dev1\"}", 201,
                  "\"status\":\"enabled\",\"connectionState\":\"Connected\"");
    assert_answer(f, "POST", "/v1/devices", "{\"deviceId\":\"dev1\"}", 409, "\"exists\"");
    assert_answer(f, "POST", "/v1/devices", "{\"deviceId\":\"dev1\",\"moduleId\":\"m\"}", 201,
                  "\"moduleId\":\"m\",\"status\":\"enabled\",\"connectionState\":\"Disconnected\"");
    assert_answer(f, "POST", "/v1/devices", "{\"deviceId\":\"x\",\"moduleId\":\"m\"}", 404,
                  "there is no device 'x'");
    assert_answer(f, "POST", "/v1/devices", "{\"deviceId\":\"off\",\"enabled\":false}", 201,
                  "\"disabled\"");
    assert_answer(f, "GET", "/v1/devices?limit=1", "", 200, "\"more\":true");
    assert_answer(f, "GET", "/v1/devices?after=dev1&afterModule=m", "", 200,
                  "[{\"deviceId\":\"off\"");
    assert_answer(f, "GET", "/v1/devices?limit=0", "", 400, "limit");
    assert_answer(f, "GET", "/v1/devices/dev1/modules/m", "", 200, "\"moduleId\":\"m\"");
    assert_answer(f, "GET", "/v1/devices/dev%31", "", 200, "\"deviceId\":\"dev1\"");
    assert_answer(f, "PUT", "/v1/devices/dev1/enabled", "{\"enabled\":false}", 200, "\"disabled\"");
    assert_answer(f, "PUT", "/v1/devices/dev1/enabled", "{\"enabled\":1}", 400,
                  "enabled is missing");
    assert_answer(f, "PUT", "/v1/devices/nope/enabled", "{\"enabled\":true}", 404, "'nope'");
    assert_answer(f, "DELETE", "/v1/devices/dev1", "", 200, "\"dev1\"");
    assert_answer(f, "GET", "/v1/devices/dev1/modules/m", "", 404, "dev1/m");
    assert_answer(f, "POST", "/v1/users", "{\"name\":\"p\",\"rights\":\"registry-read\"}", 201,
                  "{\"name\":\"p\",\"rights\":[\"registry-read\"],\"scope\":{}}");
    assert_answer(f, "POST", "/v1/users", "{\"name\":\"p\",\"rights\":\"all\"}", 400, "rights");
    assert_answer(f, "GET", "/v1/users", "", 200, "{\"users\":[{\"name\":\"p\"");
    assert_answer(f, "DELETE", "/v1/users/p", "", 200, "\"p\"");
    assert_answer(f, "DELETE", "/v1/users/p", "", 404, "there is no user 'p'");
    assert_answer(f, "GET", "/v1/status", "", 200, "\"connectedDevices\":2");
    assert_answer(f, "GET", "/v1/endpoints", "", 200,
                  "{\"streamingEndpoints\":[\"https://hub.example:8443\"]}");
}

static void
test_log_level(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Journal) journal = journal_new("test", STDERR_FILENO, NULL);

    f->hub.journal = journal;
    assert_answer(f, "GET", "/v1/log-level", "", 200,
                  "{\"level\":\"info\",\"target\":\"console\"}");
    assert_answer(f, "PUT", "/v1/log-level", "{\"level\":\"debug\"}", 200, "\"debug\"");
    g_assert_cmpint(journal_level(journal), ==, LOG_DEBUG);
    assert_answer(f, "PUT", "/v1/log-level", "{\"level\":\"loud\"}", 400, "warning, notice");
    assert_answer(f, "PUT", "/v1/log-level", "{\"level\":7}", 400, "\"invalid\"");
    assert_answer(f, "PUT", "/v1/log-level", "", 400, "\"invalid\"");
    g_assert_cmpint(journal_level(journal), ==, LOG_DEBUG);
    f->hub.journal = NULL;
}

/* Two streams: one with a bridge that answered, one whose bridge did not. */
static void
look(void *data G_GNUC_UNUSED, const StreamQuery *query, StreamsLooked done, void *done_data)
{
    StreamView views[2] = {
        {.number = 4,
         .id = (char *)"aa",
         .device = (char *)"dev1",
         .name = (char *)"ssh",
         .user = (char *)"alice",
         .from = (char *)"192.0.2.7:1",
         .state = "open",
         .waits_for = "service-reads",
         .age = 9,
         .answer_in = -1,
         .deadline_in = -1,
         .bytes = {70, 3},
         .bridged = TRUE,
         .answered = TRUE},
        {.number = 6,
         .id = (char *)"bb",
         .device = (char *)"dev1/m",
         .name = (char *)"x",
         .user = (char *)"bob",
         .from = (char *)"unix",
         .state = "open",
         .waits_for = "reactor",
         .answer_in = -1,
         .deadline_in = 5,
         .bridged = TRUE},
    };
    guint first = query->id ? (g_str_equal(query->id, "bb") ? 1 : 0) : query->after >= 4 ? 1 : 0;
    gboolean known = !query->id || g_str_equal(query->id, "aa") || g_str_equal(query->id, "bb");
    guint count = known ? MIN(query->limit, 2 - first) : 0;

    views[0].relay.flows[LEG_DEVICE] =
        (RelayFlowState){.waits = RELAY_WAITS_DESTINATION, .bytes = 70, .held = 12};
    views[0].relay.sides[LEG_SERVICE] = (RelaySideState){.open = TRUE, .framed = TRUE, .owing = -1};
    done(&views[first], count, !query->id && first + count < 2, done_data);
}

static gboolean
close_stream(void *data G_GNUC_UNUSED, const char *id)
{
    return g_str_equal(id, "aa"); /* the other one has ended meanwhile */
}

static void
test_streams(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->hub.look = look;
    f->hub.close_stream = close_stream;
    assert_answer(f, "GET", "/v1/streams", "", 200, "\"more\":false");
    assert_answer(f, "GET", "/v1/streams?limit=1", "", 200, "\"more\":true");
    assert_answer(f, "GET", "/v1/streams?after=4", "", 200, "{\"streams\":[{\"id\":\"bb\"");
    assert_answer(f, "GET", "/v1/streams?limit=200", "", 200,
                  "{\"id\":\"aa\",\"number\":4,\"device\":\"dev1\",\"stream\":\"ssh\","
                  "\"user\":\"alice\",\"address\":\"192.0.2.7:1\",\"state\":\"open\","
                  "\"waits_for\":\"service-reads\",\"age\":9,\"bytes_from_device\":70,"
                  "\"bytes_from_service\":3}");
    assert_answer(f, "GET", "/v1/streams?limit=201", "", 400, "limit is a number from 1 to 200");
    assert_answer(f, "GET", "/v1/streams?limit=0", "", 400, "limit");
    assert_answer(f, "GET", "/v1/streams?after=-1", "", 400, "after");
    assert_answer(f, "GET", "/v1/streams/aa", "", 200,
                  "\"device_to_service\":{\"waits_for\":\"service\",\"bytes\":70,\"held\":12,");
    assert_answer(f, "GET", "/v1/streams/bb", "", 200, "\"deadline_in\":5,\"answered\":false}");
    assert_answer(f, "GET", "/v1/streams/cc", "", 404, "there is no stream 'cc' that runs");
    assert_answer(f, "POST", "/v1/streams/aa/close", "", 200, "\"id\":\"aa\"");
    assert_answer(f, "POST", "/v1/streams/bb/close", "", 404, "\"not-found\"");
    assert_answer(f, "POST", "/v1/streams/cc/close", "", 404, "'cc'");
}

/* A key leaves only when its connection string is asked for. */
static void
test_keys(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryDevice draft = {.id = (char *)"dev1", .enabled = TRUE, .primary = {.len = 32}};
    g_autofree char *key = NULL, *secondary = NULL, *list = NULL, *show = NULL;
    g_auto(Answer) added = {0};

    memset(draft.primary.bytes, 0x5a, 32);
    key = g_base64_encode(draft.primary.bytes, 32);
    (void)ANSWER(added, registry_add_device, f->scratch.registry, &draft);
    secondary = g_base64_encode(added.device->secondary.bytes, 32);
    list = ask(f, "GET", "/v1/devices", "");
    show = ask(f, "GET", "/v1/devices/dev1", "");
    g_assert_null(strstr(list, key));
    g_assert_null(strstr(show, key));
    assert_answer(f, "GET", "/v1/devices/dev1/connection-string", "", 200, key);
    assert_answer(f, "GET", "/v1/devices/dev1/connection-string", "", 200,
                  "HostName=hub.example:8443;DeviceId=dev1;SharedAccessKey=");
    assert_answer(f, "GET", "/v1/devices/dev1/connection-string?key=secondary", "", 200, secondary);
    assert_answer(f, "GET", "/v1/devices/dev2/connection-string", "", 404, "'dev2'");
    assert_answer(f, "GET", "/v1/users/nope/connection-string", "", 404, "'nope'");
}

/* Made from the table: each call with each other method, and with one segment more or less, is
 * nothing (default deny). */
static void
test_only_the_table(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "get", NULL};

    for (const AdminRoute *route = admin_routes(); route->method; route++) {
        g_autofree char *path = g_strconcat("/", route->pattern, NULL);
        g_autofree char *more = NULL;

        for (char *c = path; *c; c++)
            if (strchr("{}", *c))
                *c = 'x';
        more = g_strconcat(path, "/", NULL);
        assert_answer(f, route->method, more, "", 404, "error");
        for (guint i = 0; methods[i]; i++) {
            gboolean known = FALSE;

            for (const AdminRoute *other = admin_routes(); other->method; other++)
                known = known || (strcmp(other->pattern, route->pattern) == 0 &&
                                  strcmp(other->method, methods[i]) == 0);
            if (!known)
                assert_answer(f, methods[i], path, "", 404, "no-such-call");
        }
    }
    assert_answer(f, "GET", "/", "", 404, "no-such-call");
    assert_answer(f, "GET", "/v1", "", 404, "no-such-call");
    assert_answer(f, "GET", "/v2/status", "", 404, "no-such-call");
    assert_answer(f, "GET", "/v1/devices/a%2Fb", "", 404, "not-found");
}

static void
test_bad_bodies(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const bodies[] = {
        "[]",
        "null",
        "{\"deviceId\":\"a\"",
        "{\"deviceId\":\"a\",\"deviceId\":\"b\"}",
        "{\"deviceId\":\"a\"}{}",
        "{\"deviceId\":1}",
        "{\"deviceId\":[\"a\"]}",
        "{}",
        "/* */{\"deviceId\":\"a\"}",
        "{\"deviceId\":\"a\\u0000b\"}",
        "{\"deviceId\":\"a/b\"}",
        "{\"deviceId\":\"\xff\"}",
        "{\"deviceId\":\"a\",\"moduleId\":\"\"}",
    };
    g_autofree char *deep = g_strnfill(60000, '[');

    for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++)
        assert_answer(f, "POST", "/v1/devices", bodies[i], 400, "\"invalid\"");
    assert_answer(f, "POST", "/v1/devices", deep, 400, "\"invalid\"");
    assert_answer(f, "GET", "/v1/devices", "", 200, "\"devices\":[]");
}

static void
assert_refused(Fixture *f, const char *bytes, const char *status)
{
    g_autofree char *answer = talk(f, bytes);

    if (!g_str_has_prefix(answer, status))
        g_error("%.60s: %s", bytes, answer);
}

static void
test_bad_heads(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *filler = g_strnfill(20000, 'a');
    g_autofree char *large = g_strconcat("GET /v1/status HTTP/1.1\r\nHost: h\r\nX: ", filler, NULL);

    assert_refused(f, "\n\n\n\n", "HTTP/1.1 400");
    assert_refused(f, "GET /v1/status HTTP/1.1\r\n\r\n", "HTTP/1.1 400");
    assert_refused(f, "GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400");
    assert_refused(f,
                   "POST /v1/devices HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n",
                   "HTTP/1.1 ");
    assert_refused(f, "POST /v1/devices HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n",
                   "HTTP/1.1 413");
    assert_refused(f, "POST /v1/devices HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n",
                   "HTTP/1.1 413");
    assert_refused(f, large, "HTTP/1.1 431");
    g_assert_cmpuint(admin_server_connections(f->server), ==, 0);
}

static void
wait_for_connections(Fixture *f, guint count)
{
    while (admin_server_connections(f->server) != count)
        g_main_context_iteration(NULL, TRUE);
}

/* One byte at a time, and askers who leave in the middle. */
static void
test_pieces(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *answer = NULL;
    int fd = dial(f->path);

    for (const char *c = status_call; *c; c++) {
        say(fd, c, 1);
        while (g_main_context_iteration(NULL, FALSE))
            ;
    }
    answer = hear(fd);
    g_assert_true(g_str_has_prefix(answer, "HTTP/1.1 200"));
    fd = dial(f->path);
    say(fd, status_call, 10);
    wait_for_connections(f, 1);
    close(fd);
    wait_for_connections(f, 0);
    fd = dial(f->path); /* gone while the registry works for it */
    say(fd, devices_call, strlen(devices_call));
    close(fd);
    wait_for_connections(f, 1);
    wait_for_connections(f, 0);
}

/* Silent askers take the places; who comes later waits for one, and gets it. */
static void
test_bound(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    int silent[ADMIN_CONNECTIONS_MAX];
    g_autofree char *answer = NULL;
    int fd;

    for (guint i = 0; i < ADMIN_CONNECTIONS_MAX; i++)
        g_assert_cmpint(silent[i] = dial(f->path), >=, 0);
    wait_for_connections(f, ADMIN_CONNECTIONS_MAX);
    fd = dial(f->path);
    say(fd, status_call, strlen(status_call));
    for (guint i = 0; i < 100; i++)
        g_main_context_iteration(NULL, FALSE);
    g_assert_cmpuint(admin_server_connections(f->server), ==, ADMIN_CONNECTIONS_MAX);
    close(silent[0]);
    answer = hear(fd);
    g_assert_true(g_str_has_prefix(answer, "HTTP/1.1 200"));
    for (guint i = 1; i < ADMIN_CONNECTIONS_MAX; i++)
        close(silent[i]);
    wait_for_connections(f, 0);
}

/* As another user. When the tests run as root (who always may), a child becomes one. */
static gboolean
stranger_is_answered(Fixture *f)
{
    pid_t child;
    int status = 0;

    if (geteuid() != 0) {
        g_autofree char *answer = talk(f, status_call);

        return *answer != '\0';
    }
    child = fork();
    if (child == 0) {
        char byte;
        int fd = setresuid(65534, 65534, 65534) == 0 ? dial(f->path) : -1;

        if (fd < 0)
            _exit(2);
        (void)send(fd, status_call, strlen(status_call), MSG_NOSIGNAL);
        _exit(recv(fd, &byte, 1, 0) > 0 ? 1 : 0);
    }
    while (waitpid(child, &status, WNOHANG) == 0)
        g_main_context_iteration(NULL, FALSE);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), !=, 2);
    return WEXITSTATUS(status) == 1;
}

static void
test_other_user(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_clear_pointer(&f->server, admin_server_free);
    serve(f, 65533);
    /* Let everybody as far as the socket, so that it is the server who decides. */
    g_assert_cmpint(g_chmod(f->scratch.folder, 0755), ==, 0);
    g_assert_cmpint(g_chmod(f->path, 0666), ==, 0);
    g_assert_false(stranger_is_answered(f));
    g_assert_cmpuint(admin_server_connections(f->server), ==, 0);
}

static void
test_socket_file(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_build_filename(f->scratch.folder, "file", NULL);
    g_autofree char *name = g_strnfill(200, 'x');
    g_autofree char *long_path = g_build_filename(f->scratch.folder, name, NULL);
    struct stat info;
    int fd;

    g_assert_cmpint(stat(f->path, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777, ==, 0660);
    g_assert_null(admin_server_new(f->path, geteuid(), &f->hub, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_true(private_file_write(file, "x", 1, NULL));
    g_assert_null(admin_server_new(file, geteuid(), &f->hub, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_true(g_file_test(file, G_FILE_TEST_IS_REGULAR));
    g_assert_null(admin_server_new(long_path, geteuid(), &f->hub, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_clear_pointer(&f->server, admin_server_free);
    g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
    /* What a killed server leaves behind is replaced. */
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        memcpy(address.sun_path, f->path, strlen(f->path));
        g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof address), ==, 0);
    }
    close(fd);
    serve(f, geteuid());
    assert_answer(f, "GET", "/v1/status", "", 200, "version");
}

/* The server may go while it reads, waits for the registry and writes. */
static void
test_freed_in_the_middle(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    int fds[3];

    for (guint i = 0; i < 3; i++)
        fds[i] = dial(f->path);
    say(fds[0], "GET /v1", 7);
    wait_for_connections(f, 3);
    say(fds[1], status_call, strlen(status_call));
    say(fds[2], devices_call, strlen(devices_call));
    g_main_context_iteration(NULL, FALSE);
    g_clear_pointer(&f->server, admin_server_free);
    g_clear_pointer(&f->scratch.registry, registry_free); /* answers what was asked, to nobody */
    for (guint i = 0; i < 3; i++)
        close(fds[i]);
}

/* Whatever is not only read makes a record; so does what shows a key. An import tells itself how
 * many it has changed, and an export only when keys are in it. */
static void
test_records(Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
    for (const AdminRoute *route = admin_routes(); route->method; route++) {
        gboolean reads = strcmp(route->method, "GET") == 0;
        gboolean secret = g_str_has_suffix(route->pattern, "/connection-string") ||
                          g_str_has_suffix(route->pattern, "/ticket");

        g_test_message("%s %s", route->method, route->pattern);
        g_assert_cmpint(route->record != NULL, ==, (!reads || secret) && !route->lines);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/admin-server/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("calls", test_calls);
    ADD("records", test_records);
    ADD("log-level", test_log_level);
    ADD("streams", test_streams);
    ADD("keys", test_keys);
    ADD("only-the-table", test_only_the_table);
    ADD("bad-bodies", test_bad_bodies);
    ADD("bad-heads", test_bad_heads);
    ADD("pieces", test_pieces);
    ADD("bound", test_bound);
    ADD("other-user", test_other_user);
    ADD("socket-file", test_socket_file);
    ADD("freed-in-the-middle", test_freed_in_the_middle);
    return g_test_run();
}
