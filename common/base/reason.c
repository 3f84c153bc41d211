/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/reason.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
    const char *code;
    const char *text;
    guint16 close_code;
    gboolean orderly;
} ReasonRow;

static const ReasonRow rows[REASON_LAST] = {
    [REASON_NONE] = {"none", N_("the stream has not ended"), 1000, TRUE},
    [REASON_COMPLETED] = {"completed", N_("both sides ended and every byte was delivered"), 1000,
                          TRUE},
    [REASON_DEVICE_CLOSED] = {"device-closed", N_("the device closed the stream"), 1000, TRUE},
    [REASON_SERVICE_CLOSED] = {"service-closed", N_("the initiator closed the stream"), 1000, TRUE},
    [REASON_CLOSED_BY_USER] = {"closed-by-user", N_("the stream was closed on request"), 1000,
                               FALSE},
    [REASON_REJECTED] = {"rejected", N_("the device rejected the stream"), 1000, FALSE},
    [REASON_POLICY] = {"policy", N_("the device's accept policy rejected the stream"), 1000, FALSE},
    [REASON_NO_TARGET] = {"no-target", N_("the device has no target for this stream"), 1000, FALSE},
    [REASON_TARGET_REFUSED] = {"target-refused", N_("the device's target refused the connection"),
                               1000, FALSE},
    [REASON_TARGET_UNREACHABLE] = {"target-unreachable", N_("the device cannot reach the target"),
                                   1000, FALSE},
    [REASON_TARGET_TIMED_OUT] = {"target-timed-out",
                                 N_("the device's target did not answer in time"), 1000, FALSE},
    [REASON_NO_CONSENT] = {"no-consent", N_("nobody on the device consented in time"), 1000, FALSE},
    [REASON_NO_HANDLER] = {"no-handler", N_("the device's app for this stream is not running"),
                           1000, FALSE},
    [REASON_OFFLINE] = {"offline", N_("the device is not connected to the hub"), 1011, FALSE},
    [REASON_NOT_FOUND] = {"not-found", N_("the hub knows no such device"), 1008, FALSE},
    [REASON_UNAUTHORIZED] = {"unauthorized", N_("the hub refused the identity"), 1008, FALSE},
    [REASON_TIMED_OUT] = {"timed-out", N_("the device did not answer in time"), 1011, FALSE},
    [REASON_NOT_PAIRED] = {"not-paired", N_("the other side never connected to the hub"), 1011,
                           FALSE},
    [REASON_CANCELLED] = {"cancelled", N_("the initiator gave up before the answer"), 1011, FALSE},
    [REASON_LIMIT] = {"limit", N_("a limit is reached"), 1008, FALSE},
    [REASON_HUB_UNREACHABLE] = {"hub-unreachable", N_("the hub cannot be reached"), 1011, FALSE},
    [REASON_PROXY_REFUSED] = {"proxy-refused", N_("the proxy does not let us reach the hub"), 1011,
                              FALSE},
    [REASON_HUB_UNTRUSTED] = {"hub-untrusted", N_("the hub's certificate is not trusted"), 1011,
                              FALSE},
    [REASON_HUB_ERROR] = {"hub-error", N_("the hub answered with an error"), 1011, FALSE},
    [REASON_BAD_URL] = {"bad-url", N_("the hub named a streaming endpoint that is not its own"),
                        1008, FALSE},
    [REASON_CUT] = {"cut", N_("the connection was lost in the middle"), 1011, FALSE},
    [REASON_REVOKED] = {"revoked", N_("the device or its right was revoked"), 1008, FALSE},
    [REASON_CLOSED_BY_OPERATOR] = {"closed-by-operator", N_("the hub's operator closed the stream"),
                                   1008, FALSE},
    [REASON_HUB_STOPPING] = {"hub-stopping", N_("the hub is stopping"), 1001, FALSE},
    [REASON_STOPPING] = {"stopping", N_("streamd is stopping"), 1011, FALSE},
    [REASON_PROTOCOL] = {"protocol", N_("the peer broke the protocol"), 1002, FALSE},
    [REASON_LOCAL_CUT] = {"local-cut", N_("the local application or target reset its connection"),
                          1011, FALSE},
    [REASON_SILENT] = {"silent", N_("the peer was silent for too long"), 1011, FALSE},
    [REASON_BYTE_LIMIT] = {"byte-limit",
                           N_("as many bytes were carried as the device or the hub allows"), 1008,
                           FALSE},
    [REASON_TIME_LIMIT] = {"time-limit", N_("the stream was open for as long as the device allows"),
                           1008, FALSE},
    [REASON_IDLE] = {"idle", N_("the stream was idle for longer than the device allows"), 1008,
                     FALSE},
    [REASON_STALLED] = {"stalled", N_("bytes waited for longer than the device allows"), 1008,
                        FALSE},
    [REASON_RESUME_UNKNOWN] = {"resume-unknown",
                               N_("the other side no longer has the stream that was cut"), 1008,
                               FALSE},
    [REASON_RESUME_STALE] = {"resume-stale",
                             N_("a later attempt to go on with the stream came before"), 1008,
                             FALSE},
    [REASON_ENDED] = {"ended", N_("the stream has ended on the other side"), 1008, FALSE},
};

static const ReasonRow *
reason_row(Reason reason)
{
    return &rows[(guint)reason < REASON_LAST ? reason : REASON_CUT];
}

const char *
reason_code(Reason reason)
{
    return reason_row(reason)->code;
}

const char *
reason_text(Reason reason)
{
    return reason_row(reason)->text;
}

Reason
reason_from_code(const char *code, gssize len)
{
    gsize size = len < 0 ? strlen(code) : (gsize)len;

    for (guint i = REASON_NONE + 1; i < REASON_LAST; i++)
        if (strlen(rows[i].code) == size && memcmp(rows[i].code, code, size) == 0)
            return (Reason)i;
    return REASON_NONE;
}

gboolean
reason_is_orderly(Reason reason)
{
    return reason_row(reason)->orderly;
}

guint16
reason_close_code(Reason reason)
{
    return reason_row(reason)->close_code;
}
