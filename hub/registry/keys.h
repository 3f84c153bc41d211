/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys: new keys for devices, modules and policies, at once or by a rekey.
 *
 * A regeneration is a revocation: what used a replaced key loses its connections (REGISTRY_*_KEYS).
 * A rekey is the change of a device's key over its own connection (docs/wire-protocol.md, section
 * 8), in steps of which each is on the disk before the next one begins:
 *
 *   registry_rekey_want      the device is away
 *   registry_rekey_offer     the key that the device does not use is replaced by a new one
 *   registry_rekey_confirm   the device has logged in with the new one
 *   registry_rekey_retire    the grace is over: the other key is replaced by random bytes
 *   registry_rekey_refuse    the device cannot store a key: the former one is put back
 *
 * A step that does not fit the state of the rekey changes nothing and is REGISTRY_OK: `rekey` of
 * the result's device says how it stands. Any other change of the device's keys, and its removal,
 * end a rekey. Threads and completions as in registry.h. */
#pragma once

#include "hub/registry/registry.h"

/* WHICH: not none. The result has the device or policy with its new keys. */
void registry_new_device_keys(Registry *registry, const char *id, const char *module,
                              RegistryKeys which, RegistryDone done, void *data);
void registry_new_policy_keys(Registry *registry, const char *name, RegistryKeys which,
                              RegistryDone done, void *data);

/* A key that was offered stays the one to offer. Ends the grace of an earlier rekey. */
void registry_rekey_want(Registry *registry, const char *id, const char *module, RegistryDone done,
                         void *data);

/* IN_USE: the key that the device's present connection was made with. A key that was offered before
 * stays the same. ASKED FALSE: only if one is wanted or was offered; TRUE: also without, and then
 * the grace of an earlier rekey ends. */
void registry_rekey_offer(Registry *registry, const char *id, const char *module,
                          RegistryKeys in_use, gboolean asked, RegistryDone done, void *data);
void registry_rekey_confirm(Registry *registry, const char *id, const char *module,
                            RegistryKeys in_use, RegistryDone done, void *data);
void registry_rekey_refuse(Registry *registry, const char *id, const char *module,
                           RegistryKeys offered, RegistryDone done, void *data);

/* Only if it was confirmed at CONFIRMED_BY (µs since the epoch) or earlier. */
void registry_rekey_retire(Registry *registry, const char *id, const char *module,
                           gint64 confirmed_by, RegistryDone done, void *data);

/* The rekeys that were confirmed, the oldest first: id, module and rekey.confirmed of `devices`
 * are set. At most REGISTRY_PAGE_MAX. */
void registry_list_rekeys(Registry *registry, guint limit, RegistryDone done, void *data);

/* "primary", "secondary" or "both"; NONE for anything else. */
RegistryKeys registry_keys_parse(const char *name);

/* The key WHICH (one of two) of DEVICE; and the other one of the two. */
RegistryKey *registry_device_key(RegistryDevice *device, RegistryKeys which);
RegistryKeys registry_keys_other(RegistryKeys which);

/* "wanted" and so on; NULL for REKEY_NONE. */
const char *registry_rekey_name(RekeyState state);
