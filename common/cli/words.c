/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/words.h"

#include "common/base/reason.h"

#include <glib/gi18n.h>
#include <string.h>

/* States of hubs and streams, roles, and where something was set: the words of the bus, which are
 * also the messages. A reason has a sentence (common/base/reason.c), and where there is room for a
 * word alone its code is one. */
static const char *const codes[] = {
    N_("disconnected"),
    N_("connecting"),
    N_("connected"),
    N_("refused"),
    N_("requested"),
    N_("deciding"),
    N_("initiating"),
    N_("accepted"),
    N_("open"),
    N_("suspended"),
    N_("closing"),
    N_("closed"),
    N_("rejected"),
    N_("timed-out"),
    N_("offline"),
    N_("unauthorized"),
    N_("device"),
    N_("service"),
    N_("completed"),
    N_("device-closed"),
    N_("service-closed"),
    N_("closed-by-user"),
    N_("policy"),
    N_("no-target"),
    N_("target-refused"),
    N_("no-consent"),
    N_("no-handler"),
    N_("target-unreachable"),
    N_("target-timed-out"),
    N_("not-found"),
    N_("not-paired"),
    N_("cancelled"),
    N_("limit"),
    N_("cut"),
    N_("hub-unreachable"),
    N_("proxy-refused"),
    N_("hub-untrusted"),
    N_("hub-error"),
    N_("bad-url"),
    N_("revoked"),
    N_("closed-by-operator"),
    N_("hub-stopping"),
    N_("stopping"),
    N_("protocol"),
    N_("local-cut"),
    N_("silent"),
    N_("byte-limit"),
    N_("time-limit"),
    N_("idle"),
    N_("stalled"),
    N_("resume-unknown"),
    N_("resume-stale"),
    N_("ended"),
    /* at the hub */
    N_("enabled"),
    N_("disabled"),
    N_("away"),
    N_("never"),
    N_("waiting"),
    N_("asked"),
    N_("Connected"),
    N_("Disconnected"),
    N_("used-up"),
    N_("expired"),
};

/* By StreamdError. */
static const char *const errors[] = {
    [STREAMD_ERROR_FAILED] = N_("it failed"),
    [STREAMD_ERROR_INVALID] = N_("something that was given is not valid"),
    [STREAMD_ERROR_NOT_FOUND] = N_("it is not there"),
    [STREAMD_ERROR_EXISTS] = N_("it is there already"),
    [STREAMD_ERROR_DENIED] = N_("you may not do this"),
    [STREAMD_ERROR_LIMIT] = N_("a limit is reached"),
    [STREAMD_ERROR_BUSY] = N_("it is busy"),
    [STREAMD_ERROR_OFFLINE] = N_("the device is not connected to the hub"),
    [STREAMD_ERROR_UNAUTHORIZED] = N_("the hub refused the identity"),
    [STREAMD_ERROR_REJECTED] = N_("the device rejected the stream"),
    [STREAMD_ERROR_TIMED_OUT] = N_("there was no answer in time"),
    [STREAMD_ERROR_UNREACHABLE] = N_("the hub cannot be reached"),
    [STREAMD_ERROR_UNTRUSTED] = N_("the hub's certificate is not trusted"),
    [STREAMD_ERROR_PROTOCOL] = N_("the other side broke the protocol"),
    [STREAMD_ERROR_PROXY_REFUSED] = N_("the proxy does not let us reach the hub"),
    [STREAMD_ERROR_CANCELLED] = N_("it was cancelled"),
};

const char *
words_of_code(const char *code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
        if (strcmp(codes[i], code) == 0)
            return _(codes[i]);
    return code;
}

/* GENERAL, which is a message, in front of TEXT; only TEXT in English, which says as much. */
static char *
words_in_front(const char *general, const char *text)
{
    const char *translated = _(general);

    if (*text == '\0' || strcmp(text, general) == 0)
        return g_strdup(translated);
    return strcmp(translated, general) == 0 ? g_strdup(text)
                                            : g_strdup_printf("%s: %s", translated, text);
}

char *
words_of_reason(const char *reason, const char *text)
{
    Reason known = reason_from_code(reason, -1);

    if (known == REASON_NONE)
        return g_strdup(*text != '\0' ? text : reason);
    return words_in_front(reason_text(known), text);
}

char *
words_of_error(StreamdError code, const char *text)
{
    return words_in_front(errors[(guint)code < G_N_ELEMENTS(errors) ? code : STREAMD_ERROR_FAILED],
                          text);
}
