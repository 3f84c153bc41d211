/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config.h"

#include "common/error.h"
#include "common/secret.h"
#include "daemon/settings-reader.h"
#include "daemon/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const verdicts[] = {"reject", "accept", NULL};
static const char *const transports[] = {"wss", "mqtts", NULL};

static char *
secret_fail(const char *path, const char *text, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: %s", path, text);
    return NULL;
}

static char *
secret_read_fd(int fd, const char *path, GError **error)
{
    g_auto(SecretText) buffer = g_malloc0(HUB_CONNECTION_STRING_MAX + 2);
    struct stat status;
    gsize len = 0;
    ssize_t r;

    if (fstat(fd, &status) < 0)
        return secret_fail(path, g_strerror(errno), error);
    if (!S_ISREG(status.st_mode))
        return secret_fail(path, "is not a regular file", error);
    if (status.st_mode & 077)
        return secret_fail(path, "holds a key, and others than its owner may read it: chmod 0600",
                           error);
    while (len <= HUB_CONNECTION_STRING_MAX &&
           (r = read(fd, buffer + len, HUB_CONNECTION_STRING_MAX + 1 - len)) > 0)
        len += (gsize)r;
    if (len > HUB_CONNECTION_STRING_MAX)
        return secret_fail(path, "too long for a connection string", error);
    while (len > 0 && (buffer[len - 1] == '\n' || buffer[len - 1] == '\r'))
        buffer[--len] = '\0';
    return g_steal_pointer(&buffer);
}

char *
config_read_secret(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char *secret;

    if (fd < 0)
        return secret_fail(path, g_strerror(errno), error);
    secret = secret_read_fd(fd, path, error);
    close(fd);
    return secret;
}

static void
config_read_hub(SettingsReader *reader, const char *name, StoreState *state)
{
    static const char *const keys[] = {
        "connection-string-file", "ca-file", "transport", "mqtt-port", "token-life", NULL};
    g_autofree char *file = settings_reader_text(reader, "connection-string-file", TRUE);
    g_autofree char *ca_file = settings_reader_text(reader, "ca-file", FALSE);
    g_auto(SecretText) secret = NULL;
    g_autoptr(GError) error = NULL;
    HubSettings hub = {.name = name, .ca_file = ca_file, .from_config = TRUE};

    settings_reader_expect(reader, keys);
    hub.transport = (HubTransport)settings_reader_choice(reader, "transport", transports, 0);
    hub.mqtts_port = (guint16)settings_reader_number(reader, "mqtt-port", 1, 65535, HUB_MQTTS_PORT);
    hub.token_life = (guint)settings_reader_number(reader, "token-life", HUB_TOKEN_LIFE_MIN,
                                                   HUB_TOKEN_LIFE_MAX, HUB_TOKEN_LIFE);
    if (reader->error)
        return;
    secret = config_read_secret(file, &error);
    if (!secret) {
        settings_reader_fail(reader, "connection-string-file", error->message);
        return;
    }
    hub.connection_string = secret;
    store_state_add_hub(state, &hub);
}

static void
config_read_target(SettingsReader *reader, const char *name, StoreState *state)
{
    static const char *const keys[] = {"address", NULL};
    g_autofree char *address = settings_reader_text(reader, "address", TRUE);
    g_autoptr(GError) error = NULL;

    settings_reader_expect(reader, keys);
    if (reader->error)
        return;
    if (!target_check_address(address, &error))
        settings_reader_fail(reader, "address", error->message);
    else if (!target_check_name(name, &error))
        settings_reader_fail(reader, NULL, error->message);
    else
        store_state_add_target(state, name, address);
}

static void
config_read_rule(SettingsReader *reader, const char *name, StoreState *state)
{
    static const char *const keys[] = {"hub",    "stream", "initiator", "verdict",
                                       "target", "reason", NULL};
    g_autofree char *hub = settings_reader_text(reader, "hub", FALSE);
    g_autofree char *stream = settings_reader_text(reader, "stream", FALSE);
    g_autofree char *initiator = settings_reader_text(reader, "initiator", FALSE);
    g_autofree char *target = settings_reader_text(reader, "target", FALSE);
    g_autofree char *reason = settings_reader_text(reader, "reason", FALSE);
    AcceptRule rule = {.hub = hub,
                       .stream = stream,
                       .initiator = initiator,
                       .target = target,
                       .reject_text = reason,
                       .from_config = TRUE};
    int verdict = settings_reader_choice(reader, "verdict", verdicts, -1);
    guint64 id;

    settings_reader_expect(reader, keys);
    if (verdict < 0)
        settings_reader_fail(reader, "verdict", "it is missing");
    rule.accept = verdict == 1;
    if (!g_ascii_string_to_unsigned(name, 10, 1, ACCEPT_FIRST_RUNTIME_ID - 1, &id, NULL)) {
        settings_reader_fail(reader, NULL, "a rule's section is [rule N], N from 1 to 999");
        return;
    }
    rule.id = (guint32)id;
    if (!reader->error)
        store_state_add_rule(state, &rule);
}

static void
config_read_policy(SettingsReader *reader, StoreState *state)
{
    static const char *const keys[] = {"default", "reason", NULL};
    g_autofree char *reason = settings_reader_text(reader, "reason", FALSE);

    settings_reader_expect(reader, keys);
    store_state_set_default(state, settings_reader_choice(reader, "default", verdicts, 0) == 1,
                            reason);
}

static void
config_read_section(SettingsReader *reader, const char *group, StoreState *state)
{
    const char *name;

    settings_reader_enter(reader, group);
    if ((name = settings_section_name(group, "hub")) != NULL)
        config_read_hub(reader, name, state);
    else if ((name = settings_section_name(group, "target")) != NULL)
        config_read_target(reader, name, state);
    else if ((name = settings_section_name(group, "rule")) != NULL)
        config_read_rule(reader, name, state);
    else if (g_str_equal(group, "policy"))
        config_read_policy(reader, state);
    else
        settings_reader_fail(reader, NULL,
                             "there is no such section; there are [hub NAME], [target NAME], "
                             "[rule N] and [policy]");
}

StoreState *
config_load(const char *path, GError **error)
{
    g_autoptr(StoreState) state = store_state_new();
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_auto(GStrv) groups = NULL;
    SettingsReader reader = {.path = path, .file = file};

    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    groups = g_key_file_get_groups(file, NULL);
    for (guint i = 0; groups[i]; i++)
        config_read_section(&reader, groups[i], state);
    if (reader.error) {
        g_propagate_error(error, reader.error);
        return NULL;
    }
    return g_steal_pointer(&state);
}
