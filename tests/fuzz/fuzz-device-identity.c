/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device, or a list of changes, as a service sends it: no key stays in the text, what is read is
 * within its bounds, and what is refused has a reason. */
#include "hub/rest/identity.h"
#include "hub/rest/items.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_write(const RegistryWrite *write)
{
    g_assert_true(write->primary.len == 0 || (write->primary.len >= REGISTRY_KEY_MIN &&
                                              write->primary.len <= REGISTRY_KEY_MAX));
    g_assert_true(write->secondary.len <= REGISTRY_KEY_MAX);
}

static void
check_identity(char *body, gsize len)
{
    g_auto(RegistryWrite) write = {0};
    g_autofree char *why = NULL;
    gboolean ok = identity_parse(body, len, "gw-1", NULL, &write, &why);

    g_assert_cmpint(ok, ==, why == NULL);
    g_assert_true(ok || (write.primary.len == 0 && !write.comment));
    check_write(&write);
}

static void
check_items(char *body, gsize len)
{
    g_autofree char *why = NULL;
    g_autoptr(GPtrArray) items = items_parse(body, len, &why);

    g_assert_cmpint(items != NULL, ==, why == NULL);
    for (guint i = 0; items && i < items->len; i++) {
        const Item *item = items->pdata[i];

        g_assert_nonnull(item->operation);
        g_assert_true(item->why || item->write.id);
        check_write(&item->write);
    }
    g_assert_true(!items || items->len <= ITEMS_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *one = g_strndup((const char *)data, size);
    g_autofree char *other = g_strndup((const char *)data, size);

    check_identity(one, size);
    check_items(other, size);
    return 0;
}
