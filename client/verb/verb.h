/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs, and what they share. Each runs once per process. */
#pragma once

#include "client/bus/bus.h"
#include "client/cli/option.h"
#include "common/cli/cli.h"

ExitCode verb_version(Cli *cli, GError **error);
ExitCode verb_status(Cli *cli, GError **error);
ExitCode verb_metrics(Cli *cli, GError **error);
ExitCode verb_hub_add(Cli *cli, GError **error);
ExitCode verb_hub_list(Cli *cli, GError **error);
ExitCode verb_hub_show(Cli *cli, GError **error);
ExitCode verb_hub_connect(Cli *cli, GError **error);
ExitCode verb_hub_disconnect(Cli *cli, GError **error);
ExitCode verb_hub_remove(Cli *cli, GError **error);
ExitCode verb_hub_set(Cli *cli, GError **error);
ExitCode verb_target_add(Cli *cli, GError **error);
ExitCode verb_offer(Cli *cli, GError **error);
ExitCode verb_withdraw(Cli *cli, GError **error);
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
ExitCode verb_logs(Cli *cli, GError **error);
ExitCode verb_monitor(Cli *cli, GError **error);
ExitCode verb_top(Cli *cli, GError **error);

/* Whether --system is meant: given, or by root without a session. */
gboolean verb_is_for_system(const Cli *cli);

/* The bus that --user or --system names. Without either it is the user's; for root without a
 * session it is the system bus. */
Bus *verb_open_bus(const Cli *cli, GError **error);

/* The same, but it also shows what other users have. With --all this is required. Otherwise it is
 * done only when nobody has to be asked. */
Bus *verb_open_bus_to_look(const Cli *cli, GError **error);

/* The code of an error that bus.h set. */
ExitCode verb_code(GError *const *error);

/* Calls a method without arguments on the object of KEY. When there is none, the error is MISSING
 * (a format with one %s, translated). */
ExitCode verb_call_object(const Cli *cli, const char *prefix, const char *interface,
                          const char *key, const char *member, const char *missing, GError **error);

/* If the error says that there is no such object, replaces it by MISSING, as above. Returns the
 * code of the error. */
ExitCode verb_missing(const char *key, const char *missing, GError **error);

/* Prints the object of KEY. When there is none, the error is MISSING, as above. */
ExitCode verb_show_object(const Cli *cli, const char *prefix, const char *interface,
                          const char *key, const char *missing, GError **error);

/* The objects of an interface as a JSON array of their properties. */
GVariant *verb_objects_variant(GPtrArray *objects);

/* Manager.ListDevices, page after page (bus/device-pages.h), for TIME µs at most and up to MOST
 * devices. Returns an aa{sv}; the other result is whether there are more. HUB NULL: the only one.
 * ERROR NULL: failures are not reported, and what came before a failure is returned. */
GVariant *verb_list_devices(Bus *bus, const char *hub, guint most, gint64 time, gboolean *ret_more,
                            GError **error);

/* Add members to an a{sv} under construction, but only when a value is given. */
void verb_add_string(GVariantBuilder *builder, const char *key, const char *value);

/* --wait and --timeout as options of OpenStream and OpenTunnel. RET_LIMIT: the longest time for the
 * call, in µs. */
gboolean
verb_add_times(const Cli *cli, GVariantBuilder *builder, gint64 *ret_limit, GError **error);

/* --no-resume, as an option of the same. */
void verb_add_resume(const Cli *cli, GVariantBuilder *builder);
