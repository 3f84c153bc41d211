/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command line of streamhub: the table of verbs, its options. One thread. */
#pragma once

#include "hub/admin/client.h"

#include <glib.h>

#define CLI_GRACE_DEFAULT 0 /* s */

/* What the options said. NULL, FALSE or 0 where they were not given. */
typedef struct {
    char *state_dir;
    char *admin_socket;
    gboolean json;
    char *module;
    char *rights;
    char *output;
    gboolean secondary;
    gboolean existing;
    char **host_names;
    char **sans;
    char **listen;
    char **mqtt_listen;
    char *streaming_host;
    char *config;
    int threads;
    int grace;   /* s */
    int timeout; /* s; -1: not given */
    gboolean cancel;
} CliOptions;

typedef struct {
    const CliOptions *options;
    char *const *args; /* behind the verb; n_args of them, NULL-terminated */
    int n_args;
} CliCall;

/* Which options a verb takes, besides --state-dir and --admin-socket. */
typedef enum {
    CLI_JSON = 1 << 0,
    CLI_MODULE = 1 << 1,
    CLI_RIGHTS = 1 << 2,
    CLI_OUTPUT = 1 << 3,
    CLI_INIT = 1 << 4,  /* --host-name, --san */
    CLI_SERVE = 1 << 5, /* --host-name and all that serve has */
    CLI_KEYS = 1 << 6,  /* --secondary */
    CLI_DRAIN = 1 << 7, /* --timeout, --cancel */
    CLI_EXISTING = 1 << 8,
    CLI_NAMES = 1 << 9, /* --host-name */
} CliOptionSet;

typedef struct {
    const char *verb; /* one or two words */
    int min, max;     /* arguments */
    CliOptionSet options;
    gboolean (*func)(const CliCall *call, GError **error);
    const char *args; /* for the help */
    const char *help;
} CliVerb;

/* Ends with a NULL verb. */
const CliVerb *cli_verbs(void);

/* Runs what ARGV says; the exit code (base/exit-code.h). */
int cli_run(int argc, char **argv);

/* For verbs: a client of the hub that the options name, or of the machine's. */
AdminClient *cli_connect(const CliCall *call, GError **error);

/* For verbs: writes TEXT to standard output, or says why that cannot be. A reader that has gone
 * ends the program, as SIGPIPE does. */
gboolean cli_write(const char *text, GError **error);

/* For verbs: prints a JSON answer, with a line end. */
void cli_print_json(JsonNode *node);

/* For verbs: puts a secret where --output FILE says. "-": on standard output; else a new file, and
 * STREAMD_ERROR_EXISTS with what to do when there is one. */
gboolean cli_write_secret(const char *file, const char *text, GError **error);

/* What several verbs ask for, without a word on standard output. The answers of the hub. */
JsonNode *verb_device_create(const CliCall *call, AdminClient *client, GError **error);
JsonNode *
verb_policy_create(AdminClient *client, const char *name, const char *rights, GError **error);
char *verb_policy_rights(JsonNode *policy); /* "service-connect, registry-read"; caller frees */

/* The verbs: verb-*.c. */
gboolean verb_init(const CliCall *call, GError **error);
gboolean verb_serve(const CliCall *call, GError **error);
gboolean verb_reload(const CliCall *call, GError **error);
gboolean verb_certificate_show(const CliCall *call, GError **error);
gboolean verb_certificate_install(const CliCall *call, GError **error);
gboolean verb_settings(const CliCall *call, GError **error);
gboolean verb_backup(const CliCall *call, GError **error);
gboolean verb_restore(const CliCall *call, GError **error);
gboolean verb_status(const CliCall *call, GError **error);
gboolean verb_drain(const CliCall *call, GError **error);
gboolean verb_log_level(const CliCall *call, GError **error);
gboolean verb_endpoints(const CliCall *call, GError **error);
gboolean verb_device_add(const CliCall *call, GError **error);
gboolean verb_device_list(const CliCall *call, GError **error);
gboolean verb_device_show(const CliCall *call, GError **error);
gboolean verb_device_remove(const CliCall *call, GError **error);
gboolean verb_device_enable(const CliCall *call, GError **error);
gboolean verb_device_disable(const CliCall *call, GError **error);
gboolean verb_policy_add(const CliCall *call, GError **error);
gboolean verb_policy_list(const CliCall *call, GError **error);
gboolean verb_policy_remove(const CliCall *call, GError **error);
gboolean verb_invite_device(const CliCall *call, GError **error);
gboolean verb_invite_user(const CliCall *call, GError **error);
gboolean verb_connection_string_device(const CliCall *call, GError **error);
gboolean verb_connection_string_policy(const CliCall *call, GError **error);
