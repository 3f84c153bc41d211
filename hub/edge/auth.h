/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Auth: who may be a device, who may open streams (docs/wire-protocol.md, section 1.3; R4, R17).
 *
 * Correct credentials are accepted at once, whatever failed before. Every refusal does the same
 * work, also for a malformed token or an unknown name: one look into the cache, the MACs of two
 * keys, one query of the database, and the MACs again. So neither the answer nor its time tells
 * which devices and users exist. Main thread. */
#pragma once

#include "common/net/tls-client.h"
#include "hub/base/settings.h"
#include "hub/edge/admission.h"
#include "hub/edge/penalties.h"
#include "hub/registry/registry.h"

typedef struct Auth Auth;
typedef struct AuthCheck AuthCheck;

typedef enum {
    AUTH_OK,
    AUTH_DENIED,
    AUTH_FORBIDDEN, /* the signature is right, but the user lacks the permission */
    AUTH_TOO_SOON,  /* denied, and told to wait: the last failure was recent (penalties.h) */
    AUTH_BUSY,      /* the registry does not answer now */
    AUTH_VERDICTS,
} AuthVerdict;

typedef enum {
    AUTH_BY_DEVICE,
    AUTH_BY_SERVICE,
    AUTH_BY_INVITED,
    AUTH_CLAIMANTS,
} AuthClaimant;

/* How many credentials were judged, since the start. */
typedef struct {
    guint64 verdicts[AUTH_CLAIMANTS][AUTH_VERDICTS];
} AuthMeter;

typedef struct {
    AuthVerdict verdict;
    const char *text;             /* why not, for the log only; never NULL */
    const char *policy;           /* the policy that signed; NULL: the device's own key */
    RegistryKeys keys;            /* with AUTH_OK: which key of these signed; none: a certificate */
    const RegistryDevice *device; /* with AUTH_OK of its own credentials: the device's record */
    gint64 expiry; /* of the token or certificate or, earlier, of the policy; s since the epoch */
    gboolean by_certificate;    /* the device's own; then `policy` is NULL */
    gboolean by_authority;      /* and that counts because of who issued it */
    RegistryRights rights;      /* the policy's */
    const RegistryScope *scope; /* the same; NULL: everything */
    guint retry_after;          /* seconds, with AUTH_TOO_SOON */
} AuthResult;

/* Called once, never from within the call that began the check, which must not be used after it. */
typedef void (*AuthDone)(const AuthResult *result, void *data);

/* Kept by reference: SETTINGS, REGISTRY, ADMISSION and NAMES (NULL-terminated, lower case). */
Auth *auth_new(const Settings *settings, Registry *registry, Admission *admission,
               const char *const *names);
void auth_free(Auth *auth); /* after all checks */

/* Of tokens that are checked from now on; also kept by reference. */
void auth_set_names(Auth *auth, const char *const *names);

typedef struct {
    Source source; /* where it comes from: failures are counted there (penalties.h) */
    const char *device;
    const char *module; /* NULL: the device itself */
    const char *token;  /* the password of a CONNECT, or NULL */
    gsize len;
    TlsClient
        *client; /* the certificate that counts where there is no token; NULL: none was sent */
} AuthDevice;

AuthCheck *auth_check_device(Auth *auth, const AuthDevice *device, AuthDone done, void *data);

typedef struct {
    Source source;
    const char *path;      /* "twins/dev1" */
    RegistryRights needed; /* its policy has to have one of them */
    const char *token;     /* an Authorization field, or NULL for none */
} AuthService;

AuthCheck *auth_check_service(Auth *auth, const AuthService *service, AuthDone done, void *data);

typedef struct {
    Source source;
    const char *name;  /* of the invitation */
    const char *path;  /* "enrollments/factory/devices/gw-1" */
    const char *token; /* as above */
} AuthInvited;

/* AUTH_OK: it is signed with the key of the invitation, in whatever state that is. Its RESULT has
 * neither policy nor rights. */
AuthCheck *auth_check_invited(Auth *auth, const AuthInvited *invited, AuthDone done, void *data);

/* For whoever judges credentials without an Auth. These were wrong: PENALTIES remembers that, and
 * ADMISSION slows down a source that guesses, and the prefixes around it. Returns 0, or that they
 * came too soon, which extends nothing: the seconds of Retry-After. NOW: µs, monotonic. */
guint auth_penalize(const Settings *settings, Penalties *penalties, Admission *admission,
                    const Source *source, const char *identity, gint64 now);

/* The operator has changed the device, or with MODULE its module. */
void auth_forgive_device(Auth *auth, const char *device, const char *module);

const AuthMeter *auth_meter(const Auth *auth); /* borrowed */
guint auth_penalties(const Auth *auth);        /* in force now */
const char *auth_claimant_name(AuthClaimant claimant);
const char *auth_verdict_name(AuthVerdict verdict);

void auth_check_cancel(AuthCheck *check); /* DONE is not called; NULL is fine */
