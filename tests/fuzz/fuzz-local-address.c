/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses of targets and listeners, and the patterns of the accept policy. */
#include "common/base/glob.h"
#include "daemon/local/target-private.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run_address(const char *text)
{
    g_auto(LocalAddress) address = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *again = NULL;
    g_auto(LocalAddress) second = {0};

    if (!local_address_parse(text, TRUE, &address, &error)) {
        g_assert_nonnull(error);
        return;
    }
    g_assert_true((address.host == NULL) != (address.path == NULL));
    if (address.path)
        again = g_strconcat("unix:", address.path, NULL);
    else
        again = g_strdup_printf(strchr(address.host, ':') ? "tcp:[%s]:%u" : "tcp:%s:%u",
                                address.host, address.port);
    g_assert_true(local_address_parse(again, TRUE, &second, NULL));
    g_assert_cmpstr(second.host, ==, address.host);
    g_assert_cmpstr(second.path, ==, address.path);
    g_assert_cmpuint(second.port, ==, address.port);
}

/* The first line is the pattern, the rest the text. */
static void
run_glob(const char *input)
{
    const char *end = strchrnul(input, '\n');
    g_autofree char *pattern = g_strndup(input, (gsize)(end - input));
    g_autofree char *open = g_strconcat(pattern, "*", NULL);

    if (glob_match(pattern, *end ? end + 1 : end))
        g_assert_true(glob_match(open, *end ? end + 1 : end));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);

    run_address(text);
    run_glob(text);
    return 0;
}
