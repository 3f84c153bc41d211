/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names that go into paths and topics: devices, modules, policies, streams.
 *
 * Each is one segment of a URL path, one level of an MQTT topic and part of a log line, and peers
 * send it raw, so the sets hold nothing that any of these gives a meaning to. `.` and `..` are
 * refused everywhere: HTTP clients fold them out of a path. Pure; any thread. */
#pragma once

#include <glib.h>

#define DEVICE_ID_MAX 128
#define STREAM_NAME_MAX 128

/* A device, module or policy: [A-Za-z0-9._:-]{1,128}. Fewer characters than IoT Hub allows: it
 * also has `+ % # * ? ! ( ) , = @ $ '`, most of which change the meaning of a topic or path.
 * `len` -1: up to the NUL. */
gboolean device_id_is_valid(const char *id, gssize len);

/* A stream: [A-Za-z0-9._~:-]{1,128}, RFC 3986 "unreserved" and `:`. Node and C# put the name into
 * the path as it is, the hub puts it into the topic as it is (docs/wire-protocol.md, sections 1.5 a
 * and 3) and nobody on the way decodes it, so only characters that never need an escape are names:
 * the wire, D-Bus and the command line then show the same text. */
gboolean stream_name_is_valid(const char *name, gssize len);
