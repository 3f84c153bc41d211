/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitations: a connection string, and the certificates behind it. */
#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/invitation.h"

#define STRING "HostName=h;DeviceId=d;SharedAccessKey=aGVsbG8="
#define PEM "-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\nMAo=\n-----END PRIVATE KEY-----\n"

static const struct {
    const char *text;
    const char *string; /* NULL: refused */
    const char *ca;
} rows[] = {
    {STRING, STRING, NULL},
    {"  " STRING " \r\n", STRING, NULL},
    {STRING "\n" PEM, STRING, PEM},
    {"\n" STRING "\r\n\r\n" PEM "\n" PEM, STRING, PEM "\n" PEM},
    {"\xef\xbb\xbf" STRING "\n" PEM, STRING, PEM},
    {"> " STRING "\r\n> -----BEGIN CERTIFICATE-----\r\n> MAo=\r\n> -----END CERTIFICATE-----\r\n",
     STRING, PEM},
    {"\"" STRING "\"", STRING, NULL},
    {"\xff\xfeH", NULL, NULL},
    {"", "", NULL}, /* for the connection string's own reader to refuse */
    {STRING "\n" STRING, NULL, NULL},
    {STRING "\n" KEY, NULL, NULL},
    {STRING "\n" PEM KEY, NULL, NULL},
    {STRING "\n" PEM "more", NULL, NULL},
    {STRING "\n-----BEGIN CERTIFICATE-----\nMAo=\n", NULL, NULL},
};

static void
test_split(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(SecretText) string = NULL;
        g_autofree char *ca = NULL;
        g_autoptr(GError) error = NULL;
        gboolean ok = invitation_split(rows[i].text, &string, &ca, &error);

        g_test_message("row %u", i);
        g_assert_cmpint(ok, ==, rows[i].string != NULL);
        g_assert_cmpstr(string, ==, rows[i].string);
        g_assert_cmpstr(ca, ==, rows[i].ca);
        if (!ok)
            g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    }
}

static void
test_make(void)
{
    g_auto(SecretText) text = invitation_make(STRING, PEM);
    g_auto(SecretText) alone = invitation_make(STRING, NULL);
    g_auto(SecretText) string = NULL;
    g_autofree char *ca = NULL;

    g_assert_true(invitation_split(text, &string, &ca, NULL));
    g_assert_cmpstr(string, ==, STRING);
    g_assert_cmpstr(ca, ==, PEM);
    g_assert_cmpstr(alone, ==, STRING "\n");
}

static void
test_too_long(void)
{
    g_autofree char *text = g_strnfill(INVITATION_MAX + 1, 'x');
    g_autofree char *string = NULL, *ca = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(invitation_split(text, &string, &ca, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/invitation/split", test_split);
    g_test_add_func("/invitation/make", test_make);
    g_test_add_func("/invitation/too-long", test_too_long);
    return g_test_run();
}
