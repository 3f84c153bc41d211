/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/log-heads.h"

#include "common/base/error.h"
#include "common/log/events.h"
#include "hub/log/record.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

struct LogHeads {
    GHashTable *wanted; /* hash: when it was told, µs; 0: somebody has given it */
    guint count;
};

LogHeads *
log_heads_new(void)
{
    LogHeads *heads = g_new0(LogHeads, 1);

    heads->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return heads;
}

void
log_heads_free(LogHeads *heads)
{
    if (!heads)
        return;
    g_hash_table_unref(heads->wanted);
    g_free(heads);
}

static void
add(LogHeads *heads, const char *hash, gint64 time)
{
    heads->count += g_hash_table_contains(heads->wanted, hash) ? 0 : 1;
    g_hash_table_replace(heads->wanted, g_strdup(hash), g_memdup2(&time, sizeof time));
}

void
log_heads_add(LogHeads *heads, const char *hash)
{
    add(heads, hash, 0);
}

static void
journal_close(sd_journal **journal)
{
    sd_journal_close(*journal);
}

typedef sd_journal *Journal;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Journal, journal_close)

static gboolean
fail(int number, GError **error)
{
    g_set_error(error, STREAMD_ERROR,
                number == -EACCES || number == -EPERM ? STREAMD_ERROR_DENIED : STREAMD_ERROR_FAILED,
                _("the journal cannot be read: %s"), g_strerror(-number));
    return FALSE;
}

/* Anybody may write to the journal what they like; who wrote it the journal itself says. */
static int
match(sd_journal *journal, uid_t user)
{
    g_autofree char *id =
        g_strconcat(EVENT_ID_FIELD "=", event_message_id(EVENT_RECORDS_HEAD), NULL);
    g_autofree char *uid = g_strdup_printf("_UID=%u", user);
    int r = sd_journal_add_match(journal, id, 0);

    return r < 0 ? r : sd_journal_add_match(journal, uid, 0);
}

static void
take(LogHeads *heads, sd_journal *journal)
{
    static const char field[] = "STREAMD_HASH=";
    const void *data = NULL;
    const char *hash;
    g_autofree char *copy = NULL;
    size_t len = 0;
    uint64_t time = 0;

    if (sd_journal_get_data(journal, "STREAMD_HASH", &data, &len) < 0 ||
        sd_journal_get_realtime_usec(journal, &time) < 0 || len < sizeof field - 1)
        return;
    hash = (const char *)data + sizeof field - 1;
    len -= sizeof field - 1;
    if (!log_hash_is_valid(hash, len))
        return;
    copy = g_strndup(hash, len);
    add(heads, copy, (gint64)time);
}

gboolean
log_heads_add_journal(LogHeads *heads, const char *folder, const char *directory, GError **error)
{
    g_auto(Journal) journal = NULL;
    struct stat about = {0};
    int r = directory ? sd_journal_open_directory(&journal, directory, 0)
                      : sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY);

    if (stat(folder, &about) < 0)
        return fail(-errno, error);
    if (r >= 0)
        r = match(journal, about.st_uid);
    if (r >= 0)
        r = sd_journal_seek_tail(journal);
    for (guint i = 0; r >= 0 && i < LOG_HEADS_MAX; i++) {
        r = sd_journal_previous(journal);
        if (r <= 0)
            break;
        take(heads, journal);
    }
    return r >= 0 || fail(r, error);
}

void
log_heads_see(LogHeads *heads, const char *hash)
{
    if (g_hash_table_size(heads->wanted) > 0)
        (void)g_hash_table_remove(heads->wanted, hash);
}

static gboolean
is_before(gpointer key G_GNUC_UNUSED, gpointer value, gpointer data)
{
    gint64 told = *(const gint64 *)value;

    return told != 0 && told < *(const gint64 *)data;
}

void
log_heads_begin(LogHeads *heads, gint64 time)
{
    heads->count -= g_hash_table_foreach_remove(heads->wanted, is_before, &time);
}

guint
log_heads_count(const LogHeads *heads)
{
    return heads->count;
}

void
log_heads_missing(LogHeads *heads, void (*func)(const char *hash, void *data), void *data)
{
    GHashTableIter iter;
    gpointer hash;

    g_hash_table_iter_init(&iter, heads->wanted);
    while (g_hash_table_iter_next(&iter, &hash, NULL))
        func(hash, data);
}
