/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a stream: the policy's word. */
#include "daemon/device-stream-private.h"

#include "daemon/app-journal.h"

static void
device_stream_go_to(DeviceStream *self, const char *name)
{
    const DeviceStreamsContext *context = &self->owner->context;
    Target *target = context->find_target(name, context->data);

    if (target)
        device_stream_to_target(self, target);
    else
        device_stream_fail(self, REASON_NO_TARGET, NULL);
}

static AcceptVerdict
device_stream_judge(const DeviceStreamsContext *context, const StreamRequest *request)
{
    const AcceptRequest asked = {
        .hub = context->hub,
        .stream = request->name,
        .initiator = request->initiator,
        .address = request->from,
        .at = g_get_real_time(),
    };

    return accept_policy_test(context->policy, &asked, NULL, NULL);
}

void
device_stream_decide(DeviceStream *self, const StreamRequest *request)
{
    AcceptVerdict verdict = device_stream_judge(&self->owner->context, request);

    stream_set_state(self->stream, STREAM_DECIDING);
    app_journal_decided(self->stream, &verdict);
    switch (verdict.kind) {
    case ACCEPT_TARGET:
        device_stream_go_to(self, verdict.target);
        break;
    case ACCEPT_HANDLER:
        device_stream_fail(self, REASON_NO_HANDLER, NULL);
        break;
    case ACCEPT_ASK:
        device_stream_fail(self, REASON_NO_CONSENT, NULL);
        break;
    case ACCEPT_REJECT:
        device_stream_fail(self, REASON_POLICY, verdict.reject_text);
        break;
    }
}
