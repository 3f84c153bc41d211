/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificate: whether what a client has shown in its handshake makes it a device of the registry
 * (docs/wire-protocol.md, section 1.7; R19). Pure; any thread. */
#pragma once

#include "common/net/tls-client.h"
#include "hub/registry/registry.h"

/* Why CLIENT is not DEVICE at the time NOW (s since 1970), one English clause for the operator;
 * NULL: it is. CLIENT NULL: none was sent. The caller frees it. */
char *certificate_fault(const TlsClient *client, const RegistryDevice *device, gint64 now);

/* The same of a device that is known by its authority, when that has changed. NULL: it is still
 * fine. A constant. */
const char *certificate_standing_text(TlsClientStanding standing);
