/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/keys.h"

#include "common/codec/quantity.h"
#include "common/resume/budget.h"
#include "daemon/link/hub.h"
#include "daemon/net/keep-alive.h"
#include "daemon/policy/accept-rule.h"
#include "daemon/policy/limits.h"
#include "daemon/policy/user-limits.h"

#include <string.h>

const char *const config_verdicts[] = {"reject", "accept", "ask", NULL};
const char *const config_defaults[] = {"reject", "accept", NULL};
const char *const config_transports[] = {"wss", "mqtts", NULL};
const char *const config_resumes[] = {"yes", "no", NULL};

#define MEMORY_MAX (G_GUINT64_CONSTANT(1) << 40)

#define RESUME(section)                                                                            \
    {section, "Resume", CONFIG_CHOICE, .choices = config_resumes},                                 \
    {                                                                                              \
        section, "ResumeTime", CONFIG_TIME, 0, (guint64)ACCEPT_RESUME_TIME_MAX                     \
    }

#define LIMITS(section)                                                                            \
    {section, "MaxStreams", CONFIG_NUMBER, 1, LIMIT_STREAMS_MAX},                                  \
        {section, "MaxRate", CONFIG_NUMBER, 1, LIMIT_RATE_MAX},                                    \
        {section, "MaxBytes", CONFIG_SIZE, 1, LIMIT_BYTES_MAX},                                    \
        {section, "MaxDuration", CONFIG_TIME, LIMIT_TIME_LEAST, LIMIT_TIME_MAX},                   \
        {section, "IdleTimeout", CONFIG_TIME, LIMIT_TIME_LEAST, LIMIT_TIME_MAX},                   \
    {                                                                                              \
        section, "StallTimeout", CONFIG_TIME, LIMIT_TIME_LEAST, LIMIT_TIME_MAX                     \
    }

static const ConfigKey keys[] = {
    {"hub", "ConnectionStringFile", CONFIG_PATH},
    {"hub", "ConnectionStringCredential", CONFIG_TEXT},
    {"hub", "CaFile", CONFIG_PATH},
    {"hub", "CertificateFile", CONFIG_PATH},
    {"hub", "KeyFile", CONFIG_TEXT},
    {"hub", "KeyPinFile", CONFIG_PATH},
    {"hub", "Transport", CONFIG_CHOICE, .choices = config_transports},
    {"hub", "AllowedUsers", CONFIG_TEXT},
    {"hub", "StreamHosts", CONFIG_TEXT},
    {"hub", "MqttPort", CONFIG_NUMBER, 1, 65535, HUB_MQTTS_PORT},
    {"hub", "TokenLife", CONFIG_NUMBER, HUB_TOKEN_LIFE_MIN, HUB_TOKEN_LIFE_MAX, HUB_TOKEN_LIFE},
    {"hub", "KeepAlive", CONFIG_NUMBER, 1, KEEP_ALIVE_CAP, KEEP_ALIVE_MOST},
    {"hub", "LegPing", CONFIG_NUMBER, 1, HUB_LEG_PING_MAX, HUB_LEG_PING},
    {"hub", "LegDead", CONFIG_NUMBER, 2, HUB_LEG_DEAD_MAX, HUB_LEG_DEAD},
    {"hub", "EndWait", CONFIG_NUMBER, 1, HUB_END_WAIT_MAX, HUB_END_WAIT},
    RESUME("hub"),
    {"hub", "Proxy", CONFIG_TEXT},
    {"hub", "ProxyCredentialsFile", CONFIG_PATH},
    {"hub", "ProxyCredentialsCredential", CONFIG_TEXT},
    {"hub", "NoProxy", CONFIG_TEXT},
    {"enroll", "InvitationFile", CONFIG_PATH},
    {"enroll", "InvitationCredential", CONFIG_TEXT},
    {"enroll", "As", CONFIG_TEXT},
    {"network", "Proxy", CONFIG_TEXT},
    {"network", "ProxyCredentialsFile", CONFIG_PATH},
    {"network", "ProxyCredentialsCredential", CONFIG_TEXT},
    {"network", "NoProxy", CONFIG_TEXT},
    {"target", "Address", CONFIG_TEXT},
    LIMITS("target"),
    {"rule", "Hub", CONFIG_TEXT},
    {"rule", "Stream", CONFIG_TEXT},
    {"rule", "Initiator", CONFIG_TEXT},
    {"rule", "Address", CONFIG_TEXT},
    {"rule", "Weekdays", CONFIG_TEXT},
    {"rule", "Time", CONFIG_TEXT},
    {"rule", "Verdict", CONFIG_CHOICE, .choices = config_verdicts},
    {"rule", "Target", CONFIG_TEXT},
    {"rule", "Handler", CONFIG_TEXT},
    {"rule", "HandlerUser", CONFIG_TEXT},
    {"rule", "AskTimeout", CONFIG_TIME, ACCEPT_ASK_TIMEOUT_LEAST, ACCEPT_ASK_TIMEOUT_MAX},
    {"rule", "Reason", CONFIG_TEXT},
    LIMITS("rule"),
    {"rule", "ResumeTime", CONFIG_TIME, 0, (guint64)ACCEPT_RESUME_TIME_MAX},
    {"policy", "Default", CONFIG_CHOICE, .choices = config_defaults},
    {"policy", "Reason", CONFIG_TEXT},
    {"limits", "ListenersPerUser", CONFIG_NUMBER, 1, APP_LISTENERS_PER_UID_CAP,
     APP_LISTENERS_PER_UID},
    {"limits", "StreamsPerUser", CONFIG_NUMBER, 1, APP_STREAMS_PER_UID_CAP, APP_STREAMS_PER_UID},
    RESUME("streams"),
    {"streams", "ResumeWindows", CONFIG_SIZE, RESUME_SURE *RESUME_STREAMS, MEMORY_MAX,
     RESUME_BUDGET},
    {"streams", "ResumeKept", CONFIG_SIZE, RESUME_RING_MAX, MEMORY_MAX, RESUME_BUDGET},
};

/* Sections whose name follows the first word, and those without a name. */
static const struct {
    const char *kind;
    gboolean named;
} kinds[] = {{"hub", TRUE},     {"target", TRUE},  {"rule", TRUE},     {"enroll", TRUE},
             {"policy", FALSE}, {"limits", FALSE}, {"network", FALSE}, {"streams", FALSE}};

guint
config_keys_size(void)
{
    return G_N_ELEMENTS(keys);
}

const ConfigKey *
config_key(guint index)
{
    return &keys[index];
}

const char *
config_section_name(const ConfigSection *section, const char *kind)
{
    gsize len = strlen(kind);

    if (strncmp(section->name, kind, len) != 0 || section->name[len] != ' ' ||
        section->name[len + 1] == '\0')
        return NULL;
    return section->name + len + 1;
}

static const char *
section_kind(const ConfigSection *section)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].named ? config_section_name(section, kinds[i].kind) != NULL
                           : strcmp(section->name, kinds[i].kind) == 0)
            return kinds[i].kind;
    return NULL;
}

static const ConfigKey *
key_find(const char *kind, const char *key)
{
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i].section, kind) == 0 && strcmp(keys[i].key, key) == 0)
            return &keys[i];
    return NULL;
}

static int
choice_index(const ConfigKey *key, const char *value)
{
    for (int i = 0; key->choices[i]; i++)
        if (strcmp(key->choices[i], value) == 0)
            return i;
    return -1;
}

/* FALSE: not a quantity, or out of bounds. */
static gboolean
quantity_of(const ConfigKey *key, const char *value, guint64 *ret)
{
    guint64 number;

    switch (key->kind) {
    case CONFIG_TIME:
        if (!quantity_parse_time(value, &number))
            return FALSE;
        break;
    case CONFIG_SIZE:
        if (!quantity_parse_size(value, &number))
            return FALSE;
        break;
    default:
        if (!g_ascii_string_to_unsigned(value, 10, key->least, key->most, &number, NULL))
            return FALSE;
        break;
    }
    *ret = number;
    return number >= key->least && number <= key->most;
}

static gboolean
value_is_good(const ConfigKey *key, const char *value)
{
    guint64 number;

    switch (key->kind) {
    case CONFIG_PATH:
        return g_path_is_absolute(value);
    case CONFIG_NUMBER:
    case CONFIG_TIME:
    case CONFIG_SIZE:
        return quantity_of(key, value, &number);
    case CONFIG_CHOICE:
        return choice_index(key, value) >= 0;
    case CONFIG_TEXT:
    default:
        return TRUE;
    }
}

static char *
key_wants_quantity(const ConfigKey *key)
{
    const gboolean time = key->kind == CONFIG_TIME;
    g_autofree char *least =
        time ? quantity_format_time(key->least) : quantity_format_size(key->least);
    g_autofree char *most =
        time ? quantity_format_time(key->most) : quantity_format_size(key->most);

    return g_strdup_printf("%s, from %s to %s",
                           time ? "a time such as 30s or 2h" : "a size such as 10M", least, most);
}

static char *
key_wants(const ConfigKey *key)
{
    switch (key->kind) {
    case CONFIG_PATH:
        return g_strdup("an absolute path");
    case CONFIG_NUMBER:
        return g_strdup_printf("a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                               key->least, key->most);
    case CONFIG_TIME:
    case CONFIG_SIZE:
        return key_wants_quantity(key);
    default:
        return g_strjoinv(" or ", (char **)key->choices);
    }
}

static char *
keys_of(const char *kind)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i].section, kind) == 0)
            g_string_append_printf(all, "%s%s", all->len > 0 ? ", " : "", keys[i].key);
    return g_string_free(g_steal_pointer(&all), FALSE);
}

static void
entry_check(ConfigFile *config, const char *kind, const ConfigEntry *entry)
{
    const ConfigKey *key = key_find(kind, entry->key);
    g_autofree char *wants = NULL;

    if (!key) {
        wants = keys_of(kind);
        config_file_problem(config, &entry->place,
                            "there is no setting %.64s in [%s]; there are %s", entry->key, kind,
                            wants);
    } else if (*entry->value && !value_is_good(key, entry->value)) {
        /* Do not print the value: it may be a secret that was put where a file's name belongs. */
        wants = key_wants(key);
        config_file_problem(config, &entry->place, "%s wants %s", entry->key, wants);
    }
}

void
config_keys_check(ConfigFile *config)
{
    for (guint i = 0; i < config_file_size(config); i++) {
        const ConfigSection *section = config_file_section(config, i);
        const char *kind = section_kind(section);

        if (!kind)
            config_file_problem(
                config, &section->place,
                "there is no section [%.64s]; there are [hub NAME], [target NAME], "
                "[rule N], [enroll NAME], [policy], [limits], [network] and [streams]",
                section->name);
        for (guint k = 0; kind && k < section->entries->len; k++)
            entry_check(config, kind, section->entries->pdata[k]);
    }
}

guint64
config_keys_quantity(const ConfigSection *section, const char *key)
{
    const char *kind = section_kind(section);
    const ConfigKey *row = kind ? key_find(kind, key) : NULL;
    const char *value = config_section_value(section, key);
    guint64 number;

    g_assert(row && row->kind != CONFIG_TEXT && row->kind != CONFIG_PATH);
    return value && quantity_of(row, value, &number) ? number : row->fallback;
}

guint
config_keys_number(const ConfigSection *section, const char *key)
{
    return (guint)config_keys_quantity(section, key);
}

guint
config_keys_choice(const ConfigSection *section, const char *key)
{
    const char *kind = section_kind(section);
    const ConfigKey *row = kind ? key_find(kind, key) : NULL;
    const char *value = config_section_value(section, key);
    int index;

    g_assert(row && row->kind == CONFIG_CHOICE);
    index = value ? choice_index(row, value) : 0;
    return index < 0 ? 0 : (guint)index;
}
