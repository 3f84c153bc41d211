/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/store.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "daemon/config/reader.h"
#include "daemon/config/store-rule.h"
#include "daemon/config/store-upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_MAGIC "streamd-store"
#define STORE_PROXY "/proxy" /* behind a hub's name, which has no slash */

static const char *const verdicts[] = {"reject", "accept", NULL};
static const char *const transports[] = {"wss", "mqtts", NULL};

struct Store {
    char *state_path, *secrets_path;
    guint saved_hubs; /* in the secrets file; G_MAXUINT: not known */
};

Store *
store_new(const char *dir, GError **error)
{
    Store *store;

    if (!g_file_test(dir, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND,
                    "the state directory %s does not exist", dir);
        return NULL;
    }
    store = g_new0(Store, 1);
    store->state_path = g_build_filename(dir, "state", NULL);
    store->secrets_path = g_build_filename(dir, "secrets", NULL);
    store->saved_hubs = G_MAXUINT;
    return store;
}

void
store_free(Store *store)
{
    if (!store)
        return;
    g_free(store->state_path);
    g_free(store->secrets_path);
    g_free(store);
}

static gboolean
store_fail(const char *path, const char *text, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: %s; restore it from a backup, or remove it to start empty", path, text);
    return FALSE;
}

static char *
store_checksum(const char *body)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, body, -1);
}

static gboolean
store_write(const char *path, const char *body, GError **error)
{
    g_autofree char *sum = store_checksum(body);
    g_auto(SecretText) text =
        g_strdup_printf(STORE_MAGIC " version=%d sha256=%s\n%s", STORE_VERSION, sum, body);

    return g_file_set_contents_full(path, text, (gssize)strlen(text),
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, error);
}

/* Moves the body, which follows the first line, to the front of TEXT. */
static gboolean
store_check(const char *path, char *text, int *ret_version, GError **error)
{
    char *body = strchr(text, '\n');
    g_autofree char *sum = NULL;
    char stored[65] = "";
    int version = 0;

    if (!body || sscanf(text, STORE_MAGIC " version=%d sha256=%64[0-9a-f]", &version, stored) != 2)
        return store_fail(path, "it does not begin as a file of streamd's", error);
    if (version < STORE_VERSION_OLDEST || version > STORE_VERSION) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "%s: it has version %d, and this streamd reads %d to %d; use the streamd that "
                    "wrote it, or remove it to start empty",
                    path, version, STORE_VERSION_OLDEST, STORE_VERSION);
        return FALSE;
    }
    sum = store_checksum(++body);
    if (strcmp(sum, stored) != 0)
        return store_fail(path, "it is damaged: its checksum does not match", error);
    memmove(text, body, strlen(body) + 1);
    *ret_version = version;
    return TRUE;
}

/* FORBIDDEN: the rights that group and others may not have. */
static gboolean
store_check_rights(const char *path, const struct stat *status, mode_t forbidden, GError **error)
{
    if (!S_ISREG(status->st_mode))
        return store_fail(path, "it is not a regular file", error);
    if (status->st_size > STORE_FILE_MAX)
        return store_fail(path, "it is too large", error);
    if ((status->st_uid == 0 || status->st_uid == geteuid()) && !(status->st_mode & forbidden))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: it belongs to user %u and has mode %04o; it must belong to user %u and have "
                "mode 0600",
                path, status->st_uid, status->st_mode & 07777, geteuid());
    return FALSE;
}

static char *
store_read_fd(int fd, const char *path, mode_t forbidden, int *ret_version, GError **error)
{
    struct stat status = {0};
    g_auto(SecretText) text = NULL;
    gsize size, len = 0;
    ssize_t r;

    if (fstat(fd, &status) < 0 || !store_check_rights(path, &status, forbidden, error))
        return NULL;
    size = (gsize)status.st_size;
    text = g_malloc0(size + 1);
    while (len < size && (r = read(fd, text + len, size - len)) > 0)
        len += (gsize)r;
    if (strlen(text) != size) {
        store_fail(path, "it is damaged: a byte of it is 0", error);
        return NULL;
    }
    return store_check(path, text, ret_version, error) ? g_steal_pointer(&text) : NULL;
}

/* *RET is NULL when there is no such file. */
static gboolean
store_read(const char *path, mode_t forbidden, char **ret, int *ret_version, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char *text;

    if (fd < 0 && errno == ENOENT) {
        *ret = NULL;
        return TRUE;
    }
    if (fd < 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "%s: %s", path, g_strerror(errno));
        return FALSE;
    }
    text = store_read_fd(fd, path, forbidden, ret_version, error);
    close(fd);
    if (text)
        *ret = text;
    return text != NULL;
}

/* The line of a hub in the secrets: its name, a blank, its connection string; and that of its
 * proxy's credentials, where it has any. */
static char *
store_find_secret(const char *secrets, const char *hub)
{
    g_autofree char *prefix = g_strdup_printf("%s ", hub);

    for (const char *line = secrets; line && *line;) {
        const char *end = strchrnul(line, '\n');

        if (g_str_has_prefix(line, prefix))
            return g_strndup(line + strlen(prefix), (gsize)(end - line) - strlen(prefix));
        line = *end ? end + 1 : end;
    }
    return NULL;
}

static char *
store_find_proxy_secret(const char *secrets, const char *hub)
{
    g_autofree char *name = g_strconcat(hub, STORE_PROXY, NULL);

    return store_find_secret(secrets, name);
}

static void
store_read_hub(SettingsReader *reader, const char *name, const char *secrets, StoreState *state)
{
    g_auto(SecretText) secret = store_find_secret(secrets, name);
    g_autofree char *ca_file = settings_reader_text(reader, "ca-file", FALSE);
    g_autofree char *ca = settings_reader_text(reader, "ca", FALSE);
    g_autofree char *users = settings_reader_text(reader, "allowed-users", FALSE);
    g_autofree char *hosts = settings_reader_text(reader, "stream-hosts", FALSE);
    g_autofree char *proxy = settings_reader_text(reader, "proxy", FALSE);
    g_autofree char *exceptions = settings_reader_text(reader, "no-proxy", FALSE);
    g_auto(SecretText) credentials = proxy ? store_find_proxy_secret(secrets, name) : NULL;
    HubSettings hub = {
        .name = name,
        .connection_string = secret,
        .ca_file = ca_file,
        .ca = ca,
        .allowed_users = users,
        .stream_hosts = hosts,
        .proxy = {.url = proxy, .credentials = credentials, .exceptions = exceptions},
    };

    hub.transport = (HubTransport)settings_reader_choice(reader, "transport", transports, 0);
    hub.mqtts_port = (guint16)settings_reader_number(reader, "mqtt-port", 0, 65535, 0);
    if (!secret)
        settings_reader_fail(reader, NULL, "the connection string is not in the file secrets");
    if (!reader->error)
        store_state_add_hub(state, &hub);
}

static void
store_read_tunnel(SettingsReader *reader, StoreState *state)
{
    g_autofree char *hub = settings_reader_text(reader, "hub", TRUE);
    g_autofree char *device = settings_reader_text(reader, "device", TRUE);
    g_autofree char *stream = settings_reader_text(reader, "stream", TRUE);
    g_autofree char *listen = settings_reader_text(reader, "listen", TRUE);
    const TunnelOptions tunnel = {
        .hub = hub,
        .device = device,
        .stream = stream,
        .listen = listen,
        .shared = settings_reader_boolean(reader, "shared", FALSE),
        .persistent = TRUE,
        .timeout = settings_reader_number(reader, "timeout-usec", 0, G_MAXINT64, 0),
        .wait = settings_reader_number(reader, "wait-usec", 0, G_MAXINT64, 0),
        .owner_uid = (guint32)settings_reader_number(reader, "owner", 0, G_MAXUINT32, 0),
    };

    if (!reader->error)
        store_state_add_tunnel(state, &tunnel);
}

static void
store_read_policy(SettingsReader *reader, StoreState *state)
{
    g_autofree char *reason = settings_reader_text(reader, "reason", FALSE);
    int verdict = settings_reader_choice(reader, "default", verdicts, -1);

    if (verdict >= 0)
        store_state_set_default(state, verdict == 1, reason);
    store_state_set_next_rule(
        state, (guint32)settings_reader_number(reader, "next-rule", 0, G_MAXUINT32, 0));
}

static void
store_read_section(SettingsReader *reader, const char *group, const char *secrets,
                   StoreState *state)
{
    const char *name;

    settings_reader_enter(reader, group);
    if ((name = settings_section_name(group, "hub")) != NULL) {
        store_read_hub(reader, name, secrets, state);
    } else if ((name = settings_section_name(group, "target")) != NULL) {
        store_read_target(reader, name, state);
    } else if ((name = settings_section_name(group, "rule")) != NULL) {
        store_read_rule(reader, name, state);
    } else if (settings_section_name(group, "tunnel")) {
        store_read_tunnel(reader, state);
    } else if (g_str_equal(group, "policy")) {
        store_read_policy(reader, state);
    }
}

static StoreState *
store_parse(Store *store, const char *text, int version, const char *secrets, GError **error)
{
    g_autoptr(StoreState) state = store_state_new();
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_auto(GStrv) groups = NULL;
    SettingsReader reader = {.path = store->state_path, .file = file};

    if (!text)
        return g_steal_pointer(&state);
    if (*text && !g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, error)) {
        g_prefix_error(error, "%s: ", store->state_path);
        return NULL;
    }
    store_upgrade(file, version);
    groups = g_key_file_get_groups(file, NULL);
    for (guint i = 0; groups[i]; i++)
        store_read_section(&reader, groups[i], secrets, state);
    if (reader.error) {
        g_propagate_error(error, reader.error);
        return NULL;
    }
    return g_steal_pointer(&state);
}

StoreState *
store_load(Store *store, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(SecretText) secrets = NULL;
    StoreState *state;
    int version = STORE_VERSION, secrets_version; /* the secrets' form is the same in all */

    if (!store_read(store->secrets_path, 077, &secrets, &secrets_version, error) ||
        !store_read(store->state_path, 022, &text, &version, error))
        return NULL;
    if (!text && secrets && *secrets) {
        store_fail(store->state_path, "it is missing beside the file secrets", error);
        return NULL;
    }
    state = store_parse(store, text, version, secrets, error);
    if (state)
        store->saved_hubs = secrets ? store_state_hubs(state) : G_MAXUINT;
    return state;
}

static void
set_text(GKeyFile *file, const char *group, const char *key, const char *value)
{
    if (value && *value)
        g_key_file_set_string(file, group, key, value);
}

static void
store_put_tunnel(GKeyFile *file, guint index, const TunnelOptions *tunnel)
{
    g_autofree char *group = g_strdup_printf("tunnel %u", index + 1);

    g_key_file_set_string(file, group, "hub", tunnel->hub);
    g_key_file_set_string(file, group, "device", tunnel->device);
    g_key_file_set_string(file, group, "stream", tunnel->stream);
    g_key_file_set_string(file, group, "listen", tunnel->listen);
    g_key_file_set_string(file, group, "shared", tunnel->shared ? "yes" : "no");
    g_key_file_set_int64(file, group, "timeout-usec", tunnel->timeout);
    g_key_file_set_int64(file, group, "wait-usec", tunnel->wait);
    g_key_file_set_uint64(file, group, "owner", tunnel->owner_uid);
}

static void
store_put_hub(GKeyFile *file, const HubSettings *hub)
{
    g_autofree char *group = g_strdup_printf("hub %s", hub->name);

    g_key_file_set_string(file, group, "transport", transports[hub->transport]);
    g_key_file_set_integer(file, group, "mqtt-port", hub->mqtts_port);
    set_text(file, group, "ca-file", hub->ca_file);
    set_text(file, group, "ca", hub->ca);
    set_text(file, group, "allowed-users", hub->allowed_users);
    set_text(file, group, "stream-hosts", hub->stream_hosts);
    set_text(file, group, "proxy", hub->proxy.url);
    set_text(file, group, "no-proxy", hub->proxy.exceptions);
}

static void
store_put_policy(GKeyFile *file, const StoreState *state)
{
    const char *text = NULL;
    gboolean accept;

    g_key_file_set_uint64(file, "policy", "next-rule", store_state_next_rule(state));
    if (!store_state_default(state, &accept, &text))
        return;
    g_key_file_set_string(file, "policy", "default", verdicts[accept ? 1 : 0]);
    set_text(file, "policy", "reason", text);
}

static gboolean
store_save_state(Store *store, const StoreState *state, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *body = NULL;

    for (guint i = 0; i < store_state_hubs(state); i++) {
        const HubSettings hub = store_state_hub(state, i);

        store_put_hub(file, &hub);
    }
    for (guint i = 0; i < store_state_targets(state); i++) {
        const TargetSettings target = store_state_target(state, i);

        store_put_target(file, &target);
    }
    for (guint i = 0; i < store_state_rules(state); i++) {
        const AcceptRule rule = store_state_rule(state, i);

        store_put_rule(file, &rule);
    }
    for (guint i = 0; i < store_state_tunnels(state); i++) {
        const TunnelOptions tunnel = store_state_tunnel(state, i);

        store_put_tunnel(file, i, &tunnel);
    }
    store_put_policy(file, state);
    body = g_key_file_to_data(file, NULL, NULL);
    return store_write(store->state_path, body, error);
}

static gboolean
store_save_secrets(Store *store, const StoreState *state, GError **error)
{
    GString *text = g_string_new(NULL);
    g_auto(SecretText) body = NULL;

    for (guint i = 0; i < store_state_hubs(state); i++) {
        const HubSettings hub = store_state_hub(state, i);

        g_string_append_printf(text, "%s %s\n", hub.name, hub.connection_string);
        if (hub.proxy.credentials)
            g_string_append_printf(text, "%s" STORE_PROXY " %s\n", hub.name, hub.proxy.credentials);
    }
    body = g_string_free(text, FALSE);
    return store_write(store->secrets_path, body, error);
}

/* The file secrets holds at every moment what the file state needs: it grows before and shrinks
 * after it. */
gboolean
store_save(Store *store, const StoreState *state, GError **error)
{
    guint hubs = store_state_hubs(state), saved = store->saved_hubs;
    gboolean shrinks = saved != G_MAXUINT && hubs < saved;

    store->saved_hubs = G_MAXUINT;
    if (!shrinks && hubs != saved && !store_save_secrets(store, state, error))
        return FALSE;
    if (!store_save_state(store, state, error))
        return FALSE;
    if (shrinks && !store_save_secrets(store, state, error))
        return FALSE;
    store->saved_hubs = hubs;
    return TRUE;
}
