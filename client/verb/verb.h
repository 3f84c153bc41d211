/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs, and what they share. Each runs once per process. */
#pragma once

#include "client/bus/bus.h"
#include "client/cli/option.h"
#include "common/cli/cli.h"

ExitCode verb_status(Cli *cli, GError **error);
ExitCode verb_hub_add(Cli *cli, GError **error);
ExitCode verb_hub_list(Cli *cli, GError **error);
ExitCode verb_hub_show(Cli *cli, GError **error);
ExitCode verb_hub_connect(Cli *cli, GError **error);
ExitCode verb_hub_disconnect(Cli *cli, GError **error);
ExitCode verb_hub_remove(Cli *cli, GError **error);
ExitCode verb_target_add(Cli *cli, GError **error);
ExitCode verb_offer(Cli *cli, GError **error);
ExitCode verb_target_list(Cli *cli, GError **error);
ExitCode verb_target_show(Cli *cli, GError **error);
ExitCode verb_target_remove(Cli *cli, GError **error);
ExitCode verb_policy_list(Cli *cli, GError **error);
ExitCode verb_policy_add(Cli *cli, GError **error);
ExitCode verb_policy_insert(Cli *cli, GError **error);
ExitCode verb_policy_move(Cli *cli, GError **error);
ExitCode verb_policy_remove(Cli *cli, GError **error);
ExitCode verb_policy_set_default(Cli *cli, GError **error);
ExitCode verb_policy_test(Cli *cli, GError **error);
ExitCode verb_tunnel_open(Cli *cli, GError **error);
ExitCode verb_tunnel_list(Cli *cli, GError **error);
ExitCode verb_tunnel_show(Cli *cli, GError **error);
ExitCode verb_tunnel_close(Cli *cli, GError **error);
ExitCode verb_connect(Cli *cli, GError **error);
ExitCode verb_ssh(Cli *cli, GError **error);
ExitCode verb_stream_list(Cli *cli, GError **error);
ExitCode verb_stream_show(Cli *cli, GError **error);
ExitCode verb_stream_close(Cli *cli, GError **error);
ExitCode verb_request_list(Cli *cli, GError **error);
ExitCode verb_request_accept(Cli *cli, GError **error);
ExitCode verb_request_reject(Cli *cli, GError **error);
ExitCode verb_agent(Cli *cli, GError **error);
ExitCode verb_doctor(Cli *cli, GError **error);
ExitCode verb_device_list(Cli *cli, GError **error);
ExitCode verb_reload(Cli *cli, GError **error);
ExitCode verb_log_level(Cli *cli, GError **error);
ExitCode verb_monitor(Cli *cli, GError **error);
ExitCode verb_top(Cli *cli, GError **error);

/* The bus that --user or --system names. Without either the user's, but the system's for root where
 * there is no session. */
Bus *verb_open_bus(const Cli *cli, GError **error);

/* The same, and what other users have is seen there as well: with --all or not at all, else when
 * nobody has to be asked for it. */
Bus *verb_open_bus_to_look(const Cli *cli, GError **error);

/* The code of an error that bus.h set. */
ExitCode verb_code(GError *const *error);

/* Calls a method without arguments on the object of a key; when there is none, MISSING (a format
 * with one %s, translated) says so. */
ExitCode verb_call_object(const Cli *cli, const char *prefix, const char *interface,
                          const char *key, const char *member, const char *missing, GError **error);

/* When the error that is set says that there is no such object: another one instead, by MISSING as
 * above. The code of the error. */
ExitCode verb_missing(const char *key, const char *missing, GError **error);

/* Prints the object of KEY; when there is none, MISSING as above. */
ExitCode verb_show_object(const Cli *cli, const char *prefix, const char *interface,
                          const char *key, const char *missing, GError **error);

/* The objects of an interface as a JSON array of their properties. */
GVariant *verb_objects_variant(GPtrArray *objects);

/* Manager.ListDevices, page after page (bus/device-pages.h), for TIME at most in µs and up to
 * MOST: an aa{sv}, and whether there are more. HUB NULL: the only one. ERROR NULL: nobody wants to
 * know, and what came before a failure is good enough. */
GVariant *verb_list_devices(Bus *bus, const char *hub, guint most, gint64 time, gboolean *ret_more,
                            GError **error);

/* Members of an a{sv} under construction, for what is given only. */
void verb_add_string(GVariantBuilder *builder, const char *key, const char *value);

/* --wait and --timeout as options of OpenStream and OpenTunnel. RET_LIMIT: how long the call may
 * take, in µs. */
gboolean
verb_add_times(const Cli *cli, GVariantBuilder *builder, gint64 *ret_limit, GError **error);
