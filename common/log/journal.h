/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journal: where the programs' log goes. It is installed as GLib's log writer, so that events
 * (events.h) and plain messages take the same way:
 *
 * - to systemd's journal, one structured record each, over its native protocol
 *   (https://systemd.io/JOURNAL_NATIVE_PROTOCOL), when standard error is the journal's;
 * - else as one line of text on standard error.
 *
 * It never blocks: what journald or a full pipe does not take is dropped, counted, and told once
 * there is room again. It bounds the rate (log/rate.h), and escapes plain messages; events are
 * escaped already. Any thread, once it is installed. */
#pragma once

#include <glib.h>
#include <syslog.h>

typedef struct Journal Journal;

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_MESSAGE_MAX 1024 /* bytes of a message; a line is shorter than PIPE_BUF */

/* TEXT_FD: borrowed. SOCKET_PATH: of journald; NULL: text. */
Journal *journal_new(const char *identifier, int text_fd, const char *socket_path);
void journal_free(Journal *journal); /* tells what was left out. NULL is fine. */

/* Makes this the log of the process. This is final: GLib lets the writer be set only once. The
 * environment selects text or journal ($JOURNAL_STREAM). Informational messages and more urgent
 * ones are written, and debug messages too if $G_MESSAGES_DEBUG is not empty. Main thread, before
 * other threads exist. */
Journal *journal_install(const char *identifier);

/* Writes how many records were dropped, at the end. */
void journal_flush(Journal *journal);

/* The least urgent level that is written: LOG_EMERG to LOG_DEBUG of syslog. */
void journal_set_level(Journal *journal, int level);
int journal_level(const Journal *journal);
const char *journal_identifier(const Journal *journal);
const char *journal_target(const Journal *journal); /* "journal" or "console" */

/* Records that could not be written and were not reported yet. */
guint64 journal_dropped(Journal *journal);

GLogWriterOutput
journal_write(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer journal);

/* "debug", "info", ...: names of systemd's log levels; -1: no such level. */
const char *journal_level_name(int level);
int journal_level_from_name(const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Journal, journal_free)
