/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/setup/other-text.h"

#include <glib/gi18n.h>
#include <string.h>

/* The first row that fits. The words are those of streamctl. */
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
    {"\x89PNG", N_("a picture")},
    {"\xff\xd8\xff", N_("a picture")},
    {"%PDF-", N_("a PDF document")},
    {"\xff\xfe", N_("a text in UTF-16: save it as plain text, in UTF-8")},
    {"\xfe\xff", N_("a text in UTF-16: save it as plain text, in UTF-8")},
};

static gboolean
begins(const char *text, gsize length, const char *with)
{
    return length >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

const char *
other_text_name(const char *text, gsize length)
{
    static const char mark[] = "\xef\xbb\xbf"; /* the byte order mark of UTF-8 */
    const gsize skipped = begins(text, length, mark) ? strlen(mark) : 0;

    text += skipped;
    length -= skipped;
    while (length > 0 && g_ascii_isspace(*text)) {
        text++;
        length--;
    }
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (begins(text, length, rows[i].begin))
            return _(rows[i].name);
    }
    return NULL;
}
