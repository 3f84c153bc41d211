/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A configuration file: refused with a reason, or entries that each have a name and a place. The
 * input is read as two files, cut at its first NUL byte, so that overrides are met too. */
#include "common/base/error.h"
#include "daemon/config/keys.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_section(const ConfigSection *section)
{
    g_assert_cmpuint(section->place.line, >, 0);
    g_assert_cmpuint(section->entries->len, <=, CONFIG_ENTRIES_MAX);
    for (guint i = 0; i < section->entries->len; i++) {
        const ConfigEntry *entry = section->entries->pdata[i];

        g_assert_cmpstr(entry->key, !=, "");
        g_assert_cmpuint(entry->place.line, >, 0);
        g_assert_null(strchr(entry->value, '\n'));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size > 0 ? memchr(data, 0, size) : NULL;
    size_t first = cut ? (size_t)(cut - data) : size;
    g_autoptr(ConfigFile) config = config_file_new();
    g_autoptr(GError) error = NULL;

    config_file_add(config, "one", (const char *)data, first);
    if (cut)
        config_file_add(config, "two", (const char *)cut + 1, size - first - 1);
    config_keys_check(config);
    g_assert_cmpuint(config_file_size(config), <=, CONFIG_SECTIONS_MAX);
    for (guint i = 0; i < config_file_size(config); i++)
        check_section(config_file_section(config, i));
    if (!config_file_check(config, &error))
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    return 0;
}
