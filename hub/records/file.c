/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/file.h"

#include "hub/base/private-file.h"
#include "hub/records/chain.h"
#include "hub/records/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_READ 512 /* bytes; a record of a new file is shorter */
#define NUMBER_MEMBER "\"number\":"

struct RecordsFile {
    char *folder;
    char *version;
    guint64 size_max;
    guint files;
    int fd;           /* -1: not open */
    gboolean begun;   /* the chain of this start is */
    guint64 number;   /* of the file before */
    guint64 size;     /* bytes in the file, without those of `pending` */
    GString *pending; /* lines */
    gsize written;    /* of these: in the file already, when they could not be cut off */
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

/* How the file of PATH, or FD, ends; its size. */
static ChainTail
read_tail(int fd, guint64 *ret_size)
{
    g_autofree char *text = g_malloc0(CHAIN_TAIL_READ + 1);
    struct stat info = {0};
    ssize_t len;

    if (fstat(fd, &info) < 0)
        info.st_size = 0;
    *ret_size = (guint64)info.st_size;
    len = pread(fd, text, CHAIN_TAIL_READ, MAX(info.st_size - CHAIN_TAIL_READ, 0));
    return chain_tail(text, len > 0 ? (gsize)len : 0);
}

/* Where the file itself has no record: the chain goes on from the one before. */
static Chain
numbered_tail(const RecordsFile *file)
{
    g_autofree char *path = records_folder_numbered(file->folder, file->number);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ChainTail tail = {.chain = {CHAIN_NONE}};
    guint64 size;

    if (fd >= 0) {
        tail = read_tail(fd, &size);
        close(fd);
    }
    return tail.chain;
}

/* Which number the file before had, as the first record says: that file may have been moved away by
 * now. */
static guint64
told_number(int fd)
{
    char text[FIRST_READ + 1] = "";
    ssize_t len = pread(fd, text, FIRST_READ, 0);
    const char *member = NULL;

    text[MAX(len, 0)] = '\0';
    *strchrnul(text, '\n') = '\0';
    if (strstr(text, "\"operationName\":\"file\"") || strstr(text, "\"operationName\":\"start\""))
        member = strstr(text, NUMBER_MEMBER);
    return member ? g_ascii_strtoull(member + strlen(NUMBER_MEMBER), NULL, 10) : 0;
}

static void
file_add_text(RecordsFile *file, char *record)
{
    records_file_add(file, record, strlen(record));
    g_free(record);
}

/* The first record of this start. A line that was cut off stays and is marked; a start that was cut
 * off behind one says nothing, and goes. Where the file has no record yet, the start says which
 * file was before it, as no other start does: whoever cuts off what was before one is found by
 * that. */
static gboolean
file_begin(RecordsFile *file, GError **error)
{
    ChainTail tail = read_tail(file->fd, &file->size);
    guint64 first = told_number(file->fd), last = records_folder_last(file->folder);
    Chain *chain = &file->chain;
    gboolean anew;

    if (tail.surplus > 0) {
        if (ftruncate(file->fd, (off_t)(file->size - tail.surplus)) < 0)
            return file_fail(file, errno, error);
        file->size -= tail.surplus;
        tail.open = FALSE;
    }
    file->number = MAX(first, last);
    *chain = tail.chain;
    anew = strcmp(chain->head, CHAIN_NONE) == 0 && file->number > 0;
    if (anew)
        *chain = numbered_tail(file);
    if (tail.open)
        g_string_append_c(file->pending, '\n');
    file_add_text(file, record_start(g_get_real_time(), file->version, chain->head, tail.torn,
                                     anew ? file->number : 0));
    file->begun = TRUE;
    return TRUE;
}

static gboolean
file_open(RecordsFile *file, GError **error)
{
    g_autofree char *path = records_folder_current(file->folder);
    struct stat info;
    int fd, number;

    if (!private_folder_make(file->folder, error))
        return FALSE;
    fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return file_error_set(path, errno, error);
    number = fstat(fd, &info) < 0 ? errno : S_ISREG(info.st_mode) ? 0 : EINVAL;
    if (number != 0) {
        close(fd);
        return file_error_set(path, number, error);
    }
    file->fd = fd;
    return TRUE;
}

gboolean
records_file_open(RecordsFile *file, GError **error)
{
    if (file->fd < 0 && !file_open(file, error))
        return FALSE;
    return file->begun || file_begin(file, error);
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
    g_string_truncate(pending, 0);
    return TRUE;
}

gboolean
records_file_sync(RecordsFile *file, GError **error)
{
    return file->fd < 0 || fdatasync(file->fd) == 0 || file_fail(file, errno, error);
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

static gboolean
file_rotate(RecordsFile *file, GError **error)
{
    g_autofree char *path = records_folder_current(file->folder);
    g_autofree char *numbered = records_folder_numbered(file->folder, file->number + 1);

    if (!records_file_sync(file, error))
        return FALSE;
    if (g_rename(path, numbered) < 0)
        return file_error_set(path, errno, error);
    file->number++;
    close(file->fd);
    file->fd = -1;
    file->size = 0;
    file_add_text(file, record_file(g_get_real_time(), file->chain.head, file->number));
    records_folder_trim(file->folder, file->files);
    return file_open(file, error) && folder_sync(file, error) && file_flush(file, error);
}

gboolean
records_file_write(RecordsFile *file, GError **error)
{
    if (!records_file_open(file, error) || !file_flush(file, error))
        return FALSE;
    return !records_file_is_full(file) || file_rotate(file, error);
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
records_file_take_head(RecordsFile *file, guint64 *ret_number, const char **ret_hash)
{
    if (file->told_number == 0)
        return FALSE;
    *ret_number = file->told_number;
    *ret_hash = file->told.head;
    file->told_number = 0;
    return TRUE;
}
