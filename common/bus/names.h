/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names on the bus: what dbus/ calls things, in one place. */
#pragma once

#define BUS_NAME "io.streamd.Streamd1"
#define BUS_ROOT "/io/streamd/Streamd1"
#define BUS_PATH_HUB BUS_ROOT "/hub"
#define BUS_PATH_TARGET BUS_ROOT "/target"
#define BUS_PATH_STREAM BUS_ROOT "/stream"
#define BUS_PATH_REQUEST BUS_ROOT "/request"
#define BUS_PATH_TUNNEL BUS_ROOT "/tunnel"

#define BUS_MANAGER "io.streamd.Streamd1.Manager"
#define BUS_HUB "io.streamd.Streamd1.Hub"
#define BUS_TARGET "io.streamd.Streamd1.Target"
#define BUS_POLICY "io.streamd.Streamd1.Policy"
#define BUS_REQUEST "io.streamd.Streamd1.Request"
#define BUS_STREAM "io.streamd.Streamd1.Stream"
#define BUS_TUNNEL "io.streamd.Streamd1.Tunnel"

/* What apps export. */
#define BUS_AGENT "io.streamd.Streamd1.Agent"
#define BUS_HANDLER "io.streamd.Streamd1.Handler"

#define BUS_LOG "org.freedesktop.LogControl1"
#define BUS_PATH_LOG "/org/freedesktop/LogControl1"

#define BUS_PROPERTIES "org.freedesktop.DBus.Properties"
#define BUS_INTROSPECTABLE "org.freedesktop.DBus.Introspectable"
#define BUS_PEER "org.freedesktop.DBus.Peer"
#define BUS_OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* Followed by streamd_error_name(). */
#define BUS_ERROR_PREFIX "io.streamd.Streamd1.Error."
