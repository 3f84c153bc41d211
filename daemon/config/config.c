/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/config.h"

#include "common/base/file.h"
#include "common/base/secret-file.h"
#include "common/base/secret.h"
#include "common/codec/connection-string.h"
#include "daemon/config/enroll.h"
#include "daemon/config/keys.h"
#include "daemon/net/stream-hosts.h"
#include "daemon/local/target.h"
#include "daemon/policy/user-list.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static void
problem_here(ConfigFile *config, const ConfigPlace *place, const ConfigSection *section,
             const char *text)
{
    config_file_problem(config, place, "[%s]: %s", section->name, text);
}

/* "FILE:LINE", which the objects keep as their source. */
static char *
section_source(const ConfigSection *section)
{
    return g_strdup_printf("%s:%u", section->place.file, section->place.line);
}

static char *
hub_secret(ConfigFile *config, const ConfigSection *section)
{
    const ConfigEntry *file = config_section_find(section, "ConnectionStringFile");
    const ConfigEntry *credential = config_section_find(section, "ConnectionStringCredential");
    const ConfigPlace *place = file ? &file->place : &section->place;
    g_autoptr(GError) error = NULL;
    char *secret;

    if (!file == !credential) {
        problem_here(config, place, section,
                     file ? "ConnectionStringFile and ConnectionStringCredential exclude each other"
                          : "ConnectionStringFile or ConnectionStringCredential is missing");
        return NULL;
    }
    secret =
        file ? secret_file_read(file->value, HUB_CONNECTION_STRING_MAX, &error)
             : secret_file_read_credential(credential->value, HUB_CONNECTION_STRING_MAX, &error);
    if (!secret)
        problem_here(config, file ? &file->place : &credential->place, section, error->message);
    return secret;
}

/* The credentials of a proxy, or NULL. */
static char *
proxy_secret(ConfigFile *config, const ConfigSection *section)
{
    const ConfigEntry *file = config_section_find(section, "ProxyCredentialsFile");
    const ConfigEntry *credential = config_section_find(section, "ProxyCredentialsCredential");
    const ConfigEntry *entry = file ? file : credential;
    g_autoptr(GError) error = NULL;
    char *secret = NULL;

    if (file && credential) {
        problem_here(config, &file->place, section,
                     "ProxyCredentialsFile and ProxyCredentialsCredential exclude each other");
        return NULL;
    }
    if (file)
        secret = secret_file_read(file->value, PROXY_CREDENTIALS_MAX, &error);
    else if (credential)
        secret = secret_file_read_credential(credential->value, PROXY_CREDENTIALS_MAX, &error);
    if (entry && !secret)
        problem_here(config, &entry->place, section, error->message);
    return secret;
}

/* CREDENTIALS comes from proxy_secret, and outlives the result. */
static ProxySettings
config_read_proxy(ConfigFile *config, const ConfigSection *section, const char *credentials)
{
    const ConfigEntry *entry = config_section_find(section, "Proxy");
    const ProxySettings proxy = {
        .url = config_section_value(section, "Proxy"),
        .credentials = credentials,
        .exceptions = config_section_value(section, "NoProxy"),
    };
    g_autoptr(GError) error = NULL;

    if (!proxy_check(&proxy, &error))
        problem_here(config, entry ? &entry->place : &section->place, section, error->message);
    return proxy;
}

static void
check_identity(ConfigFile *config, const ConfigSection *section, const char *secret)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConnectionString) parts = connection_string_parse(secret, -1, &error);

    if (!parts)
        problem_here(config, &section->place, section, error->message);
}

/* The paths; the files are looked at when the hub is made. */
static void
check_own(ConfigFile *config, const ConfigSection *section, const OwnFiles *own)
{
    const ConfigEntry *entry = config_section_find(section, "CertificateFile");
    g_autoptr(GError) error = NULL;

    if (!own_files_check(own, &error))
        problem_here(config, entry ? &entry->place : &section->place, section, error->message);
}

/* A digest of the CA file: when its contents are replaced, the hub counts as changed, although the
 * path is the same. */
static char *
ca_digest(ConfigFile *config, const ConfigSection *section)
{
    const ConfigEntry *entry = config_section_find(section, "CaFile");
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize len = 0;

    if (!entry || !g_path_is_absolute(entry->value))
        return NULL;
    text = file_read(entry->value, FILE_PEM_MAX, &len, &error);
    if (!text) {
        config_file_problem(config, &entry->place, "CaFile: %s", error->message);
        return NULL;
    }
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, len);
}

/* Resume= and ResumeTime=, in seconds; a part of one counts as one. A hub that says yes has its own
 * time, whatever holds for all. */
static HubResume
section_resume(const ConfigSection *section)
{
    const gboolean chosen = config_section_find(section, "Resume") != NULL;
    const guint64 time = config_keys_quantity(section, "ResumeTime");
    HubResume resume = {.no_resume = config_keys_choice(section, "Resume") == 1};

    if (config_section_find(section, "ResumeTime"))
        resume.resume_time = (guint)((time + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
    else if (chosen && !resume.no_resume)
        resume.resume_time = HUB_RESUME_TIME;
    resume.no_resume |= config_section_find(section, "ResumeTime") && time == 0;
    return resume;
}

/* As AcceptRule.resume_time. */
static gint64
section_rule_resume(const ConfigSection *section)
{
    if (!config_section_find(section, "ResumeTime"))
        return 0;
    return config_keys_quantity(section, "ResumeTime") == 0
               ? ACCEPT_NO_RESUME
               : (gint64)config_keys_quantity(section, "ResumeTime");
}

static void
config_read_hub(ConfigFile *config, const ConfigSection *section, const char *name,
                StoreState *state)
{
    g_auto(SecretText) secret = hub_secret(config, section);
    g_auto(SecretText) proxy = proxy_secret(config, section);
    g_autofree char *digest = ca_digest(config, section);
    g_autofree char *source = section_source(section);
    g_autoptr(GError) error = NULL, bad_hosts = NULL;
    const HubResume resume = section_resume(section);
    const HubSettings hub = {
        .name = name,
        .connection_string = secret,
        .ca_file = config_section_value(section, "CaFile"),
        .ca_digest = digest,
        .own = {config_section_value(section, "CertificateFile"),
                config_section_value(section, "KeyFile"),
                config_section_value(section, "KeyPinFile")},
        .transport = (HubTransport)config_keys_choice(section, "Transport"),
        .mqtts_port = (guint16)config_keys_number(section, "MqttPort"),
        .token_life = (guint)config_keys_number(section, "TokenLife"),
        .keep_alive = (guint)config_keys_number(section, "KeepAlive"),
        .leg_ping = (guint)config_keys_number(section, "LegPing"),
        .leg_dead = (guint)config_keys_number(section, "LegDead"),
        .end_wait = (guint)config_keys_number(section, "EndWait"),
        .no_resume = resume.no_resume,
        .resume_time = resume.resume_time,
        .allowed_users = config_section_value(section, "AllowedUsers"),
        .stream_hosts = config_section_value(section, "StreamHosts"),
        .proxy = config_read_proxy(config, section, proxy),
        .source = source,
    };

    check_own(config, section, &hub.own);
    if (!hub_name_is_valid(name))
        problem_here(config, &section->place, section,
                     "a hub's name is 1 to 64 of the characters A-Z a-z 0-9 . _ -");
    if (hub.allowed_users && !user_list_check(hub.allowed_users, &error))
        problem_here(config, &config_section_find(section, "AllowedUsers")->place, section,
                     error->message);
    if (!stream_hosts_check(hub.stream_hosts, &bad_hosts))
        problem_here(config, &config_section_find(section, "StreamHosts")->place, section,
                     bad_hosts->message);
    if (secret) {
        check_identity(config, section, secret);
        store_state_add_hub(state, &hub);
    }
}

static Limits
section_limits(const ConfigSection *section)
{
    Limits limits;

    for (guint i = 0; i < LIMIT_LAST; i++)
        limits.of[i] = config_keys_quantity(section, limit_row((Limit)i)->setting);
    return limits;
}

static void
config_read_target(ConfigFile *config, const ConfigSection *section, const char *name,
                   StoreState *state)
{
    const ConfigEntry *address = config_section_find(section, "Address");
    g_autofree char *source = section_source(section);
    g_autoptr(GError) bad_name = NULL, bad_address = NULL;

    if (!target_check_name(name, &bad_name))
        problem_here(config, &section->place, section, bad_name->message);
    if (!address)
        problem_here(config, &section->place, section, "Address is missing");
    else if (!target_check_address(address->value, &bad_address))
        problem_here(config, &address->place, section, bad_address->message);
    else if (!bad_name)
        store_state_add_target(state, &(TargetSettings){.name = name,
                                                        .address = address->value,
                                                        .source = source,
                                                        .limits = section_limits(section)});
}

/* The user that owns the handler, by name, looked up in NSS now. */
static void
read_handler(ConfigFile *config, const ConfigSection *section, AcceptRule *rule)
{
    const ConfigEntry *user = config_section_find(section, "HandlerUser");
    g_autofree char *text = NULL;

    rule->handler = config_section_value(section, "Handler");
    if (!rule->handler != !user) {
        problem_here(config, &section->place, section, "Handler and HandlerUser go together");
    } else if (user && !user_find(user->value, &rule->handler_uid)) {
        text = g_strdup_printf("there is no user \"%.64s\"", user->value);
        problem_here(config, &user->place, section, text);
    }
}

static AcceptKind
rule_kind(const ConfigSection *section, const AcceptRule *rule)
{
    const char *verdict = config_verdicts[config_keys_choice(section, "Verdict")];

    if (strcmp(verdict, "ask") == 0)
        return ACCEPT_ASK;
    if (strcmp(verdict, "accept") == 0)
        return rule->handler ? ACCEPT_HANDLER : ACCEPT_TARGET;
    return ACCEPT_REJECT;
}

static AcceptRule
section_rule(ConfigFile *config, const ConfigSection *section, const char *source)
{
    AcceptRule rule = {
        .hub = config_section_value(section, "Hub"),
        .stream = config_section_value(section, "Stream"),
        .initiator = config_section_value(section, "Initiator"),
        .address = config_section_value(section, "Address"),
        .weekdays = config_section_value(section, "Weekdays"),
        .time = config_section_value(section, "Time"),
        .target = config_section_value(section, "Target"),
        .ask_timeout = (gint64)config_keys_quantity(section, "AskTimeout"),
        .reject_text = config_section_value(section, "Reason"),
        .limits = section_limits(section),
        .resume_time = section_rule_resume(section),
        .source = source,
    };

    read_handler(config, section, &rule);
    rule.kind = rule_kind(section, &rule);
    return rule;
}

static void
config_read_rule(ConfigFile *config, const ConfigSection *section, const char *name,
                 StoreState *state)
{
    g_autofree char *source = section_source(section);
    AcceptRule rule = section_rule(config, section, source);
    g_autoptr(GError) error = NULL;
    guint64 id = 0;

    if (!g_ascii_string_to_unsigned(name, 10, 1, ACCEPT_FIRST_RUNTIME_ID - 1, &id, NULL) ||
        name[0] == '0')
        problem_here(config, &section->place, section,
                     "a rule's section is [rule N], N from 1 to 999");
    else if (!config_section_find(section, "Verdict"))
        problem_here(config, &section->place, section, "Verdict is missing");
    else if (!accept_rule_check(&rule, NULL, &error))
        problem_here(config, &section->place, section, error->message);
    rule.id = (guint32)id;
    store_state_add_rule(state, &rule);
}

static void
config_read_policy(ConfigFile *config, const ConfigSection *section, StoreState *state)
{
    const gboolean accept = config_keys_choice(section, "Default") == 1;
    const char *reason = config_section_value(section, "Reason");
    g_autoptr(GError) error = NULL;

    if (accept && reason)
        problem_here(config, &section->place, section, "Reason goes with the default reject");
    else if (!accept_reject_text_check(reason, &error))
        problem_here(config, &section->place, section, error->message);
    store_state_set_default(state, accept, reason);
}

static void
config_read_limits(const ConfigSection *section, StoreState *state)
{
    store_state_set_limits(state,
                           &(StoreLimits){
                               .listeners_per_uid = config_keys_number(section, "ListenersPerUser"),
                               .streams_per_uid = config_keys_number(section, "StreamsPerUser"),
                           });
}

static void
config_read_streams(const ConfigSection *section, StoreState *state)
{
    store_state_set_resume(state, &(StoreResume){
                                      .all = section_resume(section),
                                      .windows = config_keys_quantity(section, "ResumeWindows"),
                                      .rings = config_keys_quantity(section, "ResumeKept"),
                                  });
}

static void
config_read_network(ConfigFile *config, const ConfigSection *section, StoreState *state)
{
    g_auto(SecretText) credentials = proxy_secret(config, section);
    const ProxySettings proxy = config_read_proxy(config, section, credentials);

    store_state_set_proxy(state, &proxy);
}

static void
config_read_section(ConfigFile *config, const ConfigSection *section, StoreState *state)
{
    const char *name;

    if ((name = config_section_name(section, "hub")) != NULL)
        config_read_hub(config, section, name, state);
    else if ((name = config_section_name(section, "target")) != NULL)
        config_read_target(config, section, name, state);
    else if ((name = config_section_name(section, "rule")) != NULL)
        config_read_rule(config, section, name, state);
    else if ((name = config_section_name(section, "enroll")) != NULL)
        config_read_enroll(config, section, name, state);
    else if (strcmp(section->name, "policy") == 0)
        config_read_policy(config, section, state);
    else if (strcmp(section->name, "limits") == 0)
        config_read_limits(section, state);
    else if (strcmp(section->name, "streams") == 0)
        config_read_streams(section, state);
    else if (strcmp(section->name, "network") == 0)
        config_read_network(config, section, state);
}

static int
is_drop_in(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && g_str_has_suffix(entry->d_name, ".conf");
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A directory that does not exist counts as empty. One that cannot be read is a problem: it may
 * have any content. */
static void
config_load_drop_ins(ConfigFile *config, const char *path)
{
    g_autofree char *dir = g_strconcat(path, ".d", NULL);
    const ConfigPlace place = {.file = dir};
    struct dirent **names = NULL;
    int count = scandir(dir, &names, is_drop_in, compare_names);

    if (count < 0 && errno != ENOENT)
        config_file_problem(config, &place, "%s", g_strerror(errno));
    if (count > CONFIG_DROP_INS_MAX)
        config_file_problem(config, &place, "there are more than %d files", CONFIG_DROP_INS_MAX);
    for (int i = 0; i < count; i++) {
        g_autofree char *file = g_build_filename(dir, names[i]->d_name, NULL);

        if (i < CONFIG_DROP_INS_MAX)
            (void)config_file_load(config, file, TRUE);
        free(names[i]);
    }
    free(names);
}

StoreState *
config_load(const char *path, gboolean required, GError **error)
{
    g_autoptr(StoreState) state = store_state_new();
    g_autoptr(ConfigFile) config = config_file_new();

    (void)config_file_load(config, path, required);
    config_load_drop_ins(config, path);
    config_keys_check(config);
    for (guint i = 0; i < config_file_size(config); i++)
        config_read_section(config, config_file_section(config, i), state);
    store_state_sort_rules(state);
    config_find_enroll(path, state);
    return config_file_check(config, error) ? g_steal_pointer(&state) : NULL;
}
