/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Record: one line of the hub's records, without its hash: who asked for which stream, how each
 * stream ended, what changed in the registry and in the hub. The shape of an invocation is that of
 * the resource logs of IoT Hub, category DeviceStreams (docs/wire-protocol.md, section 5).
 *
 * A record never holds a key, a token or a byte of a stream: no structure here has a member for
 * them. Texts may come from anywhere: they are escaped and bounded here, so that every record fits
 * in RECORD_MAX. NULL is an empty text. Pure functions: any thread. The caller frees what they
 * return: JSON from the brace to the last member, to which hub/records/chain.h adds the hash. */
#pragma once

#include <glib.h>

#define RECORD_MAX 8192 /* bytes of a line, with its hash and newline */
#define RECORD_TEXT_MAX 256
#define RECORD_DETAIL_MAX 768
#define RECORD_WORD_MAX 64 /* of an address, a code, a version */

/* Wall clock, µs since the epoch. */
#define RECORD_TIME_SIZE 32
void record_time(gint64 time, char ret[RECORD_TIME_SIZE]); /* "2026-11-30T18:42:28.123Z" */

/* The stream that a record is about. */
typedef struct {
    const char *hub; /* its name */
    const char *device;
    const char *module;
    const char *name;
    const char *id; /* of the stream; NULL: it never had one */
    const char *user;
    const char *address; /* the service's */
    const char *resumes; /* the stream that it goes on with; NULL: it is a new one */
} RecordStream;

/* A request to open a stream, and what it was answered. */
typedef struct {
    RecordStream stream;
    const char *version; /* api-version */
    guint64 request_size, response_size;
    guint code;            /* six digits; 0: it was answered with 200 */
    const char *code_name; /* of that code */
    const char *reason;    /* a code of reason.h where no stream came of it */
    gint64 duration;       /* µs */
} RecordInvoke;

/* The end of a stream that was open. */
typedef struct {
    RecordStream stream;
    gint64 duration; /* µs, since it was open */
    const char *device_address;
    guint64 to_device, to_service; /* bytes */
    const char *reason;
    gboolean orderly;
    const char *detail;
    const char *rule;        /* as the device told it */
    const char *target;      /* the same */
    gboolean paused;         /* it resumes a stream, and its user said: */
    guint64 pause, replayed; /* ms without legs; bytes that went again */
} RecordEnd;

/* A change of the registry, or of the hub itself. */
typedef struct {
    const char *operation; /* "device.add", "reload" */
    gboolean of_hub;
    const char *by;      /* a user, "uid:0", "device:ID", "group:NAME" */
    const char *address; /* over REST */
    const char *what;    /* whose record changed */
    const char *detail;  /* names of what changed */
} RecordChange;

char *record_invoke(gint64 time, const RecordInvoke *invoke);
char *record_end(gint64 time, const RecordEnd *end);
char *record_change(gint64 time, const RecordChange *change);

/* Of the file itself: a start of the hub, a new file after number NUMBER, COUNT records that a
 * blocked disk cost. PREVIOUS: the hash of the record before. A start has a NUMBER where a file
 * begins with it, 0: none. */
char *
record_start(gint64 time, const char *version, const char *previous, gboolean torn, guint64 number);
char *record_file(gint64 time, const char *previous, guint64 number);
char *record_lost(gint64 time, guint64 count, gint64 since);
