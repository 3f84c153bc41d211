/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/quota.h"

#define CALL_TIME (G_TIME_SPAN_SECOND / QUOTA_CALLS_PER_SECOND)

struct Quotas {
    GHashTable *users; /* uid -> User */
};

/* The rate is a clock that runs ahead of the real one. Each call moves it by CALL_TIME, and it may
 * be a burst ahead. */
typedef struct {
    gint64 ahead;
    guint pending;
} User;

Quotas *
quotas_new(void)
{
    Quotas *quotas = g_new0(Quotas, 1);

    quotas->users = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return quotas;
}

void
quotas_free(Quotas *quotas)
{
    if (quotas == NULL)
        return;
    g_hash_table_unref(quotas->users);
    g_free(quotas);
}

static gboolean
quotas_is_idle(gpointer uid, gpointer data, gpointer now)
{
    const User *user = data;

    return user->pending == 0 && user->ahead <= *(const gint64 *)now;
}

/* When a new user comes, idle ones are removed. */
static User *
quotas_user(Quotas *quotas, uid_t uid, gint64 now)
{
    User *user = g_hash_table_lookup(quotas->users, GUINT_TO_POINTER(uid));

    if (user != NULL)
        return user;
    (void)g_hash_table_foreach_remove(quotas->users, quotas_is_idle, &now);
    user = g_new0(User, 1);
    g_hash_table_insert(quotas->users, GUINT_TO_POINTER(uid), user);
    return user;
}

gboolean
quotas_take_call(Quotas *quotas, uid_t uid, gint64 now)
{
    User *user = quotas_user(quotas, uid, now);

    user->ahead = MAX(user->ahead, now);
    if (user->ahead + CALL_TIME - now > QUOTA_CALLS_BURST * CALL_TIME)
        return FALSE;
    user->ahead += CALL_TIME;
    return TRUE;
}

gboolean
quotas_begin(Quotas *quotas, uid_t uid)
{
    User *user = quotas_user(quotas, uid, g_get_monotonic_time());

    if (user->pending >= QUOTA_PENDING_MAX)
        return FALSE;
    user->pending++;
    return TRUE;
}

void
quotas_end(Quotas *quotas, uid_t uid)
{
    User *user = g_hash_table_lookup(quotas->users, GUINT_TO_POINTER(uid));

    g_assert(user != NULL && user->pending > 0);
    user->pending--;
}

guint
quotas_users(const Quotas *quotas)
{
    return g_hash_table_size(quotas->users);
}
