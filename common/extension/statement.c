/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/extension/statement.h"

#include "common/base/error.h"
#include "common/codec/base64.h"

#include <string.h>

/* "streamd-statement-1.BODY.SIGNATURE", both in base64url. What is signed begins with a letter, and
 * what is signed of a certificate with the byte 0x30: neither can be taken for the other.
 *
 * The body is four or five lines "KEY VALUE\n", in this order alone:
 *     kind authority|address
 *     serial NUMBER
 *     names NAME,NAME...
 *     root DER-IN-BASE64URL       | host NAME
 *                                 | port NUMBER */
#define PREFIX "streamd-statement-1."
#define SERIAL_MAX (G_GUINT64_CONSTANT(1) << 53)
#define NAME_LEN_MAX 253

static const char *const kind_names[] = {
    [STATEMENT_AUTHORITY] = "authority",
    [STATEMENT_ADDRESS] = "address",
};

void
statement_free(Statement *statement)
{
    if (!statement)
        return;
    g_strfreev(statement->names);
    g_free(statement->root);
    g_free(statement->host);
    g_free(statement);
}

const char *
statement_kind_name(StatementKind kind)
{
    return kind_names[kind];
}

static gboolean
fail(GError **error, const char *what)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL, "not a statement: %s", what);
    return FALSE;
}

/* The value of the next line, if its key is KEY; NULL otherwise. Free with g_free. */
static char *
take_line(const char **at, const char *end, const char *key)
{
    gsize key_len = strlen(key);
    const char *newline = memchr(*at, '\n', (gsize)(end - *at));
    const char *value = *at + key_len + 1;

    if (!newline || value >= newline || memcmp(*at, key, key_len) != 0 || (*at)[key_len] != ' ')
        return NULL;
    for (const char *c = value; c < newline; c++)
        if (!g_ascii_isgraph(*c))
            return NULL;
    *at = newline + 1;
    return g_strndup(value, (gsize)(newline - value));
}

static gboolean
take_number(const char **at, const char *end, const char *key, guint64 max, guint64 *ret)
{
    g_autofree char *text = take_line(at, end, key);

    return text && *text != '0' && g_ascii_string_to_unsigned(text, 10, 1, max, ret, NULL);
}

static gboolean
name_is_valid(const char *name)
{
    gsize len = strlen(name);

    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(name[i]) && !strchr("._:*-", name[i]))
            return FALSE;
    return len > 0 && len <= NAME_LEN_MAX;
}

static gboolean
take_names(Statement *statement, const char **at, const char *end)
{
    g_autofree char *text = take_line(at, end, "names");
    g_autofree char *lower = text ? g_ascii_strdown(text, -1) : NULL;

    if (!lower)
        return FALSE;
    statement->names = g_strsplit(lower, ",", STATEMENT_NAMES_MAX + 1);
    for (char **name = statement->names; *name; name++)
        if (!name_is_valid(*name))
            return FALSE;
    return g_strv_length(statement->names) <= STATEMENT_NAMES_MAX;
}

static gboolean
take_root(Statement *statement, const char **at, const char *end)
{
    g_autofree char *text = take_line(at, end, "root");

    if (!text)
        return FALSE;
    statement->root = g_malloc(STATEMENT_ROOT_MAX);
    return base64url_decode(text, strlen(text), statement->root, STATEMENT_ROOT_MAX,
                            &statement->root_len) &&
           statement->root_len > 0;
}

static gboolean
take_address(Statement *statement, const char **at, const char *end)
{
    guint64 port = 0;

    statement->host = take_line(at, end, "host");
    if (!statement->host || !name_is_valid(statement->host) || strchr(statement->host, '*') ||
        !take_number(at, end, "port", G_MAXUINT16, &port))
        return FALSE;
    statement->port = (guint16)port;
    return TRUE;
}

static gboolean
parse_body(Statement *statement, const char *body, gsize len, GError **error)
{
    const char *at = body, *end = body + len;
    g_autofree char *kind = take_line(&at, end, "kind");
    gboolean address = g_strcmp0(kind, kind_names[STATEMENT_ADDRESS]) == 0;

    if (!address && g_strcmp0(kind, kind_names[STATEMENT_AUTHORITY]) != 0)
        return fail(error, "it is of no kind that is known here");
    statement->kind = address ? STATEMENT_ADDRESS : STATEMENT_AUTHORITY;
    if (!take_number(&at, end, "serial", SERIAL_MAX, &statement->serial))
        return fail(error, "it has no serial");
    if (!take_names(statement, &at, end))
        return fail(error, "it names no hub");
    if (address ? !take_address(statement, &at, end) : !take_root(statement, &at, end))
        return fail(error, address ? "it has no address" : "it has no certificate");
    return at == end || fail(error, "there is something behind its end");
}

/* Where the signature begins; NULL: nowhere. */
static const char *
find_signature(const char *text, gsize len)
{
    const char *body = text + strlen(PREFIX);
    const char *dot;

    if (len > STATEMENT_MAX || len <= strlen(PREFIX) || memcmp(text, PREFIX, strlen(PREFIX)) != 0)
        return NULL;
    dot = memchr(body, '.', len - strlen(PREFIX));
    return dot ? dot + 1 : NULL;
}

Statement *
statement_parse(const char *text, gsize len, GError **error)
{
    g_autoptr(Statement) statement = g_new0(Statement, 1);
    const char *signature = find_signature(text, len);
    const char *body = text + strlen(PREFIX);
    guint8 bytes[STATEMENT_MAX];
    gsize bytes_len = 0;

    if (!signature) {
        (void)fail(error, len > STATEMENT_MAX ? "it is too long" : "it does not begin as one");
        return NULL;
    }
    statement->signed_len = (gsize)(signature - 1 - text);
    if (!base64url_decode(body, (gsize)(signature - 1 - body), bytes, sizeof bytes, &bytes_len) ||
        !base64url_decode(signature, len - (gsize)(signature - text), statement->signature,
                          sizeof statement->signature, &statement->signature_len) ||
        statement->signature_len == 0) {
        (void)fail(error, "it is not in base64url");
        return NULL;
    }
    return parse_body(statement, (const char *)bytes, bytes_len, error)
               ? g_steal_pointer(&statement)
               : NULL;
}

gboolean
statement_is_for(const Statement *statement, const char *name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);

    return g_strv_contains((const char *const *)statement->names, lower);
}

char *
statement_format(const Statement *statement)
{
    g_autofree char *names = g_strjoinv(",", statement->names);
    g_autofree char *root =
        statement->root ? base64url_encode(statement->root, statement->root_len) : NULL;
    g_autofree char *rest =
        statement->kind == STATEMENT_AUTHORITY
            ? g_strdup_printf("root %s\n", root ? root : "")
            : g_strdup_printf("host %s\nport %u\n", statement->host, statement->port);
    g_autofree char *body =
        g_strdup_printf("kind %s\nserial %" G_GUINT64_FORMAT "\nnames %s\n%s",
                        kind_names[statement->kind], statement->serial, names, rest);
    g_autofree char *encoded = base64url_encode((const guint8 *)body, strlen(body));

    return g_strconcat(PREFIX, encoded, NULL);
}

char *
statement_seal(const char *signed_part, const guint8 *signature, gsize len)
{
    g_autofree char *encoded = base64url_encode(signature, len);

    return g_strconcat(signed_part, ".", encoded, NULL);
}

/* A serial, or 0, that fills the text up to END. */
static gboolean
serial_parse(const char *text, const char *end, guint64 *ret)
{
    g_autofree char *digits = g_strndup(text, (gsize)(end - text));

    return (digits[0] != '0' || digits[1] == '\0') &&
           g_ascii_string_to_unsigned(digits, 10, 0, SERIAL_MAX, ret, NULL);
}

char *
statement_ack_format(StatementKind kind, guint64 serial)
{
    return g_strdup_printf(STATEMENT_TOPIC "%s/%" G_GUINT64_FORMAT, kind_names[kind], serial);
}

gboolean
statement_ack_parse(Slice topic, StatementKind *ret_kind, guint64 *ret_serial)
{
    gsize prefix = strlen(STATEMENT_TOPIC);

    if (topic.len <= prefix || memcmp(topic.ptr, STATEMENT_TOPIC, prefix) != 0)
        return FALSE;
    for (guint kind = 0; kind < STATEMENT_KINDS; kind++) {
        gsize len = strlen(kind_names[kind]);
        const char *name = topic.ptr + prefix;

        if (topic.len <= prefix + len + 1 || memcmp(name, kind_names[kind], len) != 0 ||
            name[len] != '/' || !serial_parse(name + len + 1, topic.ptr + topic.len, ret_serial))
            continue;
        *ret_kind = (StatementKind)kind;
        return TRUE;
    }
    return FALSE;
}

char *
statement_known_format(const guint64 *serials)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, serials[STATEMENT_AUTHORITY],
                           serials[STATEMENT_ADDRESS]);
}

gboolean
statement_known_parse(const char *text, guint64 *ret_serials)
{
    const char *blank = strchr(text, ' ');

    return blank && serial_parse(text, blank, &ret_serials[STATEMENT_AUTHORITY]) &&
           serial_parse(blank + 1, text + strlen(text), &ret_serials[STATEMENT_ADDRESS]);
}
