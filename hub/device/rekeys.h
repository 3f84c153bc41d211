/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rekeys: changes of devices' keys over their own connections (docs/wire-protocol.md, section 8).
 *
 * A new key goes to a device that is connected by its own key and can take one, whenever one is
 * asked for or its last answer is missing; each step is in the registry before the next one begins
 * (registry/keys.h). After the grace the former key is replaced. Main thread. */
#pragma once

#include "common/extension/key-offer.h"
#include "hub/base/clock.h"
#include "hub/base/settings.h"
#include "hub/device/devices.h"
#include "hub/records/records.h"
#include "hub/registry/registry.h"

typedef struct Rekeys Rekeys;

#define REKEYS_ANSWER_WAIT (10 * G_TIME_SPAN_SECOND) /* for the device's answer */

typedef enum {
    REKEY_RESULT_DONE,        /* the device has stored the key */
    REKEY_RESULT_PENDING,     /* it gets one when it connects again; `detail` says why not now */
    REKEY_RESULT_READ_ONLY,   /* it cannot store a key */
    REKEY_RESULT_NOT_CAPABLE, /* it is connected, and knows nothing of this */
    REKEY_RESULT_OFF,         /* the hub's settings forbid it */
    REKEY_RESULT_VOID,        /* its keys were changed by somebody else meanwhile */
    REKEY_RESULT_FAILED,      /* the registry: `failure` */
} RekeyResultCode;

typedef struct {
    RekeyResultCode code;
    const char *detail;            /* a clause in English, or NULL */
    const RegistryResult *failure; /* with REKEY_RESULT_FAILED */
} RekeyResult;

/* Called once. */
typedef void (*RekeyDone)(const RekeyResult *result, void *data);

/* All is kept by reference. */
Rekeys *rekeys_new(const Settings *settings, Registry *registry, Devices *devices, Clock *clock);
/* Where changes of keys are recorded; NULL: nowhere. */
void rekeys_set_records(Rekeys *rekeys, Records *records);
void rekeys_free(Rekeys *rekeys); /* after registry_close, and after all sessions; NULL is fine */

/* Gives the device a new key, now or when it comes back. MODULE NULL: the device itself. */
void rekeys_ask(Rekeys *rekeys, const char *device, const char *module, RekeyDone done, void *data);

/* "done" and so on. */
const char *rekey_result_name(RekeyResultCode code);

/* Answers of devices that were not asked for, came too late or fit no offer. */
guint64 rekeys_ignored(const Rekeys *rekeys);

/* For sessions. LINK was admitted, DEVICE is its record. TRUE: call rekeys_ready once it has
 * subscribed. */
gboolean rekeys_admitted(Rekeys *rekeys, DeviceLink *link, const RegistryDevice *device);
void rekeys_ready(Rekeys *rekeys, DeviceLink *link);
void rekeys_answer(Rekeys *rekeys, DeviceLink *link, const KeyAnswer *answer);
void rekeys_lost(Rekeys *rekeys, DeviceLink *link);

/* The keys of the device or module were replaced by other means. */
void rekeys_void(Rekeys *rekeys, const char *device, const char *module);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rekeys, rekeys_free)
