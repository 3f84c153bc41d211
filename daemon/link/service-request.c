/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request of a service: its token, and the POST that opens a stream. */
#include "common/base/secret.h"
#include "common/codec/http-build.h"
#include "common/codec/sas-token.h"
#include "common/extension/statement.h"
#include "daemon/link/service-open.h"
#include "daemon/net/http-exchange.h"

#define NOBODY "diagnosis-"

char *
service_token(const ConnectionString *identity)
{
    g_auto(SasKey) key = {0};
    guint64 expiry = (guint64)(g_get_real_time() / G_USEC_PER_SEC) + SERVICE_TOKEN_LIFE;

    if (!identity->key || !sas_key_decode(&key, identity->key, strlen(identity->key)))
        return NULL;
    return sas_token_build(identity->host, key.data, key.len, expiry, identity->policy);
}

static guint64
whole_seconds(gint64 usec)
{
    return (guint64)((usec + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND);
}

/* Section 8a. */
static gboolean
append_resume(GString *out, const ServiceOpenOptions *options)
{
    g_auto(SecretText) key = options->resume_key ? resume_key_format(options->resume_key) : NULL;

    return (!key || http_header_append(out, "streamd-resume-key", key)) &&
           (!options->resume || http_header_append(out, "streamd-resume", options->resume)) &&
           (!options->resume_info ||
            http_header_append(out, "streamd-resume-info", options->resume_info));
}

/* docs/wire-protocol.md, section 3. */
GString *
service_request_begin(const ServiceOpenOptions *options)
{
    g_auto(SecretText) token = service_token(options->identity);
    g_autofree char *authority = http_authority(options->identity->host, options->identity->port);
    g_autofree char *id = g_uuid_string_random();
    g_autofree char *path =
        g_strdup_printf("/twins/%s%s%s/streams/%s?api-version=" SERVICE_API_VERSION,
                        options->device, options->module ? "/modules/" : "",
                        options->module ? options->module : "", options->stream);
    g_autofree char *known = options->known ? statement_known_format(options->known) : NULL;
    GString *out = g_string_new(NULL);

    if (!token || !http_request_line(out, "POST", path) ||
        !http_header_append(out, "Host", authority) ||
        !http_header_append(out, "Authorization", token) ||
        !http_header_append(out, "User-Agent", "streamd/" STREAMD_VERSION) ||
        !http_header_append(out, "Request-Id", id) ||
        !http_header_append(out, "streamd-caps",
                            options->resume_key ? "half-close, reason, notice, resume"
                                                : "half-close, reason, notice") ||
        !append_resume(out, options) ||
        (known && !http_header_append(out, "streamd-statement", known)) ||
        (options->order && !http_header_append(out, "streamd-order", options->order))) {
        http_request_wipe(out);
        return NULL;
    }
    return out;
}

void
service_request_end(GString *request, gint64 wait, gint64 timeout)
{
    http_header_append_number(request, "iothub-streaming-connect-timeout-in-seconds",
                              whole_seconds(wait));
    http_header_append_number(request, "iothub-streaming-response-timeout-in-seconds",
                              whole_seconds(timeout));
    http_header_append_number(request, "Content-Length", 0);
    http_head_end(request);
}

GString *
service_request_nobody(const ConnectionString *identity, gint64 timeout)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *device = g_strconcat(NOBODY, uuid, NULL);
    const ServiceOpenOptions options = {
        .identity = identity,
        .device = device,
        .stream = "diagnosis",
    };
    GString *request = service_request_begin(&options);

    if (request)
        service_request_end(request, 0, timeout);
    return request;
}
