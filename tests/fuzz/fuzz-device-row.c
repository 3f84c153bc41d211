/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line of an import: what is taken can be written and is taken again as the same; what is not is
 * told about. */
#include "hub/registry/device-row.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require_same(const RegistryDevice *one, const RegistryDevice *other)
{
    g_autofree char *tags = registry_tags_format(one->tags);
    g_autofree char *other_tags = registry_tags_format(other->tags);

    g_assert_cmpstr(one->id, ==, other->id);
    g_assert_cmpstr(one->module, ==, other->module);
    g_assert_cmpstr(one->comment, ==, other->comment);
    g_assert_cmpstr(tags, ==, other_tags);
    g_assert_true(one->enabled == other->enabled);
    g_assert_true(one->primary.len == other->primary.len &&
                  memcmp(one->primary.bytes, other->primary.bytes, one->primary.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *why = NULL;
    g_autoptr(DeviceRow) row = device_row_parse((const char *)data, size, &why), again = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    gboolean keys;

    g_assert_true((row == NULL) == (why != NULL));
    if (!row)
        return 0;
    keys = (row->fields & DEVICE_ROW_KEYS) == DEVICE_ROW_KEYS;
    device_row_append(out, row->device, keys);
    g_assert_true(g_str_has_suffix(out->str, "}\n"));
    g_assert_null(memchr(out->str, '\n', out->len - 1));
    if (out->len - 1 > DEVICE_ROW_MAX) /* escapes were shorter */
        return 0;
    again = device_row_parse(out->str, out->len - 1, &why);
    g_assert_nonnull(again);
    if (!keys)
        memset(&row->device->primary, 0, sizeof row->device->primary);
    require_same(row->device, again->device);
    return 0;
}
