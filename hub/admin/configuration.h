/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration: the settings of the file and the options, and what the hub makes of them. Main
 * thread; reads files. */
#pragma once

#include "common/net/tls-context.h"
#include "hub/admin/serve.h"
#include "hub/base/settings.h"
#include "hub/records/records.h"

/* --streaming-host comes before the setting. */
Settings *configuration_load(const ServeOptions *options, GError **error);

/* The name in `public-address`, or NULL; the caller frees it. */
char *configuration_public_name(const Settings *settings);

/* NULL: the hub's first name. */
const char *configuration_streaming_host(const Settings *settings);

/* The authorities of devices as SETTINGS have them. NULL without an error: no certificates are
 * asked for. FALSE: they cannot be read, or do not fit. */
gboolean configuration_read_trust(const Settings *settings, TlsTrust **ret, GError **error);

/* NULL: none are kept. */
Records *configuration_records(const ServeOptions *options, const Settings *settings);
