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
    char hash[LOG_HASH_LEN + 1];  /* of the record; "": nothing was sent yet */
    char first[LOG_HASH_LEN + 1]; /* of the first record of the file, by which it is known; an inode
                                     is used again; "": not known */
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

/* Rotated file NUMBER waits, which begins with the record FIRST and has so many RECORDS. A number
 * is given once. */
void position_add_waiting(Position *position, guint64 number, const char *first, guint64 records);
gboolean position_is_waiting(const Position *position, guint64 number);

/* The file that begins with the record FIRST is read now: its records are not lost any more. */
void position_mark_read(Position *position, const char *first);

/* Of files that were counted, were not read, and are not in the folder any more: how many records
 * were not sent. They are forgotten. */
guint64 position_take_lost(Position *position, const char *records);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Position, position_free)
