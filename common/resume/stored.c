/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/stored.h"

#include <string.h>

#define MAGIC "streamd restart\n"
#define MAGIC_LEN 16
#define NO_TEXT 0xffff /* as the length of a text that is NULL */

/* One walk over all fields counts them, writes them, or reads them: so there is one form only. */
typedef struct {
    enum { COUNTS, WRITES, READS } mode;
    guint8 *out;
    const guint8 *in;
    gsize at, size; /* SIZE: of what is written or read */
    guint64 kept;   /* of all streams so far */
    gboolean bad;   /* beyond a bound; nothing is done any more */
} Walk;

static void
stream_free(gpointer data)
{
    StoredStream *stream = data;

    g_free(stream->hub);
    g_free(stream->device);
    g_free(stream->name);
    g_free(stream->hub_id);
    g_free(stream->initiator);
    g_free(stream->address);
    g_free(stream->target);
    g_free(stream->rule);
    for (guint i = 0; i < STORED_HOLDS; i++)
        g_free(stream->holds[i].what);
    explicit_bzero(stream->secret, sizeof stream->secret);
    g_free(stream);
}

static void
tomb_free(gpointer data)
{
    StoredTomb *tomb = data;

    g_free(tomb->hub);
    g_free(tomb->hub_id);
    g_free(tomb);
}

Stored *
stored_new(void)
{
    Stored *stored = g_new0(Stored, 1);

    stored->streams = g_ptr_array_new_with_free_func(stream_free);
    stored->tombs = g_ptr_array_new_with_free_func(tomb_free);
    return stored;
}

void
stored_free(Stored *stored)
{
    if (!stored)
        return;
    g_ptr_array_unref(stored->streams);
    g_ptr_array_unref(stored->tombs);
    g_clear_pointer(&stored->other, g_bytes_unref);
    g_free(stored);
}

StoredStream *
stored_add_stream(Stored *stored)
{
    StoredStream *stream = g_new0(StoredStream, 1);

    g_ptr_array_add(stored->streams, stream);
    return stream;
}

StoredTomb *
stored_add_tomb(Stored *stored)
{
    StoredTomb *tomb = g_new0(StoredTomb, 1);

    g_ptr_array_add(stored->tombs, tomb);
    return tomb;
}

static void
walk_expect(Walk *walk, gboolean right)
{
    walk->bad = walk->bad || !right;
}

/* The place of the next LEN bytes; FALSE: there are not so many, or nothing is copied. */
static gboolean
walk_take(Walk *walk, gsize len, gsize *ret_at)
{
    *ret_at = walk->at;
    walk_expect(walk, walk->mode == COUNTS || len <= walk->size - walk->at);
    if (walk->bad)
        return FALSE;
    walk->at += len;
    return walk->mode != COUNTS;
}

static void
walk_bytes(Walk *walk, void *bytes, gsize len)
{
    gsize at;

    if (!walk_take(walk, len, &at) || len == 0)
        return;
    if (walk->mode == WRITES)
        memcpy(walk->out + at, bytes, len);
    else
        memcpy(bytes, walk->in + at, len);
}

static void
walk_64(Walk *walk, guint64 *value)
{
    guint64 wire = GUINT64_TO_LE(*value);

    walk_bytes(walk, &wire, sizeof wire);
    if (walk->mode == READS && !walk->bad)
        *value = GUINT64_FROM_LE(wire);
}

static void
walk_32(Walk *walk, guint32 *value)
{
    guint32 wire = GUINT32_TO_LE(*value);

    walk_bytes(walk, &wire, sizeof wire);
    if (walk->mode == READS && !walk->bad)
        *value = GUINT32_FROM_LE(wire);
}

/* Up to MOST. */
static void
walk_count(Walk *walk, guint32 *value, guint32 most)
{
    walk_32(walk, value);
    walk_expect(walk, *value <= most);
}

static void
walk_flag(Walk *walk, gboolean *value)
{
    guint8 wire = *value ? 1 : 0;

    walk_bytes(walk, &wire, 1);
    walk_expect(walk, wire <= 1);
    *value = wire == 1;
}

static void
walk_reason(Walk *walk, Reason *reason)
{
    guint32 wire = (guint32)*reason;

    walk_count(walk, &wire, REASON_LAST - 1);
    if (!walk->bad)
        *reason = (Reason)wire;
}

/* The length of TEXT as it is on the wire; a text that is too long has one that is refused. */
static guint32
text_len(const char *text)
{
    return text ? (guint32)MIN(strlen(text), NO_TEXT - 1) : NO_TEXT;
}

/* A text without a NUL, in UTF-8. */
static void
walk_text_or_null(Walk *walk, char **text)
{
    guint16 wire = GUINT16_TO_LE((guint16)text_len(*text));
    gsize len, at;

    walk_bytes(walk, &wire, sizeof wire);
    len = GUINT16_FROM_LE(wire);
    if (walk->bad || len == NO_TEXT)
        return;
    walk_expect(walk, len <= STORED_TEXT_MAX);
    if (walk->mode == READS && walk_take(walk, len, &at)) {
        *text = g_strndup((const char *)walk->in + at, len);
        walk_expect(walk, strlen(*text) == len);
    } else if (walk->mode != READS) {
        walk_bytes(walk, *text, len);
    }
    walk_expect(walk, *text && g_utf8_validate(*text, -1, NULL));
}

static void
walk_text(Walk *walk, char **text)
{
    walk_text_or_null(walk, text);
    walk_expect(walk, *text != NULL);
}

static void
walk_saved(Walk *walk, ResumeSaved *saved)
{
    walk_64(walk, &saved->kept_from);
    walk_64(walk, &saved->kept_to);
    walk_64(walk, &saved->limit);
    walk_flag(walk, &saved->ended);
    walk_64(walk, &saved->consumed);
    walk_64(walk, &saved->told_limit);
    walk_flag(walk, &saved->peer_ended);
    walk_expect(walk, resume_saved_is_sound(saved));
}

static void
copy_kept(const StoredStream *stream, guint8 *out)
{
    const ResumeSaved *saved = &stream->saved;

    if (!stream->live && saved->kept_to > saved->kept_from)
        memcpy(out, stream->kept, (gsize)(saved->kept_to - saved->kept_from));
    if (!stream->live)
        return;
    for (guint64 at = saved->kept_from; at < saved->kept_to;) {
        gsize len = 0;
        const uint8_t *bytes = resume_stream_kept(stream->live, at, &len);

        len = (gsize)MIN(len, saved->kept_to - at);
        memcpy(out + (at - saved->kept_from), bytes, len);
        at += len;
    }
}

static void
walk_kept(Walk *walk, StoredStream *stream)
{
    gsize at, len;

    if (walk->bad)
        return;
    len = (gsize)(stream->saved.kept_to - stream->saved.kept_from);
    walk->kept += len;
    walk_expect(walk, walk->kept <= STORED_KEPT_MAX);
    if (!walk_take(walk, len, &at))
        return;
    if (walk->mode == WRITES)
        copy_kept(stream, walk->out + at);
    else
        stream->kept = walk->in + at;
}

static void
walk_hold(Walk *walk, StoredHold *hold)
{
    walk_text_or_null(walk, &hold->what);
    for (guint i = 0; i < STORED_LIMITS; i++)
        walk_64(walk, &hold->limits[i]);
}

/* What it is called, and where it belongs. */
static void
walk_names(Walk *walk, StoredStream *stream)
{
    walk_64(walk, &stream->id);
    walk_expect(walk, stream->id != 0);
    walk_bytes(walk, &stream->role, 1);
    walk_flag(walk, &stream->suspended_before);
    walk_text(walk, &stream->hub);
    walk_text(walk, &stream->device);
    walk_text(walk, &stream->name);
    walk_text(walk, &stream->hub_id);
    walk_text_or_null(walk, &stream->initiator);
    walk_text_or_null(walk, &stream->address);
    walk_text_or_null(walk, &stream->target);
    walk_text_or_null(walk, &stream->rule);
    walk_64(walk, &stream->tunnel);
    walk_64(walk, &stream->place);
    walk_32(walk, &stream->owner_uid);
    walk_32(walk, &stream->caps);
}

static void
walk_stream(Walk *walk, StoredStream *stream)
{
    walk_names(walk, stream);
    walk_64(walk, &stream->requested_at);
    walk_64(walk, &stream->opened_at);
    walk_64(walk, &stream->suspended_at);
    walk_reason(walk, &stream->suspended_for);
    walk_32(walk, &stream->resumes);
    walk_32(walk, &stream->attempt);
    walk_bytes(walk, stream->secret, sizeof stream->secret);
    walk_64(walk, &stream->time);
    walk_64(walk, &stream->time_left);
    walk_64(walk, &stream->elapsed);
    walk_64(walk, &stream->bytes[0]);
    walk_64(walk, &stream->bytes[1]);
    for (guint i = 0; i < STORED_HOLDS; i++)
        walk_hold(walk, &stream->holds[i]);
    walk_32(walk, &stream->descriptor);
    walk_saved(walk, &stream->saved);
    walk_kept(walk, stream);
}

static void
walk_tomb(Walk *walk, StoredTomb *tomb)
{
    walk_text(walk, &tomb->hub);
    walk_text(walk, &tomb->hub_id);
    walk_bytes(walk, &tomb->role, 1);
    walk_bytes(walk, tomb->digest, sizeof tomb->digest);
    walk_reason(walk, &tomb->reason);
    walk_expect(walk, tomb->reason != REASON_NONE);
    walk_64(walk, &tomb->sent);
    walk_64(walk, &tomb->consumed);
    walk_flag(walk, &tomb->fin_given);
    walk_64(walk, &tomb->time_left);
}

/* No other stream before the one at INDEX has its id or its descriptor. */
static gboolean
is_alone(const Stored *stored, guint index)
{
    const StoredStream *stream = g_ptr_array_index(stored->streams, index);

    for (guint i = 0; i < index; i++) {
        const StoredStream *other = g_ptr_array_index(stored->streams, i);

        if (other->id == stream->id || other->descriptor == stream->descriptor)
            return FALSE;
    }
    return TRUE;
}

static void
walk_streams(Walk *walk, Stored *stored)
{
    guint32 count = stored->streams->len;

    walk_count(walk, &count, STORED_STREAMS_MAX);
    for (guint i = 0; i < count && !walk->bad; i++) {
        if (walk->mode == READS)
            (void)stored_add_stream(stored);
        walk_stream(walk, g_ptr_array_index(stored->streams, i));
        walk_expect(walk, is_alone(stored, i));
    }
}

static void
walk_tombs(Walk *walk, Stored *stored)
{
    guint32 count = stored->tombs->len;

    walk_count(walk, &count, STORED_TOMBS_MAX);
    for (guint i = 0; i < count && !walk->bad; i++) {
        if (walk->mode == READS)
            (void)stored_add_tomb(stored);
        walk_tomb(walk, g_ptr_array_index(stored->tombs, i));
    }
}

/* None and an empty one are the same. */
static void
walk_other(Walk *walk, Stored *stored)
{
    gsize size = 0, at;
    const void *data = stored->other ? g_bytes_get_data(stored->other, &size) : NULL;
    guint32 len = (guint32)MIN(size, G_MAXUINT32);

    walk_count(walk, &len, STORED_OTHER_MAX);
    if (!walk_take(walk, len, &at) || len == 0)
        return;
    if (walk->mode == WRITES)
        memcpy(walk->out + at, data, len);
    else
        stored->other = g_bytes_new(walk->in + at, len);
}

/* The same in every version. */
static StoredResult
walk_head(Walk *walk)
{
    char magic[] = MAGIC;
    guint32 version = STORED_VERSION;

    walk_bytes(walk, magic, MAGIC_LEN);
    walk_32(walk, &version);
    if (walk->bad || memcmp(magic, MAGIC, MAGIC_LEN) != 0)
        return STORED_MALFORMED;
    return version == STORED_VERSION ? STORED_OK : STORED_OTHER_VERSION;
}

static void
walk_body(Walk *walk, Stored *stored)
{
    walk_64(walk, &stored->next_stream);
    walk_64(walk, &stored->next_tunnel);
    walk_streams(walk, stored);
    walk_tombs(walk, stored);
    walk_other(walk, stored);
}

gsize
stored_size(const Stored *stored)
{
    Walk walk = {.mode = COUNTS};

    (void)walk_head(&walk);
    /* Which changes nothing but when it reads. */
    walk_body(&walk, (Stored *)stored);
    return walk.bad ? 0 : walk.at;
}

void
stored_write(const Stored *stored, guint8 *out, gsize size)
{
    Walk walk = {.mode = WRITES, .out = out, .size = size};

    (void)walk_head(&walk);
    walk_body(&walk, (Stored *)stored);
    g_warn_if_fail(!walk.bad && walk.at == size);
}

StoredResult
stored_parse(const guint8 *data, gsize size, Stored **ret)
{
    Walk walk = {.mode = READS, .in = data, .size = size};
    g_autoptr(Stored) stored = stored_new();
    StoredResult head = walk_head(&walk);

    if (head != STORED_OK)
        return head;
    walk_body(&walk, stored);
    if (walk.bad || walk.at != size)
        return STORED_MALFORMED;
    *ret = g_steal_pointer(&stored);
    return STORED_OK;
}
