/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/other-file.h"

#include <glib/gi18n.h>
#include <string.h>

#define MARK "\xef\xbb\xbf" /* the byte order mark of UTF-8 */

/* The first row that fits. */
static const struct {
    const char *begin; /* no NUL in it */
    const char *name;
} rows[] = {
    {"-----BEGIN CERTIFICATE REQUEST-----", N_("a certificate request in PEM")},
    {"-----BEGIN CERTIFICATE-----", N_("a certificate in PEM")},
    {"-----BEGIN PRIVATE KEY-----", N_("a private key in PEM")},
    {"-----BEGIN ENCRYPTED PRIVATE KEY-----", N_("a private key in PEM")},
    {"-----BEGIN EC PRIVATE KEY-----", N_("a private key in PEM")},
    {"-----BEGIN RSA PRIVATE KEY-----", N_("a private key in PEM")},
    {"-----BEGIN OPENSSH PRIVATE KEY-----", N_("a private key of ssh")},
    {"-----BEGIN ", N_("a file in PEM, but of another kind")},
    {"ssh-", N_("a public key of ssh")},
    {"ecdsa-sha2-", N_("a public key of ssh")},
    {"SharedAccessSignature ", N_("a token that a connection string makes")},
    {"[", N_("a configuration file")},
    {"{", N_("JSON")},
    {"<", N_("a page of the web, or XML")},
    {"http://", N_("the address of a page of the web")},
    {"https://", N_("the address of a page of the web")},
    {"#!", N_("a script")},
    {"\x7f"
     "ELF",
     N_("a program")},
    {"\x1f\x8b", N_("a compressed file")},
    {"PK\x03\x04", N_("a ZIP archive")},
    {"\x30\x82", N_("a certificate or a key in DER")},
};

const char *
other_file_name(const char *text, gsize length)
{
    const gsize mark = strlen(MARK);

    if (length >= mark && memcmp(text, MARK, mark) == 0) {
        text += mark;
        length -= mark;
    }
    while (length > 0 && g_ascii_isspace(*text)) {
        text++;
        length--;
    }
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (length >= strlen(rows[i].begin) &&
            memcmp(text, rows[i].begin, strlen(rows[i].begin)) == 0)
            return _(rows[i].name);
    return NULL;
}
