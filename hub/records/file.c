/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/file.h"

#include "common/base/error.h"
#include "hub/base/private-file.h"
#include "hub/records/chain.h"
#include "hub/records/folder.h"
#include "hub/records/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct RecordsFile {
    char *folder;
    char *version;
    guint64 size_max;
    guint files;
    int lock;             /* -1: not locked */
    int fd;               /* -1: not open */
    struct stat identity; /* of `fd` */
    gboolean begun;       /* the chain of this start is */
    gboolean unsure;      /* a sync has failed: what it was to save may be lost */
    guint64 number;       /* of the file before */
    guint64 size;         /* bytes in the file, without those of `pending` */
    GString *pending;     /* lines */
    gsize written;        /* of these: in the file already, when they could not be cut off */
    gboolean link_waits;  /* the first of them is what links it to what was before */
    Chain flushed;        /* before `pending` */
    Chain chain;
    guint64 count;
    Chain told; /* the head to be told */
    guint64 told_number;
};

RecordsFile *
records_file_new(const char *folder, const char *version)
{
    RecordsFile *file = g_new0(RecordsFile, 1);

    file->folder = g_strdup(folder);
    file->version = g_strdup(version);
    file->size_max = G_MAXUINT64;
    file->files = 1;
    file->lock = -1;
    file->fd = -1;
    file->pending = g_string_new(NULL);
    return file;
}

void
records_file_set_limits(RecordsFile *file, guint64 size, guint files)
{
    file->size_max = size;
    file->files = files;
}

void
records_file_free(RecordsFile *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    if (file->lock >= 0)
        close(file->lock);
    g_string_free(file->pending, TRUE);
    g_free(file->folder);
    g_free(file->version);
    g_free(file);
}

static gboolean
file_fail(const RecordsFile *file, int number, GError **error)
{
    g_autofree char *path = records_folder_current(file->folder);

    return file_error_set(path, number, error);
}

static void
file_add_text(RecordsFile *file, char *record)
{
    records_file_add(file, record, strlen(record));
    g_free(record);
}

static guint
lines_in(const GString *text)
{
    guint count = 0;

    for (gsize i = 1; i < text->len; i++) /* the newline of a line that was cut off is the first */
        count += text->str[i] == '\n' ? 1 : 0;
    return count;
}

/* LINK comes next in the file, after a NEWLINE where the last line has none. What waits follows
 * from it, without the link that was to be there. */
static void
file_link(RecordsFile *file, gboolean newline, char *link)
{
    GString *old = file->pending;
    const char *line = old->str, *end;

    file->count -= lines_in(old);
    if (file->told_number > file->count)
        file->told_number = 0;
    file->pending = g_string_new(newline ? "\n" : NULL);
    file->written = 0;
    file->chain = file->flushed;
    file_add_text(file, link);
    line += *line == '\n' ? 1 : 0;
    if (file->link_waits)
        line = strchr(line, '\n') + 1;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
        records_file_add(file, line, (gsize)(end + 1 - line) - CHAIN_TAIL);
    file->link_waits = TRUE;
    g_string_free(old, TRUE);
}

/* The first record of this start. A line that was cut off stays and is marked; a start that was cut
 * off behind one says nothing, and goes. Where the file has no record yet, the start says which
 * file was before it, as no other start does: whoever cuts off what was before one is found by
 * that. */
static gboolean
file_begin(RecordsFile *file, GError **error)
{
    ChainTail tail;
    guint64 first, last;
    gboolean anew;

    if (!tail_read(file->fd, &tail, &file->size) || !tail_read_number(file->fd, &first))
        return file_fail(file, errno, error);
    if (!records_folder_last(file->folder, &last, error))
        return FALSE;
    file->number = MAX(first, last);
    anew = strcmp(tail.chain.head, CHAIN_NONE) == 0 && file->number > 0;
    if (anew) {
        g_autofree char *path = records_folder_numbered(file->folder, file->number);

        if (!tail_read_path(path, &tail.chain, error))
            return FALSE;
    }
    if (tail.surplus > 0) {
        if (ftruncate(file->fd, (off_t)(file->size - tail.surplus)) < 0)
            return file_fail(file, errno, error);
        file->size -= tail.surplus;
        tail.open = FALSE;
    }
    file->flushed = tail.chain;
    file_link(file, tail.open,
              record_start(g_get_real_time(), file->version, tail.chain.head, tail.torn,
                           anew ? file->number : 0));
    file->begun = TRUE;
    return TRUE;
}

/* Another file than before, in the middle of the chain: after a rotation, or because somebody took
 * the one before away. That one has the next number then, under which it is missed. */
static gboolean
file_follow(RecordsFile *file, GError **error)
{
    ChainTail tail;
    guint64 last;

    if (!tail_read(file->fd, &tail, &file->size))
        return file_fail(file, errno, error);
    if (!records_folder_last(file->folder, &last, error))
        return FALSE;
    if (last > file->number)
        file->number = last;
    else if (file->size == 0)
        file->number++;
    file_link(file, tail.open, record_file(g_get_real_time(), file->flushed.head, file->number));
    return TRUE;
}

static gboolean
is_at(const char *path, const struct stat *identity)
{
    struct stat info;

    if (lstat(path, &info) < 0)
        return errno != ENOENT && errno != ENOTDIR;
    return info.st_dev == identity->st_dev && info.st_ino == identity->st_ino;
}

gboolean
records_file_lock(RecordsFile *file, GError **error)
{
    g_autofree char *path = g_build_filename(file->folder, RECORDS_LOCK, NULL);
    struct stat info;
    int fd;

    if (file->lock >= 0 && fstat(file->lock, &info) == 0 && is_at(path, &info))
        return TRUE;
    if (!private_folder_make(file->folder, error))
        return FALSE;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return file_error_set(path, errno, error);
    /* A file system without locks has none. */
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        close(fd);
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS,
                    "%s: another streamhub keeps its records there", file->folder);
        return FALSE;
    }
    if (file->lock >= 0)
        close(file->lock);
    file->lock = fd;
    return TRUE;
}

static gboolean
file_open(RecordsFile *file, GError **error)
{
    g_autofree char *path = records_folder_current(file->folder);
    int fd, number;

    fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return file_error_set(path, errno, error);
    number = fstat(fd, &file->identity) < 0 ? errno : S_ISREG(file->identity.st_mode) ? 0 : EINVAL;
    if (number != 0) {
        close(fd);
        return file_error_set(path, number, error);
    }
    file->fd = fd;
    return TRUE;
}

static void
file_close(RecordsFile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    file->size = 0;
}

/* So that a name that is in the folder is still there after a loss of power. */
static gboolean
folder_sync(const RecordsFile *file, GError **error)
{
    int fd = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int number = fd < 0 || fsync(fd) < 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    return number == 0 || file_error_set(file->folder, number, error);
}

gboolean
records_file_open(RecordsFile *file, GError **error)
{
    g_autofree char *path = records_folder_current(file->folder);
    gboolean fresh; /* nothing of this start is in a file */

    if (file->fd >= 0 && is_at(path, &file->identity))
        return TRUE;
    if (file->fd >= 0)
        (void)records_file_sync(file, NULL); /* what that says is kept in `unsure` */
    file_close(file);
    if (!records_file_lock(file, error) || !file_open(file, error))
        return FALSE;
    fresh = !file->begun || (file->link_waits && file->count == lines_in(file->pending));
    if (folder_sync(file, error) && (fresh ? file_begin(file, error) : file_follow(file, error)))
        return TRUE;
    file_close(file);
    return FALSE;
}

void
records_file_add(RecordsFile *file, const char *record, gsize len)
{
    chain_append(&file->chain, file->pending, record, len);
    file->count++;
    if (file->count % RECORDS_HEAD_EVERY == 0) {
        file->told = file->chain;
        file->told_number = file->count;
    }
}

gsize
records_file_pending(const RecordsFile *file)
{
    return file->pending->len;
}

guint
records_file_waiting(const RecordsFile *file)
{
    return lines_in(file->pending);
}

gboolean
records_file_is_full(const RecordsFile *file)
{
    return file->size + file->pending->len >= file->size_max;
}

/* Whole lines that are in the file stay there; what else came of one is cut off. Where the disk
 * does not even do that, the next write goes on in the middle of the line. */
static gboolean
file_cut(RecordsFile *file, int number, GError **error)
{
    const char *newline = memrchr(file->pending->str, '\n', file->written);
    gsize whole = newline ? (gsize)(newline - file->pending->str) + 1 : 0;

    if (ftruncate(file->fd, (off_t)(file->size + whole)) == 0) {
        const Chain chain = chain_tail(file->pending->str, whole).chain;

        if (strcmp(chain.head, CHAIN_NONE) != 0) {
            file->flushed = chain;
            file->link_waits = FALSE;
        }
        file->size += whole;
        g_string_erase(file->pending, 0, (gssize)whole);
        file->written = 0;
    }
    return file_fail(file, number, error);
}

static gboolean
file_flush(RecordsFile *file, GError **error)
{
    GString *pending = file->pending;

    while (file->written < pending->len) {
        ssize_t done = write(file->fd, pending->str + file->written, pending->len - file->written);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return file_cut(file, done < 0 ? errno : ENOSPC, error);
        file->written += (gsize)done;
    }
    file->size += pending->len;
    file->written = 0;
    file->link_waits = FALSE;
    file->flushed = file->chain;
    g_string_truncate(pending, 0);
    return TRUE;
}

gboolean
records_file_sync(RecordsFile *file, GError **error)
{
    if (file->fd < 0 || fdatasync(file->fd) == 0)
        return TRUE;
    file->unsure = TRUE;
    file->told_number = 0;
    return file_fail(file, errno, error);
}

gboolean
records_file_take_unsure(RecordsFile *file)
{
    gboolean unsure = file->unsure;

    file->unsure = FALSE;
    return unsure;
}

gboolean
records_file_rotate(RecordsFile *file, GError **error)
{
    g_autofree char *path = records_folder_current(file->folder);
    g_autofree char *numbered = records_folder_numbered(file->folder, file->number + 1);

    if (g_rename(path, numbered) < 0)
        return file_error_set(path, errno, error);
    file_close(file);
    records_folder_trim(file->folder, file->files);
    return TRUE;
}

gboolean
records_file_write(RecordsFile *file, GError **error)
{
    return records_file_open(file, error) && file_flush(file, error);
}

guint64
records_file_count(const RecordsFile *file)
{
    return file->count;
}

const char *
records_file_head(const RecordsFile *file)
{
    return file->chain.head;
}

gboolean
records_file_has_head(const RecordsFile *file)
{
    return file->told_number > 0;
}

gboolean
records_file_take_head(RecordsFile *file, guint64 *ret_number, const char **ret_hash)
{
    if (file->told_number == 0)
        return FALSE;
    *ret_number = file->told_number;
    *ret_hash = file->told.head;
    file->told_number = 0;
    return TRUE;
}
