/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Auth: who may be a device, who may open streams (docs/wire-protocol.md, section 1.3; R4, R17).
 *
 * Right credentials are let in at once, whatever failed before them. Every refusal costs the same
 * work, also when the token is malformed or names nobody, so that neither the answer nor its time
 * tells which devices and policies exist: a look into the cache, the MACs of two keys, a question
 * to what is stored, and the MACs again. Main thread. */
#pragma once

#include "hub/base/settings.h"
#include "hub/edge/admission.h"
#include "hub/registry/registry.h"

typedef struct Auth Auth;
typedef struct AuthCheck AuthCheck;

typedef enum {
    AUTH_OK,
    AUTH_DENIED,
    AUTH_FORBIDDEN, /* the signature is good, the right is not there */
    AUTH_TOO_SOON,  /* denied, so soon after the last time that it says so (penalties.h) */
    AUTH_BUSY,      /* the registry cannot tell just now */
} AuthVerdict;

typedef struct {
    AuthVerdict verdict;
    const char *text;   /* why not, for the log only; never NULL */
    const char *policy; /* the policy that signed; NULL: the device's own key */
    gint64 expiry;      /* seconds since the epoch */
    guint retry_after;  /* seconds, with AUTH_TOO_SOON */
} AuthResult;

/* Once, not from within the call that began the check; the check is gone by then. */
typedef void (*AuthDone)(const AuthResult *result, void *data);

/* Kept by reference: SETTINGS, REGISTRY, ADMISSION and NAMES (NULL-terminated, lower case). */
Auth *auth_new(const Settings *settings, Registry *registry, Admission *admission,
               const char *const *names);
void auth_free(Auth *auth); /* after all checks */

typedef struct {
    Source source; /* where it comes from: failures are counted there (penalties.h) */
    const char *device;
    const char *module; /* NULL: the device itself */
    const char *token;  /* the password of a CONNECT, or NULL */
    gsize len;
} AuthDevice;

AuthCheck *auth_check_device(Auth *auth, const AuthDevice *device, AuthDone done, void *data);

typedef struct {
    Source source;
    const char *path;      /* "twins/dev1" */
    RegistryRights needed; /* its policy has to have one of them */
    const char *token;     /* an Authorization field, or NULL for none */
} AuthService;

AuthCheck *auth_check_service(Auth *auth, const AuthService *service, AuthDone done, void *data);

/* The operator has changed the device, or with MODULE its module. */
void auth_forgive_device(Auth *auth, const char *device, const char *module);

void auth_check_cancel(AuthCheck *check); /* DONE is not called; NULL is fine */
