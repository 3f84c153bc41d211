/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names in paths and topics: devices, modules, policies, streams.
 *
 * Each is one segment of a URL path, one level of an MQTT topic and part of a log line, and peers
 * send it unencoded. So a name has only characters with no special meaning in any of these. `.` and
 * `..` are always refused: HTTP clients remove them from a path. Pure; any thread. */
#pragma once

#include <glib.h>

#define DEVICE_ID_MAX 128
#define STREAM_NAME_MAX 128

/* A device, module or policy: [A-Za-z0-9._:-]{1,128}. IoT Hub also allows `+ % # * ? ! ( ) , = @ $
 * '`, most of which change the meaning of a topic or path. `len` -1: up to the NUL. */
gboolean device_id_is_valid(const char *id, gssize len);

/* A stream: [A-Za-z0-9._~:-]{1,128}, RFC 3986 "unreserved" and `:`. Node and C# put the name
 * unencoded into the path, the hub puts it unencoded into the topic (docs/wire-protocol.md,
 * sections 1.5 a and 3), and nobody on the way decodes it. So a name has only characters that never
 * need an escape. The wire, D-Bus and the command line then show the same text. */
gboolean stream_name_is_valid(const char *name, gssize len);
