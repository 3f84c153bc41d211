/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses, weekdays and times of accept rules. */
#include "daemon/policy/accept-address.h"
#include "daemon/policy/accept-time.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is the range, the rest the address. */
static void
run_range(const char *input)
{
    const char *end = strchrnul(input, '\n');
    g_autofree char *text = g_strndup(input, (gsize)(end - input));
    g_autoptr(GError) error = NULL;
    AcceptRange range, all;

    if (!accept_range_parse(text, &range, &error)) {
        g_assert_nonnull(error);
        return;
    }
    g_assert_true(range.bits == 32 || range.bits == 128);
    g_assert_cmpuint(range.prefix, <=, range.bits);
    all = (AcceptRange){.bits = range.bits};
    if (accept_range_has(&range, *end ? end + 1 : end))
        g_assert_true(accept_range_has(&all, *end ? end + 1 : end));
}

/* A window and its complement never hold at once. */
static void
run_time(const char *text)
{
    AcceptWhen when = {0};

    if (!accept_time_parse(text, &when, NULL))
        return;
    for (guint minute = 0; minute < ACCEPT_DAY_MINUTES; minute++) {
        const AcceptWhen other = {.from = when.to, .to = when.from};
        const AcceptMoment moment = {.day = minute % 7, .minute = minute};

        g_assert_true(accept_when_has_time(&when, &moment) !=
                      accept_when_has_time(&other, &moment));
        g_assert_true(accept_when_has_day(&when, &moment));
    }
}

static void
run_weekdays(const char *text)
{
    AcceptWhen when = {0};

    if (accept_weekdays_parse(text, &when, NULL))
        g_assert_true(when.days != 0 && (when.days & ~ACCEPT_ALL_DAYS) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);

    run_range(text);
    run_time(text);
    run_weekdays(text);
    return 0;
}
