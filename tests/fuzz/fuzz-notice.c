/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notices: one that is taken can be built again of its members, and is then taken to the same kind
 * (unless it is longer when everything in it is escaped). */
#include "common/extension/notice.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const Slice payload = {(const char *)data, size};
    g_auto(Notice) notice = {0}, again = {0};
    g_autofree char *made = NULL;
    const char *fault = NULL;

    if (!notice_parse(payload, &notice, &fault)) {
        g_assert_nonnull(fault);
        return 0;
    }
    g_assert_cmpuint(size, <=, NOTICE_MAX);
    (void)notice_text(&notice, "text", 64);
    g_assert_cmpint(notice_number(&notice, "times", 0), >=, 0);
    made = notice_build(notice.kind, notice.fields);
    if (!made)
        return 0;
    g_assert_true(notice_parse(slice_of(made), &again, &fault));
    g_assert_cmpstr(again.kind, ==, notice.kind);
    return 0;
}
