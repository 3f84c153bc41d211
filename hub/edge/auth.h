/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Auth: who may be a device, who may open streams (docs/wire-protocol.md, section 1.3; R4, R17).
 *
 * Every check asks the registry and makes its MACs, also when the token is malformed or names
 * nobody, so that neither the answer nor its time tells which devices and policies exist. Main
 * thread. */
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
    AUTH_BUSY,      /* the registry cannot tell just now */
} AuthVerdict;

typedef struct {
    AuthVerdict verdict;
    const char *text;   /* why not, for the log only; never NULL */
    const char *policy; /* the policy that signed; NULL: the device's own key */
    gint64 expiry;      /* seconds since the epoch */
} AuthResult;

/* Once, not from within the call that began the check; the check is gone by then. */
typedef void (*AuthDone)(const AuthResult *result, void *data);

/* Kept by reference: SETTINGS, REGISTRY, ADMISSION and NAMES (NULL-terminated, lower case). */
Auth *auth_new(const Settings *settings, Registry *registry, Admission *admission,
               const char *const *names);
void auth_free(Auth *auth); /* after all checks */

/* SOURCE: where it comes from; its penalties are held and added to here (penalties.h). TOKEN: the
 * password of a CONNECT. MODULE NULL: the device itself. */
AuthCheck *
auth_check_device(Auth *auth, const AdmissionSource *source, const char *device, const char *module,
                  const char *token, gsize len, AuthDone done, void *data);

/* TOKEN: an Authorization field, or NULL for none. PATH: "twins/dev1". NEEDED: the
 * right that its policy has to have. */
AuthCheck *auth_check_service(Auth *auth, const AdmissionSource *source, const char *path,
                              RegistryRights needed, const char *token, AuthDone done, void *data);

/* The operator has changed the device, or with MODULE its module. */
void auth_forgive_device(Auth *auth, const char *device, const char *module);

void auth_check_cancel(AuthCheck *check); /* DONE is not called; NULL is fine */
