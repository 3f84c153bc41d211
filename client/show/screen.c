/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/screen.h"

#include "common/base/line.h"
#include "common/cli/charset.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l" /* the alternate page, without a cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define REST_OF_LINE "\033[K"
#define REST_OF_PAGE "\033[J"
#define LINES_DEFAULT 24
#define COLUMNS_DEFAULT 80
#define CTRL_C 3

struct Screen {
    int signals; /* signalfd */
    int guard;   /* the guard has the other end; it acts when this one closes, also when we end */
    pid_t guard_pid;
};

static void
screen_write(const char *text, gsize length)
{
    while (length > 0) {
        ssize_t n = write(STDOUT_FILENO, text, length);

        if (n < 0 && errno != EINTR)
            return;
        text += MAX(n, 0);
        length -= (gsize)MAX(n, 0);
    }
}

/* The guard is a separate process, so that the terminal is restored even if this one is killed. It
 * inherits our blocked signals: Ctrl-C does not reach it. */
static void
screen_guard(int wait, const struct termios *before)
{
    char byte;

    while (read(wait, &byte, 1) < 0 && errno == EINTR)
        ;
    screen_write(LEAVE, strlen(LEAVE));
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
    _exit(0);
}

static gboolean
screen_start_guard(Screen *screen, const struct termios *before)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return FALSE;
    screen->guard_pid = fork();
    if (screen->guard_pid == 0) {
        (void)close(ends[1]);
        screen_guard(ends[0], before);
    }
    (void)close(ends[0]);
    screen->guard = ends[1];
    return screen->guard_pid > 0;
}

/* SIGTTOU would stop the guard if it writes when another process group has the terminal. */
static int
screen_block_signals(void)
{
    sigset_t read, block;

    (void)sigemptyset(&read);
    (void)sigaddset(&read, SIGINT);
    (void)sigaddset(&read, SIGTERM);
    (void)sigaddset(&read, SIGHUP);
    (void)sigaddset(&read, SIGQUIT);
    (void)sigaddset(&read, SIGWINCH);
    block = read;
    (void)sigaddset(&block, SIGTTOU);
    (void)sigaddset(&block, SIGTSTP);
    (void)sigprocmask(SIG_BLOCK, &block, NULL);
    return signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK);
}

Screen *
screen_open(void)
{
    g_autoptr(Screen) screen = NULL;
    struct termios before, raw;

    if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) < 0)
        return NULL;
    screen = g_new0(Screen, 1);
    screen->guard = -1;
    screen->signals = screen_block_signals();
    if (screen->signals < 0 || !screen_start_guard(screen, &before))
        return NULL;
    raw = before;
    /* Keys arrive at once and are not shown. Ctrl-C and Ctrl-Z arrive as keys too, so that neither
     * leaves half a screen behind. */
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
        return NULL;
    screen_write(ENTER, strlen(ENTER));
    return g_steal_pointer(&screen);
}

void
screen_close(Screen *screen)
{
    if (screen == NULL)
        return;
    if (screen->guard >= 0)
        (void)close(screen->guard);
    while (screen->guard_pid > 0 && waitpid(screen->guard_pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (screen->signals >= 0)
        (void)close(screen->signals);
    g_free(screen);
}

guint
screen_lines(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row
                                                                           : LINES_DEFAULT;
}

static guint
screen_columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : COLUMNS_DEFAULT;
}

void
screen_show(Screen *screen, const char *text)
{
    g_autoptr(GString) page = g_string_new(HOME);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const guint most = screen_lines(), columns = screen_columns();
    g_autofree char *shown = NULL;

    for (guint i = 0; lines[i] != NULL && i < most; i++) {
        g_autofree char *line = line_cut(lines[i], columns, charset_ellipsis());

        g_string_append_printf(page, "%s%s" REST_OF_LINE, i > 0 ? "\r\n" : "", line);
    }
    g_string_append(page, REST_OF_PAGE);
    shown = charset_for_terminal(page->str);
    screen_write(shown, strlen(shown));
}

static ScreenEvent
screen_read_key(char *ret_key)
{
    if (read(STDIN_FILENO, ret_key, 1) != 1 || *ret_key == CTRL_C)
        return SCREEN_END;
    return SCREEN_KEY;
}

ScreenEvent
screen_wait(Screen *screen, gint64 timeout, char *ret_key)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = screen->signals, .events = POLLIN}};
    struct signalfd_siginfo info;

    if (poll(fds, G_N_ELEMENTS(fds), (int)CLAMP(timeout / 1000, 0, G_MAXINT)) <= 0)
        return SCREEN_TIME;
    if (fds[1].revents != 0 && read(screen->signals, &info, sizeof(info)) == sizeof(info))
        return info.ssi_signo == SIGWINCH ? SCREEN_RESIZE : SCREEN_END;
    return fds[0].revents != 0 ? screen_read_key(ret_key) : SCREEN_TIME;
}
