/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/packet-share.h"

/* A pause goes on for so long after the debt is paid, so that packets come in groups and not one by
 * one. */
#define PACKET_PAUSE_LEAST (100 * G_TIME_SPAN_MILLISECOND)

/* More bytes cost more. Filters and topics are parsed, so they cost more than telemetry, which is
 * only dropped. */
#define PARSED_BYTES 16
#define DROPPED_BYTES 4096

typedef struct {
    char *client_id;
    PacketShare share;
    GList node; /* in the order in which they came */
} Debt;

struct PacketShares {
    const Settings *settings;
    GHashTable *debts; /* client id inside the Debt -> Debt */
    GQueue oldest;
    gint64 second; /* the last one in which a connection was paused */
    guint busy;    /* how many different ones in that second */
    guint busy_before;
};

static void
debt_free(gpointer data)
{
    Debt *debt = data;

    g_free(debt->client_id);
    g_free(debt);
}

PacketShares *
packet_shares_new(const Settings *settings)
{
    PacketShares *shares = g_new0(PacketShares, 1);

    shares->settings = settings;
    shares->debts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, debt_free);
    return shares;
}

void
packet_shares_free(PacketShares *shares)
{
    if (!shares)
        return;
    g_hash_table_unref(shares->debts);
    g_free(shares);
}

static void
shares_forget(PacketShares *shares, Debt *debt)
{
    g_queue_unlink(&shares->oldest, &debt->node);
    (void)g_hash_table_remove(shares->debts, debt->client_id);
}

/* How long it takes to pay the largest debt. */
static gint64
debt_life(const Settings *settings)
{
    return (PACKET_URGENT_SECONDS + settings->publishes_burst / settings->publishes_per_second +
            1) *
           G_TIME_SPAN_SECOND;
}

static void
shares_forget_old(PacketShares *shares, gint64 now)
{
    gint64 before = now - debt_life(shares->settings);

    while (shares->oldest.head) {
        Debt *debt = shares->oldest.head->data;

        if (debt->share.at > before && shares->oldest.length < PACKET_DEBTS_MAX)
            return;
        shares_forget(shares, debt);
    }
}

static guint
shares_busy(const PacketShares *shares, gint64 now)
{
    gint64 behind = now / G_TIME_SPAN_SECOND - shares->second;

    if (behind > 1)
        return 0;
    return behind == 1 ? shares->busy : MAX(shares->busy, shares->busy_before);
}

/* Packets a second of this connection. */
static double
share_rate(const PacketShares *shares, const PacketShare *share, gint64 now)
{
    double rate = shares->settings->publishes_per_second;
    guint busy = shares_busy(shares, now);
    gboolean is_busy = share->busy_second > 0 && now / G_TIME_SPAN_SECOND - share->busy_second <= 1;

    return is_busy && busy > 0
               ? MIN(rate, (double)shares->settings->busy_publishes_per_second / busy)
               : rate;
}

static void
share_refill(const PacketShares *shares, PacketShare *share, gint64 now)
{
    double passed = (double)MAX(now - share->at, 0) / G_TIME_SPAN_SECOND;

    share->credit = MIN(share->credit + passed * share_rate(shares, share, now),
                        (double)shares->settings->publishes_burst);
    share->at = now;
}

PacketShare
packet_shares_begin(PacketShares *shares, const char *client_id, gint64 now)
{
    PacketShare share = {.credit = shares->settings->publishes_burst, .at = now};
    Debt *debt = g_hash_table_lookup(shares->debts, client_id);

    if (!debt)
        return share;
    share = debt->share;
    share_refill(shares, &share, now);
    shares_forget(shares, debt);
    return share;
}

void
packet_shares_end(PacketShares *shares, const char *client_id, PacketShare *share, gint64 now)
{
    Debt *debt = g_hash_table_lookup(shares->debts, client_id);

    shares_forget_old(shares, now);
    share_refill(shares, share, now);
    if (share->credit >= shares->settings->publishes_burst || debt)
        return;
    debt = g_new0(Debt, 1);
    debt->client_id = g_strdup(client_id);
    debt->share = *share;
    debt->node.data = debt;
    g_queue_push_tail_link(&shares->oldest, &debt->node);
    g_hash_table_insert(shares->debts, debt->client_id, debt);
}

double
packet_cost(MqttType type, gsize len)
{
    return (double)(1 + len / (type == MQTT_PUBLISH ? DROPPED_BYTES : PARSED_BYTES));
}

static void
shares_note_busy(PacketShares *shares, PacketShare *share, gint64 now)
{
    gint64 second = now / G_TIME_SPAN_SECOND;

    if (shares->second != second) {
        shares->busy_before = second - shares->second == 1 ? shares->busy : 0;
        shares->busy = 0;
        shares->second = second;
    }
    if (share->busy_second != second)
        shares->busy++;
    share->busy_second = second;
}

gint64
packet_shares_take(PacketShares *shares, PacketShare *share, double cost, gboolean urgent,
                   gint64 now)
{
    double lowest = -(double)PACKET_URGENT_SECONDS * shares->settings->publishes_per_second;
    double rate;

    share_refill(shares, share, now);
    share->credit = MAX(share->credit - cost, lowest);
    if (share->credit >= 0 || (urgent && share->credit > lowest))
        return 0;
    shares_note_busy(shares, share, now);
    rate = share_rate(shares, share, now);
    return (gint64)CLAMP(-share->credit / rate * G_TIME_SPAN_SECOND + PACKET_PAUSE_LEAST,
                         PACKET_PAUSE_LEAST, PACKET_PAUSE_MAX);
}

guint
packet_shares_debts(const PacketShares *shares)
{
    return g_hash_table_size(shares->debts);
}
