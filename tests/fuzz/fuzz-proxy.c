/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written down of a proxy: a line each for its URL, its credentials and the hosts without
 * it. What is taken leads somewhere that can be put into a URI again, and an error never shows the
 * credentials. */
#include "daemon/net/proxy.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
line(char **lines, guint index)
{
    return g_strv_length(lines) > index && *lines[index] ? lines[index] : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
    const ProxySettings settings = {line(lines, 0), line(lines, 1), line(lines, 2)};
    g_autoptr(GError) error = NULL;
    g_autoptr(Proxy) proxy = proxy_new(&settings, &error);

    g_assert_true(!proxy == !!error);
    g_assert_true(proxy_check(&settings, NULL) == !!proxy);
    if (error && settings.credentials && strlen(settings.credentials) > 16)
        g_assert_null(strstr(error->message, settings.credentials));
    return 0;
}
