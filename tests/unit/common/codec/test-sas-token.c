/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/sas-token.h"

/* Made with Python's hmac: the bytes "0123456789abcdef0123456789abcdef" as key, se=1900000000. */
#define KEY_BASE64 "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define SR_C "127.0.0.1/devices/dev1"
#define SIG_C "5RfVNUmn4%2BWIY4lnv537MojaLbvjGXJ9JEuKkn0hfMY%3D"
#define SR_NODE "127.0.0.1%2Fdevices%2Fdev1"
#define SIG_NODE "hv42jfRpPcazV54JUCLUKuAVBJaWeyVVDDJUz0m%2Br5k%3D"
#define SE "1900000000"
#define SIG_PLAIN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define SIG_ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"

typedef enum { GOOD, FORGED, REFUSED } Verdict;

/* Each stands behind "SharedAccessSignature ". `why` counts for REFUSED. */
static const struct {
    const char *text;
    Verdict verdict;
    SasResult why;
} rows[] = {
    /* what clients send */
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&skn=", GOOD, SAS_OK},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE, GOOD, SAS_OK},
    {"sr=" SR_NODE "&sig=" SIG_NODE "&se=" SE, GOOD, SAS_OK},
    {"sr=" SR_NODE "&sig=" SIG_NODE "&skn=service&se=" SE, GOOD, SAS_OK},
    {"se=" SE "&sig=" SIG_NODE "&sr=" SR_NODE, GOOD, SAS_OK},
    {"sig=" SIG_NODE "&skn=&sr=" SR_NODE "&se=" SE, GOOD, SAS_OK},
    {"sr=" SR_C "&sig=5RfVNUmn4%2bWIY4lnv537MojaLbvjGXJ9JEuKkn0hfMY%3d&se=" SE, GOOD, SAS_OK},
    {"sr=" SR_C "&sig=5RfVNUmn4+WIY4lnv537MojaLbvjGXJ9JEuKkn0hfMY=&se=" SE, GOOD, SAS_OK},
    {"sr=" SR_C "&sig=%35RfVNUmn4%2BWIY4lnv537MojaLbvjGXJ9JEuKkn0hfMY%3D&se=" SE, GOOD, SAS_OK},
    /* well-formed, but not signed so: the signature is over the text as sent */
    {"sr=" SR_NODE "&sig=" SIG_C "&se=" SE, FORGED, SAS_OK},
    {"sr=" SR_C "&sig=" SIG_NODE "&se=" SE, FORGED, SAS_OK},
    {"sr=127.0.0.1%2fdevices%2fdev1&sig=" SIG_NODE "&se=" SE, FORGED, SAS_OK},
    {"sr=127.0.0.1/devices/dev2&sig=" SIG_C "&se=" SE, FORGED, SAS_OK},
    {"sr=127.0.0.1/devices/dev1/&sig=" SIG_C "&se=" SE, FORGED, SAS_OK},
    {"sr=127.0.0.1/devices/Dev1&sig=" SIG_C "&se=" SE, FORGED, SAS_OK},
    {"sr=" SR_C "&sig=" SIG_C "&se=1900000001", FORGED, SAS_OK},
    {"sr=" SR_C "&sig=" SIG_C "&se=01900000000", FORGED, SAS_OK},
    {"sr=" SR_C "&sig=" SIG_ZERO "&se=" SE, FORGED, SAS_OK},
    {"sr=" SR_C "&sig=4RfVNUmn4%2BWIY4lnv537MojaLbvjGXJ9JEuKkn0hfMY%3D&se=" SE, FORGED, SAS_OK},
    /* pairs */
    {"", REFUSED, SAS_BAD_PAIR},
    {"sr", REFUSED, SAS_BAD_PAIR},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&", REFUSED, SAS_BAD_PAIR},
    {"&sr=" SR_C "&sig=" SIG_C "&se=" SE, REFUSED, SAS_BAD_PAIR},
    {"sr=" SR_C "&&sig=" SIG_C "&se=" SE, REFUSED, SAS_BAD_PAIR},
    {"sr=" SR_C "&sig=" SIG_C "&se", REFUSED, SAS_BAD_PAIR},
    {"=x&sr=" SR_C "&sig=" SIG_C "&se=" SE, REFUSED, SAS_UNKNOWN_NAME},
    {" sr=" SR_C "&sig=" SIG_C "&se=" SE, REFUSED, SAS_UNKNOWN_NAME},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&x=y", REFUSED, SAS_UNKNOWN_NAME},
    {"SR=" SR_C "&sig=" SIG_C "&se=" SE, REFUSED, SAS_UNKNOWN_NAME},
    {"s%72=" SR_C "&sig=" SIG_C "&se=" SE, REFUSED, SAS_UNKNOWN_NAME},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&sk=x", REFUSED, SAS_UNKNOWN_NAME},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&sknx=x", REFUSED, SAS_UNKNOWN_NAME},
    {"sr=" SR_C "&sr=" SR_C "&sig=" SIG_C "&se=" SE, REFUSED, SAS_DUPLICATE_NAME},
    {"sr=" SR_C "&sig=" SIG_C "&sig=" SIG_C "&se=" SE, REFUSED, SAS_DUPLICATE_NAME},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&se=9900000000", REFUSED, SAS_DUPLICATE_NAME},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&skn=&skn=service", REFUSED, SAS_DUPLICATE_NAME},
    {"sr=&sr=" SR_C "&sig=" SIG_C "&se=" SE, REFUSED, SAS_DUPLICATE_NAME},
    {"sig=" SIG_C "&se=" SE, REFUSED, SAS_MISSING_NAME},
    {"sr=" SR_C "&se=" SE, REFUSED, SAS_MISSING_NAME},
    {"sr=" SR_C "&sig=" SIG_C, REFUSED, SAS_MISSING_NAME},
    {"skn=service", REFUSED, SAS_MISSING_NAME},
    /* sr */
    {"sr=&sig=" SIG_C "&se=" SE, REFUSED, SAS_BAD_RESOURCE},
    {"sr=a b&sig=" SIG_C "&se=" SE, REFUSED, SAS_BAD_RESOURCE},
    {"sr=a\nb&sig=" SIG_C "&se=" SE, REFUSED, SAS_BAD_RESOURCE},
    {"sr=a\xc3\xa4&sig=" SIG_C "&se=" SE, REFUSED, SAS_BAD_RESOURCE},
    {"sr=a%2&sig=" SIG_C "&se=" SE, REFUSED, SAS_BAD_RESOURCE},
    {"sr=a%zz&sig=" SIG_C "&se=" SE, REFUSED, SAS_BAD_RESOURCE},
    {"sr=a%00&sig=" SIG_C "&se=" SE, REFUSED, SAS_BAD_RESOURCE},
    /* sig */
    {"sr=" SR_C "&sig=&se=" SE, REFUSED, SAS_BAD_SIGNATURE},
    {"sr=" SR_C "&sig=5RfVNUmn4%2BWIY4lnv537MojaLbvjGXJ9JEuKkn0hfMY&se=" SE, REFUSED,
     SAS_BAD_SIGNATURE},
    {"sr=" SR_C "&sig=5RfVNUmn4%252BWIY4lnv537MojaLbvjGXJ9JEuKkn0hfMY%253D&se=" SE, REFUSED,
     SAS_BAD_SIGNATURE},
    {"sr=" SR_C "&sig=5RfVNUmn4 WIY4lnv537MojaLbvjGXJ9JEuKkn0hfMY=&se=" SE, REFUSED,
     SAS_BAD_SIGNATURE},
    {"sr=" SR_C "&sig=5RfVNUmn4-WIY4lnv537MojaLbvjGXJ9JEuKkn0hfMY=&se=" SE, REFUSED,
     SAS_BAD_SIGNATURE},
    {"sr=" SR_C "&sig=5RfVNUmn4%2BWIY4lnv537MojaLbvjGXJ9JEuKkn0hfMZ%3D&se=" SE, REFUSED,
     SAS_BAD_SIGNATURE},
    {"sr=" SR_C "&sig=AAAA&se=" SE, REFUSED, SAS_BAD_SIGNATURE},
    {"sr=" SR_C "&sig=" SIG_C "AAAA&se=" SE, REFUSED, SAS_BAD_SIGNATURE},
    {"sr=" SR_C "&sig=" SIG_C "%00&se=" SE, REFUSED, SAS_BAD_SIGNATURE},
    {"sr=" SR_C "&sig=e517d53549a7e3e588638967bf9dfb3288da2dbbe319727d244b8a927d217cc6&se=" SE,
     REFUSED, SAS_BAD_SIGNATURE},
    /* se */
    {"sr=" SR_C "&sig=" SIG_C "&se=", REFUSED, SAS_BAD_EXPIRY},
    {"sr=" SR_C "&sig=" SIG_C "&se=-1", REFUSED, SAS_BAD_EXPIRY},
    {"sr=" SR_C "&sig=" SIG_C "&se=+1900000000", REFUSED, SAS_BAD_EXPIRY},
    {"sr=" SR_C "&sig=" SIG_C "&se= 1900000000", REFUSED, SAS_BAD_EXPIRY},
    {"sr=" SR_C "&sig=" SIG_C "&se=1900000000.5", REFUSED, SAS_BAD_EXPIRY},
    {"sr=" SR_C "&sig=" SIG_C "&se=1.9e9", REFUSED, SAS_BAD_EXPIRY},
    {"sr=" SR_C "&sig=" SIG_C "&se=0x71", REFUSED, SAS_BAD_EXPIRY},
    {"sr=" SR_C "&sig=" SIG_C "&se=%31900000000", REFUSED, SAS_BAD_EXPIRY},
    {"sr=" SR_C "&sig=" SIG_C "&se=999999999999", REFUSED, SAS_BAD_EXPIRY},
    {"sr=" SR_C "&sig=" SIG_C "&se=18446744073709551617", REFUSED, SAS_BAD_EXPIRY},
    /* skn */
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&skn=a/b", REFUSED, SAS_BAD_POLICY},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&skn=a%2Fb", REFUSED, SAS_BAD_POLICY},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&skn=a%0Ab", REFUSED, SAS_BAD_POLICY},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&skn=a=b", REFUSED, SAS_BAD_POLICY},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&skn=a%", REFUSED, SAS_BAD_POLICY},
    {"sr=" SR_C "&sig=" SIG_C "&se=" SE "&skn=..", REFUSED, SAS_BAD_POLICY},
};

static SasResult
parse(const char *text, SasToken *ret)
{
    gsize len = strlen(text);
    char *exact = g_memdup2(text, len);

    g_test_queue_free(exact);
    return sas_token_parse(exact, len, ret);
}

static void
key_load(SasKey *key)
{
    g_assert_true(sas_key_decode(key, KEY_BASE64, strlen(KEY_BASE64)));
}

static void
test_tokens(void)
{
    g_auto(SasKey) key = {0};

    key_load(&key);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat("SharedAccessSignature ", rows[i].text, NULL);
        g_autofree char *shown = g_strescape(rows[i].text, NULL);
        SasToken token = {.expiry = 7};

        g_test_message("%s", shown);
        g_assert_cmpint(parse(text, &token), ==, rows[i].why);
        if (rows[i].verdict == REFUSED)
            g_assert_cmpuint(token.expiry, ==, 7);
        else
            g_assert_cmpint(sas_token_verify(&token, key.data, key.len), ==,
                            rows[i].verdict == GOOD);
    }
}

static void
test_prefix(void)
{
    static const char *const bad[] = {"",
                                      "SharedAccessSignature",
                                      "sharedaccesssignature sr=a",
                                      "Bearer sr=a",
                                      " SharedAccessSignature sr=a",
                                      "SharedAccessSignature\tsr=a"};
    SasToken token;

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmpint(parse(bad[i], &token), ==, SAS_NOT_SAS);
}

static void
test_what_a_token_gives(void)
{
    SasToken token;

    g_assert_cmpint(parse("SharedAccessSignature sr=" SR_NODE "&sig=" SIG_NODE
                          "&skn=registry%52ead&se=" SE,
                          &token),
                    ==, SAS_OK);
    g_assert_true(slice_equal(token.sr, SR_NODE));
    g_assert_cmpuint(token.expiry, ==, 1900000000);
    g_assert_cmpstr(token.policy, ==, "registryRead");
    g_assert_cmpuint(token.signature[0], ==, 0x86);
}

static void
test_lengths(void)
{
    g_autofree char *fill = g_strnfill(SAS_TEXT_MAX, 'a');
    g_autofree char *policy = NULL;
    g_autofree char *resource = NULL;
    SasToken token;

    g_assert_cmpint(sas_token_parse(fill, SAS_TEXT_MAX, &token), ==, SAS_NOT_SAS);
    g_assert_cmpint(sas_token_parse(fill, SAS_TEXT_MAX + 1, &token), ==, SAS_TOO_LONG);
    resource = g_strdup_printf("SharedAccessSignature sr=%.*s&se=1&sig=" SIG_PLAIN,
                               (int)SAS_RESOURCE_MAX, fill);
    g_assert_cmpint(parse(resource, &token), ==, SAS_OK);
    g_free(resource);
    resource = g_strdup_printf("SharedAccessSignature sr=%.*s&se=1&sig=" SIG_PLAIN,
                               (int)SAS_RESOURCE_MAX + 1, fill);
    g_assert_cmpint(parse(resource, &token), ==, SAS_TOO_LONG);
    policy = g_strdup_printf("SharedAccessSignature sr=a&se=1&sig=" SIG_PLAIN "&skn=%.*s",
                             SAS_POLICY_MAX, fill);
    g_assert_cmpint(parse(policy, &token), ==, SAS_OK);
    g_assert_cmpuint(strlen(token.policy), ==, SAS_POLICY_MAX);
    g_free(policy);
    policy = g_strdup_printf("SharedAccessSignature sr=a&se=1&sig=" SIG_PLAIN "&skn=%.*s",
                             SAS_POLICY_MAX + 1, fill);
    g_assert_cmpint(parse(policy, &token), ==, SAS_BAD_POLICY);
}

static void
test_scope(void)
{
    static const char *const names[] = {"hub.example", "127.0.0.1", NULL};
    static const struct {
        const char *sr;
        const char *path;
        gboolean matches;
    } scopes[] = {
        {"hub.example/devices/device1", "devices/device1", TRUE},
        {"hub.example%2Fdevices%2Fdevice1", "devices/device1", TRUE},
        {"HUB.Example%2fdevices%2fdevice1", "devices/device1", TRUE},
        {"127.0.0.1:18883/devices/device1", "devices/device1", TRUE},
        {"127.0.0.1%3A18883%2Fdevices%2Fdevice1", "devices/device1", TRUE},
        {"hub.example", "devices/device1", TRUE},
        {"hub.example", "", TRUE},
        {"hub.example:443", "twins/device1", TRUE},
        {"hub.example/devices", "devices/device1", TRUE},
        {"hub.example/devices/device1", "devices/device1/modules/m", TRUE},
        {"hub.example/devices/device1/modules/m", "devices/device1/modules/m", TRUE},
        {"hub.example/devices/a%3Ab", "devices/a:b", TRUE},
        {"hub.example/devices/device1", "devices/device10", FALSE},
        {"hub.example/devices/device10", "devices/device1", FALSE},
        {"hub.example/devices/device1/modules/m", "devices/device1", FALSE},
        {"hub.example/devices/device1/modules/m", "devices/device1/modules/m2", FALSE},
        {"hub.example/devices/device1", "", FALSE},
        {"hub.example/devices/device1", "devices", FALSE},
        {"hub.example/devices/Device1", "devices/device1", FALSE},
        {"hub.example/devices/device1/", "devices/device1", FALSE},
        {"hub.example//devices/device1", "devices/device1", FALSE},
        {"hub.example/", "devices/device1", FALSE},
        {"hub.example/", "", FALSE},
        {"hub.example/dev", "devices/device1", FALSE},
        {"hub.example%252Fdevices", "devices/device1", FALSE},
        {"/devices/device1", "devices/device1", FALSE},
        {"", "devices/device1", FALSE},
        {":443/devices/device1", "devices/device1", FALSE},
        {"other.example/devices/device1", "devices/device1", FALSE},
        {"hub.example.evil/devices/device1", "devices/device1", FALSE},
        {"hub.exampl", "", FALSE},
        {"xhub.example", "", FALSE},
        {"hub.example:x/devices/device1", "devices/device1", FALSE},
        {"hub.example:/devices/device1", "devices/device1", FALSE},
        {"hub.example:1:2/devices/device1", "devices/device1", FALSE},
        {"https://hub.example/devices/device1", "devices/device1", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(scopes); i++) {
        g_test_message("%s for %s", scopes[i].sr, scopes[i].path);
        g_assert_cmpint(sas_resource_matches(slice_of(scopes[i].sr), names, scopes[i].path), ==,
                        scopes[i].matches);
    }
}

static void
test_building(void)
{
    g_auto(SasKey) key = {0};
    g_autofree char *device = NULL;
    g_autofree char *service = NULL;
    SasToken token;

    key_load(&key);
    device = sas_token_build(SR_C, key.data, key.len, 1900000000, NULL);
    g_assert_cmpstr(device, ==, "SharedAccessSignature sr=" SR_NODE "&sig=" SIG_NODE "&se=" SE);
    service = sas_token_build("hub.example", key.data, key.len, 1900000000, "service");
    g_assert_cmpint(parse(service, &token), ==, SAS_OK);
    g_assert_cmpstr(token.policy, ==, "service");
    g_assert_true(sas_token_verify(&token, key.data, key.len));
    for (guint i = 0; i < sizeof token.signature; i++) { /* each byte counts */
        token.signature[i] ^= 1;
        g_assert_false(sas_token_verify(&token, key.data, key.len));
        token.signature[i] ^= 1;
    }
    g_assert_true(sas_token_verify(&token, key.data, key.len));
    key.data[31] ^= 1;
    g_assert_false(sas_token_verify(&token, key.data, key.len));
    g_assert_false(sas_token_verify(&token, key.data, 0));
}

static void
test_building_refuses(void)
{
    g_autofree char *fill = g_strnfill(SAS_RESOURCE_MAX + 1, 'a');
    const guint8 key[] = {1, 2, 3};

    g_assert_null(sas_token_build("", key, 3, 1, NULL));
    g_assert_null(sas_token_build(fill, key, 3, 1, NULL));
    g_assert_null(sas_token_build("a", key, 0, 1, NULL));
    g_assert_null(sas_token_build("a", key, 3, G_GUINT64_CONSTANT(100000000000), NULL));
    g_assert_null(sas_token_build("a", key, 3, 1, ""));
    g_assert_null(sas_token_build("a", key, 3, 1, "a b"));
}

static void
test_keys(void)
{
    static const char *const bad[] = {"", "====", "AAA", "AA==x", "not a key", "AB=="};
    g_auto(SasKey) key = {.len = 5};
    g_autofree guint8 *bytes = g_malloc0(SAS_KEY_MAX + 1);
    g_autofree char *longest = g_base64_encode(bytes, SAS_KEY_MAX);
    g_autofree char *longer = g_base64_encode(bytes, SAS_KEY_MAX + 1);

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(sas_key_decode(&key, bad[i], strlen(bad[i])));
    g_assert_false(sas_key_decode(&key, longer, strlen(longer)));
    g_assert_cmpuint(key.len, ==, 5);
    g_assert_true(sas_key_decode(&key, longest, strlen(longest)));
    g_assert_cmpuint(key.len, ==, SAS_KEY_MAX);
    sas_key_clear(&key);
    g_assert_cmpuint(key.len, ==, 0);
    sas_key_clear(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sas-token/tokens", test_tokens);
    g_test_add_func("/sas-token/prefix", test_prefix);
    g_test_add_func("/sas-token/fields", test_what_a_token_gives);
    g_test_add_func("/sas-token/lengths", test_lengths);
    g_test_add_func("/sas-token/scope", test_scope);
    g_test_add_func("/sas-token/build", test_building);
    g_test_add_func("/sas-token/build-refuses", test_building_refuses);
    g_test_add_func("/sas-token/keys", test_keys);
    return g_test_run();
}
