/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs, and what they share. Each runs once per process, in one thread. */
#pragma once

#include "common/cli/cli.h"
#include "hub/certificate/pair.h"
#include "hub/cli/client.h"
#include "hub/cli/option.h"

#include <json-glib/json-glib.h>

ExitCode verb_init(Cli *cli, GError **error);
ExitCode verb_serve(Cli *cli, GError **error);
ExitCode verb_reload(Cli *cli, GError **error);
ExitCode verb_certificate_show(Cli *cli, GError **error);
ExitCode verb_certificate_install(Cli *cli, GError **error);
ExitCode verb_doctor(Cli *cli, GError **error);
ExitCode verb_certificate_renew(Cli *cli, GError **error);
ExitCode verb_ca_show(Cli *cli, GError **error);
ExitCode verb_ca_rotate(Cli *cli, GError **error);
ExitCode verb_ca_announce(Cli *cli, GError **error);
ExitCode verb_ca_protect(Cli *cli, GError **error);
ExitCode verb_settings(Cli *cli, GError **error);
ExitCode verb_backup(Cli *cli, GError **error);
ExitCode verb_restore(Cli *cli, GError **error);
ExitCode verb_status(Cli *cli, GError **error);
ExitCode verb_metrics(Cli *cli, GError **error);
ExitCode verb_drain(Cli *cli, GError **error);
ExitCode verb_stream_list(Cli *cli, GError **error);
ExitCode verb_stream_show(Cli *cli, GError **error);
ExitCode verb_stream_close(Cli *cli, GError **error);
ExitCode verb_log_level(Cli *cli, GError **error);
ExitCode verb_log(Cli *cli, GError **error);
ExitCode verb_log_verify(Cli *cli, GError **error);
ExitCode verb_endpoints(Cli *cli, GError **error);
ExitCode verb_device_add(Cli *cli, GError **error);
ExitCode verb_device_list(Cli *cli, GError **error);
ExitCode verb_device_show(Cli *cli, GError **error);
ExitCode verb_device_set(Cli *cli, GError **error);
ExitCode verb_device_remove(Cli *cli, GError **error);
ExitCode verb_device_enable(Cli *cli, GError **error);
ExitCode verb_device_disable(Cli *cli, GError **error);
ExitCode verb_device_import(Cli *cli, GError **error);
ExitCode verb_device_export(Cli *cli, GError **error);
ExitCode verb_device_regenerate(Cli *cli, GError **error);
ExitCode verb_device_rekey(Cli *cli, GError **error);
ExitCode verb_user_regenerate(Cli *cli, GError **error);
ExitCode verb_device_approve(Cli *cli, GError **error);
ExitCode verb_user_add(Cli *cli, GError **error);
ExitCode verb_user_list(Cli *cli, GError **error);
ExitCode verb_user_show(Cli *cli, GError **error);
ExitCode verb_user_set(Cli *cli, GError **error);
ExitCode verb_user_remove(Cli *cli, GError **error);
ExitCode verb_invite_device(Cli *cli, GError **error);
ExitCode verb_invite_user(Cli *cli, GError **error);
ExitCode verb_invite_group(Cli *cli, GError **error);
ExitCode verb_invite_list(Cli *cli, GError **error);
ExitCode verb_invite_revoke(Cli *cli, GError **error);
ExitCode verb_connection_string_device(Cli *cli, GError **error);
ExitCode verb_connection_string_user(Cli *cli, GError **error);

/* What a verb returns: EXIT_CODE_OK when it is DONE; otherwise the code for ERROR, where no answer
 * from the hub becomes EXIT_CODE_NOT_RUNNING. */
ExitCode verb_end(gboolean done, GError **error);

/* The state folder that the options name, or that of the installed hub. NULL: only --admin-socket
 * was given. Borrowed. */
const char *verb_state_dir(const Cli *cli);

/* The same, for a verb that needs the folder; NULL with ERROR set. */
const char *verb_need_state_dir(const Cli *cli, GError **error);

/* The settings of the hub: those that the options name, or of the installed one; NULL: the defaults.
 * Borrowed. */
const char *verb_config(const Cli *cli);

/* A client for the hub that the options name, or this machine's. Sends nothing yet; never NULL. */
AdminClient *verb_connect(const Cli *cli);

/* One request without a body. Returns the root of the answer, or NULL with ERROR set. */
JsonNode *verb_ask(const Cli *cli, const char *method, const char *path, GError **error);

/* Whether NAME is valid for a device, a module or a user; otherwise ERROR is set. */
gboolean verb_check_name(const char *name, GError **error);

/* The NAMES of --host-name (NULL: none were given): the first is also the host in the urls of
 * streams, where no IPv6 address can be (docs/wire-protocol.md, section 1.5 f). Otherwise ERROR is
 * set. */
gboolean verb_check_hosts(const char *const *names, GError **error);

/* Of the program: ID/MODULE as the first word of a verb that knows --module becomes ID and
 * --module MODULE. */
gboolean verb_check(Cli *cli, GError **error);

/* "ID" or "ID/MODULE", or ID with --module; the parts are for g_free. FALSE with ERROR set: a name
 * is not valid. */
gboolean verb_take_device(const Cli *cli, const char *word, char **ret_id, char **ret_module,
                          GError **error);

/* Writes a secret to the FILE of --output. "-": to standard output. Any other file must be new:
 * STREAMD_ERROR_EXISTS says what to do. */
gboolean verb_write_secret(const char *file, const char *text, GError **error);

/* With --json: prints an object of KEY, its VALUE, and so on, up to a NULL key; pairs with a NULL
 * value are left out. Returns whether --json was given. */
gboolean verb_print_texts(const Cli *cli, const char *key, ...) G_GNUC_NULL_TERMINATED;

/* Prints a warning from the hub on standard error; "": there is none. */
void verb_warn(const char *text);

/* Gives PAIR to the hub, running or not, as 'certificate install' does; unless QUIET, prints what
 * it says. FALSE: the old one stays, and ERROR has the reason. */
gboolean
verb_give_certificate(const Cli *cli, const CertificatePair *pair, gboolean quiet, GError **error);

/* Requests of several verbs. They print nothing on standard output, and return the hub's answer. */
JsonNode *verb_device_create(const Cli *cli, AdminClient *client, GError **error);
/* With the scope of the options. */
JsonNode *verb_user_create(const Cli *cli, AdminClient *client, const char *rights, GError **error);
char *verb_user_rights(JsonNode *user); /* "service-connect, registry-read"; caller frees */
/* FUNC is told each column of `device list` and its title. */
void verb_device_columns(void (*func)(const char *name, const char *title, void *data), void *data);
char *verb_device_tags(JsonNode *device); /* "floor=1, site=berlin"; caller frees */

/* Where the hub's records are (log.c); caller frees. NULL with ERROR set. */
char *verb_records_folder(const Cli *cli, GError **error);
/* After a failure to read them: ERROR says what helps. */
ExitCode verb_records_end(const char *folder, GError **error);

/* Writes FIRST and the hub's authority to the file of --output, and says so. KEY: what --json says
 * about the key. */
gboolean verb_invitation_write(const Cli *cli, const char *first, const char *key, GError **error);

/* invite --with-key, --existing (connection-string.c). */
gboolean verb_invite_device_key(const Cli *cli, GError **error);
gboolean verb_invite_user_key(const Cli *cli, const char *rights, GError **error);

/* Adds KEY=VALUE of --tag as a member; FALSE with ERROR set. */
gboolean verb_tag_add(JsonBuilder *body, const char *tag, GError **error);
