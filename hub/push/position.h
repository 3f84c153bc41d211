/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Position: how far the records were sent, kept in a file of the service's own folder, and how many
 * wait in the files behind that, so that it can be told how many were rotated away. One thread;
 * waits for the disk. */
#pragma once

#include "hub/log/cursor.h"
#include "hub/log/record.h"

#define POSITION_FILE "position.json"

/* Behind a record: where it ends, and in which file. */
typedef struct {
    guint64 inode, offset, line;
    char hash[LOG_HASH_LEN + 1]; /* of the record; "": nothing was sent yet */
} Place;

typedef struct Position Position;

/* What FOLDER keeps; where it keeps nothing, the beginning. NULL with ERROR set: it cannot be read,
 * or is damaged. */
Position *position_load(const char *folder, GError **error);
void position_free(Position *position); /* NULL is fine */

const Place *position_place(const Position *position);
void position_set_place(Position *position, const Place *place);

/* Puts it on the disk, as a whole. FALSE with ERROR set. */
gboolean position_save(const Position *position, GError **error);

/* Counts the records of rotated files that wait and were not counted yet. TRUE: there were some,
 * and the position is to be saved. */
gboolean position_count_waiting(Position *position, const char *records);

/* The file with this INODE is read now: its records are not lost any more. */
void position_mark_read(Position *position, guint64 inode);

/* Of files that were counted, were not read, and are not in the folder any more: how many records
 * were not sent. They are forgotten. */
guint64 position_take_lost(Position *position, const char *records);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Position, position_free)
