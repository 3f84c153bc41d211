/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proxy schemes: which ways to sign in an HTTP proxy offers (RFC 9110 section 11.7.1).
 *
 * GIO says only that a proxy wants credentials. Where it takes none that streamd could have
 * (Negotiate, NTLM), "set the credentials" would be the wrong advice, so the proxy is asked once
 * more, without credentials. Main thread. */
#pragma once

#include "common/codec/http-field.h"
#include "daemon/net/runtime.h"

typedef struct ProxySchemes ProxySchemes;

#define PROXY_SCHEMES_LIMIT (3 * G_TIME_SPAN_SECOND)

/* "Negotiate or NTLM", those that HEADERS offer; NULL: none, or one of them is Basic, for which
 * credentials can be set. Pure; caller frees. */
char *proxy_schemes_foreign(const HttpHeaders *headers);

/* FOREIGN as above; NULL too when the proxy did not say. Called once, later. */
typedef void (*ProxySchemesDone)(const char *foreign, void *data);

/* Asks the HTTP proxy at HOST (without brackets) and PORT for a way to AUTHORITY. */
ProxySchemes *proxy_schemes_new(Runtime *runtime, const char *host, guint16 port,
                                const char *authority, ProxySchemesDone done, void *data);

/* DONE is not called any more. Not allowed after DONE. NULL is fine. */
void proxy_schemes_cancel(ProxySchemes *schemes);
