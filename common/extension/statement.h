/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Statement: what the authority of a hub tells those who trust it (wire protocol, section 8.9):
 * which authority comes after it, or under which name and port the hub will be found. The authority
 * signs it with its own key, which the running hub does not have, so a hub that was taken over
 * cannot make one. Its serial only rises, so an older one cannot be played again.
 *
 * Parsing checks the form alone; tls_statement_check (common/net) checks the signature. No I/O, no
 * clock; any thread. */
#pragma once

#include "common/base/slice.h"

#define STATEMENT_MAX 4096 /* characters of its text */
#define STATEMENT_ROOT_MAX 2048
#define STATEMENT_NAMES_MAX 64
#define STATEMENT_SIGNATURE_MAX 512 /* RSA of 4096 bits */

typedef enum {
    STATEMENT_AUTHORITY,
    STATEMENT_ADDRESS,
    STATEMENT_KINDS,
} StatementKind;

typedef struct {
    StatementKind kind;
    guint64 serial; /* 1 to 2^53 */
    char **names;   /* of the hub that it is about, lower-case; 1 to STATEMENT_NAMES_MAX */
    guint8 *root;   /* STATEMENT_AUTHORITY: the next certificate, in DER */
    gsize root_len;
    char *host; /* STATEMENT_ADDRESS: a host name or an IP address, without brackets */
    guint16 port;
    gsize signed_len; /* how much of the text the signature is for */
    guint8 signature[STATEMENT_SIGNATURE_MAX];
    gsize signature_len;
} Statement;

/* STREAMD_ERROR_PROTOCOL with what is wrong; the text is any bytes. */
Statement *statement_parse(const char *text, gsize len, GError **error);
void statement_free(Statement *statement); /* NULL is fine */

/* Whether it is about the hub of this name, in any case of letters. */
gboolean statement_is_for(const Statement *statement, const char *name);

const char *statement_kind_name(StatementKind kind); /* "authority", "address" */

/* The part of the text that is signed, and the whole text. Free with g_free. */
char *statement_format(const Statement *statement);
char *statement_seal(const char *signed_part, const guint8 *signature, gsize len);

/* The topic by which a device says that it keeps the statements of a kind up to this serial.
 * Parsing is of any bytes; FALSE: it is none. Free with g_free. */
#define STATEMENT_TOPIC "$iothub/streamd/statement/"
char *statement_ack_format(StatementKind kind, guint64 serial);
gboolean statement_ack_parse(Slice topic, StatementKind *ret_kind, guint64 *ret_serial);

/* What a service says in the field streamd-statement of its request: the serials that it keeps,
 * "AUTHORITY ADDRESS", by kind. The text of the answer has at most STATEMENT_MAX characters. */
char *statement_known_format(const guint64 *serials);
gboolean statement_known_parse(const char *text, guint64 *ret_serials);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Statement, statement_free)
