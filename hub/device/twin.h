/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Twin and methods of a device, as far as its SDK asks for them beside its streams
 * (docs/wire-protocol.md, section 1.8). The hub keeps none of it, but an SDK whose question is
 * answered by the end of its connection connects again, for ever. Pure. */
#pragma once

#include "common/base/slice.h"

#define TWIN_RID_MAX 64

typedef enum {
    TWIN_OTHER,  /* another topic */
    TWIN_SILENT, /* there is nothing to say: a method's result, or a request without a usable $rid
                  */
    TWIN_ANSWER,
} TwinResult;

/* Whether a filter is one that answers and changes of a twin come by. */
gboolean twin_filter_is_known(Slice filter);

/* What to publish for a message to TOPIC. *RET_PAYLOAD is static, and the caller frees *RET_TOPIC;
 * both are set for TWIN_ANSWER only. Reading gives an empty twin, and writing 501. */
TwinResult twin_answer(Slice topic, char **ret_topic, const char **ret_payload);
