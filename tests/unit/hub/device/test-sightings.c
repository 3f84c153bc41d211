/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many writes what is seen of devices costs, how late they are, and what is kept when they
 * fail. The storage is a stand-in, and so is the clock. */
#include "hub/device/sightings.h"
#include "hub/registry/job.h"
#include "tests/unit/hub/base/clock-fixture.h"

#include <string.h>

#define SECOND G_TIME_SPAN_SECOND

typedef struct {
    RegistryBackend backend;
    RegistryJob *held;
    gboolean holds;
    RegistryCode code;
    guint writes;
    guint facts;      /* in all writes */
    GHashTable *rows; /* client id -> RegistryFacts as they were written last */
} Store;

typedef struct {
    Store store;
    Registry *registry;
    Clock *clock;
    Sightings *sightings;
    guint refreshed;
} Fixture;

static void
store_finish(Store *store, RegistryJob *job)
{
    const GPtrArray *facts = job->extra;

    for (guint i = 0; store->code == REGISTRY_OK && i < facts->len; i++) {
        const RegistryFacts *row = facts->pdata[i];

        g_hash_table_replace(store->rows, g_strjoin("/", row->id, row->module, NULL),
                             registry_facts_copy(row));
    }
    registry_job_finish(job, store->code, NULL);
}

static void
store_submit(RegistryBackend *backend, RegistryJob *job)
{
    Store *store = CONTAINER_OF(backend, Store, backend);

    g_assert_cmpint(job->kind, ==, REGISTRY_WRITE_FACTS);
    g_assert_cmpuint(((GPtrArray *)job->extra)->len, <=, REGISTRY_FACTS_MAX);
    g_assert_cmpuint(((GPtrArray *)job->extra)->len, >, 0);
    g_assert_null(store->held); /* one at a time */
    store->writes++;
    store->facts += ((GPtrArray *)job->extra)->len;
    if (store->holds)
        store->held = job;
    else
        store_finish(store, job);
}

static void
store_free(RegistryBackend *backend G_GNUC_UNUSED)
{
}

static void
facts_drop(gpointer facts)
{
    registry_facts_free(facts);
}

static void
on_refresh(Sightings *sightings, void *data)
{
    ((Fixture *)data)->refreshed++;
    sightings_seen(sightings, "dev1");
}

static void
setup(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->store.backend = (RegistryBackend){store_submit, store_free};
    f->store.rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, facts_drop);
    f->registry = registry_new(&f->store.backend);
    f->clock = clock_new();
    f->sightings = sightings_new(f->registry, f->clock, on_refresh, f);
}

static void
teardown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    registry_close(f->registry);
    sightings_free(f->sightings);
    registry_free(f->registry);
    clock_free(f->clock);
    g_hash_table_unref(f->store.rows);
}

static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
pass(Fixture *f, gint64 span)
{
    clock_pass(f->clock, span);
    settle();
}

static const RegistryFacts *
row(Fixture *f, const char *client_id)
{
    return g_hash_table_lookup(f->store.rows, client_id);
}

/* Not a moment before the delay; and all of one device in one row. */
static void
test_late(Fixture *f, gconstpointer data)
{
    gint64 now = g_get_real_time();

    sightings_connected(f->sightings, "dev1", "192.0.2.7:4711", "streamd/1.0");
    sightings_connected(f->sightings, "dev1/m", "[2001:db8::1]:4711", NULL);
    sightings_refused(f->sightings, "dev1", "wrong key");
    pass(f, SIGHTINGS_DELAY - SECOND);
    g_assert_cmpuint(f->store.writes, ==, 0);
    g_assert_cmpuint(sightings_waiting(f->sightings), ==, 2);
    pass(f, 2 * SECOND);
    g_assert_cmpuint(f->store.writes, ==, 1);
    g_assert_cmpuint(f->store.facts, ==, 2);
    g_assert_cmpstr(row(f, "dev1")->address, ==, "192.0.2.7");
    g_assert_cmpstr(row(f, "dev1")->client, ==, "streamd/1.0");
    g_assert_cmpstr(row(f, "dev1")->refusal, ==, "wrong key");
    g_assert_cmpint(row(f, "dev1")->seen, >=, now);
    g_assert_cmpint(row(f, "dev1")->refused, >=, now);
    g_assert_cmpstr(row(f, "dev1/m")->address, ==, "2001:db8::1");
    g_assert_null(row(f, "dev1/m")->client);
    g_assert_cmpint(row(f, "dev1/m")->refused, ==, 0);
    pass(f, 10 * SIGHTINGS_DELAY);
    g_assert_cmpuint(f->store.writes, ==, 1);
}

/* Messages are added up: beside other facts, after a write that failed, while one runs; each is
 * written once. */
static void
test_messages(Fixture *f, gconstpointer data)
{
    gint64 now = g_get_real_time();

    sightings_refused(f->sightings, "dev1", "wrong key"); /* a fact of another kind waits */
    sightings_message(f->sightings, "dev1", 10);
    sightings_connected(f->sightings, "dev1", "192.0.2.7:1", "x");
    sightings_message(f->sightings, "dev1", 0);
    sightings_message(f->sightings, "dev1/m", 7);
    f->store.code = REGISTRY_FAILED;
    pass(f, SIGHTINGS_DELAY + SECOND);
    sightings_message(f->sightings, "dev1", 5);
    f->store.code = REGISTRY_OK;
    pass(f, SIGHTINGS_DELAY + SECOND);
    g_assert_cmpuint(row(f, "dev1")->messages, ==, 3);
    g_assert_cmpuint(row(f, "dev1")->message_bytes, ==, 15);
    g_assert_cmpint(row(f, "dev1")->messages_since, >=, now);
    g_assert_cmpint(row(f, "dev1")->seen, >=, row(f, "dev1")->messages_since);
    g_assert_cmpstr(row(f, "dev1")->refusal, ==, "wrong key");
    g_assert_cmpuint(row(f, "dev1/m")->messages, ==, 1);
    sightings_message(f->sightings, "dev1", 1);
    pass(f, SIGHTINGS_DELAY + SECOND);
    g_assert_cmpuint(row(f, "dev1")->messages, ==, 1); /* those since the last write */
    g_assert_cmpuint(sightings_lost(f->sightings), ==, 0);
}

/* 10,000 devices that come and go ten times within a second are 10,000 rows in ten writes. */
static void
test_fleet(Fixture *f, gconstpointer data)
{
    for (guint round = 0; round < 10; round++)
        for (guint i = 0; i < 10000; i++) {
            g_autofree char *id = g_strdup_printf("dev%u", i);

            sightings_connected(f->sightings, id, "192.0.2.7:1", "x");
            sightings_seen(f->sightings, id);
        }
    pass(f, SIGHTINGS_DELAY + SECOND);
    g_assert_cmpuint(f->store.writes, ==, 10);
    g_assert_cmpuint(f->store.facts, ==, 10000);
    g_assert_cmpuint(sightings_waiting(f->sightings), ==, 0);
    g_assert_cmpuint(sightings_lost(f->sightings), ==, 0);
}

/* One that comes and goes all the time does not put its write off. */
static void
test_flapping(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 100; i++) {
        sightings_seen(f->sightings, "dev1");
        pass(f, SECOND / 10);
    }
    g_assert_cmpuint(f->store.writes, >=, 1);
    g_assert_cmpuint(f->store.writes, <=, 2);
}

/* What comes during a write waits for the next one; one write at a time, however slow. */
static void
test_slow_disk(Fixture *f, gconstpointer data)
{
    f->store.holds = TRUE;
    sightings_seen(f->sightings, "dev1");
    pass(f, SIGHTINGS_DELAY + SECOND);
    sightings_seen(f->sightings, "dev2");
    sightings_flush(f->sightings);
    pass(f, 100 * SIGHTINGS_DELAY);
    g_assert_cmpuint(f->store.writes, ==, 1);
    f->store.holds = FALSE;
    store_finish(&f->store, g_steal_pointer(&f->store.held));
    settle();
    g_assert_cmpuint(f->store.writes, ==, 2);
    g_assert_nonnull(row(f, "dev2"));
}

/* A write that fails is tried again, under what has come since. */
static void
test_fails(Fixture *f, gconstpointer data)
{
    f->store.code = REGISTRY_STORAGE;
    sightings_connected(f->sightings, "dev1", "192.0.2.7:1", "old");
    sightings_connected(f->sightings, "dev2", "192.0.2.8:1", "old");
    pass(f, SIGHTINGS_DELAY + SECOND);
    g_assert_cmpuint(f->store.writes, ==, 1);
    sightings_connected(f->sightings, "dev1", "192.0.2.9:1", NULL);
    g_assert_cmpuint(sightings_waiting(f->sightings), ==, 2);
    for (guint i = 0; i < 30; i++) /* not all the time */
        pass(f, SIGHTINGS_DELAY / 10);
    g_assert_cmpuint(f->store.writes, >=, 3);
    g_assert_cmpuint(f->store.writes, <=, 4);
    f->store.code = REGISTRY_OK;
    pass(f, SIGHTINGS_DELAY + SECOND);
    g_assert_cmpstr(row(f, "dev1")->address, ==, "192.0.2.9");
    g_assert_cmpstr(row(f, "dev1")->client, ==, "old");
    g_assert_cmpstr(row(f, "dev2")->address, ==, "192.0.2.8");
    g_assert_cmpuint(sightings_waiting(f->sightings), ==, 0);
}

/* So many may wait, of which so many were only refused: whoever invents names gets no more. */
static void
test_bounds(Fixture *f, gconstpointer data)
{
    f->store.holds = TRUE;
    for (guint i = 0; i <= SIGHTINGS_REFUSED_MAX; i++) {
        g_autofree char *id = g_strdup_printf("invented%u", i);

        sightings_refused(f->sightings, id, "unknown");
        g_assert_cmpuint(sightings_lost(f->sightings), ==, i == SIGHTINGS_REFUSED_MAX);
    }
    sightings_refused(f->sightings, "invented0", "again"); /* it is there already */
    g_assert_cmpuint(sightings_lost(f->sightings), ==, 1);
    sightings_seen(f->sightings, "invented0"); /* it makes room for one more */
    sightings_refused(f->sightings, "another", "unknown");
    g_assert_cmpuint(sightings_lost(f->sightings), ==, 1);
    for (guint i = sightings_waiting(f->sightings); i <= SIGHTINGS_MAX; i++) {
        g_autofree char *id = g_strdup_printf("dev%u", i);

        sightings_seen(f->sightings, id);
        g_assert_cmpuint(sightings_lost(f->sightings), ==, i == SIGHTINGS_MAX ? 2 : 1);
    }
    g_assert_cmpuint(sightings_waiting(f->sightings), ==, SIGHTINGS_MAX);
    f->store.holds = FALSE;
    pass(f, SIGHTINGS_DELAY + SECOND);
    g_assert_cmpuint(f->store.facts, ==, SIGHTINGS_MAX);
    sightings_refused(f->sightings, "later", "unknown");
    g_assert_cmpuint(sightings_waiting(f->sightings), ==, 1);
}

static void
test_texts(Fixture *f, gconstpointer data)
{
    g_autofree char *longest = g_strnfill(REGISTRY_CLIENT_MAX, 'c');
    g_autofree char *longer = g_strconcat(longest, "c", NULL);

    sightings_connected(f->sightings, "dev1", "192.0.2.7:1", longest);
    sightings_connected(f->sightings, "dev2", "192.0.2.7:1", longer);
    sightings_connected(f->sightings, "dev3", "local", "a\nb\x1b\xff");
    sightings_flush(f->sightings);
    settle();
    g_assert_cmpstr(row(f, "dev1")->client, ==, longest);
    g_assert_cmpuint(strlen(row(f, "dev2")->client), <=, REGISTRY_CLIENT_MAX);
    g_assert_cmpstr(row(f, "dev3")->client, ==, "a b \xef\xbf\xbd");
    g_assert_cmpstr(row(f, "dev3")->address, ==, "local");
}

/* A device that was removed: what waits of it and its modules goes, or of the module alone. */
static void
test_forgotten(Fixture *f, gconstpointer data)
{
    static const char *const ids[] = {"dev1", "dev1/m", "dev1/n", "dev10"};

    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        sightings_seen(f->sightings, ids[i]);
    sightings_forget(f->sightings, "dev1", "m");
    g_assert_cmpuint(sightings_waiting(f->sightings), ==, 3);
    sightings_forget(f->sightings, "dev1", NULL);
    g_assert_cmpuint(sightings_waiting(f->sightings), ==, 1);
    sightings_flush(f->sightings);
    settle();
    g_assert_nonnull(row(f, "dev10"));
    g_assert_null(row(f, "dev1"));
}

/* Of what stays connected the time is renewed. */
static void
test_refresh(Fixture *f, gconstpointer data)
{
    pass(f, SIGHTINGS_REFRESH - SECOND);
    g_assert_cmpuint(f->refreshed, ==, 0);
    pass(f, 2 * SECOND);
    g_assert_cmpuint(f->refreshed, ==, 1);
    pass(f, SIGHTINGS_DELAY);
    g_assert_nonnull(row(f, "dev1"));
    pass(f, SIGHTINGS_REFRESH);
    g_assert_cmpuint(f->refreshed, ==, 2);
}

#define ADD(path, func) g_test_add("/sightings/" path, Fixture, NULL, setup, func, teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("late", test_late);
    ADD("fleet", test_fleet);
    ADD("flapping", test_flapping);
    ADD("slow-disk", test_slow_disk);
    ADD("fails", test_fails);
    ADD("messages", test_messages);
    ADD("bounds", test_bounds);
    ADD("texts", test_texts);
    ADD("forgotten", test_forgotten);
    ADD("refresh", test_refresh);
    return g_test_run();
}
