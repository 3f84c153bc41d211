/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written about those who are refused: one line each, then a count; within its bounds, and
 * nobody hides another. */
#include "hub/edge/refusal-log.h"

#include "common/codec/sas-token.h"
#include "hub/edge/cure.h"

#include <string.h>

#define NOW (1000 * G_TIME_SPAN_SECOND)

static GPtrArray *lines; /* MESSAGE of each record */

static GLogWriterOutput
remember(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    for (gsize i = 0; i < n; i++)
        if (strcmp(fields[i].key, "MESSAGE") == 0 && level == G_LOG_LEVEL_INFO)
            g_ptr_array_add(lines, g_strdup(fields[i].value));
    return G_LOG_WRITER_HANDLED;
}

typedef struct {
    Clock *clock;
    RefusalLog *log;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->clock = clock_new();
    f->log = refusal_log_new(f->clock);
    g_ptr_array_set_size(lines, 0);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    refusal_log_free(f->log);
    clock_free(f->clock);
}

static void
device(Fixture *f, const char *peer, const char *claimed, const char *why, gint64 now)
{
    refusal_log_note_at(f->log, &(Refused){EVENT_DEVICE_REFUSED, peer, claimed, why}, now);
}

static const char *
last(void)
{
    return lines->len > 0 ? lines->pdata[lines->len - 1] : "";
}

static void
test_one_line(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    device(f, "192.0.2.7:5000", "gw-1", "wrong signature", NOW);
    g_assert_cmpuint(lines->len, ==, 1);
    g_assert_cmpstr(last(), ==,
                    "A device that claims to be gw-1 is refused at 192.0.2.7:5000: wrong "
                    "signature; 'streamhub connection-string' shows the key that signs its tokens");
    refusal_log_note_at(
        f->log, &(Refused){EVENT_SERVICE_REFUSED, "[2001:db8::1]:1", NULL, "no token was sent"},
        NOW);
    g_assert_true(g_str_has_prefix(last(), "A request of nobody named from [2001:db8::1]:1 is "
                                           "refused: no token was sent; send Authorization"));
    refusal_log_note_at(
        f->log,
        &(Refused){EVENT_SERVICE_REFUSED, "192.0.2.7:5000", "anna", "This invitation has expired."},
        NOW);
    g_assert_cmpstr(last(), ==,
                    "A request of anna from 192.0.2.7:5000 is refused: This invitation has "
                    "expired; 'streamhub invite' makes another one");
}

/* The same again is counted until the window is over, whatever its port; then there is the number,
 * and the next one is written. What differs in who, what or where is written. */
static void
test_window(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    gint64 end = NOW + REFUSAL_LOG_WINDOW;

    device(f, "192.0.2.7:1", "gw-1", "wrong signature", NOW);
    device(f, "192.0.2.7:2", "gw-1", "wrong signature", NOW + 1);
    device(f, "192.0.2.7:3", "gw-1", "wrong signature", end - 1);
    g_assert_cmpuint(lines->len, ==, 1);
    device(f, "192.0.2.7:4", "gw-2", "wrong signature", end - 1);
    device(f, "192.0.2.7:4", "gw-1", "no such device", end - 1);
    device(f, "192.0.2.8:4", "gw-1", "wrong signature", end - 1);
    g_assert_cmpuint(lines->len, ==, 4);
    refusal_log_sweep(f->log, end - 1);
    g_assert_cmpuint(lines->len, ==, 4);
    refusal_log_sweep(f->log, end);
    g_assert_cmpuint(lines->len, ==, 5);
    g_assert_cmpstr(last(), ==,
                    "A device that claims to be gw-1 is refused at 192.0.2.7:3: 2 more left out: "
                    "wrong signature");
    device(f, "192.0.2.7:5", "gw-1", "wrong signature", end);
    g_assert_cmpuint(lines->len, ==, 6);
}

/* Without a sweep between: the next one says what is owed. And so does the end. */
static void
test_owed(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < 4; i++)
        device(f, "192.0.2.7:1", NULL, "wrong signature", NOW);
    device(f, "192.0.2.7:1", NULL, "wrong signature", NOW + REFUSAL_LOG_WINDOW);
    g_assert_cmpuint(lines->len, ==, 2);
    refusal_log_sweep(f->log, NOW + REFUSAL_LOG_WINDOW);
    g_assert_cmpuint(lines->len, ==, 3);
    g_assert_nonnull(strstr(last(), "nobody named is refused"));
    g_assert_nonnull(strstr(last(), "3 more left out"));
    for (guint i = 0; i < 2; i++)
        device(f, "192.0.2.7:1", NULL, "wrong signature", NOW + REFUSAL_LOG_WINDOW);
    g_clear_pointer(&f->log, refusal_log_free);
    g_assert_cmpuint(lines->len, ==, 4);
    g_assert_nonnull(strstr(last(), "2 more left out"));
}

/* So many sources are refused, each once with a line and TIMES without. */
static void
burst(Fixture *f, guint sources, guint times, const char *why)
{
    for (guint i = 0; i < sources; i++) {
        g_autofree char *peer = g_strdup_printf("[2001:db8:%x:%x::1]:1", i >> 8, i & 0xff);

        for (guint j = 0; j <= times; j++)
            device(f, peer, "x", why, NOW);
    }
}

/* Everything is over at once, at a sweep and at the end: the lines, and what is past their bound.
 */
static void
test_burst(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    guint at;

    burst(f, REFUSAL_LOG_TOLD, 1, "wrong signature");
    at = lines->len;
    refusal_log_sweep(f->log, NOW + REFUSAL_LOG_WINDOW);
    g_assert_cmpuint(lines->len, ==, at + REFUSAL_LOG_TOLD);
    for (; at < lines->len; at++)
        g_assert_nonnull(strstr(lines->pdata[at], "::1]:1: 1 more left out: wrong signature"));

    burst(f, REFUSAL_LOG_TOLD + 1, 2, "no such device");
    at = lines->len;
    g_clear_pointer(&f->log, refusal_log_free);
    g_assert_cmpuint(lines->len, ==, at + REFUSAL_LOG_TOLD + 1);
    g_assert_cmpstr(last(), ==,
                    "Whoever else is refused, from 1 source: 2 more left out, such as: no such "
                    "device");
}

/* A line for each cure, and then one for all the others. */
static void
test_sums(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const whys[REFUSAL_LOG_SUMS + 1] = {
        "wrong signature", "no such device",    "MQTT 5",        "AMQP",
        "no such path: /", "no such method: X", "a page of a b", "the token has expired",
        "too many bodies",
    };

    for (guint kinds = REFUSAL_LOG_SUMS; kinds <= REFUSAL_LOG_SUMS + 1; kinds++) {
        g_ptr_array_set_size(lines, 0);
        burst(f, REFUSAL_LOG_TOLD, 100, "the device is disabled");
        for (guint i = 0; i < kinds; i++)
            burst(f, 3, 20 - i, whys[i]);
        g_ptr_array_set_size(lines, 0);
        refusal_log_sweep(f->log, NOW + REFUSAL_LOG_WINDOW);
        g_assert_cmpuint(lines->len, ==, REFUSAL_LOG_TOLD + REFUSAL_LOG_SUMS);
        g_assert_cmpstr(lines->pdata[REFUSAL_LOG_TOLD], ==,
                        "Whoever else is refused, from 3 sources: 60 more left out, such as: wrong "
                        "signature");
    }
    g_assert_cmpstr(last(), ==,
                    "Whoever else is refused, from 3 sources: 75 more left out, for several "
                    "reasons");
}

/* A source with many names leaves others their lines, however often it was refused. */
static void
test_fair(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < REFUSAL_LOG_APART; i++) {
        g_autofree char *name = g_strdup_printf("x%u", i);

        for (guint j = 0; j < 50; j++)
            device(f, "192.0.2.7:1", name, "no such device", NOW);
    }
    burst(f, REFUSAL_LOG_TOLD - 1, 1, "wrong signature");
    g_ptr_array_set_size(lines, 0);
    refusal_log_sweep(f->log, NOW + REFUSAL_LOG_WINDOW);
    g_assert_cmpuint(lines->len, ==, REFUSAL_LOG_TOLD + 1);
    g_assert_nonnull(strstr(lines->pdata[0], "192.0.2.7:1: 49 more"));
    for (guint i = 1; i < REFUSAL_LOG_TOLD; i++)
        g_assert_nonnull(strstr(lines->pdata[i], "wrong signature"));
    g_assert_nonnull(strstr(last(), "from 1 source: 3087 more left out, such as: no such device"));
}

/* A source that invents names: as many lines as are told apart, at the bound and one past it, and
 * then one number. Another source keeps its own. */
static void
test_flood(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < 5000; i++) {
        g_autofree char *name = g_strdup_printf("x%u", i);

        device(f, i % 2 ? "[2001:db8::1]:9" : "[2001:db8::2]:9", name, "no such device", NOW);
        if (i + 1 == REFUSAL_LOG_APART || i == REFUSAL_LOG_APART)
            g_assert_cmpuint(lines->len, ==, REFUSAL_LOG_APART);
    }
    g_assert_cmpuint(lines->len, ==, REFUSAL_LOG_APART);
    device(f, "[2001:db8:1::1]:9", "gw-1", "no such device", NOW);
    g_assert_cmpuint(lines->len, ==, REFUSAL_LOG_APART + 1);
    g_assert_nonnull(strstr(last(), "gw-1"));
    refusal_log_sweep(f->log, NOW + REFUSAL_LOG_WINDOW);
    g_assert_cmpuint(lines->len, ==, REFUSAL_LOG_APART + 2);
    g_assert_nonnull(strstr(last(), "4936 more left out: refusals of several names or reasons"));
}

/* When nothing more can be remembered, lines are written, and the count of others is kept. */
static void
test_full(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    guint at = 0;

    device(f, "192.0.2.7:1", "gw-1", "wrong signature", NOW);
    for (guint i = 0; i < REFUSAL_LOG_MAX; i++) {
        g_autofree char *peer = g_strdup_printf("[2001:db8:%x:%x::1]:1", i >> 8, i & 0xff);

        device(f, peer, "x", "no such device", NOW);
    }
    g_assert_cmpuint(lines->len, ==, REFUSAL_LOG_MAX + 1);
    at = lines->len;
    device(f, "198.51.100.1:1", "x", "no such device", NOW);
    device(f, "198.51.100.1:1", "x", "no such device", NOW);
    g_assert_cmpuint(lines->len, ==, at + 2);
    device(f, "192.0.2.7:1", "gw-1", "wrong signature", NOW);
    g_assert_cmpuint(lines->len, ==, at + 2);
    refusal_log_sweep(f->log, NOW + REFUSAL_LOG_WINDOW);
    g_assert_cmpuint(lines->len, ==, at + 3);
    g_assert_nonnull(strstr(last(), "192.0.2.7:1: 1 more"));
}

/* Whatever is claimed is one line, bounded, and the cure is still in it. */
static void
test_claims(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *long_name = g_strnfill(60000, 'n');

    device(f, "192.0.2.7:1", "gw\n-- 1 \x1b[2J\xff", "wrong signature", NOW);
    g_assert_nonnull(strstr(last(), "gw\\x0a-- 1 \\x1b[2J\\xff is refused"));
    g_assert_nonnull(strstr(last(), "; '"));
    device(f, "192.0.2.7:1", long_name, "wrong signature", NOW);
    g_assert_cmpuint(strlen(last()), <, 600);
    g_assert_nonnull(strstr(last(), "nnn... is refused"));
    g_assert_nonnull(strstr(last(), "; '"));
}

/* Every reason of the two codecs that is not a peer's own text has a cure of its own. */
static void
test_cures(void)
{
    for (SasResult result = SAS_NOT_SAS; result <= SAS_BAD_POLICY; result++)
        g_assert_null(strstr(cure_of(sas_result_text(result)), "clients.md"));
    g_assert_cmpstr(cure_of("no token was sent, and the hub asks for no certificates"), !=,
                    cure_of("no token was sent"));
    g_assert_nonnull(strstr(cure_of("the token expires too far ahead"), "device-token-life-max"));
    g_assert_nonnull(strstr(cure_of("something new"), "docs/clients.md"));
}

static void
test_claimed(void)
{
    static const struct {
        const char *field, *claimed;
    } rows[] = {
        {"SharedAccessSignature "
         "sr=h&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&se=1&skn=anna",
         "anna"},
        {"SharedAccessSignature "
         "sr=h%2Fdevices%2Fgw-1&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&se=1",
         "devices/gw-1"},
        {"SharedAccessSignature sr=h&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&se=1",
         NULL},
        {"Bearer abc", NULL},
        {"", NULL},
        {NULL, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *field = rows[i].field;
        g_autofree char *claimed = refusal_log_claimed(field, field ? strlen(field) : 0);

        g_assert_cmpstr(claimed, ==, rows[i].claimed);
    }
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    lines = g_ptr_array_new_with_free_func(g_free);
    g_log_set_writer_func(remember, NULL, NULL);
    add("/refusal-log/one-line", test_one_line);
    add("/refusal-log/window", test_window);
    add("/refusal-log/owed", test_owed);
    add("/refusal-log/burst", test_burst);
    add("/refusal-log/sums", test_sums);
    add("/refusal-log/fair", test_fair);
    add("/refusal-log/flood", test_flood);
    add("/refusal-log/full", test_full);
    add("/refusal-log/claims", test_claims);
    g_test_add_func("/refusal-log/cures", test_cures);
    g_test_add_func("/refusal-log/claimed", test_claimed);
    result = g_test_run();
    g_ptr_array_unref(lines);
    return result;
}
