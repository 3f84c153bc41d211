/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes the streams that a rule of the accept policy gives to this handler's name, and echoes them.
 *
 *   streamctl accept-policy add --stream echo --handler echo
 *   echo-handler echo
 *
 * For each stream streamd calls HandleRequest, which accepts or rejects it. When the stream is
 * open, streamd calls NewStream with its file descriptor. One event loop serves the bus and all
 * streams. Only libsystemd is needed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define STREAMD_NAME "io.streamd.Streamd1"
#define STREAMD_ROOT "/io/streamd/Streamd1"
#define STREAMD_MANAGER "io.streamd.Streamd1.Manager"
#define HANDLER_INTERFACE "io.streamd.Streamd1.Handler"
#define HANDLER_PATH "/io/streamd/example/Echo"

/* At once. A limit of our own is better than running out of descriptors. */
#define ECHOES_MAX 1000

typedef struct {
    sd_bus *bus;
    sd_event *event;
    const char *name; /* the handler's name in the rules */
    unsigned echoes;
    bool failed;
} App;

typedef struct {
    App *app;
    char *path; /* of the stream's object, whose properties say more about it */
    sd_event_source *io;
    int fd;
    bool ended; /* the other side has sent everything */
    uint64_t echoed;
    size_t begin, end; /* the part of the buffer that waits to be sent */
    uint8_t buffer[65536];
} Echo;

static void
echo_free(Echo *echo)
{
    printf("%s: closed after %llu bytes\n", echo->path, (unsigned long long)echo->echoed);
    sd_event_source_disable_unref(echo->io);
    close(echo->fd);
    echo->app->echoes--;
    free(echo->path);
    free(echo);
}

/* FALSE: the stream has ended. What the socket does not take stays in the buffer. MSG_NOSIGNAL: if
 * the peer has gone, only this stream gets the error EPIPE, and the process is not killed. */
static bool
echo_send(Echo *echo)
{
    ssize_t n = send(echo->fd, echo->buffer + echo->begin, echo->end - echo->begin,
                     MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    echo->begin += (size_t)n;
    echo->echoed += (uint64_t)n;
    return true;
}

static bool
echo_receive(Echo *echo)
{
    ssize_t n = recv(echo->fd, echo->buffer, sizeof echo->buffer, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    echo->ended = n == 0;
    echo->begin = 0;
    echo->end = (size_t)n;
    return true;
}

/* Reads only when the buffer is empty: a peer that does not read its echo is not read from either,
 * and the other streams go on. */
static int
echo_ready(sd_event_source *source, int fd, uint32_t events, void *data)
{
    Echo *echo = data;
    bool well = true;

    if (echo->begin == echo->end)
        well = echo_receive(echo);
    if (well && echo->begin < echo->end)
        well = echo_send(echo);
    /* When the peer's data has ended and the last byte is echoed, end our side too. A program with
     * more to say calls shutdown(SHUT_WR) after it, and closes when both directions have ended. */
    if (!well || (echo->ended && echo->begin == echo->end)) {
        echo_free(echo);
        return 0;
    }
    return sd_event_source_set_io_events(source, echo->begin < echo->end ? EPOLLOUT : EPOLLIN);
}

/* HandleRequest(stream, request) -> (accept, reason). REQUEST says who asks, and for what. Unknown
 * entries are skipped, since later versions have more. */
static int
handle_request(sd_bus_message *message, void *data, sd_bus_error *error)
{
    App *app = data;
    const char *path;
    int r;

    r = sd_bus_message_read(message, "o", &path);
    if (r < 0)
        return r;
    if (app->echoes >= ECHOES_MAX)
        return sd_bus_reply_method_return(message, "bs", false, "too many streams already");
    return sd_bus_reply_method_return(message, "bs", true, "");
}

/* NewStream(stream, fd, details) */
static int
new_stream(sd_bus_message *message, void *data, sd_bus_error *error)
{
    App *app = data;
    const char *path;
    Echo *echo;
    int r, fd;

    r = sd_bus_message_read(message, "oh", &path, &fd);
    if (r < 0)
        return r;
    echo = calloc(1, sizeof *echo);
    if (echo == NULL)
        return -ENOMEM;
    echo->app = app;
    echo->path = strdup(path);
    echo->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message closes its own when freed */
    app->echoes++;
    r = echo->fd < 0 ? -errno
                     : sd_event_add_io(app->event, &echo->io, echo->fd, EPOLLIN, echo_ready, echo);
    if (r < 0) {
        echo_free(echo);
        return r;
    }
    printf("%s: opened\n", path);
    return sd_bus_reply_method_return(message, NULL);
}

/* Release(): streamd has dropped us, because it stops or because the name was taken back. */
static int
release(sd_bus_message *message, void *data, sd_bus_error *error)
{
    printf("released\n");
    return sd_bus_reply_method_return(message, NULL);
}

/* UNPRIVILEGED: on the system bus the caller is streamd's user, not root. The bus allows only this
 * caller on the interface (io.streamd.Streamd1.conf). */
static const sd_bus_vtable handler_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("HandleRequest", "oa{sv}", "bs", handle_request, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("NewStream", "oha{sv}", "", new_stream, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Release", "", "", release, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int
registered(sd_bus_message *reply, void *data, sd_bus_error *ret_error)
{
    const sd_bus_error *error = sd_bus_message_get_error(reply);
    App *app = data;

    if (error == NULL) {
        printf("registered as \"%s\"\n", app->name);
        return 0;
    }
    if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN)) {
        printf("streamd is not there; waiting for it\n");
        return 0;
    }
    fprintf(stderr, "echo-handler: RegisterHandler: %s: %s\n", error->name, error->message);
    app->failed = true;
    return sd_event_exit(app->event, EXIT_FAILURE);
}

static int
register_handler(App *app)
{
    return sd_bus_call_method_async(app->bus, NULL, STREAMD_NAME, STREAMD_ROOT, STREAMD_MANAGER,
                                    "RegisterHandler", registered, app, "oa{sv}", HANDLER_PATH, 1,
                                    "name", "s", app->name);
}

/* NameOwnerChanged: a restarted streamd does not know us, so register again. */
static int
owner_changed(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *owner;
    int r = sd_bus_message_read(message, "sss", NULL, NULL, &owner);

    if (r < 0)
        return r;
    if (*owner != '\0')
        return register_handler(data);
    printf("streamd has gone; waiting for it\n");
    return 0;
}

static int
app_start(App *app, bool system)
{
    sigset_t signals;
    int r;

    setvbuf(stdout, NULL, _IOLBF, 0);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    r = sd_event_default(&app->event);
    if (r >= 0)
        r = sd_event_add_signal(app->event, NULL, SIGINT, NULL, NULL);
    if (r >= 0)
        r = sd_event_add_signal(app->event, NULL, SIGTERM, NULL, NULL);
    if (r >= 0)
        r = system ? sd_bus_open_system(&app->bus) : sd_bus_open_user(&app->bus);
    if (r >= 0)
        r = sd_bus_attach_event(app->bus, app->event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_add_object_vtable(app->bus, NULL, HANDLER_PATH, HANDLER_INTERFACE,
                                     handler_vtable, app);
    if (r >= 0)
        r = sd_bus_add_match(app->bus, NULL,
                             "type='signal',sender='org.freedesktop.DBus',"
                             "member='NameOwnerChanged',arg0='" STREAMD_NAME "'",
                             owner_changed, app);
    return r < 0 ? r : register_handler(app);
}

int
main(int argc, char **argv)
{
    App app = {0};
    bool system = argc == 3 && strcmp(argv[1], "--system") == 0;
    int r;

    if (argc != (system ? 3 : 2)) {
        fprintf(stderr, "Usage: echo-handler [--system] NAME\n");
        return 2;
    }
    app.name = argv[argc - 1];
    r = app_start(&app, system);
    if (r >= 0)
        r = sd_event_loop(app.event);
    if (r < 0)
        fprintf(stderr, "echo-handler: %s\n", strerror(-r));
    /* Leaving the bus ends the registration. Closing the descriptors ends the streams. */
    sd_bus_flush_close_unref(app.bus);
    sd_event_unref(app.event);
    return r < 0 || app.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
