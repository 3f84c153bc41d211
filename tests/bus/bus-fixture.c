/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bus/bus-fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char config[] =
    "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
    " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
    "<busconfig><type>session</type><listen>unix:path=%s/bus</listen>\n"
    "<policy context=\"default\"><allow user=\"*\"/><allow send_destination=\"*\" "
    "eavesdrop=\"true\"/>\n"
    "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>"
    "<limit name=\"max_connections_per_user\">2000</limit></busconfig>\n";

/* A child never outlives its test. */
static void
fixture_child(gpointer data)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void
fixture_start_bus(Fixture *fixture)
{
    g_autofree char *file = g_build_filename(fixture->dir, "bus.conf", NULL);
    g_autofree char *text = g_strdup_printf(config, fixture->dir);
    g_autofree char *option = g_strconcat("--config-file=", file, NULL);
    const char *argv[] = {"dbus-daemon", option, "--nofork", "--print-address", NULL};
    g_autoptr(GError) error = NULL;
    char line[256];
    int output;

    g_file_set_contents(file, text, -1, &error);
    g_assert_no_error(error);
    g_spawn_async_with_pipes(NULL, (char **)argv, NULL,
                             G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                 G_SPAWN_STDERR_TO_DEV_NULL,
                             fixture_child, NULL, &fixture->dbus, NULL, &output, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(read(output, line, sizeof(line)), >, 0); /* it listens now */
    (void)close(output);
    fixture->address = g_strdup_printf("unix:path=%s/bus", fixture->dir);
}

GPid
fixture_spawn(Fixture *fixture, const char *const *arguments)
{
    return fixture_spawn_program(fixture, "STREAMD", arguments);
}

GPid
fixture_spawn_program(Fixture *fixture, const char *program, const char *const *arguments)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_auto(GStrv) env = g_get_environ();
    g_autoptr(GError) error = NULL;
    int log = open(fixture->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    GPid pid;

    g_ptr_array_add(argv, (gpointer)g_getenv(program));
    for (guint i = 0; arguments[i] != NULL; i++)
        g_ptr_array_add(argv, (gpointer)arguments[i]);
    g_ptr_array_add(argv, NULL);
    env = g_environ_setenv(env, "DBUS_SESSION_BUS_ADDRESS", fixture->address, TRUE);
    env = g_environ_setenv(env, "DBUS_SYSTEM_BUS_ADDRESS", fixture->address, TRUE);
    env = g_environ_setenv(env, "STATE_DIRECTORY", fixture->dir, TRUE);
    env = g_environ_unsetenv(env, "NOTIFY_SOCKET");
    g_spawn_async_with_fds(NULL, (char **)argv->pdata, env, G_SPAWN_DO_NOT_REAP_CHILD,
                           fixture_child, NULL, &pid, -1, log, log, &error);
    g_assert_no_error(error);
    (void)close(log);
    return pid;
}

static gboolean
fixture_is_owned(sd_bus *bus)
{
    return sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                              "org.freedesktop.DBus", "GetNameOwner", NULL, NULL, "s",
                              BUS_NAME) >= 0;
}

void
fixture_wait_name(sd_bus *bus)
{
    gint64 until = g_get_monotonic_time() + FIXTURE_PATIENCE;

    while (!fixture_is_owned(bus)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(5000);
    }
}

void
fixture_wait_ready(Fixture *fixture)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);

    fixture_wait_name(bus);
    /* The name is owned before streamd knows it, and what that begins opens descriptors. */
    g_assert_cmpint(sd_bus_call_method(bus, BUS_NAME, BUS_ROOT, "org.freedesktop.DBus.Peer", "Ping",
                                       NULL, NULL, NULL),
                    >=, 0);
}

void
fixture_set_up(Fixture *fixture, gconstpointer data)
{
    static const FixtureProgram user = {"STREAMD", {"--user", "--threads=1", NULL}};
    const FixtureProgram *program = data != NULL ? data : &user;

    g_assert_nonnull(g_getenv(program->program));
    fixture->dir = g_dir_make_tmp("streamd-bus-XXXXXX", NULL);
    fixture->log = g_build_filename(fixture->dir, "log", NULL);
    fixture_start_bus(fixture);
    fixture->streamd = fixture_spawn_program(fixture, program->program, program->arguments);
    fixture_wait_ready(fixture);
}

void
fixture_lose_bus(Fixture *fixture)
{
    (void)kill(fixture->dbus, SIGKILL);
    (void)fixture_wait_exit(fixture->dbus);
}

void
fixture_regain_bus(Fixture *fixture)
{
    g_clear_pointer(&fixture->address, g_free);
    fixture_start_bus(fixture);
    fixture_wait_ready(fixture);
}

int
fixture_wait_exit(GPid pid)
{
    gint64 until = g_get_monotonic_time() + FIXTURE_PATIENCE;
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(5000);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
fixture_remove(const char *dir)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            fixture_remove(path);
        else
            (void)unlink(path);
    }
    (void)rmdir(dir);
}

void
fixture_tear_down(Fixture *fixture, gconstpointer data)
{
    g_autofree char *log = NULL;
    int status;

    (void)kill(fixture->streamd, SIGTERM);
    status = fixture_wait_exit(fixture->streamd);
    log = fixture_read_log(fixture);
    if (status != 0)
        g_error("streamd ended with %d:\n%s", status, log);
    (void)kill(fixture->dbus, SIGTERM);
    (void)fixture_wait_exit(fixture->dbus);
    fixture_remove(fixture->dir);
    g_free(fixture->dir);
    g_free(fixture->address);
    g_free(fixture->log);
}

sd_bus *
fixture_connect(Fixture *fixture)
{
    sd_bus *bus = NULL;
    const char *name;

    g_assert_cmpint(sd_bus_new(&bus), >=, 0);
    g_assert_cmpint(sd_bus_set_address(bus, fixture->address), >=, 0);
    g_assert_cmpint(sd_bus_set_bus_client(bus, 1), >=, 0);
    g_assert_cmpint(sd_bus_start(bus), >=, 0);
    g_assert_cmpint(sd_bus_get_unique_name(bus, &name), >=, 0);
    return bus;
}

gboolean
fixture_has_users(void)
{
    if (geteuid() == 0)
        return TRUE;
    g_test_skip("only root can be several users");
    return FALSE;
}

/* Both ends of a connection take the user from the socket, and the socket from whoever connects. */
sd_bus *
fixture_connect_as(Fixture *fixture, uid_t uid)
{
    sd_bus *bus;

    g_assert_cmpint(chmod(fixture->dir, 0711), ==, 0);
    g_assert_cmpint(seteuid(uid), ==, 0);
    bus = fixture_connect(fixture);
    g_assert_cmpint(seteuid(0), ==, 0);
    return bus;
}

void
fixture_stop(const Fixture *fixture)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)fixture->streamd);
    gint64 until = g_get_monotonic_time() + FIXTURE_PATIENCE;
    gboolean stands = FALSE;

    g_assert_cmpint(kill(fixture->streamd, SIGSTOP), ==, 0);
    while (!stands) {
        g_autofree char *text = NULL;

        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        stands = strstr(text, ") T ") != NULL;
    }
}

void
fixture_continue(const Fixture *fixture)
{
    g_assert_cmpint(kill(fixture->streamd, SIGCONT), ==, 0);
}

guint
fixture_count_fds(const Fixture *fixture)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)fixture->streamd);
    DIR *dir = opendir(path);
    guint count = 0;

    g_assert_nonnull(dir);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count;
}

/* What they are, when there is one too many. */
static void
fixture_tell_fds(const Fixture *fixture)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)fixture->streamd);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *link = g_build_filename(path, name, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);

        g_test_message("%s: %s", name, target != NULL ? target : "gone");
    }
}

void
fixture_assert_fds(const Fixture *fixture, guint count)
{
    gint64 until = g_get_monotonic_time() + FIXTURE_PATIENCE;
    guint found = fixture_count_fds(fixture);

    for (; found != count && g_get_monotonic_time() < until; found = fixture_count_fds(fixture))
        g_usleep(5000);
    if (found != count)
        fixture_tell_fds(fixture);
    g_assert_cmpuint(found, ==, count);
}

char *
fixture_read_log(const Fixture *fixture)
{
    char *text = NULL;

    g_assert_true(g_file_get_contents(fixture->log, &text, NULL, NULL));
    return text;
}

sd_bus_message *
fixture_message(sd_bus *bus, const char *path, const char *interface, const char *member)
{
    sd_bus_message *message = NULL;

    g_assert_cmpint(
        sd_bus_message_new_method_call(bus, &message, BUS_NAME, path, interface, member), >=, 0);
    return message;
}

sd_bus_message *
fixture_call(sd_bus *bus, const char *path, const char *interface, const char *member,
             const char *types, ...)
{
    g_autoptr(sd_bus_message) message = fixture_message(bus, path, interface, member);
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    va_list args;

    va_start(args, types);
    if (types != NULL)
        g_assert_cmpint(sd_bus_message_appendv(message, types, args), >=, 0);
    va_end(args);
    if (sd_bus_call(bus, message, 0, &error, &reply) < 0)
        g_error("%s failed: %s: %s", member, error.name, error.message);
    return reply;
}

char *
fixture_call_fails(sd_bus *bus, sd_bus_message *message, const char *name)
{
    g_autofree char *full =
        strchr(name, '.') != NULL ? g_strdup(name) : g_strconcat(BUS_ERROR_PREFIX, name, NULL);
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;
    g_autoptr(sd_bus_message) reply = NULL;
    int r = sd_bus_call(bus, message, 0, &error, &reply);

    g_assert_cmpint(r, <, 0);
    if (g_strcmp0(error.name, full) != 0)
        g_error("%s instead of %s: %s", error.name, full, error.message);
    return g_strdup(error.message);
}

char *
fixture_fails(sd_bus *bus, const char *name, const char *path, const char *interface,
              const char *member, const char *types, ...)
{
    g_autoptr(sd_bus_message) message = fixture_message(bus, path, interface, member);
    va_list args;

    va_start(args, types);
    if (types != NULL)
        g_assert_cmpint(sd_bus_message_appendv(message, types, args), >=, 0);
    va_end(args);
    return fixture_call_fails(bus, message, name);
}

char *
fixture_property(sd_bus *bus, const char *path, const char *interface, const char *name)
{
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;
    char *value = NULL;

    if (sd_bus_get_property_string(bus, BUS_NAME, path, interface, name, &error, &value) < 0)
        g_error("%s of %s: %s", name, path, error.message);
    return value;
}

guint64
fixture_number(sd_bus *bus, const char *path, const char *interface, const char *name, char type)
{
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;
    union {
        guint64 t;
        guint32 u;
    } value = {0};

    if (sd_bus_get_property_trivial(bus, BUS_NAME, path, interface, name, &error, type, &value) < 0)
        g_error("%s of %s: %s", name, path, error.message);
    return type == 'u' ? value.u : value.t;
}

int
fixture_memfd(const char *text)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    g_assert_cmpint(write(fd, text, strlen(text)), ==, (int)strlen(text));
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    return fd;
}

typedef struct {
    sd_bus *bus;
    const char *path;
} Tried;

static gboolean
fixture_has_tried(void *data)
{
    const Tried *tried = data;
    g_autofree char *error = fixture_property(tried->bus, tried->path, BUS_HUB, "LastError");

    return *error != '\0';
}

char *
fixture_add_hub(sd_bus *bus, const char *name, const char *connection_string, gboolean nobody)
{
    int fd = fixture_memfd(connection_string);
    g_autoptr(sd_bus_message) reply =
        fixture_call(bus, BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}", name, fd, 0);
    const char *path;

    (void)close(fd);
    g_assert_cmpint(sd_bus_message_read(reply, "o", &path), >=, 0);
    if (nobody)
        fixture_wait(bus, fixture_has_tried, &(Tried){bus, path});
    return g_strdup(path);
}

int
fixture_listen(char **ret_connection_string)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, length), ==, 0);
    g_assert_cmpint(listen(fd, 128), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &length), ==, 0);
    *ret_connection_string = g_strdup_printf(
        "HostName=localhost:%u;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0",
        ntohs(address.sin_port));
    return fd;
}

void
fixture_wait(sd_bus *bus, gboolean (*condition)(void *data), void *data)
{
    gint64 until = g_get_monotonic_time() + FIXTURE_PATIENCE;

    while (!condition(data)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        if (sd_bus_process(bus, NULL) == 0)
            (void)sd_bus_wait(bus, 10000);
    }
}

gboolean
fixture_has_object(sd_bus *bus, const char *path)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(bus, BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects", NULL);
    const char *found;

    g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}"), >=, 0);
    while (sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}") > 0) {
        g_assert_cmpint(sd_bus_message_read(reply, "o", &found), >=, 0);
        if (strcmp(found, path) == 0)
            return TRUE;
        g_assert_cmpint(sd_bus_message_skip(reply, "a{sa{sv}}"), >=, 0);
        g_assert_cmpint(sd_bus_message_exit_container(reply), >=, 0);
    }
    return FALSE;
}
