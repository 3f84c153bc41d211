/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept comes back; what is damaged, of another version or open to others is refused. */
#include "common/base/error.h"
#include "daemon/config/store-upgrade.h"
#include "tests/unit/daemon/config/store-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_round_trip(StoreFixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) empty = store_load_well(fixture), state = NULL;
    g_autofree char *text = NULL;

    g_assert_cmpuint(store_state_hubs(empty), ==, 0);
    store_save_example(fixture);
    state = store_load_well(fixture);
    store_assert_example(state);
    store_assert_mode(fixture, "state", 0600);
    store_assert_mode(fixture, "secrets.d", 0700);
    store_assert_mode(fixture, "secrets.d/office.1", 0600);
    g_assert_true(g_file_get_contents(fixture->state, &text, NULL, NULL));
    g_assert_null(strstr(text, "Y2FuYXJ5"));
    g_assert_nonnull(strstr(text, "host=hub.example:443\ndevice=gw1\n"));
}

/* Fault F34: cut at each sixteenth, and with one bit turned there. */
static void
check_damage(StoreFixture *fixture, const char *path)
{
    g_autofree char *whole = NULL;
    gsize len;

    g_assert_true(g_file_get_contents(path, &whole, &len, NULL));
    for (gsize i = 0; i < 16; i++) {
        g_autofree char *cut = NULL, *turned = NULL;

        store_overwrite(path, whole, len * i / 16);
        cut = store_load_fails(fixture, path);
        whole[len * i / 16] ^= 1;
        store_overwrite(path, whole, len);
        turned = store_load_fails(fixture, path);
        whole[len * i / 16] ^= 1;
        g_assert_nonnull(strstr(cut, "remove it to start empty"));
    }
    store_overwrite(path, whole, len);
}

static void
test_damaged(StoreFixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) state = NULL;

    store_save_example(fixture);
    check_damage(fixture, fixture->state);
    state = store_load_well(fixture);
    store_assert_example(state);
}

/* The hub is there, and says what is wrong with its key; everything else is as it was. The next
 * save keeps what was named. */
static void
assert_refused(StoreFixture *fixture, const char *why)
{
    g_autoptr(StoreState) state = store_load_well(fixture);
    g_autoptr(GError) error = NULL;
    HubSettings hub = store_state_hub(state, 0);

    g_assert_null(hub.connection_string);
    g_assert_cmpstr(hub.identity, ==, "HostName=hub.example:443;DeviceId=gw1");
    if (!strstr(hub.refused, why))
        g_error("'%s' is not in: %s", why, hub.refused);
    g_assert_cmpuint(store_state_targets(state), ==, 1);
    g_assert_cmpuint(store_state_rule(state, 0).id, ==, 1004);
    (void)store_save(fixture->store, state, &error);
    g_assert_no_error(error);
}

static void
test_key_missing(StoreFixture *fixture, gconstpointer data)
{
    g_autofree char *key = store_path(fixture, "secrets.d/office.1");
    g_autofree char *away = store_path(fixture, "away"), *body = NULL;
    g_autoptr(StoreState) state = NULL;
    gsize len;

    store_save_example(fixture);
    g_assert_true(g_file_get_contents(key, &body, &len, NULL));
    g_assert_cmpint(g_rename(key, away), ==, 0);
    assert_refused(fixture, "its key is missing");
    g_assert_cmpint(g_rename(away, key), ==, 0);
    g_assert_cmpint(g_chmod(key, 0640), ==, 0);
    assert_refused(fixture, "mode 0640; it must belong to user");
    for (gsize i = 0; i < 16; i++) {
        store_overwrite(key, body, len * i / 16);
        assert_refused(fixture, "its key cannot be used");
    }
    body[len - 2] ^= 1;
    store_overwrite(key, body, len);
    assert_refused(fixture, "its checksum does not match");
    body[len - 2] ^= 1;
    store_overwrite(key, body, len);
    state = store_load_well(fixture);
    store_assert_example(state);
}

static void
test_rights(StoreFixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) state = NULL;
    g_autofree char *written = NULL, *owner = NULL;

    store_save_example(fixture);
    g_assert_cmpint(g_chmod(fixture->state, 0644), ==, 0);
    state = store_load_well(fixture);
    g_assert_cmpint(g_chmod(fixture->state, 0620), ==, 0);
    written = store_load_fails(fixture, fixture->state);
    g_assert_nonnull(strstr(written, "mode 0620"));
    if (geteuid() != 0)
        return;
    g_assert_cmpint(g_chmod(fixture->state, 0600), ==, 0);
    g_assert_cmpint(chown(fixture->state, 4711, 0), ==, 0);
    owner = store_load_fails(fixture, fixture->state);
    g_assert_nonnull(strstr(owner, "it belongs to user 4711"));
}

/* A link is not followed, also to a file that would do: who could put it there chose what is read.
 */
static void
test_links(StoreFixture *fixture, gconstpointer data)
{
    static const char *const names[] = {"secrets.d/office.1", "state"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = store_path(fixture, names[i]), *away = store_path(fixture, "away");
        g_autofree char *text = NULL;

        store_save_example(fixture);
        g_assert_cmpint(g_rename(path, away), ==, 0);
        g_assert_cmpint(symlink(away, path), ==, 0);
        if (i == 1) {
            text = store_load_fails(fixture, path);
            g_assert_nonnull(strstr(text, g_strerror(ELOOP)));
        } else {
            assert_refused(fixture, g_strerror(ELOOP));
        }
        g_assert_cmpint(g_unlink(path), ==, 0);
        g_assert_cmpint(g_rename(away, path), ==, 0);
    }
}

/* What is no file of ours: a FIFO, a folder, and one with more behind a byte that is 0. */
static void
test_no_file(StoreFixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL, *fifo = NULL, *folder = NULL, *longer = NULL;
    g_autoptr(GString) bytes = g_string_new(NULL);

    g_assert_cmpint(mkfifo(fixture->state, 0600), ==, 0);
    fifo = store_load_fails(fixture, fixture->state);
    g_assert_nonnull(strstr(fifo, "it is not a regular file"));
    g_assert_cmpint(g_unlink(fixture->state), ==, 0);
    g_assert_cmpint(g_mkdir(fixture->state, 0700), ==, 0);
    folder = store_load_fails(fixture, fixture->state);
    g_assert_nonnull(strstr(folder, "it is not a regular file"));
    g_assert_cmpint(g_rmdir(fixture->state), ==, 0);
    store_save_example(fixture);
    text = store_contents(fixture, "state");
    g_string_append(bytes, text);
    g_string_append_len(bytes, "\0[policy]\ndefault=accept\n", 26);
    store_overwrite(fixture->state, bytes->str, bytes->len);
    longer = store_load_fails(fixture, fixture->state);
    g_assert_nonnull(strstr(longer, "a byte of it is 0"));
}

/* A hub's key is in a file of its own, and nowhere else. */
static void
test_key_names(StoreFixture *fixture, gconstpointer data)
{
    static const char *const names[] = {"b.1", "a.b.1",  "a",      "a.",   "a.0",
                                        "a.x", "a./b.1", "../a.1", "a.-1", "a.1.1"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *body = g_strdup_printf("[hub a]\nsecret=%s\n", names[i]), *why = NULL;

        store_write_version(fixture->state, STORE_VERSION, body);
        why = store_load_fails(fixture, fixture->state);
        g_assert_nonnull(strstr(why, "[hub a] secret: "));
    }
}

/* What could not be read again is not written: streamd would not start any more. */
static void
test_read_back(StoreFixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) state = store_state_new(), again = NULL;
    g_autoptr(GError) error = NULL;

    store_save_example(fixture);
    store_state_add_target(state, &(TargetSettings){.name = "a", .address = "unix:\xff"});
    g_assert_false(store_save(fixture->store, state, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    again = store_load_well(fixture);
    store_assert_example(again);
}

/* A state whose body has so many bytes: a rule's text is as long as it has to be. */
static StoreState *
state_of_size(gsize size)
{
    StoreState *state = store_state_new();
    static const char frame[] =
        "[target a]\naddress=\n\n[policy]\nnext-rule=0\n"; /* and the address */
    g_autofree char *address = g_strnfill(size - strlen(frame), 'x');

    store_state_add_target(state, &(TargetSettings){.name = "a", .address = address});
    return state;
}

/* The largest that is written can be read, and one that could not be read is not written. */
static void
test_size(StoreFixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) most = state_of_size(STORE_FILE_BODY_MAX);
    g_autoptr(StoreState) more = state_of_size(STORE_FILE_BODY_MAX + 1);
    g_autoptr(StoreState) again = NULL, none = NULL;
    struct stat status;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL, *large = g_strnfill(STORE_FILE_MAX + 1, ' '), *why = NULL;

    (void)store_save(fixture->store, most, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(fixture->state, &text, NULL, NULL));
    g_assert_cmpuint(strlen(strchr(text, '\n') + 1), ==, STORE_FILE_BODY_MAX);
    again = store_load_well(fixture);
    g_assert_cmpuint(store_state_targets(again), ==, 1);
    g_assert_false(store_save(fixture->store, more, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    memset(large, '#', STORE_FILE_MAX - 96); /* a comment: the first line has 96 bytes */
    large[STORE_FILE_MAX - 96] = '\0';
    store_write_version(fixture->state, STORE_VERSION, large);
    g_assert_cmpint(g_stat(fixture->state, &status), ==, 0);
    g_assert_cmpint(status.st_size, ==, STORE_FILE_MAX);
    none = store_load_well(fixture);
    g_assert_cmpuint(store_state_targets(none), ==, 0);
    memset(large, '#', STORE_FILE_MAX - 95);
    store_write_version(fixture->state, STORE_VERSION, large);
    why = store_load_fails(fixture, fixture->state);
    g_assert_nonnull(strstr(why, "it is too large"));
}

/* As version 1 wrote it; the next change writes today's. */
static void
test_version_1(StoreFixture *fixture, gconstpointer data)
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

    store_write_version(fixture->state, 1, old);
    store_write_version(fixture->secrets, 1, "office " IDENTITY "\n");
    state = store_load_well(fixture);
    store_assert_example(state);
    g_assert_true(store_save(fixture->store, state, &error));
    g_assert_true(g_file_get_contents(fixture->state, &text, NULL, NULL));
    g_assert_true(g_str_has_prefix(text, "streamd-store version=4 "));
    again = store_load_well(fixture);
    store_assert_example(again);
}

/* What version 3 brought. */
static void
test_rules(StoreFixture *fixture, gconstpointer data)
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
         .limits = {{1, 2, 3, 4000000, 5000000, 6000000}},
         .resume_time = ACCEPT_RESUME_TIME_MAX},
        {.id = 1002,
         .kind = ACCEPT_HANDLER,
         .handler = "echo",
         .handler_uid = 1000,
         .resume_time = ACCEPT_NO_RESUME},
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
    again = store_load_well(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        const AcceptRule rule = store_state_rule(again, i);

        g_assert_cmpint(rule.kind, ==, rules[i].kind);
        g_assert_cmpstr(rule.address, ==, rules[i].address ? rules[i].address : "");
        g_assert_cmpstr(rule.weekdays, ==, rules[i].weekdays ? rules[i].weekdays : "");
        g_assert_cmpstr(rule.time, ==, rules[i].time ? rules[i].time : "");
        g_assert_cmpstr(rule.handler, ==, rules[i].handler ? rules[i].handler : "");
        g_assert_cmpuint(rule.handler_uid, ==, rules[i].handler_uid);
        g_assert_cmpint(rule.ask_timeout, ==, rules[i].ask_timeout);
        g_assert_cmpint(rule.resume_time, ==, rules[i].resume_time);
        g_assert_true(limits_equal(&rule.limits, &rules[i].limits));
    }
    g_assert_cmpuint(store_state_target(again, 0).limits.of[LIMIT_BYTES], ==, LIMIT_BYTES_MAX);
}

/* Tunnels, too, keep whether their streams survive their legs. */
static void
test_resume(StoreFixture *fixture, gconstpointer data)
{
    TunnelOptions tunnel = {.hub = "a",
                            .device = "gw1",
                            .stream = "ssh",
                            .listen = "tcp:127.0.0.1:2222",
                            .persistent = TRUE,
                            .no_resume = TRUE};
    g_autoptr(StoreState) state = store_state_new(), again = NULL;
    g_autoptr(GError) error = NULL;

    store_state_add_tunnel(state, &tunnel);
    tunnel.no_resume = FALSE;
    store_state_add_tunnel(state, &tunnel);
    g_assert_true(store_save(fixture->store, state, &error));
    again = store_load_well(fixture);
    g_assert_true(store_state_tunnel(again, 0).no_resume);
    g_assert_false(store_state_tunnel(again, 1).no_resume);
}

static void
test_other_versions(StoreFixture *fixture, gconstpointer data)
{
    const int versions[] = {-1, 0};

    for (guint i = 0; i < G_N_ELEMENTS(versions); i++) {
        g_autofree char *text = NULL;

        store_write_version(fixture->state, versions[i], "[policy]\ndefault=accept\n");
        text = store_load_fails(fixture, fixture->state);
        g_assert_nonnull(strstr(text, "it does not begin as"));
    }
}

/* A newer one may say more than we know: what we do not know could be a prohibition. So nothing of
 * it is taken, and nothing is written over it. */
/* Its first line may go on otherwise. */
static void
test_newer_line(StoreFixture *fixture, gconstpointer data)
{
    static const char line[] = "streamd-store version=5 sum=12\n";
    g_autoptr(StoreState) state = NULL;

    store_overwrite(fixture->state, line, strlen(line));
    state = store_load_well(fixture);
    g_assert_nonnull(store_is_newer(fixture->store));
}

static void
test_newer(StoreFixture *fixture, gconstpointer data)
{
    const int versions[] = {STORE_VERSION + 1, 1000};

    for (guint i = 0; i < G_N_ELEMENTS(versions); i++) {
        g_autoptr(StoreState) state = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *before = NULL, *after = NULL;

        store_write_version(fixture->state, versions[i], "[policy]\ndefault=accept\n");
        g_assert_true(g_file_get_contents(fixture->state, &before, NULL, NULL));
        state = store_load_well(fixture);
        g_assert_false(store_state_default(state, NULL, NULL));
        g_assert_nonnull(strstr(store_is_newer(fixture->store), "this streamd reads 1 to 4"));
        g_assert_false(store_save(fixture->store, state, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_BUSY);
        g_assert_true(g_file_get_contents(fixture->state, &after, NULL, NULL));
        g_assert_cmpstr(before, ==, after);
    }
}

/* The disk is full: an error, and the old files as they were. */
static void
test_full(StoreFixture *fixture, gconstpointer data)
{
    struct rlimit limit, none;
    sigset_t signals;
    g_autoptr(StoreState) empty = store_state_new(), state = NULL;
    g_autoptr(GError) error = NULL;
    gboolean saved;

    store_save_example(fixture);
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
    state = store_load_well(fixture);
    store_assert_example(state);
}

/* The credentials of a proxy are kept apart from the rest, beside a hub of a name that begins
 * alike. */
static void
test_proxy(StoreFixture *fixture, gconstpointer data)
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
    secrets = store_contents(fixture, "secrets.d/a.1");
    g_assert_null(strstr(text, "canary"));
    g_assert_nonnull(strstr(secrets, "canary"));
    loaded = store_load_well(fixture);
    kept = store_state_hub(loaded, 0).proxy;
    g_assert_true(proxy_settings_equal(&kept, &proxy));
    kept = store_state_hub(loaded, 1).proxy;
    g_assert_false(proxy_is_set(&kept));
    g_assert_cmpstr(store_state_hub(loaded, 0).connection_string, ==, IDENTITY);
}

/* A device with a certificate: where its files are, and a connection string without a key. */
static void
test_certificate(StoreFixture *fixture, gconstpointer data)
{
    static const char string[] = "HostName=h;DeviceId=gw;x509=true";
    g_autoptr(StoreState) state = store_state_new(), loaded = NULL;
    g_autoptr(GError) error = NULL;
    HubSettings kept;

    store_state_add_hub(
        state, &(HubSettings){.name = "a",
                              .connection_string = string,
                              .own = {"/etc/gw.pem", "pkcs11:object=gw;type=private", "/etc/pin"}});
    (void)store_save(fixture->store, state, &error);
    g_assert_no_error(error);
    loaded = store_load_well(fixture);
    kept = store_state_hub(loaded, 0);
    g_assert_cmpstr(kept.connection_string, ==, string);
    g_assert_cmpstr(kept.own.certificate, ==, "/etc/gw.pem");
    g_assert_cmpstr(kept.own.key, ==, "pkcs11:object=gw;type=private");
    g_assert_cmpstr(kept.own.pin_file, ==, "/etc/pin");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    STORE_TEST("store/round-trip", test_round_trip);
    STORE_TEST("store/damaged", test_damaged);
    STORE_TEST("store/key-missing", test_key_missing);
    STORE_TEST("store/rights", test_rights);
    STORE_TEST("store/links", test_links);
    STORE_TEST("store/no-file", test_no_file);
    STORE_TEST("store/key-names", test_key_names);
    STORE_TEST("store/read-back", test_read_back);
    STORE_TEST("store/size", test_size);
    STORE_TEST("store/version-1", test_version_1);
    STORE_TEST("store/rules", test_rules);
    STORE_TEST("store/resume", test_resume);
    STORE_TEST("store/other-versions", test_other_versions);
    STORE_TEST("store/newer-line", test_newer_line);
    STORE_TEST("store/newer", test_newer);
    STORE_TEST("store/full", test_full);
    STORE_TEST("store/proxy", test_proxy);
    STORE_TEST("store/certificate", test_certificate);
    return g_test_run();
}
