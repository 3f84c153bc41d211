/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/secret-input.h"

#include "client/cli/other-file.h"
#include "common/cli/cli.h"
#include "common/base/file.h"
#include "common/cli/output.h"
#include "common/codec/invitation.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX INVITATION_MAX /* the most that streamd accepts */

const SecretKind secret_connection_string = {
    .name = N_("connection string"),
    .prompt = N_("Connection string (not shown): "),
    .option = "--connection-string-file",
};

const SecretKind secret_access_key = {
    .name = N_("shared access key"),
    .prompt = N_("Shared access key (not shown): "),
    .option = "--shared-access-key-file",
};

const SecretKind secret_proxy_credentials = {
    .name = N_("proxy's credentials"),
    .prompt = N_("USER:PASSWORD for the proxy (not shown): "),
    .option = "--proxy-credentials-file",
};

static int
secret_input_fail(GError **error, ExitCode code, const char *format, const char *file)
{
    g_autofree char *reason = g_strdup(g_strerror(errno));
    g_autofree char *text = output_fill(format, file);

    g_set_error(error, EXIT_ERROR, (int)code, errno != 0 ? "%s: %s" : "%s", text, reason);
    return -1;
}

/* Waits for a line, or for a signal to stop. FALSE: a signal. */
static gboolean
secret_input_wait(int signals)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = signals, .events = POLLIN}};

    while (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
        if (errno != EINTR)
            return FALSE;
    return fds[1].revents == 0;
}

/* Signals are blocked meanwhile, so that the echo of the terminal is always restored. */
static ssize_t
secret_input_prompt(const SecretKind *kind, char *text, gsize size)
{
    struct termios saved, quiet;
    sigset_t set, before;
    ssize_t length = -1;
    int signals;

    if (tcgetattr(STDIN_FILENO, &saved) < 0)
        return -1;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, &before);
    signals = signalfd(-1, &set, SFD_CLOEXEC);
    quiet = saved;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    (void)fputs(_(kind->prompt), stderr);
    if (signals >= 0 && tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0) {
        if (secret_input_wait(signals))
            length = read(STDIN_FILENO, text, size);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
    }
    (void)fputc('\n', stderr);
    if (signals >= 0)
        (void)close(signals);
    (void)sigprocmask(SIG_SETMASK, &before, NULL); /* a signal that waited takes effect now */
    return length;
}

static ssize_t
secret_input_read(int fd, char *text, gsize size)
{
    gsize length = 0;

    while (length < size) {
        ssize_t n = read(fd, text + length, size - length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        length += (gsize)n;
    }
    return (ssize_t)length;
}

/* Opens FILE. It may be a descriptor that the shell opened for us, as in <(pass show hub): this is
 * like standard input, for which the user waits. Any other name must be that of a file. */
static int
secret_input_open_file(const char *file, GError **error)
{
    guint64 number = STDIN_FILENO;
    int fd;

    if (strcmp(file, "/dev/stdin") != 0 &&
        (!g_str_has_prefix(file, "/dev/fd/") ||
         !g_ascii_string_to_unsigned(file + strlen("/dev/fd/"), 10, 0, G_MAXINT, &number, NULL)))
        return file_open(file, error);
    fd = fcntl((int)number, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_BADF, g_strerror(errno));
    return fd;
}

static ssize_t
secret_input_read_file(const char *file, char *text, gsize size, GError **error)
{
    g_autoptr(GError) failure = NULL;
    struct stat status;
    ssize_t length;
    int fd = secret_input_open_file(file, &failure);

    if (fd < 0) {
        (void)cli_fail(error, EXIT_CODE_USAGE, _("cannot read '%s': %s"), file, failure->message);
        return -1;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 077) != 0)
        (void)fprintf(stderr, _("streamctl: warning: %s can be read by others; chmod 600 it\n"),
                      file);
    length = secret_input_read(fd, text, size);
    if (length < 0)
        (void)secret_input_fail(error, EXIT_CODE_USAGE, _("cannot read '%s'"), file);
    (void)close(fd);
    return length;
}

static ssize_t
secret_input_get(const SecretKind *kind, const char *file, char *text, gsize size, GError **error)
{
    ssize_t length;

    if (file != NULL && strcmp(file, "-") != 0)
        return secret_input_read_file(file, text, size, error);
    if (file == NULL && !isatty(STDIN_FILENO)) {
        errno = 0;
        return secret_input_fail(error, EXIT_CODE_USAGE,
                                 _("no terminal to ask for it: give %s FILE, or - for standard "
                                   "input"),
                                 kind->option);
    }
    errno = 0;
    length = file == NULL ? secret_input_prompt(kind, text, size)
                          : secret_input_read(STDIN_FILENO, text, size);
    if (length < 0)
        return secret_input_fail(error, EXIT_CODE_USAGE, _("cannot read %s"), _("standard input"));
    return length;
}

/* Memory that lives as long as its descriptor: nothing of it gets to a disk. */
static int
secret_input_memfd(const SecretKind *kind, const char *text, gsize length, GError **error)
{
    int fd = memfd_create("streamctl", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, text, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    (void)secret_input_fail(error, EXIT_CODE_OTHER, _("cannot pass the %s"), _(kind->name));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* NULL: it may be what is asked for. */
static const char *
secret_input_other(const SecretKind *kind, const char *text, ssize_t length)
{
    return kind == &secret_connection_string && length > 0 ? other_file_name(text, (gsize)length)
                                                           : NULL;
}

int
secret_input_open(const SecretKind *kind, const char *file, GError **error)
{
    char text[SECRET_MAX + 1];
    ssize_t length = secret_input_get(kind, file, text, sizeof(text), error);
    const char *other = secret_input_other(kind, text, length);
    int fd = -1;

    errno = 0;
    if (other != NULL)
        (void)cli_fail(error, EXIT_CODE_USAGE,
                       _("what was given is %s, not an invitation or a connection string"), other);
    else if (length >= (ssize_t)sizeof(text))
        (void)secret_input_fail(error, EXIT_CODE_USAGE, _("the %s is too long"), _(kind->name));
    else if (length == 0)
        (void)secret_input_fail(error, EXIT_CODE_USAGE, _("the %s is empty"), _(kind->name));
    else if (length > 0)
        fd = secret_input_memfd(kind, text, (gsize)length, error);
    explicit_bzero(text, sizeof(text));
    return fd;
}
