/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names: what this program and streamd are called on the bus. dbus/README.md describes all of it.
 */
#pragma once

#define APP_ID "io.streamd.Desktop"
#define APP_RESOURCES "/io/streamd/Desktop"
#define APP_AGENT_PATH "/io/streamd/Desktop/Agent"

#define STREAMD_NAME "io.streamd.Streamd1"
#define STREAMD_ROOT "/io/streamd/Streamd1"
#define STREAMD_MANAGER STREAMD_NAME ".Manager"
#define STREAMD_HUB STREAMD_NAME ".Hub"
#define STREAMD_POLICY STREAMD_NAME ".Policy"
#define STREAMD_TARGET STREAMD_NAME ".Target"
#define STREAMD_TUNNEL STREAMD_NAME ".Tunnel"
#define STREAMD_STREAM STREAMD_NAME ".Stream"
#define STREAMD_REQUEST STREAMD_NAME ".Request"
#define STREAMD_AGENT STREAMD_NAME ".Agent"
