/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which ways to sign in a proxy offers: those of RFC 9110, section 11.7.1, as proxies write them.
 */
#include "daemon/net/proxy-schemes.h"

#define ASK "Proxy-Authenticate: "

static const struct {
    const char *fields;
    const char *foreign; /* NULL: none, or Basic is among them */
} rows[] = {
    {"", NULL},
    {ASK "Basic realm=\"x\"\r\n", NULL},
    {ASK "basic\r\n", NULL},
    {ASK "Negotiate\r\n", "Negotiate"},
    {ASK "Negotiate\r\n" ASK "NTLM\r\n", "Negotiate or NTLM"},
    {ASK "NTLM\r\n" ASK "Basic realm=\"x\"\r\n", NULL},
    {ASK "Negotiate, NTLM\r\n", "Negotiate or NTLM"},
    {ASK "Negotiate, Basic realm=\"x\"\r\n", NULL},
    {ASK "NTLM TlRMTVNTUAAC\r\n", "NTLM"},
    {ASK "Digest realm=\"a, Basic b\", nonce=\"c\"\r\n", "Digest"},
    {ASK "Digest realm=\"a\\\", Basic b\", qop=auth\r\n", "Digest"},
    {ASK "Digest realm = \"a\" , Basic realm=b\r\n", NULL},
    {ASK "Digest realm=\"a\", Negotiate\r\n" ASK "Digest\r\n", "Digest or Negotiate"},
    {ASK ",, ,\r\n", NULL},
    {ASK "=\r\n", NULL},
    {ASK "realm=Basic\r\n", NULL},
    {ASK "Sixteen-Letters1\r\n", "Sixteen-Letters1"},
    {ASK "Seventeen-Letters\r\n", NULL},
    {ASK "a, b, c, d, e\r\n", "a or b or c or d"},
    {ASK "a, b, c, d, Basic\r\n", NULL},
    {"WWW-Authenticate: Negotiate\r\n", NULL},
};

static void
test_rows(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        HttpHeaders headers = {0};
        HttpRefusal refusal;
        g_autofree char *foreign = NULL;

        g_assert_true(http_headers_parse((Slice){rows[i].fields, strlen(rows[i].fields)}, &headers,
                                         &refusal));
        foreign = proxy_schemes_foreign(&headers);
        g_test_message("%s", rows[i].fields);
        g_assert_cmpstr(foreign, ==, rows[i].foreign);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/proxy-schemes/rows", test_rows);
    return g_test_run();
}
