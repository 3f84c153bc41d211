/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/error.h"
#include "daemon/store.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define SECRET "HostName=h.example;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"

typedef struct {
    char *dir, *state, *secrets;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->dir = g_dir_make_tmp("streamd-store-XXXXXX", NULL);
    fixture->state = g_build_filename(fixture->dir, "state", NULL);
    fixture->secrets = g_build_filename(fixture->dir, "secrets", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    (void)g_unlink(fixture->state);
    (void)g_unlink(fixture->secrets);
    (void)g_rmdir(fixture->dir);
    g_free(fixture->dir);
    g_free(fixture->state);
    g_free(fixture->secrets);
}

static StoreState *
sample(void)
{
    StoreState *state = store_state_new();

    store_state_add_hub(state, &(HubSettings){.name = "office",
                                              .connection_string = SECRET,
                                              .ca_file = "/etc/ca.pem",
                                              .transport = HUB_TRANSPORT_MQTTS,
                                              .mqtts_port = 18883});
    store_state_add_hub(state, &(HubSettings){.name = "off", .connection_string = "x=1;y=2"});
    store_state_add_target(state, "ssh", "tcp:[::1]:22");
    store_state_add_rule(state, &(AcceptRule){.id = 1002,
                                              .hub = "office",
                                              .stream = "s*;#",
                                              .initiator = "ops",
                                              .accept = TRUE,
                                              .target = "ssh"});
    store_state_add_rule(state, &(AcceptRule){.id = 1001, .reject_text = " = [not] today"});
    store_state_add_tunnel(state, &(TunnelOptions){.hub = "office",
                                                   .device = "dev1/mod",
                                                   .stream = "ssh",
                                                   .listen = "tcp:127.0.0.1:2222",
                                                   .shared = TRUE,
                                                   .persistent = TRUE,
                                                   .timeout = 5,
                                                   .wait = 7,
                                                   .owner_uid = 4294967294u});
    store_state_set_default(state, FALSE, "closed");
    store_state_set_next_rule(state, 1003);
    return state;
}

static void
save_sample(Fixture *fixture)
{
    g_autoptr(Store) store = store_new(fixture->dir, NULL);
    g_autoptr(StoreState) state = sample();
    g_autoptr(GError) error = NULL;

    g_assert_true(store_save(store, state, &error));
    g_assert_no_error(error);
}

static StoreState *
load(Fixture *fixture, GError **error)
{
    g_autoptr(Store) store = store_new(fixture->dir, error);

    return store ? store_load(store, error) : NULL;
}

static void
assert_is_sample(const StoreState *state)
{
    const HubSettings hub = store_state_hub(state, 0);
    const AcceptRule rule = store_state_rule(state, 0), second = store_state_rule(state, 1);
    const TunnelOptions tunnel = store_state_tunnel(state, 0);
    const char *name, *address;

    g_assert_cmpuint(store_state_hubs(state), ==, 2);
    g_assert_cmpstr(hub.name, ==, "office");
    g_assert_cmpstr(hub.connection_string, ==, SECRET);
    g_assert_cmpstr(hub.ca_file, ==, "/etc/ca.pem");
    g_assert_cmpint(hub.transport, ==, HUB_TRANSPORT_MQTTS);
    g_assert_cmpuint(hub.mqtts_port, ==, 18883);
    g_assert_cmpstr(store_state_hub(state, 1).connection_string, ==, "x=1;y=2");
    store_state_target(state, 0, &name, &address);
    g_assert_cmpstr(name, ==, "ssh");
    g_assert_cmpstr(address, ==, "tcp:[::1]:22");
    g_assert_cmpuint(store_state_rules(state), ==, 2); /* in order */
    g_assert_cmpuint(rule.id, ==, 1002);
    g_assert_cmpstr(rule.stream, ==, "s*;#");
    g_assert_true(rule.accept);
    g_assert_cmpuint(second.id, ==, 1001);
    g_assert_cmpstr(second.reject_text, ==, " = [not] today");
    g_assert_cmpstr(tunnel.device, ==, "dev1/mod");
    g_assert_true(tunnel.shared);
    g_assert_cmpint(tunnel.wait, ==, 7);
    g_assert_cmpuint(tunnel.owner_uid, ==, 4294967294u);
    g_assert_cmpuint(store_state_next_rule(state), ==, 1003);
}

static void
test_round_trip(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = NULL;
    const char *text;
    gboolean accept;

    save_sample(fixture);
    state = load(fixture, &error);
    g_assert_no_error(error);
    assert_is_sample(state);
    g_assert_true(store_state_default(state, &accept, &text));
    g_assert_false(accept);
    g_assert_cmpstr(text, ==, "closed");
}

static void
test_empty(Fixture *fixture, gconstpointer data)
{
    g_autoptr(StoreState) state = load(fixture, NULL);
    const char *text;
    gboolean accept;

    g_assert_nonnull(state);
    g_assert_cmpuint(store_state_hubs(state), ==, 0);
    g_assert_false(store_state_default(state, &accept, &text));
}

static void
test_modes(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL;
    struct stat status;

    save_sample(fixture);
    g_assert_cmpint(stat(fixture->secrets, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    g_assert_cmpint(stat(fixture->state, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    g_assert_true(g_file_get_contents(fixture->state, &text, NULL, NULL));
    g_assert_null(strstr(text, "SharedAccessKey"));
}

/* Cut at every sixteenth: an error with the path, never a smaller state (fault F34). */
static void
check_truncations(Fixture *fixture, const char *path)
{
    g_autofree char *whole = NULL;
    gsize len;

    save_sample(fixture);
    g_assert_true(g_file_get_contents(path, &whole, &len, NULL));
    for (guint i = 0; i < 16; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(StoreState) state = NULL;

        g_assert_true(g_file_set_contents(path, whole, (gssize)(len * i / 16), NULL));
        state = load(fixture, &error);
        g_assert_null(state);
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, path));
    }
}

static void
test_truncated(Fixture *fixture, gconstpointer data)
{
    check_truncations(fixture, fixture->state);
    check_truncations(fixture, fixture->secrets);
}

static void
test_damaged(Fixture *fixture, gconstpointer data)
{
    g_autofree char *whole = NULL;
    gsize len;

    save_sample(fixture);
    g_assert_true(g_file_get_contents(fixture->state, &whole, &len, NULL));
    for (gsize i = 0; i < len; i += 7) {
        g_autoptr(StoreState) state = NULL;
        char was = whole[i];

        whole[i] = (char)(was ^ 1);
        g_assert_true(g_file_set_contents(fixture->state, whole, (gssize)len, NULL));
        state = load(fixture, NULL);
        g_assert_null(state);
        whole[i] = was;
    }
}

static void
test_one_missing(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    save_sample(fixture);
    g_assert_cmpint(g_unlink(fixture->secrets), ==, 0);
    g_assert_null(load(fixture, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_clear_error(&error);
    save_sample(fixture);
    g_assert_cmpint(g_unlink(fixture->state), ==, 0);
    g_assert_null(load(fixture, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
}

/* One store, growing and shrinking: the secrets follow. */
static void
test_secrets_follow(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Store) store = store_new(fixture->dir, NULL);
    g_autoptr(StoreState) full = sample(), none = store_state_new();
    g_autoptr(StoreState) state = NULL;
    g_autofree char *text = NULL;

    g_assert_true(store_save(store, none, NULL));
    g_assert_true(store_save(store, full, NULL));
    state = load(fixture, NULL);
    assert_is_sample(state);
    g_assert_true(store_save(store, none, NULL));
    g_assert_true(g_file_get_contents(fixture->secrets, &text, NULL, NULL));
    g_assert_null(strstr(text, "SharedAccessKey"));
}

static void
test_no_directory(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(store_new("/nonexistent/streamd", &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND);
}

#define ADD(name, func) g_test_add("/store/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("round-trip", test_round_trip);
    ADD("empty", test_empty);
    ADD("modes", test_modes);
    ADD("truncated", test_truncated);
    ADD("damaged", test_damaged);
    ADD("one-missing", test_one_missing);
    ADD("secrets-follow", test_secrets_follow);
    g_test_add_func("/store/no-directory", test_no_directory);
    return g_test_run();
}
