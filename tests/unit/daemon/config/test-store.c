/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept comes back; what is damaged, of another version or open to others is refused. */
#include "common/base/error.h"
#include "daemon/config/store-upgrade.h"
#include "daemon/config/store.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDENTITY "HostName=hub.example;DeviceId=gw1;SharedAccessKey=Y2FuYXJ5Y2FuYXJ5"

typedef struct {
    char *dir, *state, *secrets;
    Store *store;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fixture->dir = g_dir_make_tmp("streamd-store-XXXXXX", NULL);
    fixture->state = g_build_filename(fixture->dir, "state", NULL);
    fixture->secrets = g_build_filename(fixture->dir, "secrets", NULL);
    fixture->store = store_new(fixture->dir, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    const char *argv[] = {"rm", "-r", fixture->dir, NULL};

    store_free(fixture->store);
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_free(fixture->dir);
    g_free(fixture->state);
    g_free(fixture->secrets);
}

static StoreState *
state_new(void)
{
    StoreState *state = store_state_new();

    store_state_add_hub(state, &(HubSettings){.name = "office",
                                              .connection_string = IDENTITY,
                                              .ca_file = "/etc/ca.pem",
                                              .transport = HUB_TRANSPORT_MQTTS,
                                              .mqtts_port = 8884});
    store_state_add_target(state, &(TargetSettings){.name = "sshd", .address = "tcp:127.0.0.1:22"});
    store_state_add_rule(
        state, &(AcceptRule){.id = 1004, .stream = "ssh", .reject_text = "not now = never; [x]"});
    store_state_add_tunnel(state, &(TunnelOptions){.hub = "office",
                                                   .device = "gw1",
                                                   .stream = "ssh",
                                                   .listen = "tcp:127.0.0.1:2222",
                                                   .persistent = TRUE,
                                                   .timeout = 5000000,
                                                   .wait = 7,
                                                   .owner_uid = 1000});
    store_state_set_default(state, FALSE, "ask first");
    store_state_set_next_rule(state, 1009);
    return state;
}

static void
assert_state(const StoreState *state)
{
    const char *text = NULL;
    gboolean accept = TRUE;

    g_assert_cmpstr(store_state_hub(state, 0).connection_string, ==, IDENTITY);
    g_assert_cmpstr(store_state_hub(state, 0).ca_file, ==, "/etc/ca.pem");
    g_assert_cmpuint(store_state_hub(state, 0).mqtts_port, ==, 8884);
    g_assert_cmpuint(store_state_targets(state), ==, 1);
    g_assert_cmpuint(store_state_rule(state, 0).id, ==, 1004);
    g_assert_cmpint(store_state_rule(state, 0).kind, ==, ACCEPT_REJECT);
    g_assert_cmpstr(store_state_rule(state, 0).reject_text, ==, "not now = never; [x]");
    g_assert_cmpint(store_state_tunnel(state, 0).timeout, ==, 5000000);
    g_assert_cmpint(store_state_tunnel(state, 0).wait, ==, 7);
    g_assert_cmpuint(store_state_tunnel(state, 0).owner_uid, ==, 1000);
    g_assert_true(store_state_default(state, &accept, &text));
    g_assert_false(accept);
    g_assert_cmpstr(text, ==, "ask first");
    g_assert_cmpuint(store_state_next_rule(state), ==, 1009);
}

static void
save(Fixture *fixture)
{
    g_autoptr(StoreState) state = state_new();
    g_autoptr(GError) error = NULL;

    (void)store_save(fixture->store, state, &error);
    g_assert_no_error(error);
}

static StoreState *
load(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    StoreState *state = store_load(fixture->store, &error);

    g_assert_no_error(error);
    return state;
}

static char *
load_fails(Fixture *fixture, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = store_load(fixture->store, &error);

    g_assert_null(state);
    g_assert_nonnull(error);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_null(strstr(error->message, "Y2FuYXJ5"));
    return g_strdup(error->message + strlen(path) + 2);
}

static void
test_round_trip(Fixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) empty = load(fixture), state = NULL;
    struct stat status;

    g_assert_cmpuint(store_state_hubs(empty), ==, 0);
    save(fixture);
    state = load(fixture);
    assert_state(state);
    g_assert_cmpint(stat(fixture->secrets, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 07777, ==, 0600);
    g_assert_cmpint(stat(fixture->state, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 07777, ==, 0600);
}

static void
overwrite(const char *path, const char *bytes, gsize len)
{
    g_assert_true(g_file_set_contents_full(path, bytes, (gssize)len, G_FILE_SET_CONTENTS_CONSISTENT,
                                           0600, NULL));
}

/* Fault F34: cut at each sixteenth, and with one bit turned there. */
static void
check_damage(Fixture *fixture, const char *path)
{
    g_autofree char *whole = NULL;
    gsize len;

    g_assert_true(g_file_get_contents(path, &whole, &len, NULL));
    for (gsize i = 0; i < 16; i++) {
        g_autofree char *cut = NULL, *turned = NULL;

        overwrite(path, whole, len * i / 16);
        cut = load_fails(fixture, path);
        whole[len * i / 16] ^= 1;
        overwrite(path, whole, len);
        turned = load_fails(fixture, path);
        whole[len * i / 16] ^= 1;
        g_assert_nonnull(strstr(cut, "remove it to start empty"));
    }
    overwrite(path, whole, len);
}

static void
test_damaged(Fixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) state = NULL;

    save(fixture);
    check_damage(fixture, fixture->state);
    check_damage(fixture, fixture->secrets);
    state = load(fixture);
    assert_state(state);
}

static void
test_half_missing(Fixture *fixture, gconstpointer data)
{
    g_autofree char *state = NULL, *secrets = NULL;

    save(fixture);
    g_assert_cmpint(g_unlink(fixture->state), ==, 0);
    state = load_fails(fixture, fixture->state);
    g_assert_nonnull(strstr(state, "missing"));
    save(fixture);
    g_assert_cmpint(g_unlink(fixture->secrets), ==, 0);
    secrets = load_fails(fixture, fixture->state);
    g_assert_nonnull(strstr(secrets, "[hub office]"));
}

static void
test_rights(Fixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) state = NULL;
    g_autofree char *read = NULL, *written = NULL, *link = NULL, *owner = NULL;

    save(fixture);
    g_assert_cmpint(g_chmod(fixture->secrets, 0640), ==, 0);
    read = load_fails(fixture, fixture->secrets);
    g_assert_nonnull(strstr(read, "mode 0640; it must belong to user"));
    g_assert_cmpint(g_chmod(fixture->secrets, 0600), ==, 0);
    g_assert_cmpint(g_chmod(fixture->state, 0644), ==, 0);
    state = load(fixture);
    g_assert_cmpint(g_chmod(fixture->state, 0620), ==, 0);
    written = load_fails(fixture, fixture->state);
    g_assert_nonnull(strstr(written, "mode 0620"));
    g_assert_cmpint(g_unlink(fixture->state), ==, 0);
    g_assert_cmpint(symlink("/etc/passwd", fixture->state), ==, 0);
    link = load_fails(fixture, fixture->state);
    if (geteuid() != 0)
        return;
    g_assert_cmpint(chown(fixture->secrets, 4711, 0), ==, 0);
    owner = load_fails(fixture, fixture->secrets);
    g_assert_nonnull(strstr(owner, "it belongs to user 4711"));
}

static void
write_version(const char *path, int version, const char *body)
{
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, body, -1);
    g_autofree char *text =
        g_strdup_printf("streamd-store version=%d sha256=%s\n%s", version, sum, body);

    overwrite(path, text, strlen(text));
}

/* As version 1 wrote it; the next change writes today's. */
static void
test_version_1(Fixture *fixture, gconstpointer data)
{
    static const char old[] =
        "[hub office]\ntransport=mqtts\nmqtt-port=8884\nca-file=/etc/ca.pem\n\n"
        "[target sshd]\naddress=tcp:127.0.0.1:22\n\n"
        "[rule 1004]\nverdict=reject\nstream=ssh\nreason=not now = never; [x]\n\n"
        "[tunnel 1]\nhub=office\ndevice=gw1\nstream=ssh\nlisten=tcp:127.0.0.1:2222\nshared=no\n"
        "timeout=5000000\nwait=7\nowner=1000\n\n"
        "[policy]\nnext-rule=1009\ndefault=reject\nreason=ask first\n";
    g_autoptr(StoreState) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    write_version(fixture->state, 1, old);
    write_version(fixture->secrets, 1, "office " IDENTITY "\n");
    state = load(fixture);
    assert_state(state);
    g_assert_true(store_save(fixture->store, state, &error));
    g_assert_true(g_file_get_contents(fixture->state, &text, NULL, NULL));
    g_assert_true(g_str_has_prefix(text, "streamd-store version=3 "));
    again = load(fixture);
    assert_state(again);
}

/* What version 3 brought. */
static void
test_rules(Fixture *fixture, gconstpointer data)
{
    const AcceptRule rules[] = {
        {.id = 1001,
         .hub = "office",
         .stream = "web-*",
         .initiator = "ops",
         .address = "2001:db8::/32",
         .weekdays = "mon-fri",
         .time = "22:00-06:00",
         .kind = ACCEPT_TARGET,
         .target = "www",
         .limits = {{1, 2, 3, 4000000, 5000000, 6000000}}},
        {.id = 1002, .kind = ACCEPT_HANDLER, .handler = "echo", .handler_uid = 1000},
        {.id = 1003, .kind = ACCEPT_ASK, .ask_timeout = 10 * G_TIME_SPAN_SECOND},
    };
    const Limits limits = {.of = {[LIMIT_BYTES] = LIMIT_BYTES_MAX}};
    g_autoptr(StoreState) state = store_state_new(), again = NULL;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
        store_state_add_rule(state, &rules[i]);
    store_state_add_target(
        state, &(TargetSettings){.name = "www", .address = "unix:/run/www", .limits = limits});
    g_assert_true(store_save(fixture->store, state, &error));
    again = load(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        const AcceptRule rule = store_state_rule(again, i);

        g_assert_cmpint(rule.kind, ==, rules[i].kind);
        g_assert_cmpstr(rule.address, ==, rules[i].address ? rules[i].address : "");
        g_assert_cmpstr(rule.weekdays, ==, rules[i].weekdays ? rules[i].weekdays : "");
        g_assert_cmpstr(rule.time, ==, rules[i].time ? rules[i].time : "");
        g_assert_cmpstr(rule.handler, ==, rules[i].handler ? rules[i].handler : "");
        g_assert_cmpuint(rule.handler_uid, ==, rules[i].handler_uid);
        g_assert_cmpint(rule.ask_timeout, ==, rules[i].ask_timeout);
        g_assert_true(limits_equal(&rule.limits, &rules[i].limits));
    }
    g_assert_cmpuint(store_state_target(again, 0).limits.of[LIMIT_BYTES], ==, LIMIT_BYTES_MAX);
}

/* A newer one may say more than we know: what we do not know could be a prohibition. */
static void
test_other_versions(Fixture *fixture, gconstpointer data)
{
    const int versions[] = {-1, 0, STORE_VERSION + 1, 1000};

    for (guint i = 0; i < G_N_ELEMENTS(versions); i++) {
        g_autofree char *text = NULL;

        write_version(fixture->state, versions[i], "[policy]\ndefault=accept\n");
        text = load_fails(fixture, fixture->state);
        g_assert_nonnull(strstr(text, "this streamd reads 1 to 3"));
    }
}

/* The disk is full: an error, and the old files as they were. */
static void
test_full(Fixture *fixture, gconstpointer data)
{
    struct rlimit limit, none;
    sigset_t signals;
    g_autoptr(StoreState) empty = store_state_new(), state = NULL;
    g_autoptr(GError) error = NULL;
    gboolean saved;

    save(fixture);
    sigemptyset(&signals);
    sigaddset(&signals, SIGXFSZ);
    g_assert_cmpint(sigprocmask(SIG_BLOCK, &signals, NULL), ==, 0); /* for good */
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    none = (struct rlimit){16, limit.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &none), ==, 0);
    saved = store_save(fixture->store, empty, &error);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    g_assert_false(saved);
    g_assert_nonnull(error);
    state = load(fixture);
    assert_state(state);
}

/* The credentials of a proxy are kept apart from the rest, beside a hub of a name that begins
 * alike. */
static void
test_proxy(Fixture *fixture, gconstpointer data)
{
    const ProxySettings proxy = {"http://p:1", "user:canary of a proxy", "10.0.0.0/8"};
    g_autoptr(StoreState) state = store_state_new(), loaded = NULL;
    g_autofree char *text = NULL, *secrets = NULL;
    g_autoptr(GError) error = NULL;
    ProxySettings kept;

    store_state_add_hub(state,
                        &(HubSettings){.name = "a", .connection_string = IDENTITY, .proxy = proxy});
    store_state_add_hub(state, &(HubSettings){.name = "a.b", .connection_string = IDENTITY});
    (void)store_save(fixture->store, state, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(fixture->state, &text, NULL, NULL));
    g_assert_true(g_file_get_contents(fixture->secrets, &secrets, NULL, NULL));
    g_assert_null(strstr(text, "canary"));
    g_assert_nonnull(strstr(secrets, "canary"));
    loaded = load(fixture);
    kept = store_state_hub(loaded, 0).proxy;
    g_assert_true(proxy_settings_equal(&kept, &proxy));
    kept = store_state_hub(loaded, 1).proxy;
    g_assert_false(proxy_is_set(&kept));
    g_assert_cmpstr(store_state_hub(loaded, 0).connection_string, ==, IDENTITY);
}

#define ADD(name, function) g_test_add("/store/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("round-trip", test_round_trip);
    ADD("damaged", test_damaged);
    ADD("half-missing", test_half_missing);
    ADD("rights", test_rights);
    ADD("version-1", test_version_1);
    ADD("rules", test_rules);
    ADD("other-versions", test_other_versions);
    ADD("full", test_full);
    ADD("proxy", test_proxy);
    return g_test_run();
}
