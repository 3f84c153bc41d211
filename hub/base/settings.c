/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/settings.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/codec/quantity.h"
#include "hub/base/address.h"
#include "hub/base/networks.h"
#include "hub/base/origins.h"
#include "hub/base/paths.h"
#include "hub/base/push-url.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#define GROUP "hub"
#define FILE_SIZE_MAX ((gsize)256 * 1024)
#define DAY 86400.0
#define MIB (1024.0 * 1024)

typedef enum {
    KIND_SECONDS, /* gint64 µs */
    KIND_COUNT,   /* guint */
    KIND_SWITCH,  /* gboolean */
    KIND_SIZE,    /* guint64 bytes */
    KIND_CHOICE,  /* an enum: which of two words */
    KIND_TEXT,    /* char *, NULL by default */
} SettingKind;

/* Whether TEXT is a good value. WANTS says what is, as it stands in the configuration file. */
typedef struct {
    gboolean (*check)(const char *text);
    const char *wants;
    gboolean as_is;    /* otherwise it is taken in lower case */
    const char *usual; /* what NULL stands for; NULL: the text says that */
} SettingForm;

/* When a setting that has changed takes force. */
typedef enum {
    FORCE_AS_KIND, /* a text: at a reload; others: at the next start */
    FORCE_AT_START,
    FORCE_AT_RELOAD,
} SettingForce;

typedef struct {
    const char *key;
    SettingKind kind;
    gsize offset;
    double value; /* the default */
    double least;
    double most; /* the hard cap */
    const char *text;
    const SettingForm *form; /* of a text */
    SettingForce force;
    const char *const *words; /* of a choice */
} SettingRow;

static const SettingForm address = {address_is_good,
                                    "a host name or an IPv4 address, maybe with :PORT"};
static const SettingForm networks = {networks_are_good,
                                     "IP addresses and networks such as 192.0.2.0/24, with commas "
                                     "between them; bits beyond the prefix have to be 0"};

static const SettingForm paths = {paths_are_good, PATHS_WANT, .as_is = TRUE};
static const SettingForm path = {g_path_is_absolute, "an absolute path", .as_is = TRUE};
static const SettingForm listen = {address_can_listen,
                                   "ADDRESS:PORT, as 127.0.0.1:9464 or [::1]:9464"};
static const SettingForm origins = {origins_are_good,
                                    "web origins such as https://portal.example:8443, with commas "
                                    "between them, without a path"};

static gboolean
sink_is_good(const char *text)
{
    return g_ascii_strcasecmp(text, "file") == 0 || g_ascii_strcasecmp(text, "off") == 0;
}

static gboolean
folder_is_good(const char *text)
{
    return g_path_is_absolute(text) && strlen(text) < PATH_MAX / 2;
}

static const SettingForm sink = {sink_is_good, "file or off", .usual = "file"};
static const SettingForm folder = {folder_is_good, "an absolute path", .as_is = TRUE};
static const SettingForm push_url = {push_url_is_good, PUSH_URL_WANT, .as_is = TRUE};
static const char *const telemetry_words[] = {"drop", "refuse"};

#define SECONDS(member) KIND_SECONDS, G_STRUCT_OFFSET(Settings, member)
#define COUNT(member) KIND_COUNT, G_STRUCT_OFFSET(Settings, member)
#define SWITCH(member) KIND_SWITCH, G_STRUCT_OFFSET(Settings, member)
#define SIZE(member) KIND_SIZE, G_STRUCT_OFFSET(Settings, member)
#define CHOICE(member) KIND_CHOICE, G_STRUCT_OFFSET(Settings, member)
#define TEXT(member) KIND_TEXT, G_STRUCT_OFFSET(Settings, member), 0, 0, 0

static const SettingRow rows[] = {
    {"handshake-timeout", SECONDS(handshake_timeout), 10, 0.1, 60,
     "TLS handshake, counted from accept"},
    {"request-timeout", SECONDS(request_timeout), 10, 0.1, 60,
     "a whole request head, or the first MQTT packet"},
    {"keep-alive-timeout", SECONDS(keep_alive_timeout), 60, 0.1, 600,
     "silence between two requests of a connection"},
    {"requests-per-connection", COUNT(requests_per_connection), 1000, 1, 1000000,
     "HTTP requests that a connection may bring"},
    {"unauthenticated-max", COUNT(unauthenticated_max), 1024, 1, 65536,
     "connections that have not authenticated yet"},
    {"unauthenticated-per-source", COUNT(unauthenticated_per_source), 64, 1, 65536,
     "of these, from one IPv4 /32 or IPv6 /64; two and four times as many from an IPv6 /56 and "
     "/48"},
    {"connections-per-second", COUNT(connections_per_second), 100, 1, 1000000,
     "new connections of one source; two and four times as many of an IPv6 /56 and /48"},
    {"connections-burst", COUNT(connections_burst), 400, 1, 1000000,
     "new connections of one source at once"},
    {"known-source-factor", COUNT(known_source_factor), 8, 1, 1000,
     "times the limits above for a known source, from which somebody has authenticated"},
    {"known-source-time", SECONDS(known_source_time), DAY, 1, 30 * DAY,
     "how long a source is known after its last authenticated connection"},
    {"penalty", SECONDS(penalty), 5, 0, 600,
     "after wrong credentials, further wrong ones of the identity are told to wait; 0: never"},
    {"penalty-max", SECONDS(penalty_max), 600, 1, 3600, "it doubles up to this"},
    {"penalty-identities", COUNT(penalty_identities), 10, 2, 1000,
     "a source that failed as so many, and is not known, is guessing"},
    {"guessing-per-second", COUNT(guessing_per_second), 2, 1, 1000000,
     "new connections of a source that is guessing"},
    {"connections-max", COUNT(connections_max), 65536, 1, 1000000, "connections in all"},
    {"mqtt-keep-alive-max", SECONDS(mqtt_keep_alive_max), 1200, 1, 7200,
     "for devices that ask for no keep-alive"},
    {"link-probe", SECONDS(link_probe), 10, 0.1, 60,
     "for a sign of life of a device that is sent a request"},
    {"packet-max", COUNT(packet_max), 262144, 16384, 262144, "bytes of an MQTT packet"},
    {"subscriptions-per-connection", COUNT(subscriptions_per_connection), 50, 2, 1000,
     "MQTT topic filters in one packet"},
    {"publishes-per-second", COUNT(publishes_per_second), 1000, 10, 100000,
     "MQTT packets of one device; beyond its share it is read more slowly"},
    {"publishes-burst", COUNT(publishes_burst), 4000, 10, 1000000,
     "MQTT packets of one device at once; answers to streams do not count"},
    {"busy-publishes-per-second", COUNT(busy_publishes_per_second), 4000, 10, 1000000,
     "MQTT packets of all devices together that are over their share"},
    {"telemetry", CHOICE(telemetry), TELEMETRY_DROP, 0, 1,
     "what becomes of telemetry: it is acknowledged, counted and dropped, or its sender is "
     "disconnected",
     .words = telemetry_words},
    {"users-may-list", SWITCH(users_may_list), 1, 0, 1,
     "who may open streams may also list the devices of its scope; otherwise only with "
     "registry-read"},
    {"client-certificates", SWITCH(client_certificates), 0, 0, 1,
     "ask whoever connects for a certificate in TLS, for devices that have one instead of keys"},
    {"device-ca", TEXT(device_ca),
     "authorities whose certificates name devices, in PEM; 'streamhub reload' reads them again",
     &paths},
    {"device-crl", TEXT(device_crl),
     "lists of certificates that those have revoked, in PEM; read again in the same way", &paths},
    {"device-token-life-max", SECONDS(device_token_life_max), 365 * DAY, 60, 3650 * DAY,
     "how far ahead a device's token may expire"},
    {"service-token-life-max", SECONDS(service_token_life_max), 30 * DAY, 60, 3650 * DAY,
     "how far ahead a service's token may expire"},
    {"token-skew", SECONDS(token_skew), 5, 0, 300, "difference of clocks that is forgiven"},
    {"rekey", SWITCH(rekey), 1, 0, 1,
     "give devices new keys over their own connections, when the operator asks for it"},
    {"rekey-grace", SECONDS(rekey_grace), 3600, 0, 30 * DAY,
     "how long a device's former key stays good after its first login with the new one"},
    {"reconnects-per-minute", COUNT(reconnects_per_minute), 10, 0, 100000,
     "connections of one device or module within a minute; this one and further ones wait for "
     "their "
     "CONNACK, at most 5 s; 0: none"},
    {"clone-window", SECONDS(clone_window), 600, 0, 86400,
     "two machines have one identity when one that was replaced comes back within it; 0: they are "
     "not told apart"},
    {"stream-deadline", SECONDS(stream_deadline), 60, 1, 60, "from the request to both legs"},
    {"response-timeout", SECONDS(response_timeout), 30, 0.1, 60,
     "for the device's answer when the request names no time"},
    {"device-return-time", SECONDS(device_return_time), 30, 0, 600,
     "after a start of the hub, in which streams wait for devices that are not back yet; 0: none"},
    {"streams-per-device", COUNT(streams_per_device), 1024, 1, 65536,
     "streams of one device or module"},
    {"pending-per-device", COUNT(pending_per_device), 1024, 1, 65536, "of these, not open yet"},
    {"streams-per-user-and-device", COUNT(streams_per_user_and_device), 256, 1, 65536,
     "streams of one user to one device or module"},
    {"pending-per-user-and-device", COUNT(pending_per_user_and_device), 256, 1, 65536,
     "of these, not open yet"},
    {"streams-max", COUNT(streams_max), 16384, 1, 1000000, "streams in all"},
    {"user-share", COUNT(user_share), 25, 1, 100,
     "percent of streams-max and of connections-max that one user may have"},
    {"streams-per-second", COUNT(streams_per_second), 1000, 1, 1000000, "new streams of one user"},
    {"streams-burst", COUNT(streams_burst), 2000, 1, 1000000, "new streams of one user at once"},
    {"resume", SWITCH(resume), 1, 0, 1,
     "let streams go on after a lost connection, where user and device both can"},
    {"leg-ping", SECONDS(leg_ping), 20, 0.1, 3600, "silence on a leg before a ping"},
    {"leg-dead", SECONDS(leg_dead), 45, 0.2, 7200, "silence before a leg counts as lost"},
    {"end-wait", SECONDS(end_wait), 10, 0.1, 3600,
     "how long bytes that stand still hold up the end of a stream that was cut"},
    {"public-address", TEXT(public_address),
     "what clients call the hub, in invitations, connection strings and URLs; default: the first "
     "name of the certificate, and the port of the first listener",
     &address},
    {"streaming-host", TEXT(streaming_host),
     "the host in the URLs of streams, where it is another than the public address", &address},
    {"proxy-protocol-from", TEXT(proxy_protocol_from),
     "balancers: each of their connections must begin with a PROXY protocol header, version 1 or "
     "2, that says who connects; nobody else's may",
     &networks},
    {"metrics-listen", TEXT(metrics_listen),
     "where a Prometheus reads the metrics at /metrics, over TLS with the hub's certificate; "
     "default: nowhere but on the admin socket ('streamhub metrics')",
     &listen},
    {"metrics-token-file", TEXT(metrics_token_file),
     "the bearer token that it has to send, in a file that nobody else may read; "
     "'streamhub reload' reads it again",
     &path},
    {"allowed-origins", TEXT(allowed_origins),
     "web origins whose pages may connect, beside those at the hub's own names and addresses",
     &origins},
    {"records", TEXT(records),
     "where it is recorded who opened which stream, how it ended, and what was changed", &sink,
     FORCE_AT_START},
    {"records-folder", TEXT(records_folder),
     "the folder of these files; default: records, in the state folder", &folder, FORCE_AT_START},
    {"records-size", SIZE(records_size), 64.0 * MIB, 64.0 * 1024, 1024.0 * 1024 * MIB,
     "of a file of records; then a new one is begun", NULL, FORCE_AT_RELOAD},
    {"records-files", COUNT(records_files), 10, 1, 100000,
     "files of records that are kept beside the present one", NULL, FORCE_AT_RELOAD},
    {"records-push-url", TEXT(records_push_url),
     "where streamhub-push sends the records; it reads these three at its start", &push_url},
    {"records-push-token-file", TEXT(records_push_token_file),
     "a file with the bearer token for it, mode 0600, of the hub's user", &folder},
    {"records-push-ca", TEXT(records_push_ca),
     "authorities that its certificate may be of, in PEM; default: those that the system trusts",
     &folder},
};

static char **
setting_text(const Settings *settings, const SettingRow *row)
{
    return (char **)(void *)((char *)settings + row->offset);
}

static void
setting_store(Settings *settings, const SettingRow *row, double value)
{
    char *at = (char *)settings + row->offset;

    if (row->kind == KIND_SECONDS)
        *(gint64 *)(void *)at = (gint64)(value * G_TIME_SPAN_SECOND);
    else if (row->kind == KIND_COUNT || row->kind == KIND_CHOICE)
        *(guint *)(void *)at = (guint)value;
    else if (row->kind == KIND_SWITCH)
        *(gboolean *)(void *)at = value > 0;
    else if (row->kind == KIND_SIZE)
        *(guint64 *)(void *)at = (guint64)value;
}

Settings *
settings_new(void)
{
    Settings *settings = g_new0(Settings, 1);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        setting_store(settings, &rows[i], rows[i].value);
    return settings;
}

/* Names of settings in earlier versions, which are still accepted, and what a switch has become. */
static const struct {
    const char *old;
    const char *key;
    const char *yes, *no;
} renamed[] = {
    {"pending-per-policy", "pending-per-user-and-device"},
    {"discard-telemetry", "telemetry", "drop", "refuse"},
    {"takeovers-per-minute", "reconnects-per-minute"},
};

static gboolean
is_yes(const char *text)
{
    return strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
}

static gboolean
is_no(const char *text)
{
    return strcmp(text, "no") == 0 || strcmp(text, "false") == 0;
}

/* What VALUE of an old KEY is now. */
static const char *
renamed_value(const char *key, const char *value)
{
    for (guint i = 0; i < G_N_ELEMENTS(renamed); i++) {
        if (strcmp(renamed[i].old, key) != 0 || !renamed[i].yes)
            continue;
        if (is_yes(value))
            return renamed[i].yes;
        if (is_no(value))
            return renamed[i].no;
    }
    return value;
}

static const SettingRow *
setting_find(const char *key)
{
    for (guint i = 0; i < G_N_ELEMENTS(renamed); i++)
        if (strcmp(renamed[i].old, key) == 0)
            key = renamed[i].key;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].key, key) == 0)
            return &rows[i];
    return NULL;
}

/* The line of KEY in our group; GKeyFile does not say where it found one. */
static guint
key_line(const char *text, const char *key)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gsize len = strlen(key);
    gboolean ours = FALSE;

    for (guint i = 0; lines[i]; i++) {
        const char *line = lines[i] + strspn(lines[i], " \t");

        if (*line == '[')
            ours = g_str_has_prefix(line, "[" GROUP "]");
        else if (ours && strncmp(line, key, len) == 0 && strchr(" \t=", line[len]))
            return i + 1;
    }
    return 0;
}

static gboolean
value_parse(const SettingRow *row, const char *text, double *ret)
{
    char *end = NULL;
    double value;

    if (row->kind == KIND_SWITCH) {
        *ret = is_yes(text) ? 1 : 0;
        return is_yes(text) || is_no(text);
    }
    if (row->kind == KIND_CHOICE) {
        *ret = strcmp(text, row->words[1]) == 0 ? 1 : 0;
        return *ret > 0 || strcmp(text, row->words[0]) == 0;
    }
    if (row->kind == KIND_SIZE) {
        guint64 bytes = 0;

        if (!quantity_parse_size(text, &bytes))
            return FALSE;
        *ret = (double)bytes;
        return *ret >= row->least && *ret <= row->most;
    }
    if (!g_ascii_isdigit(text[0]) || text[strspn(text, "0123456789.")])
        return FALSE;
    value = g_ascii_strtod(text, &end);
    if (*end || !isfinite(value) || value < row->least || value > row->most)
        return FALSE;
    *ret = value;
    return row->kind != KIND_COUNT || value == (double)(guint)value;
}

static char *
size_wants(const SettingRow *row)
{
    g_autofree char *least = quantity_format_size((guint64)row->least);
    g_autofree char *most = quantity_format_size((guint64)row->most);

    return g_strdup_printf("a size from %s to %s", least, most);
}

static char *
row_wants(const SettingRow *row)
{
    if (row->kind == KIND_TEXT)
        return g_strdup(row->form->wants);
    if (row->kind == KIND_SWITCH)
        return g_strdup("yes or no");
    if (row->kind == KIND_SIZE)
        return size_wants(row);
    if (row->kind == KIND_CHOICE)
        return g_strdup_printf("%s or %s", row->words[0], row->words[1]);
    return g_strdup_printf("%s from %.10g to %.10g",
                           row->kind == KIND_SECONDS ? "seconds" : "a whole number", row->least,
                           row->most);
}

/* FALSE: VALUE is not good. Nothing is the default of a text. */
static gboolean
row_take(Settings *settings, const SettingRow *row, const char *value)
{
    double number = 0;

    if (row->kind == KIND_TEXT) {
        if (*value && !row->form->check(value))
            return FALSE;
        g_free(*setting_text(settings, row));
        *setting_text(settings, row) = NULL;
        if (*value && g_strcmp0(value, row->form->usual) != 0)
            *setting_text(settings, row) =
                row->form->as_is ? g_strdup(value) : g_ascii_strdown(value, -1);
        return TRUE;
    }
    if (!value_parse(row, value, &number))
        return FALSE;
    setting_store(settings, row, number);
    return TRUE;
}

static void
settings_take(Settings *settings, GKeyFile *file, const char *key, const char *text,
              const char *name, GString *problems)
{
    const SettingRow *row = setting_find(key);
    g_autofree char *value = g_key_file_get_value(file, GROUP, key, NULL);
    g_autofree char *wants = NULL;

    if (row && value && row_take(settings, row, renamed_value(key, g_strstrip(value))))
        return;
    g_string_append_printf(problems, "%s%s:%u: ", problems->len > 0 ? "\n" : "", name,
                           key_line(text, key));
    if (!row) {
        g_string_append_printf(problems, "no such setting: %s", key);
        return;
    }
    wants = row_wants(row);
    g_string_append_printf(problems, "%s wants %s", key, wants);
}

Settings *
settings_parse(const char *text, gsize len, const char *name, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GString) problems = g_string_new(NULL);
    g_autoptr(GError) cause = NULL;
    g_auto(GStrv) keys = NULL;
    g_autofree char *copy = g_strndup(text, len);

    if (len > FILE_SIZE_MAX || !g_key_file_load_from_data(file, text, len, 0, &cause)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: %s", name,
                    cause ? cause->message : "too large");
        return NULL;
    }
    keys = g_key_file_get_keys(file, GROUP, NULL, NULL);
    for (guint i = 0; keys && keys[i]; i++)
        settings_take(settings, file, keys[i], copy, name, problems);
    if (settings->metrics_listen && !settings->metrics_token_file)
        g_string_append_printf(problems, "%s%s:%u: metrics-listen needs metrics-token-file",
                               problems->len > 0 ? "\n" : "", name,
                               key_line(copy, "metrics-listen"));
    if (problems->len == 0)
        return g_steal_pointer(&settings);
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, problems->str);
    return NULL;
}

Settings *
settings_load(const char *file, GError **error)
{
    gsize len = 0;
    g_autofree char *text = file_read(file, FILE_SIZE_MAX, &len, error);

    if (!text)
        return NULL;
    return settings_parse(text, len, file, error);
}

static void
row_describe(const SettingRow *row, GString *out)
{
    g_autofree char *wants = row_wants(row);
    g_autofree char *size = quantity_format_size((guint64)row->value);

    g_string_append(out, "\n# ");
    if (*row->text)
        g_string_append_printf(out, "%s: ", row->text);
    g_string_append_printf(out, "%s\n#%s=", wants, row->key);
    if (row->kind == KIND_SWITCH)
        g_string_append_printf(out, "%s\n", row->value > 0 ? "yes" : "no");
    else if (row->kind == KIND_CHOICE)
        g_string_append_printf(out, "%s\n", row->words[row->value > 0 ? 1 : 0]);
    else if (row->kind == KIND_TEXT)
        g_string_append_printf(out, "%s\n", row->form->usual ? row->form->usual : "");
    else if (row->kind == KIND_SIZE)
        g_string_append_printf(out, "%s\n", size);
    else
        g_string_append_printf(out, "%.10g\n", row->value);
}

char *
settings_describe(void)
{
    GString *out = g_string_new("[" GROUP "]\n");

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        row_describe(&rows[i], out);
    return g_string_free(out, FALSE);
}

Settings
settings_without_texts(const Settings *settings)
{
    Settings copy = *settings;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].kind == KIND_TEXT)
            *setting_text(&copy, &rows[i]) = NULL;
    return copy;
}

guint
settings_user_share(const Settings *settings, guint most)
{
    return MAX((guint)((guint64)most * settings->user_share / 100), 1);
}

static gboolean
row_is_reloaded(const SettingRow *row)
{
    return row->force == FORCE_AS_KIND ? row->kind == KIND_TEXT : row->force == FORCE_AT_RELOAD;
}

/* Bytes of a value that is no text. */
static gsize
row_size(const SettingRow *row)
{
    return row->kind == KIND_SECONDS || row->kind == KIND_SIZE ? sizeof(gint64) : sizeof(guint);
}

static gboolean
row_is_equal(const SettingRow *row, const Settings *settings, const Settings *other)
{
    if (row->kind == KIND_TEXT)
        return g_strcmp0(*setting_text(settings, row), *setting_text(other, row)) == 0;
    return memcmp((const char *)settings + row->offset, (const char *)other + row->offset,
                  row_size(row)) == 0;
}

gboolean
settings_limits_equal(const Settings *settings, const Settings *other)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!row_is_reloaded(&rows[i]) && !row_is_equal(&rows[i], settings, other))
            return FALSE;
    return TRUE;
}

void
settings_take_reloaded(Settings *settings, Settings *from)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const SettingRow *row = &rows[i];

        if (!row_is_reloaded(row))
            continue;
        if (row->kind == KIND_TEXT) {
            g_free(*setting_text(settings, row));
            *setting_text(settings, row) = g_steal_pointer(setting_text(from, row));
        } else {
            memcpy((char *)settings + row->offset, (const char *)from + row->offset, row_size(row));
        }
    }
}

void
settings_free(Settings *settings)
{
    if (!settings)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].kind == KIND_TEXT)
            g_free(*setting_text(settings, &rows[i]));
    g_free(settings);
}
