/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamctl against the real streamd: exit codes, output, the life of a foreground tunnel, the
 * prompt. STREAMCTL names the program. */
#include "tests/bus/bus-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define CANARY "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"
#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=" CANARY

typedef struct {
    GPid pid;
    int input;
    int output;
    int error;
} Running;

static char **
environment(const Fixture *fixture)
{
    char **env =
        g_environ_setenv(g_get_environ(), "DBUS_SESSION_BUS_ADDRESS", fixture->address, TRUE);

    return g_environ_setenv(env, "LC_ALL", "C.UTF-8", TRUE);
}

static void
die_with_parent(gpointer data)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* ARGUMENTS are words separated by single blanks. */
static Running
start(const Fixture *fixture, const char *arguments)
{
    g_autofree char *line = g_strconcat(g_getenv("STREAMCTL"), " ", arguments, NULL);
    g_auto(GStrv) argv = g_strsplit(line, " ", 0);
    g_auto(GStrv) env = environment(fixture);
    g_autoptr(GError) error = NULL;
    Running running;

    g_spawn_async_with_pipes(NULL, argv, env, G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL,
                             &running.pid, &running.input, &running.output, &running.error, &error);
    g_assert_no_error(error);
    return running;
}

static char *
read_all(int fd)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char buffer[1024];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        g_string_append_len(text, buffer, n);
    (void)close(fd);
    return g_strdup(text->str);
}

/* Up to the first line end. */
static char *
read_line(int fd)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char c;

    while (read(fd, &c, 1) == 1 && c != '\n')
        g_string_append_c(text, c);
    return g_strdup(text->str);
}

static int
finish(Running *running, char **ret_output, char **ret_error)
{
    g_autofree char *output = NULL, *error = NULL;

    (void)close(running->input);
    output = read_all(running->output);
    error = read_all(running->error);
    if (ret_output != NULL)
        *ret_output = g_steal_pointer(&output);
    if (ret_error != NULL)
        *ret_error = g_steal_pointer(&error);
    return fixture_wait_exit(running->pid);
}

/* Runs it to its end and asserts its exit code; what it printed. */
static char *
run(const Fixture *fixture, int code, const char *arguments)
{
    Running running = start(fixture, arguments);
    g_autofree char *output = NULL, *error = NULL;
    int status = finish(&running, &output, &error);

    if (status != code)
        g_error("streamctl %s: %d instead of %d: %s", arguments, status, code, error);
    return g_strconcat(output, error, NULL);
}

static void
test_exit_codes(Fixture *fixture, gconstpointer data)
{
    const struct {
        int code;
        const char *arguments;
        const char *text;
    } rows[] = {
        {0, "status", "Accept policy"},
        {0, "--version", STREAMD_VERSION},
        {0, "target add ssh tcp:127.0.0.1:22", ""},
        {6, "target add ssh tcp:127.0.0.1:22", "ssh"},
        {2, "target add web nonsense", "tcp:HOST:PORT"},
        {2, "target add web", "unix:PATH"},
        {2, "frob", "frob"},
        {4, "target remove web", "'web'"},
        {4, "hub remove none", "'none'"},
        {4, "tunnel close 77", "'77'"},
        {4, "stream close 77", "'77'"},
        {2, "stream close x", "number"},
        {4, "accept-policy remove 77", "77"},
        {2, "accept-policy add --stream x", "--accept TARGET"},
        {0, "accept-policy add --stream s* --accept ssh", "rule"},
        {0, "accept-policy test ssh", "accept to ssh"},
        {0, "accept-policy test web", "default"},
        {0, "accept-policy set-default accept", ""},
        {0, "accept-policy test web", "no target 'web'"},
        {4, "tunnel open dev1 ssh", "hub"},
        {4, "connect dev1 ssh", "hub"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = run(fixture, rows[i].code, rows[i].arguments);

        if (strstr(text, rows[i].text) == NULL)
            g_error("streamctl %s does not say '%s': %s", rows[i].arguments, rows[i].text, text);
    }
}

static void
test_no_daemon(Fixture *fixture, gconstpointer data)
{
    Fixture nowhere = {.address = (char *)"unix:path=/nonexistent/bus"};
    g_autofree char *text = run(&nowhere, 3, "status");

    g_assert_nonnull(strstr(text, "systemctl --user enable --now streamd"));
}

static JsonNode *
run_json(const Fixture *fixture, const char *arguments)
{
    g_autofree char *text = run(fixture, 0, arguments);
    g_autoptr(GError) error = NULL;
    JsonNode *node = json_from_string(text, &error);

    g_assert_no_error(error);
    return node;
}

static void
test_json(Fixture *fixture, gconstpointer data)
{
    const char *lists[] = {"hub list --json", "target list --json", "stream list --json",
                           "tunnel list --json"};
    g_autofree char *added = run(fixture, 0, "target add ssh tcp:127.0.0.1:22");
    g_autoptr(JsonNode) status = run_json(fixture, "--json status");
    g_autoptr(JsonNode) targets = run_json(fixture, "target list --json");
    g_autoptr(JsonNode) rules = run_json(fixture, "accept-policy list --json");
    JsonObject *manager = json_object_get_object_member(json_node_get_object(status), "manager");
    JsonObject *target = json_array_get_object_element(json_node_get_array(targets), 0);

    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(JsonNode) node = run_json(fixture, lists[i]);

        g_assert_true(JSON_NODE_HOLDS_ARRAY(node));
    }
    g_assert_cmpstr(json_object_get_string_member(manager, "version"), ==, STREAMD_VERSION);
    g_assert_cmpstr(json_object_get_string_member(target, "address"), ==, "tcp:127.0.0.1:22");
    g_assert_true(json_object_has_member(json_node_get_object(rules), "rules"));
    g_assert_nonnull(added);
}

/* From a file and from standard input; readable by others: a warning. The key is never shown. */
static void
test_hub_add(Fixture *fixture, gconstpointer data)
{
    g_autofree char *file = g_build_filename(fixture->dir, "secret", NULL);
    g_autofree char *arguments =
        g_strdup_printf("hub add by-file --connection-string-file %s", file);
    g_autofree char *careless = NULL, *careful = NULL, *removed = NULL, *none = NULL;
    g_autofree char *output = NULL, *error = NULL, *list = NULL;
    Running running;

    g_assert_true(g_file_set_contents(file, SERVICE "\n", -1, NULL));
    g_assert_cmpint(chmod(file, 0644), ==, 0);
    careless = run(fixture, 0, arguments);
    g_assert_nonnull(strstr(careless, "chmod"));
    removed = run(fixture, 0, "hub remove by-file");
    g_assert_cmpint(chmod(file, 0600), ==, 0);
    careful = run(fixture, 0, arguments);
    g_assert_null(strstr(careful, "chmod"));
    running = start(fixture, "hub add by-input --connection-string-file -");
    g_assert_cmpint(write(running.input, SERVICE, strlen(SERVICE)), >, 0);
    g_assert_cmpint(finish(&running, &output, &error), ==, 0);
    none = run(fixture, 2, "hub add no-terminal");
    g_assert_nonnull(strstr(none, "--connection-string-file"));
    list = run(fixture, 0, "hub list");
    g_assert_nonnull(strstr(list, "by-input"));
    g_assert_null(strstr(careless, CANARY));
    g_assert_null(strstr(careful, CANARY));
    g_assert_null(strstr(output, CANARY));
    g_assert_null(strstr(list, CANARY));
}

/* Everything that the terminal shows, until TEXT is among it. */
static void
read_terminal(int fd, GString *shown, const char *text)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char buffer[512];

    while (strstr(shown->str, text) == NULL) {
        ssize_t n;

        g_assert_cmpint(poll(&wait, 1, FIXTURE_PATIENCE / 1000), ==, 1);
        n = read(fd, buffer, sizeof(buffer));
        g_assert_cmpint(n, >, 0);
        g_string_append_len(shown, buffer, n);
    }
}

static void
test_prompt(Fixture *fixture, gconstpointer data)
{
    const char *argv[] = {g_getenv("STREAMCTL"), "hub", "add", "asked", NULL};
    g_auto(GStrv) env = environment(fixture);
    g_autoptr(GString) shown = g_string_new(NULL);
    struct termios terminal;
    int master;
    pid_t pid = forkpty(&master, NULL, NULL, NULL);

    if (pid == 0) {
        (void)execve(argv[0], (char **)argv, env);
        _exit(127);
    }
    g_assert_cmpint(pid, >, 0);
    read_terminal(master, shown, "Connection string");
    while (tcgetattr(master, &terminal) == 0 && (terminal.c_lflag & ECHO) != 0)
        g_usleep(1000);
    g_assert_cmpint(write(master, SERVICE "\n", strlen(SERVICE "\n")), >, 0);
    read_terminal(master, shown, "Added hub asked");
    g_assert_cmpint(tcgetattr(master, &terminal), ==, 0);
    g_assert_true((terminal.c_lflag & ECHO) != 0);
    g_assert_null(strstr(shown->str, CANARY));
    g_assert_cmpint(fixture_wait_exit(pid), ==, 0);
    (void)close(master);
}

static gboolean
has_no_tunnel(void *data)
{
    return fixture_number(data, BUS_ROOT, BUS_MANAGER, "Tunnels", 'u') == 0;
}

static void
test_foreground_tunnel(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *hub = fixture_add_hub(bus, "work", SERVICE, TRUE);
    g_autofree char *line = NULL;
    Running running = start(fixture, "tunnel open dev1 ssh");

    line = read_line(running.output);
    g_assert_true(g_str_has_prefix(line, "Listening on tcp:127.0.0.1:"));
    g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Tunnels", 'u'), ==, 1);
    (void)kill(running.pid, SIGINT);
    g_assert_cmpint(finish(&running, NULL, NULL), ==, 0);
    fixture_wait(bus, has_no_tunnel, bus);
    g_assert_nonnull(hub);
}

/* Whoever connects sees a reset; streamctl says why. Closed elsewhere, it ends. */
static void
test_foreground_tells_failures(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *hub = fixture_add_hub(bus, "work", SERVICE, TRUE);
    g_autofree char *socket = g_build_filename(fixture->dir, "t", NULL);
    g_autofree char *arguments = g_strdup_printf("tunnel open dev1 ssh --listen unix:%s", socket);
    g_autofree char *line = NULL, *told = NULL, *closed = NULL, *rest = NULL;
    Running running = start(fixture, arguments);
    char *nc[] = {(char *)"/usr/bin/python3", (char *)"-c",
                  (char *)"import socket,sys\ns=socket.socket(socket.AF_UNIX)\n"
                          "s.connect(sys.argv[1])\ns.recv(1)",
                  socket, NULL};

    line = read_line(running.output);
    g_assert_true(g_str_has_prefix(line, "Listening on unix:"));
    g_assert_true(g_spawn_sync(NULL, nc, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                               NULL, NULL));
    told = read_line(running.error);
    g_assert_nonnull(strstr(told, "hub-unreachable"));
    closed = run(fixture, 0, "tunnel close 1");
    g_assert_cmpint(finish(&running, NULL, &rest), ==, 0);
    g_assert_nonnull(strstr(rest, "closed"));
    g_assert_nonnull(hub);
}

static void
test_monitor(Fixture *fixture, gconstpointer data)
{
    Running text = start(fixture, "monitor"), json = start(fixture, "monitor --json");
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *added = NULL, *line = NULL, *object = NULL;
    g_autoptr(JsonNode) node = NULL;
    struct pollfd wait = {.fd = text.output, .events = POLLIN};
    struct pollfd wait_json = {.fd = json.output, .events = POLLIN};

    /* Targets come and go until both have heard of one. */
    for (guint i = 0; poll(&wait, 1, 20) == 0 || poll(&wait_json, 1, 20) == 0; i++) {
        g_autofree char *name = g_strdup_printf("t%u", i);
        g_autoptr(sd_bus_message) target = fixture_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget",
                                                        "ssa{sv}", name, "tcp:127.0.0.1:9", 0);

        g_assert_nonnull(target);
        g_assert_cmpuint(i, <, 200);
    }
    line = read_line(text.output);
    g_assert_nonnull(strstr(line, "  target t"));
    g_assert_nonnull(strstr(line, "  new  Address: tcp:127.0.0.1:9"));
    object = read_line(json.output);
    node = json_from_string(object, NULL);
    g_assert_nonnull(node);
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node), "event"), ==,
                    "added");
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node), "object"), ==,
                    "target");
    (void)kill(text.pid, SIGTERM);
    g_assert_cmpint(finish(&text, NULL, NULL), ==, 0);
    (void)kill(json.pid, SIGINT);
    g_assert_cmpint(finish(&json, NULL, NULL), ==, 0);
    added = run(fixture, 0, "target list");
}

/* streamd goes: whoever depends on it says so and ends with 3. */
static void
test_daemon_goes(Fixture *fixture, gconstpointer data)
{
    static const char *const arguments[] = {"--user", "--threads=1", NULL};
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *hub = fixture_add_hub(bus, "work", SERVICE, TRUE);
    g_autofree char *line = NULL, *error = NULL;
    Running running = start(fixture, "tunnel open dev1 ssh");

    line = read_line(running.output);
    (void)kill(fixture->streamd, SIGTERM);
    g_assert_cmpint(fixture_wait_exit(fixture->streamd), ==, 0);
    g_assert_cmpint(finish(&running, NULL, &error), ==, 3);
    g_assert_nonnull(strstr(error, "streamd has gone"));
    fixture->streamd = fixture_spawn(fixture, arguments);
    fixture_wait_ready(fixture);
    g_assert_nonnull(hub);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/client/exit-codes", test_exit_codes);
    ADD("/client/no-daemon", test_no_daemon);
    ADD("/client/json", test_json);
    ADD("/client/hub-add", test_hub_add);
    ADD("/client/prompt", test_prompt);
    ADD("/client/foreground", test_foreground_tunnel);
    ADD("/client/foreground-failures", test_foreground_tells_failures);
    ADD("/client/monitor", test_monitor);
    ADD("/client/daemon-goes", test_daemon_goes);
    return g_test_run();
}
