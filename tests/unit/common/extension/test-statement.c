/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Statements of an authority: what is taken, each bound and one past it, and that every changed
 * byte is refused or told. */
#include "common/base/error.h"
#include "common/codec/base64.h"
#include "common/extension/statement.h"

#include <string.h>

#define ADDRESS "kind address\nserial 7\nnames hub.example,10.0.0.1\nhost new.example\nport 8443\n"
#define AUTHORITY "kind authority\nserial 7\nnames hub.example\nroot MAMCAQE\n"

static char *
seal(const char *body, gsize len)
{
    g_autofree char *encoded = base64url_encode((const guint8 *)body, len);
    g_autofree char *part = g_strconcat("streamd-statement-1.", encoded, NULL);

    return statement_seal(part, (const guint8 *)"signature", 9);
}

static Statement *
parse(const char *body, GError **error)
{
    g_autofree char *text = seal(body, strlen(body));

    return statement_parse(text, strlen(text), error);
}

static void
same(const guint8 *bytes, gsize len, const char *wanted, gsize wanted_len)
{
    g_assert_cmpuint(len, ==, wanted_len);
    g_assert_true(memcmp(bytes, wanted, len) == 0);
}

static void
test_taken(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Statement) address = parse(ADDRESS, &error);
    g_autoptr(Statement) authority = parse(AUTHORITY, &error);
    g_autofree char *text = seal(ADDRESS, strlen(ADDRESS));

    g_assert_no_error(error);
    g_assert_cmpint(address->kind, ==, STATEMENT_ADDRESS);
    g_assert_cmpuint(address->serial, ==, 7);
    g_assert_cmpstr(address->host, ==, "new.example");
    g_assert_cmpuint(address->port, ==, 8443);
    g_assert_cmpuint(address->signed_len, ==, (gsize)(strrchr(text, '.') - text));
    same(address->signature, address->signature_len, "signature", 9);
    g_assert_true(statement_is_for(address, "HUB.example") &&
                  statement_is_for(address, "10.0.0.1"));
    g_assert_false(statement_is_for(address, "new.example") || statement_is_for(address, "") ||
                   statement_is_for(address, "hub.example,10.0.0.1"));
    g_assert_cmpint(authority->kind, ==, STATEMENT_AUTHORITY);
    same(authority->root, authority->root_len, "\x30\x03\x02\x01\x01", 5);
}

static void
test_refused(void)
{
    static const struct {
        const char *body, *why;
    } rows[] = {
        {"", "of no kind"},
        {"kind other\nserial 7\nnames a\nhost b\nport 1\n", "of no kind"},
        {"kind  address\nserial 7\nnames a\nhost b\nport 1\n", "of no kind"},
        {"Kind address\nserial 7\nnames a\nhost b\nport 1\n", "of no kind"},
        {"kind address\r\nserial 7\nnames a\nhost b\nport 1\n", "of no kind"},
        {"kind address", "of no kind"},
        {"kind address\nnames a\nhost b\nport 1\n", "no serial"},
        {"kind address\nserial 0\nnames a\nhost b\nport 1\n", "no serial"},
        {"kind address\nserial 07\nnames a\nhost b\nport 1\n", "no serial"},
        {"kind address\nserial -7\nnames a\nhost b\nport 1\n", "no serial"},
        {"kind address\nserial 7x\nnames a\nhost b\nport 1\n", "no serial"},
        {"kind address\nserial 9007199254740993\nnames a\nhost b\nport 1\n", "no serial"},
        {"kind address\nserial 7\nserial 8\nnames a\nhost b\nport 1\n", "names no hub"},
        {"kind address\nserial 7\nnames \nhost b\nport 1\n", "names no hub"},
        {"kind address\nserial 7\nnames a,\nhost b\nport 1\n", "names no hub"},
        {"kind address\nserial 7\nnames a/b\nhost b\nport 1\n", "names no hub"},
        {"kind address\nserial 7\nnames a\nport 1\nhost b\n", "no address"},
        {"kind address\nserial 7\nnames a\nhost *.b\nport 1\n", "no address"},
        {"kind address\nserial 7\nnames a\nhost b\nport 0\n", "no address"},
        {"kind address\nserial 7\nnames a\nhost b\nport 65536\n", "no address"},
        {"kind address\nserial 7\nnames a\nroot MAMCAQE\n", "no address"},
        {"kind authority\nserial 7\nnames a\nhost b\nport 1\n", "no certificate"},
        {"kind authority\nserial 7\nnames a\nroot \n", "no certificate"},
        {"kind authority\nserial 7\nnames a\nroot MAMC+QE\n", "no certificate"},
        {ADDRESS "x", "behind its end"},
        {ADDRESS ADDRESS, "behind its end"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(parse(rows[i].body, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, rows[i].why));
    }
}

/* The whole text: prefix, dots, characters, a NUL. */
static void
test_form(void)
{
    static const char *const rows[] = {
        "",
        ".",
        "streamd-statement-1",
        "streamd-statement-1.",
        "streamd-statement-1..",
        "streamd-statement-1.a2luZA",
        "streamd-statement-2.a2luZA.a2luZA",
        "Streamd-statement-1.a2luZA.a2luZA",
        "streamd-statement-1.a2luZA==.a2luZA",
        "streamd-statement-1.a2luZA.a2luZA.a2luZA",
    };
    g_autofree char *good = seal(ADDRESS, strlen(ADDRESS));
    gsize len = strlen(good);
    const char nul[] = "kind address\nserial 7\nnames a\0b\nhost b\nport 1\n";
    g_autofree char *with_nul = seal(nul, sizeof nul - 1);
    g_autofree char *padded = g_strconcat(good, "=", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_null(statement_parse(rows[i], strlen(rows[i]), NULL));
    for (gsize cut = 0; cut < strlen("streamd-statement-1.") + 20; cut++)
        g_assert_null(statement_parse(good, cut, NULL));
    g_assert_null(statement_parse(with_nul, strlen(with_nul), NULL));
    g_assert_null(statement_parse(padded, len + 1, NULL));
}

/* LEN characters of host names, joined by commas: COUNT of them. */
static char *
with_names(guint count, gsize len)
{
    GString *body = g_string_new("kind address\nserial 7\nnames ");

    for (guint i = 0; i < count; i++) {
        g_string_append(body, i > 0 ? "," : "");
        for (gsize j = 0; j < len; j++)
            g_string_append_c(body, 'a');
    }
    g_string_append(body, "\nhost b\nport 1\n");
    return g_string_free(body, FALSE);
}

static gboolean
is_taken(char *body)
{
    g_autofree char *owned = body;
    g_autoptr(Statement) statement = parse(owned, NULL);

    return statement != NULL;
}

static gboolean
root_is_taken(gsize len)
{
    g_autofree guint8 *bytes = g_malloc0(len);
    g_autofree char *encoded = base64url_encode(bytes, len);

    return is_taken(g_strdup_printf("kind authority\nserial 7\nnames a\nroot %s\n", encoded));
}

static gboolean
signature_is_taken(gsize len)
{
    g_autofree guint8 *bytes = g_malloc0(len);
    g_autofree char *encoded = base64url_encode((const guint8 *)ADDRESS, strlen(ADDRESS));
    g_autofree char *part = g_strconcat("streamd-statement-1.", encoded, NULL);
    g_autofree char *text = statement_seal(part, bytes, len);
    g_autoptr(Statement) statement = statement_parse(text, strlen(text), NULL);

    return statement != NULL;
}

static void
test_bounds(void)
{
    g_autofree char *longest = g_strnfill(STATEMENT_MAX + 1, 'A');
    g_autoptr(GError) error = NULL;

    g_assert_true(is_taken(with_names(STATEMENT_NAMES_MAX, 3)));
    g_assert_false(is_taken(with_names(STATEMENT_NAMES_MAX + 1, 3)));
    g_assert_true(is_taken(with_names(1, 253)));
    g_assert_false(is_taken(with_names(1, 254)));
    g_assert_true(
        is_taken(g_strdup("kind address\nserial 9007199254740992\nnames a\nhost b\nport 65535\n")));
    g_assert_true(root_is_taken(STATEMENT_ROOT_MAX));
    g_assert_false(root_is_taken(STATEMENT_ROOT_MAX + 1));
    g_assert_true(signature_is_taken(STATEMENT_SIGNATURE_MAX));
    g_assert_false(signature_is_taken(STATEMENT_SIGNATURE_MAX + 1));
    g_assert_null(statement_parse(longest, STATEMENT_MAX + 1, &error));
    g_assert_nonnull(strstr(error->message, "too long"));
}

static void
test_written(void)
{
    char *names[] = {(char *)"hub.example", (char *)"fd00::1", NULL};
    const Statement one = {.kind = STATEMENT_ADDRESS,
                           .serial = 9,
                           .names = names,
                           .host = (char *)"fd00::2",
                           .port = 1};
    g_autofree char *part = statement_format(&one);
    g_autofree char *text = statement_seal(part, (const guint8 *)"s", 1);
    g_autoptr(Statement) two = statement_parse(text, strlen(text), NULL);

    g_assert_nonnull(two);
    g_assert_cmpuint(two->signed_len, ==, strlen(part));
    g_assert_cmpstr(two->host, ==, "fd00::2");
    g_assert_true(statement_is_for(two, "fd00::1"));
}

static void
test_acknowledged(void)
{
    static const char *const wrong[] = {
        "",
        "$iothub/streamd/statement/",
        "$iothub/streamd/statement/authority",
        "$iothub/streamd/statement/authority/",
        "$iothub/streamd/statement/authority/07",
        "$iothub/streamd/statement/authority/-7",
        "$iothub/streamd/statement/authority/7/",
        "$iothub/streamd/statement/authority/9007199254740993",
        "$iothub/streamd/statement/other/7",
        "$iothub/streamd/Statement/authority/7",
    };
    g_autofree char *topic = statement_ack_format(STATEMENT_ADDRESS, 7);
    StatementKind kind = STATEMENT_AUTHORITY;
    guint64 serial = 0;

    g_assert_cmpstr(topic, ==, "$iothub/streamd/statement/address/7");
    g_assert_true(statement_ack_parse(slice_of(topic), &kind, &serial));
    g_assert_true(kind == STATEMENT_ADDRESS && serial == 7);
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(statement_ack_parse(slice_of(wrong[i]), &kind, &serial));
}

static void
test_known(void)
{
    static const char *const wrong[] = {"",     " ",    "7",     "7 ",  " 7",
                                        "7 07", "7  8", "7 8 9", "a 8", "7 9007199254740993"};
    const guint64 known[STATEMENT_KINDS] = {7, 0};
    g_autofree char *text = statement_known_format(known);
    guint64 got[STATEMENT_KINDS] = {1, 1};

    g_assert_cmpstr(text, ==, "7 0");
    g_assert_true(statement_known_parse(text, got));
    g_assert_true(got[0] == 7 && got[1] == 0);
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(statement_known_parse(wrong[i], got));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/statement/taken", test_taken);
    g_test_add_func("/statement/refused", test_refused);
    g_test_add_func("/statement/form", test_form);
    g_test_add_func("/statement/bounds", test_bounds);
    g_test_add_func("/statement/written", test_written);
    g_test_add_func("/statement/acknowledged", test_acknowledged);
    g_test_add_func("/statement/known", test_known);
    return g_test_run();
}
