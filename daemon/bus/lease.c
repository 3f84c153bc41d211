/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/lease.h"

struct BusLeases {
    App *app;          /* weak */
    GHashTable *table; /* the tunnel's id -> BusLease */
};

typedef struct {
    BusLeases *leases; /* weak */
    guint64 tunnel;
    CallerWatch *watch;
} BusLease;

static void
bus_lease_free(gpointer data)
{
    BusLease *lease = data;

    caller_unwatch(lease->watch);
    g_free(lease);
}

/* Closing the tunnel drops the lease, by way of bus/server.c. */
static void
bus_lease_gone(void *data)
{
    const BusLease *lease = data;
    Tunnel *tunnel = app_find_tunnel(lease->leases->app, lease->tunnel);

    if (tunnel != NULL)
        tunnel_close(tunnel);
    else
        bus_leases_drop(lease->leases, lease->tunnel);
}

BusLeases *
bus_leases_new(App *app)
{
    BusLeases *leases = g_new0(BusLeases, 1);

    leases->app = app;
    leases->table = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, bus_lease_free);
    return leases;
}

void
bus_leases_free(BusLeases *leases)
{
    if (leases == NULL)
        return;
    g_hash_table_unref(leases->table);
    g_free(leases);
}

/* Closing a tunnel drops its lease, which changes the table, so the loop runs over ids. */
void
bus_leases_end(BusLeases *leases)
{
    g_autofree guint64 *ids = NULL;
    guint count = 0;
    GHashTableIter iter;
    gpointer id;

    ids = g_new0(guint64, g_hash_table_size(leases->table) + 1);
    g_hash_table_iter_init(&iter, leases->table);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        ids[count++] = *(guint64 *)id;
    for (guint i = 0; i < count; i++) {
        Tunnel *tunnel = app_find_tunnel(leases->app, ids[i]);

        if (tunnel != NULL)
            tunnel_close(tunnel);
    }
}

void
bus_leases_add(BusLeases *leases, guint64 tunnel, Caller *caller)
{
    BusLease *lease = g_new0(BusLease, 1);

    lease->leases = leases;
    lease->tunnel = tunnel;
    lease->watch = caller_watch(caller, bus_lease_gone, lease);
    g_hash_table_insert(leases->table, &lease->tunnel, lease);
}

void
bus_leases_drop(BusLeases *leases, guint64 tunnel)
{
    g_hash_table_remove(leases->table, &tunnel);
}
