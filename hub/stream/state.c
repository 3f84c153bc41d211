/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/state.h"

/* clang-format off */
#define STAY(state) {STREAM_##state, REASON_NONE, 0, 0, 0}
#define STAY_DO(state, actions) {STREAM_##state, REASON_NONE, 0, 0, actions}
#define GO(next, actions) {STREAM_##next, REASON_NONE, 0, 0, actions}
#define END(reason, actions) {STREAM_ENDED, REASON_##reason, 0, 0, actions}
#define END_CLOSE(reason, close, actions) \
    {STREAM_ENDED, REASON_##reason, 0, close, STREAM_CLOSE_LEGS | (actions)}
#define END_ERROR(reason, error, close, actions) \
    {STREAM_ENDED, REASON_##reason, error, close, STREAM_POST_ERROR | (actions)}

static const StreamCell table[STREAM_INPUTS][STREAM_STATES] = {
    [STREAM_SUBSCRIBED] = {
        GO(ASKED, STREAM_SEND_REQUEST),
        STAY_DO(ASKED, STREAM_SEND_REQUEST),
        STAY(ACCEPTED),
        STAY(OPEN),
    },
    [STREAM_LINK_LOST] = {
        STAY(WAITING),
        STAY(ASKED),
        STAY(ACCEPTED),
        STAY(OPEN),
    },
    [STREAM_ANSWER_200] = {
        STAY_DO(WAITING, STREAM_COUNT_IGNORED),
        GO(ACCEPTED, STREAM_POST_ACCEPTED),
        STAY_DO(ACCEPTED, STREAM_COUNT_IGNORED),
        STAY_DO(OPEN, STREAM_COUNT_IGNORED),
    },
    [STREAM_ANSWER_200_TOO_LATE] = {
        STAY_DO(WAITING, STREAM_COUNT_IGNORED),
        END_ERROR(DEVICE_CLOSED, 404104, 0, 0),
        STAY_DO(ACCEPTED, STREAM_COUNT_IGNORED),
        STAY_DO(OPEN, STREAM_COUNT_IGNORED),
    },
    [STREAM_ANSWER_400] = {
        STAY_DO(WAITING, STREAM_COUNT_IGNORED),
        END_CLOSE(REJECTED, 1000, STREAM_POST_REJECTED),
        STAY_DO(ACCEPTED, STREAM_COUNT_IGNORED),
        STAY_DO(OPEN, STREAM_COUNT_IGNORED),
    },
    [STREAM_ANSWER_400_TOO_LATE] = {
        STAY_DO(WAITING, STREAM_COUNT_IGNORED),
        END_CLOSE(REJECTED, 1000, STREAM_POST_REJECTED),
        STAY_DO(ACCEPTED, STREAM_COUNT_IGNORED),
        STAY_DO(OPEN, STREAM_TELL_BRIDGE),
    },
    [STREAM_DEVICE_LEG] = {
        STAY_DO(WAITING, STREAM_LEG_REFUSE),
        STAY_DO(ASKED, STREAM_LEG_HOLD),
        STAY_DO(ACCEPTED, STREAM_LEG_HOLD),
        STAY_DO(OPEN, STREAM_LEG_REFUSE),
    },
    [STREAM_DEVICE_LEG_PAIRS] = {
        STAY_DO(WAITING, STREAM_LEG_REFUSE),
        STAY_DO(ASKED, STREAM_LEG_HOLD),
        GO(OPEN, STREAM_LEG_HOLD | STREAM_BRIDGE),
        STAY_DO(OPEN, STREAM_LEG_REFUSE),
    },
    [STREAM_SERVICE_LEG] = {
        STAY_DO(WAITING, STREAM_LEG_REFUSE),
        STAY_DO(ASKED, STREAM_LEG_REFUSE),
        STAY_DO(ACCEPTED, STREAM_LEG_HOLD),
        STAY_DO(OPEN, STREAM_LEG_REFUSE),
    },
    [STREAM_SERVICE_LEG_PAIRS] = {
        STAY_DO(WAITING, STREAM_LEG_REFUSE),
        STAY_DO(ASKED, STREAM_LEG_REFUSE),
        GO(OPEN, STREAM_LEG_HOLD | STREAM_BRIDGE),
        STAY_DO(OPEN, STREAM_LEG_REFUSE),
    },
    /* The device's token is issued in the state asked. A stream may end there, and the device's leg
     * may come later: it is told the reason like any other late leg. */
    [STREAM_LATE_LEG] = {
        STAY_DO(WAITING, STREAM_LEG_TELL),
        STAY_DO(ASKED, STREAM_LEG_TELL),
        STAY_DO(ACCEPTED, STREAM_LEG_TELL),
        STAY_DO(OPEN, STREAM_LEG_TELL),
    },
    [STREAM_DEVICE_LEG_LOST] = {
        STAY(WAITING),
        STAY_DO(ASKED, STREAM_REMEMBER_LOSS),
        END_CLOSE(DEVICE_CLOSED, 1011, 0),
        END(NONE, STREAM_DRAIN),
    },
    [STREAM_SERVICE_LEG_LOST] = {
        STAY(WAITING),
        STAY(ASKED),
        STAY_DO(ACCEPTED, STREAM_KEEP_LEG),
        END(NONE, STREAM_DRAIN),
    },
    [STREAM_CLIENT_GONE] = {
        END(CANCELLED, 0),
        END_CLOSE(CANCELLED, 1011, STREAM_REVOKE_TOKENS),
        STAY(ACCEPTED),
        STAY(OPEN),
    },
    [STREAM_CONNECT_TIMEOUT] = {
        END_ERROR(OFFLINE, 404103, 0, 0),
        STAY(ASKED),
        STAY(ACCEPTED),
        STAY(OPEN),
    },
    [STREAM_RESPONSE_TIMEOUT] = {
        STAY(WAITING),
        END_ERROR(TIMED_OUT, 504101, 1011, STREAM_CLOSE_LEGS),
        STAY(ACCEPTED),
        STAY(OPEN),
    },
    [STREAM_DEADLINE] = {
        END_ERROR(OFFLINE, 404103, 0, 0),
        END_ERROR(TIMED_OUT, 504101, 1011, STREAM_CLOSE_LEGS),
        END_CLOSE(NOT_PAIRED, 1011, 0),
        STAY(OPEN),
    },
    [STREAM_REVOKED] = {
        END_ERROR(REVOKED, 0, 0, 0),
        END_ERROR(REVOKED, 0, 1008, STREAM_CLOSE_LEGS),
        END_CLOSE(REVOKED, 1008, 0),
        END_CLOSE(REVOKED, 1008, 0),
    },
    [STREAM_OPERATOR_CLOSES] = {
        END(CLOSED_BY_OPERATOR, STREAM_POST_REJECTED),
        END_CLOSE(CLOSED_BY_OPERATOR, 1008, STREAM_POST_REJECTED),
        END_CLOSE(CLOSED_BY_OPERATOR, 1008, 0),
        END_CLOSE(CLOSED_BY_OPERATOR, 1008, 0),
    },
    [STREAM_USED_UP] = {
        STAY(WAITING),
        STAY(ASKED),
        STAY(ACCEPTED),
        END_CLOSE(BYTE_LIMIT, 1011, 0),
    },
    [STREAM_HUB_STOPS] = {
        END_ERROR(HUB_STOPPING, 503001, 0, 0),
        END_ERROR(HUB_STOPPING, 503001, 1001, STREAM_CLOSE_LEGS),
        END_CLOSE(HUB_STOPPING, 1001, STREAM_AFTER_GRACE),
        END_CLOSE(HUB_STOPPING, 1001, STREAM_AFTER_GRACE),
    },
};
/* clang-format on */

const StreamCell *
stream_table_look(HubStreamState state, StreamInput input)
{
    g_assert((guint)state < STREAM_STATES && (guint)input < STREAM_INPUTS);
    return &table[input][state];
}

const char *
hub_stream_state_name(HubStreamState state)
{
    static const char *const names[] = {"waiting", "asked", "accepted", "open", "ended"};

    return names[(guint)state < G_N_ELEMENTS(names) ? state : STREAM_ENDED];
}
