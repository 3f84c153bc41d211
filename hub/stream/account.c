/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/account.h"

#define DAY (24 * 60 * 60 * G_TIME_SPAN_SECOND)

StreamAccount *
stream_account_new(const char *name, const Settings *settings, gint64 now)
{
    StreamAccount *account = g_new0(StreamAccount, 1);

    account->name = g_strdup(name);
    account->tokens = settings->streams_burst;
    account->resumptions = settings_user_share(settings, settings->streams_max);
    account->updated = now;
    return account;
}

void
stream_account_free(void *data)
{
    StreamAccount *account = data;

    if (!account)
        return;
    registry_scope_unref(account->scope);
    g_free(account->name);
    g_free(account);
}

/* A new rate begins with the openings of a whole minute. */
void
stream_account_set_scope(StreamAccount *account, const RegistryScope *scope)
{
    guint before = account->scope ? account->scope->opens_per_minute : 0;
    guint after = scope ? scope->opens_per_minute : 0;
    RegistryScope *own = registry_scope_ref(scope);

    registry_scope_unref(account->scope);
    account->scope = own;
    if (before != after)
        account->own_tokens = after;
}

/* Streams that this user may have at once. */
static guint
account_streams_max(const StreamAccount *account, const Settings *settings)
{
    guint share = settings_user_share(settings, settings->streams_max);
    guint own = account->scope ? account->scope->streams_max : 0;

    return own > 0 ? MIN(own, share) : share;
}

static void
account_refill_resumptions(StreamAccount *account, const Settings *settings, double seconds)
{
    double own = account->scope ? account->scope->opens_per_minute : 0;
    double rate =
        own > 0 ? MIN(own / 60, settings->streams_per_second) : settings->streams_per_second;

    account->resumptions =
        MIN(account->resumptions + seconds * rate, account_streams_max(account, settings));
}

static void
account_refill(StreamAccount *account, const Settings *settings, gint64 now)
{
    double seconds = (double)(now - account->updated) / G_TIME_SPAN_SECOND;
    double own = account->scope ? account->scope->opens_per_minute : 0;

    account->tokens =
        MIN(account->tokens + seconds * settings->streams_per_second, settings->streams_burst);
    account->own_tokens = MIN(account->own_tokens + seconds * own / 60, own);
    account_refill_resumptions(account, settings, seconds);
    account->updated = now;
}

static gboolean
account_has_had_its_bytes(StreamAccount *account, gint64 wall)
{
    gint64 day = wall / DAY;

    if (day != account->day)
        account->bytes = 0;
    account->day = day;
    return account->scope && account->scope->bytes_per_day > 0 &&
           account->bytes >= account->scope->bytes_per_day;
}

/* Why it may have no further stream now, whatever the rate, with LIVE of them. */
static const char *
account_limit_at_once(StreamAccount *account, guint live, const Settings *settings, gint64 wall)
{
    const RegistryScope *scope = account->scope;

    if (live >= settings_user_share(settings, settings->streams_max))
        return "This user is at the limit of streams.";
    if (scope && scope->streams_max > 0 && live >= scope->streams_max)
        return "This user has as many streams at once as its scope allows.";
    if (account_has_had_its_bytes(account, wall))
        return "This user has had the bytes that its scope allows a day (UTC).";
    return NULL;
}

const char *
stream_account_limit(StreamAccount *account, const Settings *settings, gint64 now, gint64 wall)
{
    const RegistryScope *scope = account->scope;
    const char *limit = account_limit_at_once(account, account->live, settings, wall);

    account_refill(account, settings, now);
    if (limit)
        return limit;
    if (scope && scope->opens_per_minute > 0 && account->own_tokens < 1)
        return "This user opens more streams a minute than its scope allows.";
    if (account->tokens < 1)
        return "This user opens streams too fast.";
    account->own_tokens = MAX(account->own_tokens - 1, 0);
    account->tokens -= 1;
    return NULL;
}

const char *
stream_account_resume(StreamAccount *account, gboolean replaces, const Settings *settings,
                      gint64 now, gint64 wall)
{
    const guint live = account->live - (replaces ? 1 : 0);
    const char *limit = account_limit_at_once(account, live, settings, wall);

    account_refill(account, settings, now);
    if (limit)
        return limit;
    if (account->resumptions < 1)
        return "This user leads streams back too fast.";
    account->resumptions -= 1;
    return NULL;
}

void
stream_account_charge(StreamAccount *account)
{
    account->tokens = MAX(account->tokens - 1, 0);
    account->own_tokens = MAX(account->own_tokens - 1, 0);
}

gboolean
stream_account_count(StreamAccount *account, guint64 bytes, gint64 wall)
{
    gboolean over = account_has_had_its_bytes(account, wall);

    account->bytes += bytes;
    return over || account_has_had_its_bytes(account, wall);
}

gboolean
stream_account_is_timed(const StreamAccount *account)
{
    return account->scope && (account->scope->expires > 0 || account->scope->bytes_per_day > 0);
}
