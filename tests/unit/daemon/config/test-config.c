/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration: what is read, what is refused and how that is said. */
#include "common/base/error.h"
#include "common/base/secret.h"
#include "daemon/config/config.h"
#include "daemon/config/keys.h"
#include "common/base/secret-file.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDENTITY "HostName=hub.example;DeviceId=gw1;SharedAccessKey=Y2FuYXJ5Y2FuYXJ5"

typedef struct {
    char *dir, *file;
} Fixture;

static void
write_file(const Fixture *fixture, const char *name, mode_t mode, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, mode), ==, 0);
}

/* TEXT with @ for the directory. */
static void
write_config(const Fixture *fixture, const char *name, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "@", -1);
    g_autofree char *full = g_strjoinv(fixture->dir, parts);

    write_file(fixture, name, 0644, full);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->dir = g_dir_make_tmp("streamd-config-XXXXXX", NULL);
    fixture->file = g_build_filename(fixture->dir, "streamd.conf", NULL);
    g_assert_nonnull(fixture->dir);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    const char *argv[] = {"rm", "-r", fixture->dir, NULL};

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_free(fixture->dir);
    g_free(fixture->file);
}

/* What config_load says, with @ for the directory again. */
static char *
load_fails(const Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = config_load(fixture->file, TRUE, &error);
    g_auto(GStrv) parts = NULL;

    g_assert_null(state);
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_assert_null(strstr(error->message, "Y2FuYXJ5"));
    parts = g_strsplit(error->message, fixture->dir, -1);
    return g_strjoinv("@", parts);
}

static void
assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("\"%s\" is not in:\n%s", part, text);
}

static void
test_whole(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = NULL;
    const char *text = NULL;
    gboolean accept;

    write_file(fixture, "key", 0600, IDENTITY "\n");
    write_config(fixture, "streamd.conf",
                 "# a comment\n[hub office]\nConnectionStringFile = @/key\nTransport=mqtts\n\n"
                 "[target sshd]\n  Address=tcp:127.0.0.1:22\n[rule 20]\nVerdict=accept\n"
                 "[rule 3]\nHub=office\nStream=ssh*\nVerdict=reject\nReason=not now\n"
                 "[policy]\nDefault=reject\nReason=ask first\n[limits]\nListenersPerUser=7\n"
                 "[streams]\nResume=no\nResumeTime=90\nResumeWindows=32M\nResumeKept=8M\n");
    state = config_load(fixture->file, TRUE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(store_state_hubs(state), ==, 1);
    g_assert_cmpstr(store_state_hub(state, 0).connection_string, ==, IDENTITY);
    g_assert_cmpint(store_state_hub(state, 0).transport, ==, HUB_TRANSPORT_MQTTS);
    g_assert_cmpuint(store_state_hub(state, 0).mqtts_port, ==, 8883);
    g_assert_true(g_str_has_suffix(store_state_hub(state, 0).source, "/streamd.conf:2"));
    g_assert_cmpstr(store_state_target(state, 0).name, ==, "sshd");
    g_assert_cmpstr(store_state_target(state, 0).address, ==, "tcp:127.0.0.1:22");
    g_assert_cmpuint(store_state_rule(state, 0).id, ==, 3);
    g_assert_cmpuint(store_state_rule(state, 1).id, ==, 20);
    g_assert_true(store_state_default(state, &accept, &text));
    g_assert_cmpstr(text, ==, "ask first");
    g_assert_cmpuint(store_state_limits(state).listeners_per_uid, ==, 7);
    g_assert_cmpuint(store_state_limits(state).streams_per_uid, ==, 256);
    g_assert_true(store_state_resume(state).all.no_resume);
    g_assert_cmpuint(store_state_resume(state).all.resume_time, ==, 90);
    g_assert_cmpuint(store_state_resume(state).windows, ==, 32 << 20);
    g_assert_cmpuint(store_state_resume(state).rings, ==, 8 << 20);
    g_assert_false(store_state_hub(state, 0).no_resume);
    g_assert_cmpuint(store_state_hub(state, 0).resume_time, ==, 0);
    g_assert_cmpint(store_state_rule(state, 1).resume_time, ==, 0);
}

/* A rule that says all it can, and the limits of a target. */
static void
test_rules(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = NULL;
    AcceptRule rule;
    Limits limits;

    write_config(fixture, "streamd.conf",
                 "[target a]\nAddress=tcp:127.0.0.1:1\nMaxStreams=4\nMaxRate=30\nMaxBytes=1.5G\n"
                 "MaxDuration=2h 30min\nIdleTimeout=10min\nStallTimeout=90\n"
                 "[rule 1]\nAddress=10.0.0.0/8\nWeekdays=mon-fri\nTime=08:00-18:00\n"
                 "Verdict=ask\nAskTimeout=45s\nMaxBytes=10M\n"
                 "[rule 2]\nVerdict=accept\nHandler=echo\nHandlerUser=root\n"
                 "[rule 3]\nVerdict=ask\nAskTimeout=\n");
    state = config_load(fixture->file, TRUE, &error);
    g_assert_no_error(error);
    limits = store_state_target(state, 0).limits;
    g_assert_cmpuint(limits.of[LIMIT_STREAMS], ==, 4);
    g_assert_cmpuint(limits.of[LIMIT_RATE], ==, 30);
    g_assert_cmpuint(limits.of[LIMIT_BYTES], ==, G_GUINT64_CONSTANT(1610612736));
    g_assert_cmpuint(limits.of[LIMIT_DURATION], ==, 9000 * G_TIME_SPAN_SECOND);
    g_assert_cmpuint(limits.of[LIMIT_IDLE], ==, 10 * G_TIME_SPAN_MINUTE);
    g_assert_cmpuint(limits.of[LIMIT_STALL], ==, 90 * G_TIME_SPAN_SECOND);
    rule = store_state_rule(state, 0);
    g_assert_cmpint(rule.kind, ==, ACCEPT_ASK);
    g_assert_cmpint(rule.ask_timeout, ==, 45 * G_TIME_SPAN_SECOND);
    g_assert_cmpstr(rule.address, ==, "10.0.0.0/8");
    g_assert_cmpstr(rule.weekdays, ==, "mon-fri");
    g_assert_cmpstr(rule.time, ==, "08:00-18:00");
    g_assert_cmpuint(rule.limits.of[LIMIT_BYTES], ==, 10 * 1024 * 1024);
    g_assert_cmpuint(rule.limits.of[LIMIT_IDLE], ==, 0);
    rule = store_state_rule(state, 1);
    g_assert_cmpint(rule.kind, ==, ACCEPT_HANDLER);
    g_assert_cmpstr(rule.handler, ==, "echo");
    g_assert_cmpuint(rule.handler_uid, ==, 0);
    g_assert_cmpint(store_state_rule(state, 2).ask_timeout, ==, 0);
}

static void
test_bad_rules(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL;

    write_config(fixture, "streamd.conf",
                 "[target a]\nAddress=tcp:127.0.0.1:1\nMaxStreams=0\nMaxBytes=much\n"
                 "MaxDuration=100ms\nIdleTimeout=400d\nStallTimeout=1 fortnight\n"
                 "[rule 1]\nVerdict=accept\nAddress=10.0.0.1/8\n"
                 "[rule 2]\nVerdict=accept\nWeekdays=always\n"
                 "[rule 3]\nVerdict=accept\nTime=9-5\n"
                 "[rule 4]\nVerdict=reject\nMaxBytes=1\n"
                 "[rule 5]\nVerdict=accept\nHandler=h\n"
                 "[rule 6]\nVerdict=accept\nHandler=h\nHandlerUser=nobody-of-that-name\n"
                 "[rule 7]\nVerdict=ask\nAskTimeout=51s\n"
                 "[rule 8]\nVerdict=ask\nHandler=h\nHandlerUser=root\n"
                 "[rule 9]\nVerdict=accept\nHandlerUser=root\n"
                 "[rule 10]\nVerdict=accept\nReason=no\n");
    text = load_fails(fixture);
    assert_has(text, "@/streamd.conf:3: MaxStreams wants a whole number from 1 to 16384");
    assert_has(text, "@/streamd.conf:4: MaxBytes wants a size such as 10M");
    assert_has(text, "@/streamd.conf:5: MaxDuration wants a time such as 30s or 2h");
    assert_has(text, "@/streamd.conf:6: IdleTimeout wants a time such as 30s or 2h");
    assert_has(text, "@/streamd.conf:7: StallTimeout wants a time such as 30s or 2h");
    assert_has(text,
               "@/streamd.conf:8: [rule 1]: \"10.0.0.1/8\": it has bits set after its prefix");
    assert_has(text, "@/streamd.conf:11: [rule 2]: \"always\": weekdays are written");
    assert_has(text, "@/streamd.conf:14: [rule 3]: \"9-5\": a time is written");
    assert_has(text, "@/streamd.conf:17: [rule 4]: a rule that rejects has no limits");
    assert_has(text, "@/streamd.conf:20: [rule 5]: Handler and HandlerUser go together");
    assert_has(text, "@/streamd.conf:26: [rule 6]: there is no user \"nobody-of-that-name\"");
    assert_has(text,
               "@/streamd.conf:29: AskTimeout wants a time such as 30s or 2h, from 1s to 50s");
    assert_has(text, "@/streamd.conf:30: [rule 8]: a handler goes with the verdict accept");
    assert_has(text, "@/streamd.conf:34: [rule 9]: Handler and HandlerUser go together");
    assert_has(text, "@/streamd.conf:37: [rule 10]: a reason goes with the verdict reject");
}

/* By name, later ones on top, single keys; what is no drop-in is left alone. */
static void
test_drop_ins(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = NULL;

    write_config(fixture, "streamd.conf",
                 "[target a]\nAddress=tcp:127.0.0.1:1\n[rule 5]\n"
                 "Stream=x\nVerdict=accept\nTarget=a\n");
    write_config(fixture, "streamd.conf.d/20-b.conf", "[target a]\nAddress=tcp:127.0.0.1:3\n");
    write_config(fixture, "streamd.conf.d/10-a.conf",
                 "[target a]\nAddress=tcp:127.0.0.1:2\n"
                 "[rule 5]\nTarget=\n");
    write_config(fixture, "streamd.conf.d/30-c.conf.bak", "nonsense\n");
    write_config(fixture, "streamd.conf.d/.hidden.conf", "nonsense\n");
    state = config_load(fixture->file, TRUE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(store_state_targets(state), ==, 1);
    g_assert_cmpstr(store_state_target(state, 0).address, ==, "tcp:127.0.0.1:3");
    g_assert_cmpstr(store_state_rule(state, 0).stream, ==, "x");
    g_assert_cmpstr(store_state_rule(state, 0).target, ==, "");
}

/* All of it at once, each with its file and line. */
static void
test_all_problems(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL;

    write_config(fixture, "streamd.conf",
                 "stray=1\n[hub a]\nConnectionStringFile=key\nPort=1\nMqttPort=70000\n[target b]\n"
                 "Address=ftp:x\n[rule 0]\nVerdict=accept\n[rule 7]\nVerdict=maybe\nwhat\n[nothing]"
                 "\n[hub]\n");
    write_config(fixture, "streamd.conf.d/a.conf",
                 "[target c]\n[limits]\nStreamsPerUser=0\nStreamsPerUser=5\n[policy\n");
    text = load_fails(fixture);
    assert_has(text, "@/streamd.conf:1: a setting stands in a section");
    assert_has(text, "@/streamd.conf:3: ConnectionStringFile wants an absolute path");
    assert_has(text, "@/streamd.conf:4: there is no setting Port in [hub]; there are "
                     "ConnectionStringFile, ");
    assert_has(text, "@/streamd.conf:5: MqttPort wants a whole number from 1 to 65535");
    assert_has(text, "@/streamd.conf:7: [target b]: \"ftp:x\"");
    assert_has(text, "@/streamd.conf:8: [rule 0]: a rule's section is [rule N], N from 1 to 999");
    assert_has(text, "@/streamd.conf:11: Verdict wants reject or accept or ask");
    assert_has(text, "@/streamd.conf:12: neither a [section] nor a Key=value");
    assert_has(text, "@/streamd.conf:13: there is no section [nothing]");
    assert_has(text, "@/streamd.conf:14: there is no section [hub]");
    assert_has(text, "@/streamd.conf.d/a.conf:1: [target c]: Address is missing");
    assert_has(text, "@/streamd.conf.d/a.conf:3: StreamsPerUser wants a whole number from 1 to");
    assert_has(text, "@/streamd.conf.d/a.conf:4: StreamsPerUser was given in line 3 already");
    assert_has(text, "@/streamd.conf.d/a.conf:5: a section is [NAME]");
}

static void
test_missing(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = config_load(fixture->file, FALSE, &error);
    g_autofree char *text = NULL;

    g_assert_no_error(error);
    g_assert_cmpuint(store_state_hubs(state), ==, 0);
    text = load_fails(fixture);
    g_assert_cmpstr(text, ==, "@/streamd.conf: No such file or directory");
    g_assert_cmpint(g_mkdir(fixture->file, 0700), ==, 0);
    g_clear_pointer(&text, g_free);
    text = load_fails(fixture);
    g_assert_cmpstr(text, ==, "@/streamd.conf: it is a directory and not a regular file");
}

/* Failure class 46: without a descriptor left, nothing is taken for empty. */
static void
test_no_descriptors(Fixture *fixture, gconstpointer data)
{
    struct rlimit limit, none;
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = NULL;

    g_assert_cmpint(g_mkdir(fixture->file, 0700), ==, 0);
    g_assert_cmpint(rmdir(fixture->file), ==, 0);
    write_config(fixture, "streamd.conf.d/a.conf", "[policy]\nDefault=reject\n");
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    none = (struct rlimit){3, limit.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    state = config_load(fixture->file, FALSE, &error);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    g_assert_null(state);
    assert_has(error->message, "streamd.conf.d: Too many open files");
}

static char *
secret_fails(const Fixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(secret_file_read(path, 64, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    assert_has(error->message, path);
    return g_strdup(error->message + strlen(path) + 2);
}

/* Failure class 47. */
static void
test_secret(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->dir, "s", NULL), *mode = NULL, *large = NULL,
                    *empty = NULL, *directory = NULL, *fifo_text = NULL, *gone = NULL,
                    *fifo = g_build_filename(fixture->dir, "fifo", NULL);
    g_auto(SecretText) secret = NULL;

    write_file(fixture, "s", 0600, "secret\r\n");
    secret = secret_file_read(path, 64, NULL);
    g_assert_cmpstr(secret, ==, "secret");
    write_file(fixture, "s", 0640, "secret");
    mode = secret_fails(fixture, "s");
    g_assert_cmpstr(mode, ==,
                    "it holds a key and has mode 0640, so that others may reach it; it must be "
                    "0600: chmod 0600");
    write_file(fixture, "large", 0600,
               "0123456789012345678901234567890123456789012345678901234567890123456789");
    large = secret_fails(fixture, "large");
    g_assert_cmpstr(large, ==, "it is larger than 64 bytes");
    write_file(fixture, "empty", 0600, "\n");
    empty = secret_fails(fixture, "empty");
    g_assert_cmpstr(empty, ==, "it is empty");
    directory = secret_fails(fixture, ".");
    g_assert_cmpstr(directory, ==, "it is a directory and not a regular file");
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    fifo_text = secret_fails(fixture, "fifo");
    g_assert_cmpstr(fifo_text, ==, "it is a FIFO and not a regular file");
    gone = secret_fails(fixture, "gone");
    g_assert_cmpstr(gone, ==, "No such file or directory");
}

/* A file of a third user could be changed by him at any time. */
static void
test_secret_owner(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->dir, "s", NULL), *text = NULL;

    write_file(fixture, "s", 0600, "secret");
    if (geteuid() != 0) {
        g_test_skip("only root can give a file away");
        return;
    }
    g_assert_cmpint(chown(path, 4711, 0), ==, 0);
    text = secret_fails(fixture, "s");
    g_assert_cmpstr(
        text, ==,
        "it holds a key and belongs to user 4711; it must belong to user root: chown root");
}

/* What systemd hands over may have an ACL, which shows as a right of the group. */
static void
test_credential(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = NULL;
    g_autofree char *dir = g_build_filename(fixture->dir, "credentials", NULL), *text = NULL;

    write_file(fixture, "credentials/office", 0440, IDENTITY);
    write_config(fixture, "streamd.conf", "[hub office]\nConnectionStringCredential=office\n");
    g_unsetenv("CREDENTIALS_DIRECTORY");
    text = load_fails(fixture);
    assert_has(text, "@/streamd.conf:2: [hub office]: the service has no credentials");
    g_setenv("CREDENTIALS_DIRECTORY", dir, TRUE);
    state = config_load(fixture->file, TRUE, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(store_state_hub(state, 0).connection_string, ==, IDENTITY);
    g_clear_pointer(&state, store_state_free);
    write_config(fixture, "streamd.conf",
                 "[hub office]\nConnectionStringFile=@/credentials/office\n");
    state = config_load(fixture->file, TRUE, &error);
    g_assert_no_error(error);
    write_config(fixture, "streamd.conf", "[hub office]\nConnectionStringCredential=../office\n");
    g_free(text);
    text = load_fails(fixture);
    assert_has(text, "a credential's name is not a path");
    g_unsetenv("CREDENTIALS_DIRECTORY");
}

/* A bad identity is told without what is in it. */
static void
test_bad_identity(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL, *both = NULL;

    write_file(fixture, "key", 0600, "HostName=a;SharedAccessKey=Y2FuYXJ5Y2FuYXJ5");
    write_config(fixture, "streamd.conf", "[hub a]\nConnectionStringFile=@/key\n");
    text = load_fails(fixture);
    assert_has(text, "@/streamd.conf:1: [hub a]: ");
    write_config(fixture, "streamd.conf",
                 "[hub a]\nConnectionStringFile=@/key\nConnectionStringCredential=b\n"
                 "CaFile=@/none.pem\n");
    both = load_fails(fixture);
    assert_has(both, "exclude each other");
    assert_has(both, "@/streamd.conf:4: CaFile: @/none.pem: No such file or directory");
}

/* Fault F34: whatever is cut off, what is left is read as itself or refused; nothing that the file
 * forbids is ever allowed by it. */
static void
test_truncated(Fixture *fixture, gconstpointer data)
{
    const char *whole = "[rule 1]\nStream=ssh\nVerdict=reject\n[rule 2]\nVerdict=reject\n"
                        "[policy]\nDefault=reject\n# end of the file, 16 parts long\n";
    gsize len = strlen(whole);

    for (guint i = 0; i <= 16; i++) {
        g_autofree char *part = g_strndup(whole, len * i / 16);
        g_autoptr(GError) error = NULL;
        g_autoptr(StoreState) state = NULL;
        const char *text;
        gboolean accept = FALSE;

        write_config(fixture, "streamd.conf", part);
        state = config_load(fixture->file, TRUE, &error);
        if (!state) {
            assert_has(error->message, fixture->file);
            continue;
        }
        (void)store_state_default(state, &accept, &text);
        g_assert_false(accept);
        for (guint r = 0; r < store_state_rules(state); r++)
            g_assert_cmpint(store_state_rule(state, r).kind, ==, ACCEPT_REJECT);
    }
}

static void
test_not_text(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL;
    g_autoptr(ConfigFile) config = config_file_new();
    g_autoptr(GError) error = NULL;

    write_config(fixture, "streamd.conf", "[policy]\nDefault=\xff\n");
    text = load_fails(fixture);
    assert_has(text, "@/streamd.conf: it is not UTF-8 text");
    config_file_add(config, "nul", "[policy]\0=", 10);
    g_assert_false(config_file_check(config, &error));
}

/* The number of problems that are told is bounded, and the rest is not forgotten. */
static void
test_many_problems(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) lines = g_string_new("[policy]\n");
    g_autofree char *text = NULL;

    for (guint i = 0; i < CONFIG_PROBLEMS_MAX + 9; i++)
        g_string_append(lines, "nothing\n");
    write_config(fixture, "streamd.conf", lines->str);
    text = load_fails(fixture);
    g_assert_true(g_str_has_suffix(text, "\nand 9 more"));
}

/* "hub Key" for each `.TP`, `.BI Key= ...` below a `.SS "[hub NAME]"` of the page. */
static GHashTable *
documented_keys(const char *page)
{
    GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = g_strsplit(page, "\n", -1);
    g_autofree char *section = g_strdup("");

    for (guint i = 0; lines[i]; i++) {
        char *line = lines[i], *equals;

        if (g_str_has_prefix(line, ".SS ")) {
            g_free(section);
            section = g_strdup(line + strlen(".SS \"["));
            section[strcspn(section, " ]")] = '\0';
        }
        if (i == 0 || strcmp(lines[i - 1], ".TP") != 0 || !g_str_has_prefix(line, ".BI "))
            continue;
        line += strlen(".BI ");
        equals = strchr(line, '=');
        if (equals)
            g_hash_table_add(keys, g_strdup_printf("%s %.*s", section, (int)(equals - line), line));
    }
    return keys;
}

/* streamd.conf(5) and the parser: no key undocumented, none documented that there is not. */
static void
test_manual(void)
{
    g_autofree char *page = NULL;
    g_autoptr(GHashTable) keys = NULL;

    g_assert_true(g_file_get_contents(g_getenv("STREAMD_CONF_5"), &page, NULL, NULL));
    keys = documented_keys(page);
    for (guint i = 0; i < config_keys_size(); i++) {
        const ConfigKey *key = config_key(i);
        g_autofree char *name = g_strdup_printf("%s %s", key->section, key->key);

        if (!g_hash_table_remove(keys, name))
            g_error("%s is not in streamd.conf(5)", name);
    }
    g_assert_cmpuint(g_hash_table_size(keys), ==, 0);
}

#define ADD(name, function) g_test_add("/config/" name, Fixture, NULL, set_up, function, tear_down)

/* Of a hub and of a rule: 0 is a time, too; each bound and one past it. */
static void
test_resume(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = NULL;
    g_autofree char *text = NULL;

    write_file(fixture, "key", 0600, IDENTITY "\n");
    write_config(fixture, "streamd.conf",
                 "[hub a]\nConnectionStringFile=@/key\nResume=yes\nResumeTime=0\n"
                 "[hub b]\nConnectionStringFile=@/key\nResume=yes\n"
                 "[hub c]\nConnectionStringFile=@/key\nResumeTime=1d\n"
                 "[rule 1]\nVerdict=accept\nResumeTime=1d\n[rule 2]\nVerdict=accept\n"
                 "ResumeTime=0\n");
    state = config_load(fixture->file, TRUE, &error);
    g_assert_no_error(error);
    g_assert_true(store_state_hub(state, 0).no_resume);
    g_assert_cmpuint(store_state_hub(state, 1).resume_time, ==, HUB_RESUME_TIME);
    g_assert_cmpuint(store_state_hub(state, 2).resume_time, ==, HUB_RESUME_TIME_MAX);
    g_assert_cmpint(store_state_rule(state, 0).resume_time, ==, ACCEPT_RESUME_TIME_MAX);
    g_assert_cmpint(store_state_rule(state, 1).resume_time, ==, ACCEPT_NO_RESUME);
    write_config(fixture, "streamd.conf",
                 "[rule 1]\nVerdict=accept\nResumeTime=86401\n[rule 2]\nVerdict=reject\n"
                 "ResumeTime=5\n[streams]\nResume=maybe\nResumeWindows=33554431\n"
                 "ResumeKept=8388607\n");
    text = load_fails(fixture);
    assert_has(text, "streamd.conf:3: ResumeTime wants a time such as 30s or 2h, from 0 to 1d");
    assert_has(text, "a rule that rejects has no time to resume");
    assert_has(text, "streamd.conf:8: Resume wants yes or no");
    assert_has(text, "streamd.conf:9: ResumeWindows wants a size such as 10M, from 32M to 1T");
    assert_has(text, "streamd.conf:10: ResumeKept wants a size such as 10M, from 8M to 1T");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("whole", test_whole);
    ADD("resume", test_resume);
    ADD("rules", test_rules);
    ADD("bad-rules", test_bad_rules);
    ADD("drop-ins", test_drop_ins);
    ADD("all-problems", test_all_problems);
    ADD("missing", test_missing);
    ADD("no-descriptors", test_no_descriptors);
    ADD("secret", test_secret);
    ADD("secret-owner", test_secret_owner);
    ADD("credential", test_credential);
    ADD("bad-identity", test_bad_identity);
    ADD("truncated", test_truncated);
    ADD("not-text", test_not_text);
    ADD("many-problems", test_many_problems);
    g_test_add_func("/config/manual", test_manual);
    return g_test_run();
}
