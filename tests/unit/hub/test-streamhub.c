/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program as a user runs it: init, serve and each verb, with output and exit codes. */
#include "tests/unit/hub/streamhub-helper.h"

static void
test_devices(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Run) run = {0};

    g_assert_cmpint(hub(f, &run, "device add dev1"), ==, 0);
    g_assert_cmpstr(run.out, ==, "Added device dev1\n");
    g_assert_cmpint(hub(f, &run, "device add dev1"), ==, 6);
    g_assert_cmpstr(run.err, ==, "streamhub: there is a device 'dev1' already\n");
    g_assert_cmpint(hub(f, &run, "device add dev1 --module m"), ==, 0);
    g_assert_cmpint(hub(f, &run, "device list"), ==, 0);
    g_assert_cmpstr(run.out, ==,
                    "DEVICE  MODULE  STATUS   STATE\n"
                    "dev1            enabled  never\n"
                    "dev1    m       enabled  never\n");
    g_assert_cmpint(hub(f, &run, "device list --columns created --columns device,module"), ==, 0);
    g_assert_true(g_str_has_prefix(run.out, "CREATED               DEVICE  MODULE\n20"));
    g_assert_cmpint(hub(f, &run, "device disable dev1"), ==, 0);
    g_assert_cmpint(hub(f, &run, "device show dev1 --json"), ==, 0);
    ASSERT_HAS(run.out, "\"status\" : \"disabled\"");
    g_assert_cmpint(hub(f, &run, "device enable dev1"), ==, 0);
    g_assert_cmpint(hub(f, &run, "device show --module m dev1"), ==, 0);
    ASSERT_HAS(run.out, "Module:               m\n");
    ASSERT_HAS(run.out, "Proves who it is by:  keys\n");
    g_assert_cmpint(hub(f, &run, "device remove dev1"), ==, 0);
    g_assert_cmpint(hub(f, &run, "device show dev1"), ==, 4);
    g_assert_cmpstr(run.err, ==, "streamhub: there is no device 'dev1'\n");
    g_assert_cmpint(hub(f, &run, "device remove dev1"), ==, 4);
    g_assert_cmpint(hub(f, &run, "device list --json"), ==, 0);
    g_assert_cmpstr(run.out, ==, "[]\n");
}

static void
test_users(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Run) run = {0};

    g_assert_cmpint(hub(f, &run, "user list"), ==, 0);
    ASSERT_HAS(run.out, "USER               RIGHTS                                        ");
    ASSERT_HAS(run.out, "SCOPE\n");
    ASSERT_HAS(run.out, "\niothubowner        service-connect, device-connect, registry-read, "
                        "registry-write  everything\n");
    ASSERT_HAS(run.out, "\nservice            service-connect                              ");
    g_assert_cmpint(hub(f, &run, "user add ops --rights service-connect,registry-read"), ==, 0);
    g_assert_cmpint(hub(f, &run, "user add ops --rights service-connect"), ==, 6);
    g_assert_cmpint(hub(f, &run, "user remove ops"), ==, 0);
    g_assert_cmpint(hub(f, &run, "user remove ops"), ==, 4);
    g_assert_cmpint(hub(f, &run, "user add ops --rights everything"), ==, 2);
    ASSERT_HAS(run.err, "service-connect");
    g_assert_cmpint(hub(f, &run, "user add ops"), ==, 2);
}

static void
test_connection_strings(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *file = g_build_filename(f->folder, "cs", NULL);
    g_autofree char *line = g_strdup_printf("connection-string user service --output %s", file);
    g_autofree char *device = g_strdup_printf(
        "HostName=hub.example%s;DeviceId=dev1;ModuleId=m;SharedAccessKey=", strrchr(f->https, ':'));
    g_autofree char *policy =
        g_strdup_printf("HostName=hub.example%s;SharedAccessKeyName=service;SharedAccessKey=",
                        strrchr(f->https, ':'));
    g_autofree char *written = NULL, *primary = NULL;
    g_auto(Run) run = {0};
    struct stat info;

    (void)hub(f, &run, "device add dev1");
    (void)hub(f, &run, "device add dev1 --module m");
    g_assert_cmpint(hub(f, &run, "connection-string device dev1 --module m"), ==, 0);
    g_assert_true(g_str_has_prefix(run.out, device));
    primary = g_strdup(run.out);
    g_assert_cmpint(hub(f, &run, "connection-string device dev1 --module m --secondary"), ==, 0);
    g_assert_true(g_str_has_prefix(run.out, device));
    g_assert_cmpstr(run.out, !=, primary);
    g_assert_cmpint(hub(f, &run, line), ==, 0);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_cmpint(stat(file, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777, ==, 0600);
    g_assert_true(g_file_get_contents(file, &written, NULL, NULL));
    g_assert_true(g_str_has_prefix(written, policy));
    g_assert_cmpint(hub(f, &run, line), ==, 6);
    g_assert_cmpint(hub(f, &run, "connection-string device nobody"), ==, 4);
}

static void
test_hub_itself(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *endpoints = g_strdup_printf("https://hub.example%s\n", strrchr(f->https, ':'));
    g_auto(Run) run = {0};

    g_assert_cmpint(hub(f, &run, "endpoints"), ==, 0);
    g_assert_cmpstr(run.out, ==, endpoints);
    g_assert_cmpint(hub(f, &run, "--json endpoints"), ==, 0);
    ASSERT_HAS(run.out, "\"streaming_endpoints\" : [");
    g_assert_cmpint(hub(f, &run, "status"), ==, 0);
    ASSERT_HAS(run.out, "Connected devices:   0\n");
    g_assert_cmpint(hub(f, &run, "status --json"), ==, 0);
    ASSERT_HAS(run.out, "\"host_name\" : \"hub.example:");
}

static void
test_usage(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const lines[] = {
        "fly",
        "device fly dev1",
        "device add",
        "device add a b",
        "device add a/b/c",
        "device add a/b --module c",
        "device list --rights x",
        "invite dev1",
        "invite device a/",
        "invite user",
        "invite user a --module b",
        "init --host-name",
        "init",
        "device add --module a/b dev1",
        "serve --threads 1000",
        "serve --grace -1",
    };
    g_autofree char *nowhere = g_build_filename(f->folder, "nowhere", NULL);
    char *away[] = {program,          (char *)"--admin-socket", nowhere,
                    (char *)"device", (char *)"list",           NULL};
    char *help[] = {program, (char *)"--help", NULL};
    g_auto(Run) run = {0};

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (hub(f, &run, lines[i]) != 2)
            g_error("%s: exit code %d", lines[i], run.code);
        g_assert_cmpstr(run.out, ==, "");
        g_assert_true(g_str_has_prefix(run.err, "streamhub: "));
    }
    run_words(&run, away);
    g_assert_cmpint(run.code, ==, 3);
    ASSERT_HAS(run.err, nowhere);
    run_words(&run, help);
    g_assert_cmpint(run.code, ==, 0);
    ASSERT_HAS(run.out, "connection-string user NAME");
    g_assert_cmpint(hub(f, &run, "invite --help"), ==, 0);
    ASSERT_HAS(run.out, "  invite user NAME");
    g_assert_null(strstr(run.out, "user list"));
    g_assert_cmpint(hub(f, &run, "invite"), ==, 2);
    ASSERT_HAS(run.err, "  invite user NAME");
    g_assert_cmpint(hub(f, &run, "init --host-name other.example"), ==, 6);
}

/* Killed without warning, started again: what was acknowledged is there, the socket is replaced. */
static void
test_killed(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Run) run = {0};

    g_assert_cmpint(hub(f, &run, "device add dev1"), ==, 0);
    stop(f, SIGKILL);
    g_assert_cmpint(hub(f, &run, "device show dev1"), ==, 3);
    start(f, NULL);
    g_assert_cmpint(hub(f, &run, "device show dev1"), ==, 0);
}

static void
test_stopped(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *socket = g_build_filename(f->state, "admin.sock", NULL);

    g_subprocess_send_signal(f->hub, SIGTERM);
    g_assert_true(g_subprocess_wait_check(f->hub, NULL, NULL));
    g_assert_false(g_file_test(socket, G_FILE_TEST_EXISTS));
    stop(f, SIGTERM);
}

static void
test_second_hub(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *other_state = g_build_filename(f->folder, "other", NULL);
    g_autofree char *socket = g_build_filename(f->state, "admin.sock", NULL);
    g_autofree char *other_socket = g_strdup_printf("serve --admin-socket %s-2", socket);
    g_autofree char *same_socket =
        g_strdup_printf("serve --listen 127.0.0.1:0 --admin-socket %s", socket);
    g_autofree char *same_port = g_strdup_printf("serve --listen %s", f->https);
    g_auto(Run) run = {0};
    Fixture other = {.state = other_state};

    g_assert_cmpint(hub(f, &run, other_socket), ==, 6);
    ASSERT_HAS(run.err, "another streamhub");
    g_assert_cmpint(hub(&other, &run, "init --host-name other.example"), ==, 0);
    g_assert_cmpint(hub(&other, &run, same_socket), ==, 6);
    ASSERT_HAS(run.err, "another streamhub");
    g_assert_cmpint(hub(&other, &run, same_port), ==, 1);
    ASSERT_HAS(run.err, f->https);
    g_assert_cmpint(hub(f, &run, "--json endpoints"), ==, 0);
    ASSERT_HAS(run.out, "\"streaming_endpoints\" : [");
    g_assert_cmpint(hub(f, &run, "status"), ==, 0);
}

/* A certificate that is not good is not taken, and the hub goes on. */
static void
test_reload(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *cert = g_build_filename(f->state, "server.pem", NULL);
    g_autofree char *line = NULL;
    g_auto(Run) run = {0};

    g_assert_cmpint(hub(f, &run, "reload"), ==, 0);
    g_assert_true(g_file_set_contents(cert, "not a certificate", -1, NULL));
    g_subprocess_send_signal(f->hub, SIGHUP);
    while ((line = next_line(f)) && !strstr(line, "stays as it was"))
        g_clear_pointer(&line, g_free);
    g_assert_nonnull(line);
    g_assert_cmpint(hub(f, &run, "reload"), ==, 2);
    ASSERT_HAS(run.err, cert);
    g_assert_cmpint(hub(f, &run, "certificate show"), ==, 0);
    ASSERT_HAS(run.out, "Days left");
    g_assert_cmpint(hub(f, &run, "--json endpoints"), ==, 0);
    ASSERT_HAS(run.out, "\"streaming_endpoints\" : [");
    g_assert_cmpint(hub(f, &run, "status"), ==, 0);
    ASSERT_HAS(run.out, "Certificate's days:  82");
}

/* SIGHUP tells what the next start would stumble over. */
static void
test_reload_settings(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *config = g_build_filename(f->folder, "hub.conf", NULL);
    g_autofree char *line = NULL, *changed = NULL;

    g_assert_true(g_file_set_contents(config, "[hub]\nstreams-max=9\n", -1, NULL));
    g_subprocess_send_signal(f->hub, SIGHUP);
    while ((changed = next_line(f)) && !strstr(changed, "take force at the next start"))
        g_clear_pointer(&changed, g_free);
    g_assert_nonnull(changed);
    g_assert_true(g_file_set_contents(config, "[hub]\nstreams-max=x\n", -1, NULL));
    g_subprocess_send_signal(f->hub, SIGHUP);
    while ((line = next_line(f)) && !strstr(line, "hub.conf:2: streams-max wants"))
        g_clear_pointer(&line, g_free);
    g_assert_nonnull(line);
}

/* Files that are not as they must be: refused before anything listens, with path and reason. */
static void
test_refused_state(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *key = g_build_filename(f->state, "server-key.pem", NULL);
    g_autofree char *registry = g_build_filename(f->state, "registry.sqlite", NULL);
    g_autofree char *config = g_build_filename(f->folder, "bad.conf", NULL);
    g_autofree char *with_config =
        g_strdup_printf("serve --listen 127.0.0.1:0 --config %s", config);
    g_auto(Run) run = {0};

    g_assert_true(g_file_set_contents(config, "[hub]\nno-such-setting=1\n", -1, NULL));
    g_assert_cmpint(hub(f, &run, with_config), ==, 2);
    ASSERT_HAS(run.err, config);
    ASSERT_HAS(run.err, "no-such-setting");
    g_assert_cmpint(g_chmod(key, 0644), ==, 0);
    g_assert_cmpint(hub(f, &run, "serve --listen 127.0.0.1:0"), ==, 5);
    ASSERT_HAS(run.err, key);
    g_assert_cmpint(g_chmod(key, 0600), ==, 0);
    g_assert_cmpint(g_chmod(registry, 0640), ==, 0);
    g_assert_cmpint(hub(f, &run, "serve --listen 127.0.0.1:0"), ==, 5);
    ASSERT_HAS(run.err, registry);
    (void)g_unlink(registry);
    g_assert_cmpint(hub(f, &run, "serve --listen 127.0.0.1:0"), ==, 1);
    ASSERT_HAS(run.err, registry);
    g_assert_cmpstr(run.out, ==, "");
}

static void
test_notify(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = g_build_filename(f->folder, "notify", NULL);
    g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, 0, NULL);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    char text[512] = "";

    g_assert_true(g_socket_bind(socket, address, FALSE, NULL));
    start(f, path);
    g_assert_cmpint(g_socket_receive(socket, text, sizeof text - 1, NULL, NULL), >, 0);
    ASSERT_HAS(text, "READY=1");
    g_subprocess_send_signal(f->hub, SIGTERM);
    memset(text, 0, sizeof text);
    g_assert_cmpint(g_socket_receive(socket, text, sizeof text - 1, NULL, NULL), >, 0);
    ASSERT_HAS(text, "STOPPING=1");
}

/* A socket as a unit of systemd would have bound it, and its port. */
static int
bound_socket(guint *ret_port)
{
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) any = g_inet_socket_address_new(loopback, 0);
    g_autoptr(GSocketAddress) bound = NULL;
    g_autoptr(GSocket) sock =
        g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

    g_assert_true(g_socket_bind(sock, any, FALSE, NULL));
    g_assert_true(g_socket_listen(sock, NULL));
    bound = g_socket_get_local_address(sock, NULL);
    *ret_port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    return dup(g_socket_get_fd(sock));
}

/* LISTEN_PID has to be the hub's, so a shell says it and becomes the hub. */
static GSubprocess *
spawn_with_sockets(Fixture *f, int first, int second)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
    g_autoptr(GError) error = NULL;
    GSubprocess *process;

    g_subprocess_launcher_setenv(launcher, "LISTEN_FDS", "2", TRUE);
    g_subprocess_launcher_setenv(launcher, "LISTEN_FDNAMES", "mqtts:https", TRUE);
    g_subprocess_launcher_take_fd(launcher, first, 3);
    g_subprocess_launcher_take_fd(launcher, second, 4);
    process = g_subprocess_launcher_spawn(
        launcher, &error, "/bin/sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "sh", program, "serve",
        "--state-dir", f->state, "--threads", "1", "--grace", "0", NULL);
    g_assert_no_error(error);
    return process;
}

static void
test_sockets_of_systemd(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *first = NULL, *second = NULL, *want = NULL;
    g_auto(Run) run = {0};
    guint mqtts, https;
    int fd = bound_socket(&mqtts);

    f->hub = spawn_with_sockets(f, fd, bound_socket(&https));
    f->lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(f->hub));
    f->https = address_line(f, "https");
    f->mqtts = address_line(f, "mqtts");
    first = g_strdup_printf("127.0.0.1:%u", https);
    second = g_strdup_printf("127.0.0.1:%u", mqtts);
    g_assert_cmpstr(f->https, ==, first);
    g_assert_cmpstr(f->mqtts, ==, second);
    want = next_line(f);
    g_assert_cmpstr(want, ==, "ready");
    /* The port of the connection strings is that of the socket named https. */
    g_assert_cmpint(hub(f, &run, "device add dev1"), ==, 0);
    g_assert_cmpint(hub(f, &run, "connection-string device dev1"), ==, 0);
    g_clear_pointer(&want, g_free);
    want = g_strdup_printf("HostName=hub.example:%u;", https);
    g_assert_true(g_str_has_prefix(run.out, want));
}

static void
test_refused_socket(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *line = NULL;
    guint port;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    f->hub = spawn_with_sockets(f, fd, bound_socket(&port));
    f->lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(f->hub));
    line = next_line(f);
    ASSERT_HAS(line, "not a listening TCP socket");
    g_assert_true(g_subprocess_wait(f->hub, NULL, NULL));
    g_assert_cmpint(g_subprocess_get_exit_status(f->hub), ==, 2);
    g_clear_object(&f->hub);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, ==, 2);
    set_program(argv[1]);
#define ADD(name, func) g_test_add("/streamhub/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("devices", test_devices);
    ADD("users", test_users);
    ADD("connection-strings", test_connection_strings);
    ADD("hub-itself", test_hub_itself);
    ADD("usage", test_usage);
    ADD("killed", test_killed);
    ADD("stopped", test_stopped);
    ADD("second-hub", test_second_hub);
    ADD("reload", test_reload);
    ADD("reload-settings", test_reload_settings);
    g_test_add("/streamhub/refused-state", Fixture, NULL, make_state, test_refused_state,
               tear_down);
    g_test_add("/streamhub/notify", Fixture, NULL, make_state, test_notify, tear_down);
    g_test_add("/streamhub/sockets-of-systemd", Fixture, NULL, make_state, test_sockets_of_systemd,
               tear_down);
    g_test_add("/streamhub/refused-socket", Fixture, NULL, make_state, test_refused_socket,
               tear_down);
    return g_test_run();
}
