/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log/journal.h"

#include "common/base/escape.h"
#include "common/log/events.h"
#include "common/log/rate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX "STREAMD_"

struct Journal {
    char *identifier;
    int text_fd; /* standard error, or our own open description of the same pipe or terminal */
    gboolean own_fd;
    char *socket_path; /* NULL: text */
    int socket_fd;     /* connected to journald; -1: text */
    atomic_int level;
    GLogLevelFlags fatal; /* what G_DEBUG asks for */
    pthread_mutex_t lock;
    LogRate rate;
    guint64 dropped;
};

static const char *const level_names[] = {"emerg",   "alert",  "crit", "err",
                                          "warning", "notice", "info", "debug"};

const char *
journal_level_name(int level)
{
    return level_names[level];
}

int
journal_level_from_name(const char *name)
{
    for (int i = 0; i < (int)G_N_ELEMENTS(level_names); i++)
        if (strcmp(level_names[i], name) == 0)
            return i;
    return -1;
}

/* Standard error is shared with the process that started us. Making it non-blocking would change it
 * there too. */
static void
journal_open_text(Journal *journal, int fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    struct stat status;

    journal->text_fd = fd;
    if (fstat(fd, &status) < 0 || !(S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
        return;
    fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    journal->text_fd = fd;
    journal->own_fd = TRUE;
}

static void
journal_open_socket(Journal *journal)
{
    const char *path = journal->socket_path;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    journal->socket_fd = -1;
    if (!path || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path) + 1);
    journal->socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (journal->socket_fd < 0)
        return;
    if (connect(journal->socket_fd, (struct sockaddr *)&address, sizeof address) == 0)
        return;
    close(journal->socket_fd);
    journal->socket_fd = -1;
}

Journal *
journal_new(const char *identifier, int text_fd, const char *socket_path)
{
    Journal *journal = g_new0(Journal, 1);

    journal->identifier = g_strdup(identifier);
    journal->socket_path = g_strdup(socket_path);
    journal_open_text(journal, text_fd);
    journal_open_socket(journal);
    atomic_init(&journal->level, LOG_INFO);
    (void)pthread_mutex_init(&journal->lock, NULL);
    return journal;
}

/* One system call that does not wait. A short write on a pipe cannot happen: a line is shorter than
 * PIPE_BUF. */
static gboolean
journal_send_text(Journal *journal, const GString *line)
{
    struct pollfd room = {.fd = journal->text_fd, .events = POLLOUT};
    ssize_t count = send(journal->text_fd, line->str, line->len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (count < 0 && errno == ENOTSOCK &&
        (journal->own_fd || (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT))))
        count = write(journal->text_fd, line->str, line->len);
    return count >= 0;
}

/* journald was restarted: its socket is a new one under the same name. */
static gboolean
journal_send_record(Journal *journal, const GString *record)
{
    ssize_t count = send(journal->socket_fd, record->str, record->len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (count < 0 && (errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET)) {
        close(journal->socket_fd);
        journal_open_socket(journal);
        count = journal->socket_fd < 0 ? -1
                                       : send(journal->socket_fd, record->str, record->len,
                                              MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    return count >= 0;
}

static const GLogField *
field_find(const GLogField *fields, gsize n_fields, const char *name)
{
    for (gsize i = 0; i < n_fields; i++)
        if (strcmp(fields[i].key, name) == 0)
            return &fields[i];
    return NULL;
}

static gsize
field_len(const GLogField *field)
{
    return field->length < 0 ? strlen(field->value) : (gsize)field->length;
}

/* Values contain no line ends, so the simple form of the protocol is enough: NAME=value. */
static GString *
format_record(const Journal *journal, int level, const char *message, const GLogField *fields,
              gsize n_fields)
{
    GString *record = g_string_new(NULL);

    g_string_printf(record, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n", level,
                    journal->identifier, message);
    for (gsize i = 0; i < n_fields; i++) {
        if (!g_str_has_prefix(fields[i].key, PREFIX) && strcmp(fields[i].key, EVENT_ID_FIELD) != 0)
            continue;
        g_string_append_printf(record, "%s=", fields[i].key);
        g_string_append_len(record, fields[i].value, (gssize)field_len(&fields[i]));
        g_string_append_c(record, '\n');
    }
    return record;
}

static gboolean
journal_put(Journal *journal, int level, const char *message, const GLogField *fields,
            gsize n_fields)
{
    g_autoptr(GString) out = NULL;

    if (journal->socket_fd >= 0) {
        out = format_record(journal, level, message, fields, n_fields);
        return journal_send_record(journal, out);
    }
    out = g_string_new(NULL);
    g_string_printf(out, "%s: %s%s\n", journal->identifier,
                    level <= LOG_ERR       ? "error: "
                    : level == LOG_WARNING ? "warning: "
                                           : "",
                    message);
    return journal_send_text(journal, out);
}

static gboolean
journal_put_left_out(Journal *journal, guint64 count, const char *of, const char *why)
{
    g_autofree char *number = g_strdup_printf("%" PRIu64, (uint64_t)count);
    g_autofree char *message = g_strdup_printf("%s %srecords were left out: %s", number, of, why);
    const GLogField fields[] = {
        {EVENT_ID_FIELD, event_message_id(EVENT_RECORDS_LEFT_OUT), -1},
        {PREFIX "DETAIL", message, -1},
    };

    return journal_put(journal, LOG_WARNING, message, fields, G_N_ELEMENTS(fields));
}

/* Writes counts of records left out earlier, before the next record. */
static void
journal_put_owed(Journal *journal, gint64 now, gboolean all)
{
    LogLeftOut left;

    if (journal->dropped > 0 &&
        journal_put_left_out(journal, journal->dropped, "", "the log did not take them"))
        journal->dropped = 0;
    while (log_rate_take(&journal->rate, now, all, &left)) {
        g_autofree char *of = g_strdup_printf(*left.subject ? "%s (%s) " : "%s ",
                                              log_class_name(left.kind), left.subject);

        if (!journal_put_left_out(journal, left.count, of, "there were too many in a second"))
            journal->dropped += left.count;
    }
}

void
journal_flush(Journal *journal)
{
    (void)pthread_mutex_lock(&journal->lock);
    journal_put_owed(journal, g_get_monotonic_time(), TRUE);
    (void)pthread_mutex_unlock(&journal->lock);
}

void
journal_free(Journal *journal)
{
    if (!journal)
        return;
    journal_flush(journal);
    if (journal->socket_fd >= 0)
        close(journal->socket_fd);
    if (journal->own_fd)
        close(journal->text_fd);
    (void)pthread_mutex_destroy(&journal->lock);
    g_free(journal->socket_path);
    g_free(journal->identifier);
    g_free(journal);
}

static int
level_of(GLogLevelFlags flags, const GLogField *priority)
{
    if (priority && field_len(priority) == 1 && g_ascii_isdigit(*(const char *)priority->value))
        return MIN(*(const char *)priority->value - '0', LOG_DEBUG);
    if (flags & G_LOG_LEVEL_ERROR)
        return LOG_ERR;
    if (flags & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING))
        return LOG_WARNING;
    if (flags & G_LOG_LEVEL_MESSAGE)
        return LOG_NOTICE;
    return flags & G_LOG_LEVEL_INFO ? LOG_INFO : LOG_DEBUG;
}

/* The text of an event is made of escaped values; any other message may contain anything. */
static char *
message_of(const GLogField *fields, gsize n_fields)
{
    const GLogField *message = field_find(fields, n_fields, "MESSAGE");
    GString *text = g_string_new(NULL);

    if (!message)
        return g_string_free(text, FALSE);
    if (field_find(fields, n_fields, EVENT_ID_FIELD))
        g_string_append_len(text, message->value, (gssize)field_len(message));
    else
        escape_append(text, message->value, message->length, JOURNAL_MESSAGE_MAX);
    return g_string_free(text, FALSE);
}

/* The subject of a record: the values of the fields that its class names; for an address, its
 * source. They are escaped and bounded. NULL: it has none. */
static char *
subject_of(LogClass kind, const GLogField *fields, gsize n_fields)
{
    g_auto(GStrv) names = g_strsplit(log_class_subject(kind), " ", -1);
    g_autoptr(GString) subject = g_string_new(NULL);

    for (char **name = names; *name; name++) {
        g_autofree char *key = g_strconcat(PREFIX, *name, NULL);
        const GLogField *field = field_find(fields, n_fields, key);
        g_autofree char *source = NULL;

        if (!field)
            continue;
        if (strcmp(*name, "PEER") == 0)
            source = log_source(field->value, field_len(field));
        if (subject->len > 0)
            g_string_append_c(subject, ' ');
        g_string_append_len(subject, source ? source : field->value,
                            source ? -1 : (gssize)field_len(field));
    }
    return subject->len > 0 ? g_string_free(g_steal_pointer(&subject), FALSE) : NULL;
}

GLogWriterOutput
journal_write(GLogLevelFlags flags, const GLogField *fields, gsize n_fields, gpointer data)
{
    Journal *journal = data;
    const GLogField *group = field_find(fields, n_fields, EVENT_CLASS_FIELD);
    LogClass of = group ? log_class_from_name(group->value, field_len(group)) : LOG_CLASS_TEXT;
    int level = level_of(flags, field_find(fields, n_fields, "PRIORITY"));
    g_autofree char *message = NULL, *subject = NULL;
    gint64 now;

    if (level > atomic_load(&journal->level) && !log_class_is_kept(of))
        return G_LOG_WRITER_HANDLED;
    message = message_of(fields, n_fields);
    subject = subject_of(of, fields, n_fields);
    now = g_get_monotonic_time();
    (void)pthread_mutex_lock(&journal->lock);
    journal_put_owed(journal, now, FALSE);
    if ((field_find(fields, n_fields, EVENT_BOUNDED_FIELD) ||
         log_rate_admit(&journal->rate, of, subject, now)) &&
        !journal_put(journal, level, message, fields, n_fields))
        journal->dropped++;
    (void)pthread_mutex_unlock(&journal->lock);
    if (flags & journal->fatal)
        abort(); /* GLib's own writer does the same for G_DEBUG=fatal-warnings */
    return G_LOG_WRITER_HANDLED;
}

/* $JOURNAL_STREAM is "device:inode" of the standard error that goes to the journal
 * (systemd.exec(5)). Processes whose standard error goes elsewhere inherit it too, so it is
 * compared. */
static gboolean
stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat status;
    char *end = NULL;

    if (!stream || fstat(STDERR_FILENO, &status) < 0)
        return FALSE;
    device = strtoumax(stream, &end, 10);
    if (*end != ':')
        return FALSE;
    inode = strtoumax(end + 1, &end, 10);
    return *end == '\0' && device == status.st_dev && inode == status.st_ino;
}

Journal *
journal_install(const char *identifier)
{
    Journal *journal =
        journal_new(identifier, STDERR_FILENO, stderr_is_journal() ? JOURNAL_SOCKET : NULL);
    const char *debug = g_getenv("G_MESSAGES_DEBUG");

    if (debug && *debug)
        atomic_store(&journal->level, LOG_DEBUG);
    /* GLib returns the mask only when it is set. */
    journal->fatal = g_log_set_always_fatal(G_LOG_FATAL_MASK);
    (void)g_log_set_always_fatal(journal->fatal);
    g_log_set_writer_func(journal_write, journal, NULL);
    return journal;
}

void
journal_set_level(Journal *journal, int level)
{
    atomic_store(&journal->level, level);
}

int
journal_level(const Journal *journal)
{
    return atomic_load(&journal->level);
}

const char *
journal_identifier(const Journal *journal)
{
    return journal->identifier;
}

const char *
journal_target(const Journal *journal)
{
    return journal->socket_fd >= 0 ? "journal" : "console";
}

guint64
journal_dropped(Journal *journal)
{
    guint64 dropped;

    (void)pthread_mutex_lock(&journal->lock);
    dropped = journal->dropped;
    (void)pthread_mutex_unlock(&journal->lock);
    return dropped;
}
