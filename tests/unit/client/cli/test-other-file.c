/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is given in place of an invitation is named; what may be one is not. */
#include "client/cli/other-file.h"

#include <string.h>

static const struct {
    const char *text, *name;
} rows[] = {
    {"-----BEGIN CERTIFICATE-----\nMIIB", "a certificate in PEM"},
    {"\n \t-----BEGIN CERTIFICATE-----", "a certificate in PEM"},
    {"\xef\xbb\xbf-----BEGIN CERTIFICATE-----", "a certificate in PEM"},
    {"-----BEGIN CERTIFICATE REQUEST-----", "a certificate request in PEM"},
    {"-----BEGIN PRIVATE KEY-----", "a private key in PEM"},
    {"-----BEGIN ENCRYPTED PRIVATE KEY-----", "a private key in PEM"},
    {"-----BEGIN EC PRIVATE KEY-----", "a private key in PEM"},
    {"-----BEGIN RSA PRIVATE KEY-----", "a private key in PEM"},
    {"-----BEGIN OPENSSH PRIVATE KEY-----", "a private key of ssh"},
    {"-----BEGIN PGP MESSAGE-----", "a file in PEM, but of another kind"},
    {"ssh-ed25519 AAAA", "a public key of ssh"},
    {"ecdsa-sha2-nistp256 AAAA", "a public key of ssh"},
    {"SharedAccessSignature sr=x", "a token that a connection string makes"},
    {"[hub]\nName=x", "a configuration file"},
    {"{\"id\":\"x\"}", "JSON"},
    {"<!DOCTYPE html>", "a page of the web, or XML"},
    {"http://hub", "the address of a page of the web"},
    {"https://hub", "the address of a page of the web"},
    {"#!/bin/sh", "a script"},
    {"\x7f"
     "ELF\x02",
     "a program"},
    {"\x1f\x8b\x08", "a compressed file"},
    {"PK\x03\x04", "a ZIP archive"},
    {"\x30\x82\x01", "a certificate or a key in DER"},
    {"HostName=h;DeviceId=d;SharedAccessKey=k", NULL},
    {"\"HostName=h;DeviceId=d;SharedAccessKey=k\"", NULL},
    {"> HostName=h;Invitation=i", NULL},
    {"Invitation=i;HostName=h\n-----BEGIN CERTIFICATE-----", NULL},
    {"DeviceId=[;HostName=h", NULL},
    {"-----BEGIN", NULL},
    {"SSH-", NULL},
    {" \n\t", NULL},
    {"\xef\xbb", NULL},
    {"", NULL},
};

static void
test_names(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        /* As long as it is: what reads on is found by the sanitizer. */
        gsize length = strlen(rows[i].text);
        g_autofree char *text = g_memdup2(rows[i].text, MAX(length, 1));

        g_assert_cmpstr(other_file_name(text, length), ==, rows[i].name);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/other-file/names", test_names);
    return g_test_run();
}
