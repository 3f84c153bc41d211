/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes to the journal what happens in an App: functions for members of Observer, called together
 * with them (APP_TELL_LOGGED), and a few more. What somebody changes is in app-record.h. Main
 * thread. */
#pragma once

#include "daemon/app.h"
#include "daemon/record/changes.h"
#include "daemon/record/outage.h"

void app_journal_hub_changed(Hub *hub, Outage *outage);
void app_journal_hub_key(Hub *hub, const char *detail);
void app_journal_hub_taken_over(Hub *hub);
void app_journal_stream_added(Stream *stream);
void app_journal_stream_changed(Stream *stream);
/* It waits for another leg; it goes on after PAUSE µs. */
void app_journal_stream_suspended(Stream *stream);
void app_journal_stream_resumed(Stream *stream, gint64 pause);
void app_journal_tunnel_added(Tunnel *tunnel);
void app_journal_tunnel_changed(Tunnel *tunnel);
void app_journal_tunnel_removed(Tunnel *tunnel);

void app_journal_request_added(Consent *request);
void app_journal_request_removed(Consent *request, Changes *changes);

/* What the accept policy decided about STREAM, which has its target by then. */
void app_journal_decided(Stream *stream, const AcceptVerdict *verdict);
