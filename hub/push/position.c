/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/push/position.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/codec/json-guard.h"
#include "hub/base/private-file.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SIZE_MAX_BYTES ((gsize)8 * 1024 * 1024)

/* A rotated file that was not sent to its end. */
typedef struct {
    guint64 number, records;
    char first[LOG_HASH_LEN + 1];
    gboolean read;
} Waiting;

struct Position {
    char *path;
    Place place;
    GArray *waiting;
};

static Position *
position_new(const char *folder)
{
    Position *position = g_new0(Position, 1);

    position->path = g_build_filename(folder, POSITION_FILE, NULL);
    position->waiting = g_array_new(FALSE, TRUE, sizeof(Waiting));
    return position;
}

void
position_free(Position *position)
{
    if (!position)
        return;
    g_free(position->path);
    g_array_unref(position->waiting);
    g_free(position);
}

static JsonNode *
member(JsonObject *object, const char *name, GType type)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node
                                                                                         : NULL;
}

static gboolean
take_number(JsonObject *object, const char *name, guint64 *ret)
{
    JsonNode *node = member(object, name, G_TYPE_INT64);

    if (!node || json_node_get_int(node) < 0)
        return FALSE;
    *ret = (guint64)json_node_get_int(node);
    return TRUE;
}

/* A hash, or "". */
static gboolean
take_hash(JsonObject *object, const char *name, char ret[LOG_HASH_LEN + 1])
{
    JsonNode *node = member(object, name, G_TYPE_STRING);
    const char *text = node ? json_node_get_string(node) : NULL;

    if (!text || (*text && !log_hash_is_valid(text, strlen(text))))
        return FALSE;
    (void)g_strlcpy(ret, text, LOG_HASH_LEN + 1);
    return TRUE;
}

static gboolean
take_waiting(Position *position, JsonNode *node)
{
    Waiting waiting = {0};
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

    if (!object || !take_number(object, "number", &waiting.number) ||
        !take_hash(object, "first", waiting.first) ||
        !take_number(object, "records", &waiting.records))
        return FALSE;
    g_array_append_val(position->waiting, waiting);
    return TRUE;
}

static gboolean
take_object(Position *position, JsonObject *object)
{
    JsonNode *waiting = json_object_get_member(object, "waiting");
    JsonArray *files =
        waiting && JSON_NODE_HOLDS_ARRAY(waiting) ? json_node_get_array(waiting) : NULL;

    if (!files || !take_hash(object, "hash", position->place.hash) ||
        !take_hash(object, "first", position->place.first) ||
        !take_number(object, "inode", &position->place.inode) ||
        !take_number(object, "offset", &position->place.offset) ||
        !take_number(object, "line", &position->place.line))
        return FALSE;
    for (guint i = 0; i < json_array_get_length(files); i++)
        if (!take_waiting(position, json_array_get_element(files, i)))
            return FALSE;
    return TRUE;
}

static gboolean
parse(Position *position, const char *text, gsize len)
{
    const JsonGuardLimits limits = {.size = SIZE_MAX_BYTES, .depth = 3};
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonNode *root;

    if (json_guard_check(text, len, &limits, NULL) != JSON_GUARD_OK ||
        !json_parser_load_from_data(parser, text, (gssize)len, NULL))
        return FALSE;
    root = json_parser_get_root(parser);
    return JSON_NODE_HOLDS_OBJECT(root) && take_object(position, json_node_get_object(root));
}

Position *
position_load(const char *folder, GError **error)
{
    g_autoptr(Position) position = position_new(folder);
    g_autofree char *text = NULL;
    gsize len = 0;

    if (access(position->path, F_OK) < 0)
        return g_steal_pointer(&position);
    text = file_read(position->path, SIZE_MAX_BYTES, &len, error);
    if (!text)
        return NULL;
    if (parse(position, text, len))
        return g_steal_pointer(&position);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s is damaged: remove it to send all records that are kept again", position->path);
    return NULL;
}

const Place *
position_place(const Position *position)
{
    return &position->place;
}

/* What was read to its end needs no count any more. */
static void
forget_read(Position *position)
{
    for (guint i = position->waiting->len; i > 0; i--) {
        const Waiting *file = &g_array_index(position->waiting, Waiting, i - 1);

        if (file->read && strcmp(file->first, position->place.first) != 0)
            (void)g_array_remove_index(position->waiting, i - 1);
    }
}

void
position_set_place(Position *position, const Place *place)
{
    gboolean moved = strcmp(position->place.first, place->first) != 0;

    position->place = *place;
    if (moved)
        forget_read(position);
}

gboolean
position_save(const Position *position, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_string_append_printf(out,
                           "{\"inode\":%" G_GUINT64_FORMAT ",\"offset\":%" G_GUINT64_FORMAT
                           ",\"line\":%" G_GUINT64_FORMAT
                           ",\"hash\":\"%s\",\"first\":\"%s\",\"waiting\":[",
                           position->place.inode, position->place.offset, position->place.line,
                           position->place.hash, position->place.first);
    for (guint i = 0; i < position->waiting->len; i++) {
        const Waiting *file = &g_array_index(position->waiting, Waiting, i);

        g_string_append_printf(out,
                               "%s{\"number\":%" G_GUINT64_FORMAT
                               ",\"first\":\"%s\",\"records\":%" G_GUINT64_FORMAT "}",
                               i > 0 ? "," : "", file->number, file->first, file->records);
    }
    g_string_append(out, "]}\n");
    return g_file_set_contents_full(position->path, out->str, (gssize)out->len,
                                    G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

void
position_add_waiting(Position *position, guint64 number, const char *first, guint64 records)
{
    Waiting waiting = {.number = number, .records = records};

    (void)g_strlcpy(waiting.first, first, sizeof waiting.first);
    g_array_append_val(position->waiting, waiting);
}

gboolean
position_is_waiting(const Position *position, guint64 number)
{
    for (guint i = 0; i < position->waiting->len; i++)
        if (g_array_index(position->waiting, Waiting, i).number == number)
            return TRUE;
    return FALSE;
}

static gboolean
is_same(const char *one, const char *other)
{
    return *one && strcmp(one, other) == 0;
}

void
position_mark_read(Position *position, const char *first)
{
    for (guint i = 0; i < position->waiting->len; i++) {
        Waiting *file = &g_array_index(position->waiting, Waiting, i);

        if (is_same(first, file->first))
            file->read = TRUE;
    }
}

static gboolean
is_listed(const GArray *files, const Waiting *waiting)
{
    for (guint i = 0; i < files->len; i++)
        if (g_array_index(files, LogFile, i).number == waiting->number)
            return TRUE;
    return FALSE;
}

/* Of the file that was being sent, those up to the place are not lost. */
static guint64
lost_of(const Position *position, const Waiting *file)
{
    if (file->read)
        return 0;
    if (!is_same(position->place.first, file->first))
        return file->records;
    return file->records > position->place.line ? file->records - position->place.line : 0;
}

guint64
position_take_lost(Position *position, const char *records)
{
    g_autoptr(GArray) files = log_files_list(records, NULL);
    guint64 lost = 0;

    for (guint i = files ? position->waiting->len : 0; i > 0; i--) {
        const Waiting *file = &g_array_index(position->waiting, Waiting, i - 1);

        if (is_listed(files, file))
            continue;
        lost += lost_of(position, file);
        (void)g_array_remove_index(position->waiting, i - 1);
    }
    return lost;
}
