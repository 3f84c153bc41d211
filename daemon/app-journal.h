/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the events of an App to the journal: one function for each member of Observer, called
 * together with it (APP_TELL), and a few more. Main thread. */
#pragma once

#include "daemon/app.h"

void app_journal_hub_added(Hub *hub);
void app_journal_hub_changed(Hub *hub);
void app_journal_hub_key(Hub *hub, const char *detail);
void app_journal_hub_taken_over(Hub *hub);
void app_journal_hub_removed(Hub *hub);
void app_journal_target_added(Target *target);
void app_journal_target_removed(Target *target);
void app_journal_policy_changed(AcceptPolicy *policy);
void app_journal_stream_added(Stream *stream);
void app_journal_stream_changed(Stream *stream);
void app_journal_stream_removed(Stream *stream);
void app_journal_tunnel_added(Tunnel *tunnel);
void app_journal_tunnel_changed(Tunnel *tunnel);
void app_journal_tunnel_removed(Tunnel *tunnel);

void app_journal_request_added(Consent *request);
void app_journal_request_removed(Consent *request);

/* What the accept policy decided about STREAM, which has its target by then. */
void app_journal_decided(Stream *stream, const AcceptVerdict *verdict);
