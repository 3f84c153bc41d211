/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/output.h"

#include "common/base/line.h"
#include "common/cli/charset.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* To have colours on a pipe, or none on a terminal, use the option, or the variables of systemd's
 * programs. NO_COLOR is https://no-color.org. */
static gboolean
output_color(const Cli *cli)
{
    const char *when = cli->values[OPTION_COLOR];
    const char *systemd = g_getenv("SYSTEMD_COLORS"), *no_color = g_getenv("NO_COLOR");
    static const char *const no[] = {"0", "no", "n", "false", "f", "off", NULL};

    if (when != NULL && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    if (systemd != NULL && *systemd != '\0')
        return !g_strv_contains(no, systemd);
    if ((no_color != NULL && *no_color != '\0') || g_strcmp0(g_getenv("TERM"), "dumb") == 0)
        return FALSE;
    return isatty(STDOUT_FILENO) == 1;
}

/* The width of the terminal. 0: there is none, or it does not say. */
static guint
output_width(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The length of the "%s" or "%1$s" that TEXT begins with; 0: it begins with neither. */
static gsize
output_directive(const char *text)
{
    if (text[0] != '%')
        return 0;
    if (text[1] == 's')
        return strlen("%s");
    return g_ascii_isdigit(text[1]) && text[2] == '$' && text[3] == 's' ? strlen("%1$s") : 0;
}

char *
output_fill(const char *format, const char *value)
{
    GString *text = g_string_new(NULL);

    while (*format != '\0') {
        gsize length = output_directive(format);

        if (length > 0)
            g_string_append(text, value);
        else
            g_string_append_c(text, *format);
        format += MAX(length, 1);
    }
    return g_string_free(text, FALSE);
}

TableStyle
output_style(const Cli *cli)
{
    return (TableStyle){
        .color = output_color(cli),
        .untitled = cli->given[OPTION_NO_LEGEND],
        .width = cli->given[OPTION_FULL] ? 0 : output_width(STDOUT_FILENO),
        .ellipsis = charset_ellipsis(),
    };
}

void
output_text(const Cli *cli, const char *text)
{
    const TableStyle style = output_style(cli);
    g_autofree char *folded = line_fold(text, style.width);

    (void)printf("%s%s", folded, g_str_has_suffix(folded, "\n") ? "" : "\n");
}

void
output_note(const char *text)
{
    g_autofree char *folded = line_fold(text, output_width(STDERR_FILENO));

    (void)fflush(stdout);
    (void)fprintf(stderr, "%s\n", folded);
}

void
output_textf(const Cli *cli, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    output_text(cli, text);
}

void
output_table(const Cli *cli, const Table *table, const char *empty)
{
    const TableStyle style = output_style(cli);
    g_autofree char *text = NULL;

    if (table_rows(table) == 0) {
        if (!style.untitled)
            output_text(cli, empty);
        return;
    }
    text = table_format(table, &style);
    (void)fputs(text, stdout);
}

void
output_add_row(Table *table, const char *label, const char *text)
{
    if (*text == '\0')
        return;
    table_addf(table, *label != '\0' ? "%s:" : "%s", label);
    table_add(table, text);
}

void
output_rows(const Cli *cli, const Table *table)
{
    TableStyle style = output_style(cli);
    g_autofree char *text = NULL;

    style.untitled = TRUE;
    style.width = 0;
    text = table_format(table, &style);
    (void)fputs(text, stdout);
}

TablePaint
output_paint(const char *state)
{
    static const char *const good[] = {"connected", "open", "accept", NULL};
    static const char *const over[] = {"closed", "disconnected", NULL};
    static const char *const bad[] = {"refused", "rejected",     "timed-out",
                                      "offline", "unauthorized", NULL};

    if (g_strv_contains(good, state))
        return TABLE_GOOD;
    if (g_strv_contains(over, state))
        return TABLE_OVER;
    return g_strv_contains(bad, state) ? TABLE_BAD : TABLE_WAITS;
}

char *
output_painted(const TableStyle *style, TablePaint paint, const char *text)
{
    const char *on = style->color ? table_paint_sequence(paint) : NULL;

    return on != NULL ? g_strconcat(on, text, TABLE_PAINT_OFF, NULL) : g_strdup(text);
}

void
output_add_state(Table *table, const char *state, const char *text)
{
    table_add(table, text);
    table_paint(table, output_paint(state));
}

char *
output_age(guint64 time)
{
    gint64 seconds = (g_get_real_time() - (gint64)time) / G_USEC_PER_SEC;

    if (time == 0)
        return g_strdup("");
    if (seconds < 60)
        return g_strdup_printf(_("%d s"), (int)MAX(seconds, 0));
    if (seconds < 3600)
        return g_strdup_printf(_("%d min"), (int)(seconds / 60));
    if (seconds < 48 * 3600)
        return g_strdup_printf(_("%d h"), (int)(seconds / 3600));
    return g_strdup_printf(_("%d days"), (int)(seconds / 86400));
}

char *
output_size(guint64 bytes)
{
    return g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
}

/* "12.3M": four characters and a unit at most. */
static char *
output_size_brief(guint64 bytes)
{
    static const char units[] = "BKMGTPE";
    double size = (double)bytes;
    guint unit = 0;

    while (size >= 999.5 && units[unit + 1] != '\0') {
        size /= 1024;
        unit++;
    }
    return g_strdup_printf("%.*f%c", unit > 0 && size < 99.95 ? 1 : 0, size, units[unit]);
}

static char *
output_age_brief(guint64 time)
{
    gint64 seconds = MAX((g_get_real_time() - (gint64)time) / G_USEC_PER_SEC, 0);

    if (time == 0)
        return g_strdup("");
    if (seconds < 60)
        return g_strdup_printf("%ds", (int)seconds);
    if (seconds < 3600)
        return g_strdup_printf("%dm", (int)(seconds / 60));
    if (seconds < 48 * 3600)
        return g_strdup_printf("%dh", (int)(seconds / 3600));
    return g_strdup_printf("%dd", (int)(seconds / 86400));
}

void
output_add_size(Table *table, guint64 bytes)
{
    g_autofree char *text = output_size(bytes), *brief = output_size_brief(bytes);

    table_add_brief(table, text, brief);
}

void
output_add_age(Table *table, guint64 time)
{
    g_autofree char *text = output_age(time), *brief = output_age_brief(time);

    table_add_brief(table, text, brief);
}

/* The stream may have failed long before this check; errno then says nothing any more. */
static gboolean
output_reader_has_gone(void)
{
    struct pollfd reader = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0;
}

/* REASON: an errno, or 0 when it is no longer known. */
static gboolean
output_fail(int reason, GError **error)
{
    if (reason == EPIPE || output_reader_has_gone())
        exit(128 + SIGPIPE);
    if (reason != 0)
        cli_fail(error, EXIT_CODE_OTHER, _("cannot write to standard output: %s"),
                 g_strerror(reason));
    else
        cli_fail(error, EXIT_CODE_OTHER, _("cannot write to standard output"));
    return FALSE;
}

gboolean
output_flush(GError **error)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return TRUE;
    return output_fail(errno, error);
}

gboolean
output_write(const char *text, GError **error)
{
    gsize left = strlen(text);

    if (!output_flush(error))
        return FALSE;
    while (left > 0) {
        ssize_t done = write(STDOUT_FILENO, text, left);

        if (done < 0 && errno != EINTR)
            return output_fail(errno, error);
        text += MAX(done, 0);
        left -= (gsize)MAX(done, 0);
    }
    return TRUE;
}
