/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an invitation is for is read without being strict; what is none is named, and no message
 * shows a part of it. */
#include "desktop/setup/invitation.h"
#include "desktop/setup/other-text.h"

#include <string.h>
#include <unistd.h>

#define HUB "HostName=hub.example.org:8443;"
#define TICKET_KEY ";InvitationKey=c2VjcmV0"
#define KEY ";SharedAccessKey=c2VjcmV0"
/* "abc", whose SHA-256 is known to everybody. */
#define PEM "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"
#define ABC                                                                                        \
    "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15" \
    ":AD"

static const struct {
    const char *text;
    InvitationRole role;
    const char *name, *identity, *fingerprints;
} good[] = {
    {HUB "Invitation=a1;DeviceId=gw-1" TICKET_KEY "\n" PEM, INVITATION_DEVICE, "a1", "gw-1", ABC},
    {HUB "Invitation=a1;DeviceId=gw-1;ModuleId=m" TICKET_KEY, INVITATION_DEVICE, "a1", "gw-1/m",
     ""},
    {HUB "Invitation=a2;UserName=alice" TICKET_KEY "\n" PEM PEM, INVITATION_SERVICE, "a2", "alice",
     ABC "\n" ABC},
    {HUB "Invitation=a3" TICKET_KEY, INVITATION_ANY, "a3", NULL, ""},
    {HUB "DeviceId=gw-1" KEY, INVITATION_DEVICE, NULL, "gw-1", ""},
    {HUB "DeviceId=gw-1;x509=true", INVITATION_DEVICE, NULL, "gw-1", ""},
    {HUB "SharedAccessKeyName=service" KEY, INVITATION_SERVICE, NULL, "service", ""},
    /* As mail programs, editors and shells hand it on. */
    {"\xef\xbb\xbf" HUB "SharedAccessKeyName=service" KEY, INVITATION_SERVICE, NULL, "service", ""},
    {"> " HUB "DeviceId=gw-1" KEY "\n> " PEM, INVITATION_DEVICE, NULL, "gw-1", ABC},
    {"\"" HUB "DeviceId=gw-1" KEY "\"\n", INVITATION_DEVICE, NULL, "gw-1", ""},
    {" SharedAccessKey=c2VjcmV0; DeviceId=gw-1 ;\r\n" HUB, INVITATION_DEVICE, NULL, "gw-1", ""},
};

static const struct {
    const char *text, *says;
} bad[] = {
    {"", "empty"},
    {"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n", "but a private key in PEM"},
    {"-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n", "but a private key of ssh"},
    {PEM, "but a certificate in PEM"},
    {"ssh-ed25519 c2VjcmV0 me@here", "but a public key of ssh"},
    {"{\"key\": \"c2VjcmV0\"}", "but JSON"},
    {"[hub]\nKey=c2VjcmV0", "but a configuration file"},
    {"<html>c2VjcmV0", "but a page of the web"},
    {"https://hub/c2VjcmV0", "but the address of a page"},
    {"%PDF-1.7 c2VjcmV0", "but a PDF document"},
    {"\x89PNG c2VjcmV0", "but a picture"},
    {"PK\x03\x04 c2VjcmV0", "but a ZIP archive"},
    {"\xff\xfe c2VjcmV0", "UTF-16"},
    {"shopping list: c2VjcmV0", "neither an invitation nor a connection string"},
    {"\xc3\x28 c2VjcmV0", "not even text"},
    {"HostName=;DeviceId=d" KEY, "beginning is missing"},
    {"ame=hub;Invitation=a;DeviceId=gw-1" TICKET_KEY, "beginning is missing"},
    {"eviceId=gw-1" KEY, "beginning is missing"},
    {HUB "Invitation=a;DeviceId=gw-1;Invi", "end is missing"},
    {HUB "DeviceId=gw-1;SharedAcc", "end is missing"},
    {"HostName=hub" KEY, "for whom"},
};

static void
test_good(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        const gsize length = strlen(good[i].text);
        g_autofree char *text = g_memdup2(good[i].text, length); /* without a NUL behind it */
        g_autoptr(GError) error = NULL;
        g_autoptr(Invitation) invitation = invitation_read(text, length, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(invitation->host, ==, "hub.example.org:8443");
        g_assert_cmpint(invitation->role, ==, good[i].role);
        g_assert_cmpstr(invitation->name, ==, good[i].name);
        g_assert_cmpstr(invitation->identity, ==, good[i].identity);
        g_assert_cmpstr(invitation->fingerprints, ==, good[i].fingerprints);
        g_assert_true(invitation_is(invitation, good[i].text));
        g_assert_false(invitation_is(invitation, "other"));
        g_assert_false(invitation_is(invitation, NULL));
    }
}

static void
test_bad(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        const gsize length = strlen(bad[i].text);
        g_autofree char *text = g_memdup2(bad[i].text, MAX(length, 1));
        g_autoptr(GError) error = NULL;

        g_assert_null(invitation_read(text, length, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
        if (strstr(error->message, bad[i].says) == NULL)
            g_error("%s: %s", bad[i].text, error->message);
        g_assert_null(strstr(error->message, "c2Vj"));
    }
}

static void
test_sizes(void)
{
    g_autofree char *long_text = g_strnfill(INVITATION_MAX + 1, 'x');
    g_autoptr(GError) error = NULL;

    g_assert_null(invitation_read(long_text, INVITATION_MAX + 1, &error));
    g_assert_nonnull(strstr(error->message, "too long"));
    g_clear_error(&error);
    g_assert_null(invitation_read("HostName=\0;", 11, &error));
    g_assert_nonnull(strstr(error->message, "not even text"));
}

static void
test_names(void)
{
    static const struct {
        const char *host, *name;
    } rows[] = {
        {"hub.example.org", "hub"}, {"office:8443", "office"}, {"10.0.0.1:443", "hub"},
        {"[::1]:443", "hub"},       {"a b.example", "a-b"},    {"", "hub"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Invitation invitation = {.host = (char *)rows[i].host};
        g_autofree char *name = invitation_hub_name(&invitation);

        g_assert_cmpstr(name, ==, rows[i].name);
    }
}

static void
test_descriptor(void)
{
    Invitation invitation = {.text = (char *)"secret", .length = 6};
    char got[16] = {0};
    const int fd = invitation_open(&invitation, NULL);

    g_assert_cmpint(read(fd, got, sizeof got), ==, 6);
    g_assert_cmpstr(got, ==, "secret");
    (void)close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/invitation/good", test_good);
    g_test_add_func("/invitation/bad", test_bad);
    g_test_add_func("/invitation/sizes", test_sizes);
    g_test_add_func("/invitation/names", test_names);
    g_test_add_func("/invitation/descriptor", test_descriptor);
    return g_test_run();
}
