/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user may open, and what it may lead back: neither is a way around the other. */
#include "hub/stream/account.h"

#define SECOND G_TIME_SPAN_SECOND
#define START (1000 * SECOND)

static guint
count(const char *(*limit)(StreamAccount *account, const Settings *settings, gint64 now,
                           gint64 wall),
      StreamAccount *account, const Settings *settings, gint64 now)
{
    guint n = 0;

    while (n < 1000 && !limit(account, settings, now, 0))
        n++;
    return n;
}

static const char *
another_back(StreamAccount *account, const Settings *settings, gint64 now, gint64 wall)
{
    return stream_account_resume(account, FALSE, settings, now, wall);
}

static Settings *
settings_of(guint burst, guint rate, guint streams)
{
    Settings *settings = settings_new();

    settings->streams_burst = burst;
    settings->streams_per_second = rate;
    settings->streams_max = streams;
    settings->user_share = 50;
    return settings;
}

/* Leading back takes nothing of the openings, and the other way round. */
static void
test_apart(void)
{
    g_autoptr(Settings) settings = settings_of(5, 2, 40);
    StreamAccount *account = stream_account_new("anna", settings, START);

    g_assert_cmpuint(count(another_back, account, settings, START), ==, 20);
    g_assert_cmpuint(count(stream_account_limit, account, settings, START), ==, 5);
    /* as many a second as openings, and no more than were there at first */
    g_assert_cmpuint(count(another_back, account, settings, START + SECOND), ==, 2);
    g_assert_cmpuint(count(stream_account_limit, account, settings, START + SECOND), ==, 2);
    g_assert_cmpuint(count(another_back, account, settings, START + 100 * SECOND), ==, 20);
    stream_account_free(account);
}

static void
test_scope(void)
{
    g_autoptr(Settings) settings = settings_of(1000, 1000, 1000);
    StreamAccount *account = stream_account_new("anna", settings, START);
    RegistryScope *scope = g_new0(RegistryScope, 1);

    scope->refs = 1;
    scope->streams_max = 7;
    scope->opens_per_minute = 60;
    stream_account_set_scope(account, scope);
    g_assert_cmpuint(count(another_back, account, settings, START), ==, 7);
    g_assert_cmpuint(count(another_back, account, settings, START + 3 * SECOND), ==, 3);
    g_assert_cmpuint(count(stream_account_limit, account, settings, START + 3 * SECOND), ==, 60);
    /* streams at once hold, whatever the rate */
    account->live = 6;
    g_assert_null(another_back(account, settings, START + 60 * SECOND, 0));
    account->live = 7;
    g_assert_nonnull(another_back(account, settings, START + 60 * SECOND, 0));
    /* but not for legs that take the place of those that the hub still has */
    g_assert_null(stream_account_resume(account, TRUE, settings, START + 60 * SECOND, 0));
    account->live = 8;
    g_assert_nonnull(stream_account_resume(account, TRUE, settings, START + 60 * SECOND, 0));
    account->live = 0;
    scope->bytes_per_day = 10;
    g_assert_true(stream_account_count(account, 10, 0));
    g_assert_nonnull(another_back(account, settings, START + 60 * SECOND, 0));
    stream_account_free(account);
    registry_scope_unref(scope);
}

/* One that the device did not know was an opening; there is no debt. */
static void
test_charge(void)
{
    g_autoptr(Settings) settings = settings_of(5, 1, 40);
    StreamAccount *account = stream_account_new("anna", settings, START);

    for (guint i = 0; i < 3; i++)
        stream_account_charge(account);
    g_assert_cmpuint(count(stream_account_limit, account, settings, START), ==, 2);
    for (guint i = 0; i < 3; i++)
        stream_account_charge(account);
    g_assert_cmpuint(count(stream_account_limit, account, settings, START + SECOND), ==, 1);
    stream_account_free(account);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/account/apart", test_apart);
    g_test_add_func("/account/scope", test_scope);
    g_test_add_func("/account/charge", test_charge);
    return g_test_run();
}
