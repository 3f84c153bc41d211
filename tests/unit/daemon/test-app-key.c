/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new key from a hub: on the disk first, then in force, then answered; on a disk that fails, or
 * is slow, while the hub is removed, and more of them than are taken. */
#include "daemon/app-private.h"
#include "tests/unit/daemon/change-fixture.h"

#include <string.h>

#define OLD "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NEW "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define NEWER "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
#define DEVICE(id) "HostName=localhost:9;DeviceId=" id ";SharedAccessKey=" OLD

void __wrap_hub_answer_key(Hub *hub, const KeyAnswer *answer);

static GString *answers; /* "RID:REASON " */

void
__wrap_hub_answer_key(Hub *hub G_GNUC_UNUSED, const KeyAnswer *answer)
{
    const char *reason = key_answer_reason(answer->code);

    g_string_append_printf(answers, "%s:%s ", answer->rid, reason ? reason : "stored");
}

static void
set_up(ChangeFixture *f, gconstpointer data)
{
    const HubSettings settings = {.name = "gw", .connection_string = DEVICE("gw-1")};
    Awaited done = {0};

    answers = g_string_new(NULL);
    change_set_up(f, data);
    (void)await_well(app_add_hub(f->app, &settings, AWAIT(&done)), &done);
}

static void
tear_down(ChangeFixture *f, gconstpointer data)
{
    change_tear_down(f, data);
    g_string_free(answers, TRUE);
}

static void
send_key(ChangeFixture *f, const char *name, const char *rid, const char *key)
{
    KeyOffer offer = {0};

    g_strlcpy(offer.rid, rid, sizeof offer.rid);
    g_strlcpy(offer.key, key, sizeof offer.key);
    app_hub_key(app_find_hub(f->app, name), &offer, f->app);
}

static void
await_answers(const char *wanted)
{
    gint64 until = g_get_monotonic_time() + AWAIT_PATIENCE;

    while (answers->len < strlen(wanted) && g_get_monotonic_time() < until)
        (void)g_main_context_iteration(NULL, FALSE);
    g_assert_cmpstr(answers->str, ==, wanted);
    g_string_truncate(answers, 0);
}

static void
restart(ChangeFixture *f)
{
    app_free(f->app);
    change_start(f);
}

static void
assert_key(ChangeFixture *f, const char *key)
{
    g_assert_true(hub_has_key(app_find_hub(f->app, "gw"), key));
}

static void
test_stored(ChangeFixture *f, gconstpointer data G_GNUC_UNUSED)
{
    guint writes = atomic_load(&change_writes);

    send_key(f, "gw", "1", NEW);
    assert_key(f, OLD);
    g_assert_cmpuint(answers->len, ==, 0);
    await_answers("1:stored ");
    assert_key(f, NEW);
    g_assert_cmpuint(atomic_load(&change_writes), ==, writes + 1);
    /* A replay is answered, and not written. */
    send_key(f, "gw", "2", NEW);
    await_answers("2:stored ");
    g_assert_cmpuint(atomic_load(&change_writes), ==, writes + 1);
    restart(f);
    assert_key(f, NEW);
}

static void
test_disk_fails(ChangeFixture *f, gconstpointer data G_GNUC_UNUSED)
{
    atomic_store(&change_fails, TRUE);
    send_key(f, "gw", "1", NEW);
    await_answers("1:failed ");
    assert_key(f, OLD);
    atomic_store(&change_fails, FALSE);
    restart(f);
    assert_key(f, OLD);
    send_key(f, "gw", "2", NEW);
    await_answers("2:stored ");
    restart(f);
    assert_key(f, NEW);
}

/* While a key is being saved others are dropped, and nothing is in force or answered. */
static void
test_disk_waits(ChangeFixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Awaited held = {0};

    change_hold(f, &held);
    send_key(f, "gw", "1", NEW);
    send_key(f, "gw", "2", NEWER);
    send_key(f, "gw", "3", NEW);
    g_assert_cmpuint(answers->len, ==, 0);
    assert_key(f, OLD);
    atomic_store(&change_held, FALSE);
    await_end(&held);
    await_answers("1:stored ");
    assert_key(f, NEW);
    send_key(f, "gw", "4", NEWER);
    await_answers("4:stored ");
    restart(f);
    assert_key(f, NEWER);
}

/* The hub of that name becomes another device while the key comes: its key stays. */
static void
test_another_device(ChangeFixture *f, gconstpointer data G_GNUC_UNUSED)
{
    const HubSettings settings = {.name = "gw", .connection_string = DEVICE("gw-2")};
    Awaited held = {0}, removed = {0}, added = {0};

    change_hold(f, &held);
    g_assert_nonnull(app_remove_hub(f->app, "gw", AWAIT(&removed)));
    g_assert_nonnull(app_add_hub(f->app, &settings, AWAIT(&added)));
    send_key(f, "gw", "1", NEW);
    await_answers("1:failed ");
    atomic_store(&change_held, FALSE);
    await_end(&added);
    await_end(&removed);
    await_end(&held);
    g_assert_cmpstr(hub_identity(app_find_hub(f->app, "gw")), ==, "gw-2");
    assert_key(f, OLD);
}

/* A key that was taken is saved with whatever else is, and goes with its hub. */
static void
test_removed(ChangeFixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Awaited held = {0}, removed = {0};

    change_hold(f, &held);
    send_key(f, "gw", "1", NEW);
    g_assert_nonnull(app_remove_hub(f->app, "gw", AWAIT(&removed)));
    atomic_store(&change_held, FALSE);
    await_end(&removed);
    await_end(&held);
    await_answers("1:stored ");
    g_assert_null(app_find_hub(f->app, "gw"));
    restart(f);
    g_assert_null(app_find_hub(f->app, "gw"));
}

static void
test_configured(ChangeFixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Awaited done = {0};

    change_write_file(f, "device", DEVICE("gw-3"));
    change_write_file(f, "streamd.conf", HUBS "[hub c]\nConnectionStringFile=@/device\n");
    (void)await_well(app_reload(f->app, AWAIT(&done)), &done);
    send_key(f, "c", "1", NEW);
    await_answers("1:read-only ");
    g_assert_true(hub_has_key(app_find_hub(f->app, "c"), OLD));
    send_key(f, "c", "2", OLD);
    await_answers("2:stored ");
}

/* Each at once, one more, and again at the moment from which one is forgiven. */
static void
test_pace(ChangeFixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Hub *hub = app_find_hub(f->app, "gw");
    gint64 now = g_get_monotonic_time() + G_TIME_SPAN_DAY;

    for (guint i = 0; i < HUB_KEYS_BURST; i++)
        g_assert_true(hub_take_key_turn(hub, now));
    g_assert_false(hub_take_key_turn(hub, now));
    g_assert_false(hub_take_key_turn(hub, now + HUB_KEYS_PAUSE - 1));
    g_assert_true(hub_take_key_turn(hub, now + HUB_KEYS_PAUSE));
    g_assert_false(hub_take_key_turn(hub, now + HUB_KEYS_PAUSE));
    now += (HUB_KEYS_BURST + 1) * HUB_KEYS_PAUSE;
    for (guint i = 0; i < HUB_KEYS_BURST; i++)
        g_assert_true(hub_take_key_turn(hub, now));
    g_assert_false(hub_take_key_turn(hub, now));
    send_key(f, "gw", "1", NEW); /* none is forgiven at the present time, a day before */
    await_answers("1:busy ");
    assert_key(f, OLD);
}

#define ADD(name, func) g_test_add("/app-key/" name, ChangeFixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("stored", test_stored);
    ADD("disk-fails", test_disk_fails);
    ADD("disk-waits", test_disk_waits);
    ADD("another-device", test_another_device);
    ADD("removed", test_removed);
    ADD("configured", test_configured);
    ADD("pace", test_pace);
    return g_test_run();
}
