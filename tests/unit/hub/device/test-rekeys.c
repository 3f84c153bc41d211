/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A rekey from its request to the end of the former key, with stand-ins for sessions and clocks and
 * a real registry: who is offered what, which answer counts, and when the grace is over. */
#include "hub/device/rekeys.h"
#include "hub/registry/keys.h"
#include "tests/unit/hub/base/clock-fixture.h"
#include "tests/unit/hub/device/session-fixture.h"
#include "tests/unit/hub/registry/registry-helper.h"

#define CAPABLE (CAPS_ALL | CAP_REKEY)
#define GRACE (100 * G_TIME_SPAN_SECOND)

gint64 __wrap_g_get_real_time(void);

static gint64 present = (gint64)1900000000 * G_TIME_SPAN_SECOND;

gint64
__wrap_g_get_real_time(void)
{
    return present;
}

typedef struct {
    Scratch scratch;
    Settings *settings;
    Clock *clock;
    Devices *devices;
    Rekeys *rekeys;
    GPtrArray *sessions;
    GString *results;
} Fixture;

static void
on_client(const char *client_id G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static void
on_answer(const char *client_id G_GNUC_UNUSED, const StreamAnswer *answer G_GNUC_UNUSED,
          void *data G_GNUC_UNUSED)
{
}

static const DevicesEvents events = {
    .subscribed = on_client, .link_lost = on_client, .answer = on_answer};

/* As hub.c does it. */
static void
on_change(const RegistryChange *change, void *data)
{
    Fixture *f = data;
    g_autofree char *client_id = g_strjoin("/", change->name, change->module, NULL);

    if (change->kind != REGISTRY_DEVICE_KEYS)
        return;
    if (!change->planned)
        rekeys_void(f->rekeys, change->name, change->module);
    devices_revoke_keys(f->devices, client_id, change->keys);
}

static void
session_drop(gpointer data)
{
    session_free(data);
}

static void
make_rekeys(Fixture *f)
{
    f->rekeys = rekeys_new(f->settings, f->scratch.registry, f->devices, f->clock);
    (void)registry_watch(f->scratch.registry, on_change, f);
}

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_make(&f->scratch);
    f->settings = settings_new();
    f->settings->rekey_grace = GRACE;
    f->clock = clock_new();
    f->devices = devices_new(f->settings, &events, f);
    f->sessions = g_ptr_array_new_with_free_func(session_drop);
    f->results = g_string_new(NULL);
    make_rekeys(f);
    g_assert_cmpint(add(f->scratch.registry, "dev1", NULL), ==, REGISTRY_OK);
}

static void
drain(Fixture *f)
{
    /* A look-up is behind whatever was asked of the registry before it. */
    for (guint i = 0; i < 3; i++) {
        g_auto(Answer) a = {0};

        (void)ANSWER(a, registry_fetch_device, f->scratch.registry, "dev1", NULL);
        clock_pass(f->clock, 1);
    }
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    drain(f);
    devices_close_all(f->devices);
    registry_close(f->scratch.registry);
    rekeys_free(f->rekeys);
    devices_free(f->devices);
    clock_free(f->clock);
    settings_free(f->settings);
    g_ptr_array_unref(f->sessions);
    g_string_free(f->results, TRUE);
    scratch_clear(&f->scratch);
}

static RegistryDevice *
device(Fixture *f)
{
    g_auto(Answer) a = {0};

    drain(f);
    (void)ANSWER(a, registry_fetch_device, f->scratch.registry, "dev1", NULL);
    return g_steal_pointer(&a.device);
}

/* The device connects by KEY; returns whether it is to be offered a key. */
static Session *
connect_by(Fixture *f, RegistryKeys key, const char *policy, Caps caps)
{
    g_autoptr(RegistryDevice) record = device(f);
    Session *session = session_new(f->devices, "dev1", policy, caps);
    gboolean present_before;

    session->link.keys = key;
    g_ptr_array_add(f->sessions, session);
    g_assert_true(devices_connect(f->devices, &session->link, FALSE, &present_before));
    if (!policy && rekeys_admitted(f->rekeys, &session->link, record))
        rekeys_ready(f->rekeys, &session->link);
    drain(f);
    return session;
}

static void
leave(Fixture *f, Session *session)
{
    devices_disconnect(f->devices, &session->link);
    rekeys_lost(f->rekeys, &session->link);
    drain(f);
}

static void
on_result(const RekeyResult *result, void *data)
{
    g_string_append_printf(data, "%s ", rekey_result_name(result->code));
}

static void
ask(Fixture *f)
{
    rekeys_ask(f->rekeys, "dev1", NULL, on_result, f->results);
    drain(f);
}

static void
assert_results(Fixture *f, const char *wanted)
{
    drain(f);
    g_assert_cmpstr(f->results->str, ==, wanted);
    g_string_truncate(f->results, 0);
}

static const char *
rid_of(Session *session)
{
    const char *topic;

    g_assert_cmpuint(session->topics->len, >, 0);
    topic = session->topics->pdata[session->topics->len - 1];
    g_assert_true(g_str_has_prefix(topic, "$iothub/streamd/rekey/?$rid="));
    return topic + strlen("$iothub/streamd/rekey/?$rid=");
}

static void
answer(Fixture *f, Session *session, const char *rid, KeyAnswerCode code)
{
    KeyAnswer it = {.code = code};

    g_strlcpy(it.rid, rid, sizeof it.rid);
    rekeys_answer(f->rekeys, &session->link, &it);
    drain(f);
}

/* Who is not offered a key, whatever was asked. */
static void
test_not_capable(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        RegistryKeys keys;
        const char *policy;
        Caps caps;
    } rows[] = {
        {REGISTRY_KEY_PRIMARY, NULL, 0},
        {REGISTRY_KEY_PRIMARY, NULL, CAPS_ALL},
        {REGISTRY_KEY_PRIMARY, "fleet", CAPABLE},
        {REGISTRY_KEYS_NONE, NULL, CAPABLE}, /* by a certificate */
    };
    g_autoptr(RegistryDevice) before = device(f), after = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Session *session = connect_by(f, rows[i].keys, rows[i].policy, rows[i].caps);

        ask(f);
        assert_results(f, "not-capable ");
        g_assert_cmpuint(session->topics->len, ==, 0);
        leave(f, session);
    }
    after = device(f);
    g_assert_cmpint(memcmp(&before->primary, &after->primary, sizeof after->primary), ==, 0);
    g_assert_cmpint(memcmp(&before->secondary, &after->secondary, sizeof after->secondary), ==, 0);
    f->settings->rekey = FALSE;
    (void)connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPABLE);
    ask(f);
    assert_results(f, "off ");
}

static void
test_answers(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        KeyAnswerCode code;
        const char *result;
        RekeyState state;
    } rows[] = {
        {KEY_ANSWER_READ_ONLY, "read-only ", REKEY_READ_ONLY},
        {KEY_ANSWER_BUSY, "pending ", REKEY_OFFERED},
        {KEY_ANSWER_FAILED, "pending ", REKEY_OFFERED},
        {KEY_ANSWER_STORED, "done ", REKEY_OFFERED},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Session *session = connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPABLE);
        g_autoptr(RegistryDevice) after = NULL;
        g_autofree char *rid = NULL;
        guint64 ignored;

        ask(f);
        rid = g_strdup(rid_of(session));
        ignored = rekeys_ignored(f->rekeys);
        answer(f, session, "1", KEY_ANSWER_STORED); /* not its number */
        answer(f, session, "x", KEY_ANSWER_STORED);
        g_assert_cmpuint(rekeys_ignored(f->rekeys), ==, ignored + 2);
        assert_results(f, "");
        answer(f, session, rid, rows[i].code);
        assert_results(f, rows[i].result);
        answer(f, session, rid, KEY_ANSWER_READ_ONLY); /* twice */
        answer(f, session, rid, KEY_ANSWER_STORED);
        g_assert_cmpuint(rekeys_ignored(f->rekeys), ==, ignored + 4);
        after = device(f);
        g_assert_cmpint(after->rekey.state, ==, rows[i].state);
        leave(f, session);
    }
}

/* Two who ask at once get one key and one answer each. */
static void
test_joined(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Session *session = connect_by(f, REGISTRY_KEY_SECONDARY, NULL, CAPABLE);
    g_autoptr(RegistryDevice) before = device(f), after = NULL;
    g_autofree char *text = NULL;

    rekeys_ask(f->rekeys, "dev1", NULL, on_result, f->results);
    rekeys_ask(f->rekeys, "dev1", NULL, on_result, f->results);
    drain(f);
    g_assert_cmpuint(session->topics->len, ==, 1);
    after = device(f);
    text = g_base64_encode(after->primary.bytes, after->primary.len);
    g_assert_cmpstr(session->key, ==, text);
    g_assert_cmpint(memcmp(&before->secondary, &after->secondary, sizeof after->secondary), ==, 0);
    answer(f, session, rid_of(session), KEY_ANSWER_STORED);
    assert_results(f, "done done ");
}

/* No answer by the bound: pending; what comes one later is too late. */
static void
test_no_answer(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Session *session = connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPABLE);
    g_autofree char *rid = NULL;

    ask(f);
    rid = g_strdup(rid_of(session));
    clock_pass(f->clock, REKEYS_ANSWER_WAIT - G_TIME_SPAN_SECOND);
    assert_results(f, "");
    clock_pass(f->clock, 2 * G_TIME_SPAN_SECOND);
    assert_results(f, "pending ");
    answer(f, session, rid, KEY_ANSWER_READ_ONLY);
    g_assert_cmpuint(rekeys_ignored(f->rekeys), ==, 1);
    ask(f);
    g_assert_cmpstr(rid, !=, rid_of(session));
    leave(f, session);
    assert_results(f, "pending ");
}

/* Away: nothing is touched until it comes; then, and at each link until it has it, the same key. */
static void
test_away(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RegistryDevice) before = device(f), waits = NULL;
    g_autofree char *first = NULL;
    Session *session;

    ask(f);
    assert_results(f, "pending ");
    waits = device(f);
    g_assert_cmpint(waits->rekey.state, ==, REKEY_WANTED);
    g_assert_cmpint(memcmp(&before->secondary, &waits->secondary, sizeof waits->secondary), ==, 0);
    session = connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPS_ALL);
    g_assert_cmpuint(session->topics->len, ==, 0);
    leave(f, session);
    for (guint i = 0; i < 3; i++) {
        session = connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPABLE);
        g_assert_cmpuint(session->topics->len, ==, 1);
        if (first)
            g_assert_cmpstr(session->key, ==, first);
        else
            first = g_strdup(session->key);
        leave(f, session);
        rekeys_free(f->rekeys); /* a hub that is started again */
        make_rekeys(f);
    }
    session = connect_by(f, REGISTRY_KEY_SECONDARY, NULL, CAPABLE);
    g_assert_cmpuint(session->topics->len, ==, 0);
    leave(f, session);
    session = connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPABLE);
    g_assert_cmpuint(session->topics->len, ==, 0); /* whoever has the old key now gets nothing */
}

static void
pass(Fixture *f, gint64 span)
{
    present += span;
    clock_pass(f->clock, span);
    drain(f);
}

/* The former key is good at the end of the grace, and not a moment later; also over a restart. */
static void
test_grace(Fixture *f, gconstpointer data)
{
    const gboolean restarts = GPOINTER_TO_INT(data);
    Session *session = connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPABLE);
    g_autoptr(RegistryDevice) before = NULL, at_end = NULL, after = NULL;

    ask(f);
    answer(f, session, rid_of(session), KEY_ANSWER_STORED);
    pass(f, 10 * GRACE); /* without a login with it, for as long as it takes */
    before = device(f);
    session = connect_by(f, REGISTRY_KEY_SECONDARY, NULL, CAPABLE);
    if (restarts) {
        rekeys_free(f->rekeys);
        make_rekeys(f);
    }
    pass(f, GRACE - G_TIME_SPAN_SECOND);
    at_end = device(f);
    g_assert_cmpint(at_end->rekey.state, ==, REKEY_CONFIRMED);
    g_assert_cmpint(memcmp(&before->primary, &at_end->primary, sizeof before->primary), ==, 0);
    pass(f, 2 * G_TIME_SPAN_SECOND);
    pass(f, 1);
    after = device(f);
    g_assert_cmpint(after->rekey.state, ==, REKEY_NONE);
    g_assert_cmpint(memcmp(&before->primary, &after->primary, sizeof before->primary), !=, 0);
    g_assert_cmpint(memcmp(&before->secondary, &after->secondary, sizeof before->secondary), ==, 0);
    g_assert_null(session->closed);
}

/* At the end of the grace, whoever is there by the former key has to go. */
static void
test_returned(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Session *session = connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPABLE);

    ask(f);
    answer(f, session, rid_of(session), KEY_ANSWER_STORED);
    (void)connect_by(f, REGISTRY_KEY_SECONDARY, NULL, CAPABLE);
    session = connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPABLE);
    g_assert_cmpuint(session->topics->len, ==, 0);
    pass(f, GRACE + G_TIME_SPAN_SECOND);
    pass(f, 1);
    g_assert_nonnull(session->closed);
}

/* Keys that are changed by other means while an answer is waited for. */
static void
test_void(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Session *session = connect_by(f, REGISTRY_KEY_PRIMARY, NULL, CAPABLE);
    g_auto(Answer) a = {0};
    g_autoptr(RegistryDevice) after = NULL;

    ask(f);
    (void)ANSWER(a, registry_new_device_keys, f->scratch.registry, "dev1", NULL,
                 REGISTRY_KEY_SECONDARY);
    assert_results(f, "void ");
    g_assert_null(session->closed);
    answer(f, session, rid_of(session), KEY_ANSWER_STORED);
    after = device(f);
    g_assert_cmpint(after->rekey.state, ==, REKEY_NONE);
}

static void
test_unknown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    rekeys_ask(f->rekeys, "dev2", NULL, on_result, f->results);
    rekeys_ask(f->rekeys, "dev1", "m", on_result, f->results);
    assert_results(f, "failed failed ");
}

#define ADD(name, func, data) g_test_add("/rekeys/" name, Fixture, data, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("not-capable", test_not_capable, NULL);
    ADD("answers", test_answers, NULL);
    ADD("joined", test_joined, NULL);
    ADD("no-answer", test_no_answer, NULL);
    ADD("away", test_away, NULL);
    ADD("grace", test_grace, GINT_TO_POINTER(FALSE));
    ADD("grace-restarted", test_grace, GINT_TO_POINTER(TRUE));
    ADD("returned", test_returned, NULL);
    ADD("void", test_void, NULL);
    ADD("unknown", test_unknown, NULL);
    return g_test_run();
}
