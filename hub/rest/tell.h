/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the log and the records say about changes of the registry over REST. Main thread. */
#pragma once

#include "hub/registry/write.h"
#include "hub/rest/call.h"

/* RESULT, of registry_write_device, is REGISTRY_OK. */
void rest_tell_written(const RestCall *call, const RegistryResult *result);
