/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/packet-share.h"

#define START (1000 * G_TIME_SPAN_SECOND)
#define SECOND G_TIME_SPAN_SECOND

typedef struct {
    Settings *settings;
    PacketShares *shares;
} Fixture;

static Fixture
fixture_new(void)
{
    Fixture self = {.settings = settings_new()};

    self.shares = packet_shares_new(self.settings);
    return self;
}

static void
fixture_clear(Fixture *self)
{
    packet_shares_free(self->shares);
    settings_free(self->settings);
}

/* How many of COUNT at once went without a pause. */
static guint
burst(Fixture *self, PacketShare *share, guint count, gboolean urgent, gint64 now)
{
    guint passed = 0;

    while (passed < count && packet_shares_take(self->shares, share, 1, urgent, now) == 0)
        passed++;
    return passed;
}

/* How many a connection brings in SECONDS that never stops, and pauses when it is told to. */
static guint
flood(Fixture *self, PacketShare *shares, guint connections, gint64 from, guint seconds)
{
    gint64 until = from + seconds * SECOND;
    g_autofree gint64 *next = g_new(gint64, connections);
    guint packets = 0;

    for (guint i = 0; i < connections; i++)
        next[i] = from;
    for (gint64 now = from; now < until; now += 1000)
        for (guint i = 0; i < connections; i++)
            while (next[i] <= now) {
                gint64 pause = packet_shares_take(self->shares, &shares[i], 1, FALSE, now);

                g_assert_cmpint(pause, <=, PACKET_PAUSE_MAX);
                next[i] = pause > 0 ? now + pause : next[i];
                packets++;
            }
    return packets;
}

static void
test_defaults(void)
{
    Fixture self = fixture_new();

    g_assert_cmpuint(self.settings->publishes_per_second, ==, 1000);
    g_assert_cmpuint(self.settings->publishes_burst, ==, 4000);
    fixture_clear(&self);
}

/* The burst passes, the next one is taken too and then there is a pause. */
static void
test_burst(void)
{
    Fixture self = fixture_new();
    PacketShare share = packet_shares_begin(self.shares, "a", START);

    g_assert_cmpuint(burst(&self, &share, 5000, FALSE, START), ==, 4000);
    g_assert_cmpuint(burst(&self, &share, 5000, FALSE, START + SECOND), ==, 999);
    g_assert_cmpuint(burst(&self, &share, 5000, FALSE, START + 100 * SECOND), ==, 4000);
    fixture_clear(&self);
}

/* At its rate for ever: never a pause. A flood: its rate, by pauses. */
static void
test_rate(void)
{
    Fixture self = fixture_new();
    PacketShare share = packet_shares_begin(self.shares, "a", START);
    guint packets;

    for (guint i = 0; i < 60000; i++)
        g_assert_cmpint(packet_shares_take(self.shares, &share, 1, FALSE, START + i * 1000), ==, 0);
    packets = flood(&self, &share, 1, START + 60 * SECOND, 20);
    g_assert_cmpuint(packets, >, 4000 + 19 * 1000);
    g_assert_cmpuint(packets, <, 4000 + 21 * 1000);
    fixture_clear(&self);
}

/* However many flood, all of them together have no more than four have. */
static void
test_many(void)
{
    static const guint counts[] = {1, 4, 16, 64};

    for (guint i = 0; i < G_N_ELEMENTS(counts); i++) {
        guint n = counts[i], packets;
        Fixture self = fixture_new();
        g_autofree PacketShare *shares = g_new0(PacketShare, n);
        PacketShare honest = packet_shares_begin(self.shares, "honest", START);

        for (guint j = 0; j < n; j++)
            shares[j] = packet_shares_begin(self.shares, "a", START);
        (void)flood(&self, shares, n, START, 5); /* the bursts */
        packets = flood(&self, shares, n, START + 5 * SECOND, 20);
        g_assert_cmpuint(packets, <=, MIN(n, 4) * 1000 * 21);
        g_assert_cmpuint(packets, >=, MIN(n, 4) * 1000 * 19);
        /* One that keeps to its share has all of it. */
        g_assert_cmpuint(burst(&self, &honest, 5000, FALSE, START + 25 * SECOND), ==, 4000);
        fixture_clear(&self);
    }
}

/* One that owes an answer may run ahead, so far and no farther. */
static void
test_urgent(void)
{
    Fixture self = fixture_new();
    PacketShare share = packet_shares_begin(self.shares, "a", START);

    g_assert_cmpuint(burst(&self, &share, 20000, TRUE, START), ==, 4000 + 10 * 1000 - 1);
    g_assert_cmpint(packet_shares_take(self.shares, &share, 1, TRUE, START), >, 0);
    g_assert_cmpint(packet_shares_take(self.shares, &share, 1, FALSE, START), >, 0);
    g_assert_cmpuint(burst(&self, &share, 1, FALSE, START + 11 * SECOND), ==, 1);
    fixture_clear(&self);
}

/* To connect again buys nothing; a debt that is paid is forgotten. */
static void
test_again(void)
{
    Fixture self = fixture_new();
    PacketShare share = packet_shares_begin(self.shares, "a", START);

    (void)burst(&self, &share, 5000, FALSE, START);
    packet_shares_end(self.shares, "a", &share, START);
    g_assert_cmpuint(packet_shares_debts(self.shares), ==, 1);
    share = packet_shares_begin(self.shares, "a", START);
    g_assert_cmpuint(burst(&self, &share, 10, FALSE, START), ==, 0);
    g_assert_cmpuint(packet_shares_debts(self.shares), ==, 0);
    share = packet_shares_begin(self.shares, "b", START);
    packet_shares_end(self.shares, "b", &share, START); /* it owes nothing */
    g_assert_cmpuint(packet_shares_debts(self.shares), ==, 0);
    fixture_clear(&self);
}

/* At the bound and one past it; old ones go by themselves. */
static void
test_debts(void)
{
    Fixture self = fixture_new();

    for (guint i = 0; i <= PACKET_DEBTS_MAX; i++) {
        g_autofree char *id = g_strdup_printf("d%u", i);
        PacketShare share = packet_shares_begin(self.shares, id, START);

        (void)burst(&self, &share, 100, FALSE, START);
        packet_shares_end(self.shares, id, &share, START);
        g_assert_cmpuint(packet_shares_debts(self.shares), ==, MIN(i + 1, PACKET_DEBTS_MAX));
    }
    PacketShare first = packet_shares_begin(self.shares, "d0", START);
    PacketShare late = packet_shares_begin(self.shares, "e", START + 60 * SECOND);

    g_assert_cmpuint(burst(&self, &first, 5000, FALSE, START), ==, 4000); /* forgotten */
    (void)burst(&self, &late, 100, FALSE, START + 60 * SECOND);
    packet_shares_end(self.shares, "e", &late, START + 60 * SECOND);
    g_assert_cmpuint(packet_shares_debts(self.shares), ==, 1);
    fixture_clear(&self);
}

/* A debt is forgotten when the deepest one would be paid: after the 10 s, a burst at the rate, and
 * 1 s more. */
static void
test_debt_life(void)
{
    Fixture self = fixture_new();
    const gint64 life = (10 + 4 + 1) * SECOND;

    for (guint late = 0; late < 2; late++) {
        gint64 start = START + late * 1000 * SECOND, now = start + life - 1 + late;
        PacketShare old = packet_shares_begin(self.shares, "old", start), share;

        (void)burst(&self, &old, 100, FALSE, start);
        packet_shares_end(self.shares, "old", &old, start);
        share = packet_shares_begin(self.shares, "new", now);
        (void)burst(&self, &share, 100, FALSE, now);
        packet_shares_end(self.shares, "new", &share, now);
        g_assert_cmpuint(packet_shares_debts(self.shares), ==, late ? 1 : 2);
        (void)packet_shares_begin(self.shares, "new", now);
        (void)packet_shares_begin(self.shares, "old", now);
    }
    fixture_clear(&self);
}

/* Two connections of one device, of which the one has taken the other's place, leave one debt. */
static void
test_debt_once(void)
{
    Fixture self = fixture_new();
    PacketShare one = packet_shares_begin(self.shares, "a", START);
    PacketShare other = packet_shares_begin(self.shares, "a", START);

    (void)burst(&self, &one, 4000, FALSE, START);
    (void)burst(&self, &other, 100, FALSE, START);
    packet_shares_end(self.shares, "a", &one, START);
    packet_shares_end(self.shares, "a", &other, START);
    g_assert_cmpuint(packet_shares_debts(self.shares), ==, 1);
    one = packet_shares_begin(self.shares, "a", START);
    g_assert_cmpuint(burst(&self, &one, 10, FALSE, START), ==, 0); /* the first one's */
    g_assert_cmpuint(packet_shares_debts(self.shares), ==, 0);
    packet_shares_end(self.shares, "a", &one, START);
    g_assert_cmpuint(packet_shares_debts(self.shares), ==, 1);
    fixture_clear(&self);
}

/* However much comes at once, a pause has its bound, and what is owed is paid within 10 s; a clock
 * that goes back takes nothing. */
static void
test_deepest(void)
{
    Fixture self = fixture_new();
    PacketShare share = packet_shares_begin(self.shares, "a", START);

    g_assert_cmpint(packet_shares_take(self.shares, &share, 1, FALSE, START - 3600 * SECOND), ==,
                    0);
    g_assert_cmpint(packet_shares_take(self.shares, &share, 1e9, FALSE, START), ==,
                    PACKET_PAUSE_MAX);
    g_assert_cmpint(packet_shares_take(self.shares, &share, 0, TRUE, START), ==, PACKET_PAUSE_MAX);
    g_assert_cmpint(packet_shares_take(self.shares, &share, 0, FALSE, START + 10 * SECOND - 2000),
                    >, 0);
    /* And 1 ms: where numbers are held wider, what is paid is not exactly what was owed. */
    g_assert_cmpint(packet_shares_take(self.shares, &share, 0, FALSE, START + 10 * SECOND + 1000),
                    ==, 0);
    fixture_clear(&self);
}

/* Those that were busy two seconds ago divide nothing any more: who comes then has the whole rate.
 */
static void
test_busy_is_over(void)
{
    Fixture self = fixture_new();
    PacketShare many[100], late;

    for (guint i = 0; i < G_N_ELEMENTS(many); i++) {
        many[i] = (PacketShare){.credit = 0, .at = START};
        g_assert_cmpint(packet_shares_take(self.shares, &many[i], 1, FALSE, START), >, 0);
    }
    for (gint64 after = 1; after <= 2; after++) {
        late = (PacketShare){.credit = 0, .at = START + after * SECOND};
        /* 10 at 40 a second would be 250 ms; at 1000 a second they are 10. */
        g_assert_cmpint(packet_shares_take(self.shares, &late, 10, FALSE, START + after * SECOND),
                        ==, after == 1 ? PACKET_PAUSE_MAX : 110 * G_TIME_SPAN_MILLISECOND);
        self.shares = (packet_shares_free(self.shares), packet_shares_new(self.settings));
        for (guint i = 0; i < G_N_ELEMENTS(many); i++) {
            many[i] = (PacketShare){.credit = 0, .at = START};
            (void)packet_shares_take(self.shares, &many[i], 1, FALSE, START);
        }
    }
    fixture_clear(&self);
}

static void
test_cost(void)
{
    static const struct {
        MqttType type;
        gsize len;
        double cost;
    } cases[] = {
        {MQTT_PINGREQ, 2, 1},    {MQTT_PUBACK, 4, 1},         {MQTT_SUBSCRIBE, 15, 1},
        {MQTT_SUBSCRIBE, 16, 2}, {MQTT_UNSUBSCRIBE, 160, 11}, {MQTT_PUBLISH, 4095, 1},
        {MQTT_PUBLISH, 4096, 2}, {MQTT_PUBLISH, 262144, 65},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpfloat(packet_cost(cases[i].type, cases[i].len), ==, cases[i].cost);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet-share/defaults", test_defaults);
    g_test_add_func("/packet-share/burst", test_burst);
    g_test_add_func("/packet-share/rate", test_rate);
    g_test_add_func("/packet-share/many", test_many);
    g_test_add_func("/packet-share/urgent", test_urgent);
    g_test_add_func("/packet-share/again", test_again);
    g_test_add_func("/packet-share/debts", test_debts);
    g_test_add_func("/packet-share/debt-life", test_debt_life);
    g_test_add_func("/packet-share/debt-once", test_debt_once);
    g_test_add_func("/packet-share/deepest", test_deepest);
    g_test_add_func("/packet-share/busy-is-over", test_busy_is_over);
    g_test_add_func("/packet-share/cost", test_cost);
    return g_test_run();
}
