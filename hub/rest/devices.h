/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of devices for services that may read the registry (docs/wire-protocol.md, section 6).
 * Main thread. */
#pragma once

#include "hub/device/devices.h"
#include "hub/edge/http-request.h"
#include "hub/registry/registry.h"

/* How many devices and modules are read for one answer, so that it stays below 64 KiB. */
#define REST_DEVICES_PAGE 200

/* Answers REQUEST with a page of the registry: an array of devices, without their modules and never
 * with a key. When there are more, the field streamd-more says so, and streamd-after says where the
 * next page begins. */
void rest_devices_answer(Request *request, const RegistryResult *page, Devices *devices);
