/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket says of a device beside its record: where it stands, when it was there last
 * and as what, why it was refused last, and whether two machines are it. Main thread. */
#pragma once

#include "hub/admin/request.h"

/* "connected", "refused" (it is away, and the last thing it did was to be refused), "away" (it was
 * there once) or "never". The device's record must have its facts. */
const char *device_facts_state(const AdminHub *hub, const RegistryDevice *device);
gboolean device_facts_state_is_known(const char *name);

/* Adds members to the object that is open. */
void device_facts_build(JsonBuilder *builder, const AdminHub *hub, const RegistryDevice *device);
