/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chain: each record carries the hash of the record before it and of itself, so that a record
 * cannot be changed, removed or put in between unless all that follow are written anew. The hash is
 * SHA-256 of the hash before, as text (64 zeros at the very beginning), and the bytes of the line
 * up to `,"hash":"`. Pure; any thread. */
#pragma once

#include "hub/records/record.h"

#define CHAIN_HASH 64 /* hexadecimal digits, lower case */
#define CHAIN_NONE "0000000000000000000000000000000000000000000000000000000000000000"

/* Bytes that chain_append adds to a record; what may stand in front of them. */
#define CHAIN_TAIL (sizeof ",\"hash\":\"" - 1 + CHAIN_HASH + sizeof "\"}\n" - 1)
#define CHAIN_RECORD_MAX (RECORD_MAX - CHAIN_TAIL)

typedef struct {
    char head[CHAIN_HASH + 1]; /* hash of the last record */
} Chain;

/* RECORD, as hub/records/record.h makes it, becomes a line at the end of OUT and the chain's head.
 */
void chain_append(Chain *chain, GString *out, const char *record, gsize len);

/* What the end of a file says. */
typedef struct {
    Chain chain;   /* of the last record in it; CHAIN_NONE: there is none */
    gboolean torn; /* what comes after that record is none: a line was cut off */
    gboolean open; /* the last line has no newline */
    gsize surplus; /* bytes after the first torn line: a start that was cut off in its turn */
} ChainTail;

/* TEXT: the last LEN bytes of a file, CHAIN_TAIL_READ or all of it. */
#define CHAIN_TAIL_READ (4 * RECORD_MAX)
ChainTail chain_tail(const char *text, gsize len);
