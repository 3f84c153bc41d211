/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/json-guard.h"

#include <math.h>
#include <string.h>

#define FNV_BASIS 2166136261U
#define FNV_PRIME 16777619U

/* A member's name: where the text between its quotes begins, and a hash of the decoded name. */
typedef struct {
    gsize start;
    guint32 hash;
} Name;

typedef enum {
    EXPECT_VALUE,
    EXPECT_FIRST_VALUE, /* after `[`: a value or the end */
    EXPECT_FIRST_NAME,  /* after `{`: a name or the end */
    EXPECT_NAME,
    EXPECT_SEPARATOR, /* after a value */
} State;

typedef struct {
    const char *text;
    gsize len;
    gsize pos;
    guint max_depth;
    State state;
    guint depth;
    char kinds[JSON_GUARD_DEPTH_CAP];        /* '[' or '{' */
    guint first_name[JSON_GUARD_DEPTH_CAP];  /* of the object at that depth */
    Name names[JSON_GUARD_OPEN_MEMBERS_MAX]; /* of all open objects */
    guint name_count;
} Scan;

/* At the end of the text this returns NUL; a real NUL is told apart by the position. */
static char
peek(const Scan *scan)
{
    return scan->pos < scan->len ? scan->text[scan->pos] : '\0';
}

static gboolean
hex4(const Scan *scan, gsize at, guint32 *ret)
{
    guint32 value = 0;

    if (scan->len - at < 4)
        return FALSE;
    for (gsize i = at; i < at + 4; i++) {
        if (!g_ascii_isxdigit(scan->text[i]))
            return FALSE;
        value = value << 4 | (guint32)g_ascii_xdigit_value(scan->text[i]);
    }
    *ret = value;
    return TRUE;
}

/* Reads the escape \uXXXX and, for a pair, its second half. *pos is at its `u`. */
static JsonGuardResult
unicode_escape(const Scan *scan, gsize *pos, guint32 *ret)
{
    guint32 high = 0;
    guint32 low = 0;

    if (!hex4(scan, *pos + 1, &high))
        return JSON_GUARD_SYNTAX;
    if (high == 0)
        return JSON_GUARD_NUL;
    if ((high & 0xf800) != 0xd800) {
        *ret = high;
        *pos += 5;
        return JSON_GUARD_OK;
    }
    if (high >= 0xdc00 || scan->len - *pos < 7 || memcmp(scan->text + *pos + 5, "\\u", 2) != 0 ||
        !hex4(scan, *pos + 7, &low) || (low & 0xfc00) != 0xdc00)
        return JSON_GUARD_SURROGATE;
    *ret = 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
    *pos += 11;
    return JSON_GUARD_OK;
}

/* Reads an escape. *pos is behind the backslash. */
static JsonGuardResult
escape_next(const Scan *scan, gsize *pos, guint32 *ret)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    char c = *pos < scan->len ? scan->text[*pos] : '\0';
    const char *found = c != '\0' ? strchr(letters, c) : NULL;

    if (c == 'u')
        return unicode_escape(scan, pos, ret);
    if (!found)
        return JSON_GUARD_SYNTAX;
    *ret = (guint32)values[found - letters];
    (*pos)++;
    return JSON_GUARD_OK;
}

/* Decodes one character of a string. *pos is neither at the end nor at the closing quote. */
static JsonGuardResult
string_next(const Scan *scan, gsize *pos, guint32 *ret)
{
    const char *at = scan->text + *pos;
    gunichar c;

    if (*at == '\0')
        return JSON_GUARD_NUL;
    if ((guint8)*at < 0x20)
        return JSON_GUARD_SYNTAX;
    if (*at == '\\') {
        (*pos)++;
        return escape_next(scan, pos, ret);
    }
    c = g_utf8_get_char_validated(at, (gssize)(scan->len - *pos));
    if (c == (gunichar)-1 || c == (gunichar)-2)
        return JSON_GUARD_ENCODING;
    *ret = c;
    *pos += (gsize)g_unichar_to_utf8(c, NULL);
    return JSON_GUARD_OK;
}

/* Reads a string. scan->pos goes from its opening quote to behind the closing one. */
static JsonGuardResult
string_scan(Scan *scan, guint32 *ret_hash)
{
    guint32 hash = FNV_BASIS;
    guint32 c = 0;

    scan->pos++;
    while (scan->pos < scan->len && scan->text[scan->pos] != '"') {
        JsonGuardResult result = string_next(scan, &scan->pos, &c);

        if (result != JSON_GUARD_OK)
            return result;
        hash = (hash ^ c) * FNV_PRIME;
    }
    if (scan->pos == scan->len)
        return JSON_GUARD_SYNTAX;
    scan->pos++;
    *ret_hash = hash;
    return JSON_GUARD_OK;
}

/* Both are names that string_scan() has accepted. */
static gboolean
names_are_equal(const Scan *scan, gsize a, gsize b)
{
    while (scan->text[a] != '"' && scan->text[b] != '"') {
        guint32 left = 0;
        guint32 right = 0;

        (void)string_next(scan, &a, &left);
        (void)string_next(scan, &b, &right);
        if (left != right)
            return FALSE;
    }
    return scan->text[a] == scan->text[b];
}

static JsonGuardResult
name_add(Scan *scan, Name name)
{
    for (guint i = scan->first_name[scan->depth - 1]; i < scan->name_count; i++)
        if (scan->names[i].hash == name.hash &&
            names_are_equal(scan, scan->names[i].start, name.start))
            return JSON_GUARD_DUPLICATE;
    if (scan->name_count == JSON_GUARD_OPEN_MEMBERS_MAX)
        return JSON_GUARD_TOO_MANY_MEMBERS;
    scan->names[scan->name_count++] = name;
    return JSON_GUARD_OK;
}

static void
blanks_skip(Scan *scan)
{
    while (scan->pos < scan->len && strchr(" \t\n\r", scan->text[scan->pos]) &&
           scan->text[scan->pos] != '\0')
        scan->pos++;
}

static JsonGuardResult
name_scan(Scan *scan)
{
    Name name = {.start = scan->pos + 1};
    JsonGuardResult result;

    if (peek(scan) != '"')
        return JSON_GUARD_SYNTAX;
    result = string_scan(scan, &name.hash);
    if (result == JSON_GUARD_OK)
        result = name_add(scan, name);
    if (result != JSON_GUARD_OK)
        return result;
    blanks_skip(scan);
    if (peek(scan) != ':')
        return JSON_GUARD_SYNTAX;
    scan->pos++;
    scan->state = EXPECT_VALUE;
    return JSON_GUARD_OK;
}

static gsize
digits_skip(Scan *scan)
{
    gsize start = scan->pos;

    while (g_ascii_isdigit(peek(scan)))
        scan->pos++;
    return scan->pos - start;
}

/* Checks a number against the grammar. *ret_integer: it has neither fraction nor exponent. */
static gboolean
number_walk(Scan *scan, gboolean *ret_integer)
{
    gboolean integer = TRUE;

    if (peek(scan) == '-')
        scan->pos++;
    if (peek(scan) == '0')
        scan->pos++;
    else if (digits_skip(scan) == 0)
        return FALSE;
    if (peek(scan) == '.') {
        integer = FALSE;
        scan->pos++;
        if (digits_skip(scan) == 0)
            return FALSE;
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        integer = FALSE;
        scan->pos++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->pos++;
        if (digits_skip(scan) == 0)
            return FALSE;
    }
    *ret_integer = integer;
    return TRUE;
}

static JsonGuardResult
number_scan(Scan *scan)
{
    gsize start = scan->pos;
    char text[JSON_GUARD_NUMBER_MAX + 1];
    gboolean integer = FALSE;
    gint64 value;

    if (!number_walk(scan, &integer))
        return JSON_GUARD_SYNTAX;
    if (scan->pos - start > JSON_GUARD_NUMBER_MAX)
        return JSON_GUARD_NUMBER;
    memcpy(text, scan->text + start, scan->pos - start);
    text[scan->pos - start] = '\0';
    if (integer ? !g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &value, NULL)
                : !isfinite(g_ascii_strtod(text, NULL)))
        return JSON_GUARD_NUMBER;
    scan->state = EXPECT_SEPARATOR;
    return JSON_GUARD_OK;
}

static JsonGuardResult
word_scan(Scan *scan, const char *word)
{
    gsize len = strlen(word);

    if (scan->len - scan->pos < len || memcmp(scan->text + scan->pos, word, len) != 0)
        return JSON_GUARD_SYNTAX;
    scan->pos += len;
    scan->state = EXPECT_SEPARATOR;
    return JSON_GUARD_OK;
}

static JsonGuardResult
container_open(Scan *scan, char kind)
{
    if (scan->depth == scan->max_depth)
        return JSON_GUARD_TOO_DEEP;
    scan->kinds[scan->depth] = kind;
    scan->first_name[scan->depth] = scan->name_count;
    scan->depth++;
    scan->pos++;
    scan->state = kind == '[' ? EXPECT_FIRST_VALUE : EXPECT_FIRST_NAME;
    return JSON_GUARD_OK;
}

/* `c` is the closing bracket. Closing an object drops its names. */
static JsonGuardResult
container_close(Scan *scan, char c)
{
    if (scan->depth == 0 || scan->kinds[scan->depth - 1] != (c == ']' ? '[' : '{'))
        return JSON_GUARD_SYNTAX;
    scan->depth--;
    scan->name_count = scan->first_name[scan->depth];
    scan->pos++;
    scan->state = EXPECT_SEPARATOR;
    return JSON_GUARD_OK;
}

static JsonGuardResult
string_value_scan(Scan *scan)
{
    guint32 hash = 0;

    scan->state = EXPECT_SEPARATOR;
    return string_scan(scan, &hash);
}

static JsonGuardResult
value_scan(Scan *scan)
{
    char c = peek(scan);

    switch (c) {
    case '{':
    case '[':
        return container_open(scan, c);
    case '"':
        return string_value_scan(scan);
    case 't':
        return word_scan(scan, "true");
    case 'f':
        return word_scan(scan, "false");
    case 'n':
        return word_scan(scan, "null");
    default:
        return number_scan(scan);
    }
}

/* After a value inside an array or object. */
static JsonGuardResult
separator_scan(Scan *scan)
{
    char c = peek(scan);

    if (c == ']' || c == '}')
        return container_close(scan, c);
    if (c != ',')
        return JSON_GUARD_SYNTAX;
    scan->pos++;
    scan->state = scan->kinds[scan->depth - 1] == '[' ? EXPECT_VALUE : EXPECT_NAME;
    return JSON_GUARD_OK;
}

static JsonGuardResult
step(Scan *scan)
{
    switch (scan->state) {
    case EXPECT_FIRST_VALUE:
        return peek(scan) == ']' ? container_close(scan, ']') : value_scan(scan);
    case EXPECT_FIRST_NAME:
        return peek(scan) == '}' ? container_close(scan, '}') : name_scan(scan);
    case EXPECT_NAME:
        return name_scan(scan);
    case EXPECT_SEPARATOR:
        return separator_scan(scan);
    case EXPECT_VALUE:
    default:
        return value_scan(scan);
    }
}

static JsonGuardResult
scan_run(Scan *scan)
{
    JsonGuardResult result = JSON_GUARD_OK;

    while (result == JSON_GUARD_OK) {
        blanks_skip(scan);
        if (scan->depth == 0 && scan->state == EXPECT_SEPARATOR)
            return scan->pos == scan->len ? JSON_GUARD_OK : JSON_GUARD_SECOND_ROOT;
        if (scan->pos < scan->len && scan->text[scan->pos] == '\0')
            return JSON_GUARD_NUL;
        result = step(scan);
    }
    return result;
}

JsonGuardResult
json_guard_check(const char *text, gsize len, const JsonGuardLimits *limits, gsize *ret_offset)
{
    Scan scan = {.text = text, .len = len, .max_depth = JSON_GUARD_DEPTH_MAX};
    gsize size = limits ? limits->size : JSON_GUARD_SIZE_MAX;
    JsonGuardResult result = JSON_GUARD_TOO_LARGE;

    if (limits)
        scan.max_depth = MIN(limits->depth, JSON_GUARD_DEPTH_CAP);
    if (len <= size)
        result = scan_run(&scan);
    if (result != JSON_GUARD_OK && ret_offset)
        *ret_offset = scan.pos;
    return result;
}

const char *
json_guard_text(JsonGuardResult result)
{
    static const char *const texts[] = {
        [JSON_GUARD_OK] = "the JSON is fine",
        [JSON_GUARD_TOO_LARGE] = "the JSON is too large",
        [JSON_GUARD_TOO_DEEP] = "the JSON is nested too deeply",
        [JSON_GUARD_TOO_MANY_MEMBERS] = "the JSON has too many members",
        [JSON_GUARD_SYNTAX] = "this is not JSON",
        [JSON_GUARD_ENCODING] = "the JSON is not UTF-8",
        [JSON_GUARD_NUL] = "the JSON has a NUL character",
        [JSON_GUARD_SURROGATE] = "the JSON has half of a surrogate pair",
        [JSON_GUARD_DUPLICATE] = "the JSON has a name twice in one object",
        [JSON_GUARD_NUMBER] = "the JSON has a number that is out of range",
        [JSON_GUARD_SECOND_ROOT] = "the JSON goes on behind its end",
    };

    return (guint)result < G_N_ELEMENTS(texts) ? texts[result] : texts[JSON_GUARD_SYNTAX];
}
