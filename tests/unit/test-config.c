/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/error.h"
#include "daemon/config.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *dir, *path, *secret;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->dir = g_dir_make_tmp("streamd-config-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->dir, "streamd.conf", NULL);
    fixture->secret = g_build_filename(fixture->dir, "key", NULL);
    g_assert_true(g_file_set_contents(fixture->secret, "HostName=h;DeviceId=d\n", -1, NULL));
    g_assert_cmpint(g_chmod(fixture->secret, 0600), ==, 0);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    (void)g_unlink(fixture->path);
    (void)g_unlink(fixture->secret);
    (void)g_rmdir(fixture->dir);
    g_free(fixture->dir);
    g_free(fixture->path);
    g_free(fixture->secret);
}

static StoreState *
load(Fixture *fixture, const char *text, GError **error)
{
    g_autofree char *key = g_strdup_printf("connection-string-file=%s\n", fixture->secret);
    g_autofree char *whole = NULL;
    g_auto(GStrv) parts = g_strsplit(text, "KEY\n", -1);

    whole = g_strjoinv(key, parts);
    g_assert_true(g_file_set_contents(fixture->path, whole, -1, NULL));
    return config_load(fixture->path, error);
}

static void
test_good(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = load(fixture,
                                       "[hub home]\nKEY\nca-file=/ca.pem\ntransport=mqtts\n"
                                       "mqtt-port=18883\n"
                                       "[target ssh]\naddress=tcp:127.0.0.1:22\n"
                                       "[rule 9]\nstream=ssh\nverdict=accept\n"
                                       "[rule 2]\nverdict=reject\nreason=not here\n"
                                       "[policy]\ndefault=accept\n",
                                       &error);
    const char *text;
    gboolean accept = FALSE;

    g_assert_no_error(error);
    g_assert_cmpstr(store_state_hub(state, 0).name, ==, "home");
    g_assert_cmpstr(store_state_hub(state, 0).connection_string, ==, "HostName=h;DeviceId=d");
    g_assert_cmpint(store_state_hub(state, 0).transport, ==, HUB_TRANSPORT_MQTTS);
    g_assert_cmpuint(store_state_hub(state, 0).mqtts_port, ==, 18883);
    g_assert_true(store_state_hub(state, 0).from_config);
    g_assert_cmpuint(store_state_targets(state), ==, 1);
    g_assert_cmpuint(store_state_rule(state, 0).id, ==, 9); /* the order of the file */
    g_assert_true(store_state_rule(state, 0).accept);
    g_assert_cmpuint(store_state_rule(state, 1).id, ==, 2);
    g_assert_true(store_state_default(state, &accept, &text));
    g_assert_true(accept);
}

/* Every error names the file, and the section and key where there is one. */
static void
test_bad(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"[hub]\nKEY\n", "[hub]"},
        {"[hub home]\nca-file=/ca.pem\n", "[hub home] connection-string-file"},
        {"[hub home]\nKEY\ncafile=/ca.pem\n", "[hub home] cafile"},
        {"[hub home]\nKEY\ntransport=amqp\n", "wss, mqtts"},
        {"[hub home]\nKEY\nmqtt-port=0\n", "[hub home] mqtt-port"},
        {"[hub home]\nKEY\nmqtt-port=x\n", "[hub home] mqtt-port"},
        {"[hub home]\nconnection-string-file=/nonexistent\n", "/nonexistent"},
        {"[hub home]\nconnection-string-file=/dev/zero\n", "regular file"},
        {"[target ssh]\n", "[target ssh] address"},
        {"[target ssh]\naddress=22\n", "[target ssh] address"},
        {"[target a/b]\naddress=tcp:h:22\n", "[target a/b]"},
        {"[rule 1]\nstream=x\n", "[rule 1] verdict"},
        {"[rule 1]\nverdict=maybe\n", "reject, accept"},
        {"[rule 0]\nverdict=reject\n", "[rule 0]"},
        {"[rule 1000]\nverdict=reject\n", "[rule 1000]"},
        {"[rule x]\nverdict=reject\n", "[rule x]"},
        {"[policy]\ndefault=ask\n", "[policy] default"},
        {"[policy]\nfallback=accept\n", "[policy] fallback"},
        {"no section\n", ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(load(fixture, rows[i].text, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, fixture->path));
        g_assert_nonnull(strstr(error->message, rows[i].says));
    }
}

static void
test_readable_key(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_chmod(fixture->secret, 0640), ==, 0);
    g_assert_null(load(fixture, "[hub home]\nKEY\n", &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "0600"));
}

static void
write_secret(Fixture *fixture, const char *text)
{
    g_assert_true(g_file_set_contents(fixture->secret, text, -1, NULL));
    g_assert_cmpint(g_chmod(fixture->secret, 0600), ==, 0);
}

static void
test_long_key(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = g_strnfill(HUB_CONNECTION_STRING_MAX + 1, 'k');
    g_autofree char *secret = NULL;

    write_secret(fixture, text);
    g_assert_null(config_read_secret(fixture->secret, NULL));
    text[HUB_CONNECTION_STRING_MAX] = '\0';
    write_secret(fixture, text);
    secret = config_read_secret(fixture->secret, NULL);
    g_assert_true(g_strcmp0(secret, text) == 0);
}

#define ADD(name, func) g_test_add("/config/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("good", test_good);
    ADD("bad", test_bad);
    ADD("readable-key", test_readable_key);
    ADD("long-key", test_long_key);
    return g_test_run();
}
