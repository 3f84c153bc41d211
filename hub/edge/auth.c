/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/auth.h"

#include "common/codec/sas-token.h"
#include "hub/edge/certificate.h"
#include "hub/registry/invitation.h"

#include <string.h>

struct Auth {
    const Settings *settings;
    Registry *registry;
    Admission *admission;
    Penalties *penalties;
    AuthMeter meter;
    const char *const *names;
};

struct AuthCheck {
    Auth *auth;
    SasToken token;
    char *text; /* the token; its slices point in here */
    char *path; /* the resource that it must be for */
    Source source;
    gboolean device;       /* a device connects; otherwise a service asks */
    gboolean bare;         /* it brought no token: a certificate has to do */
    TlsClient *client;     /* that one; NULL: none was sent */
    gboolean by_authority; /* the device's certificate counts because of who issued it */
    char *invitation;      /* of somebody who enrols; otherwise NULL */
    gboolean fetch;        /* asks the database, not the cache */
    RegistryDevice *found; /* a device whose token a policy signed */
    RegistryRights needed; /* of a policy */
    RegistryKeys keys;     /* which one signed */
    const char *fault;     /* what is wrong, whatever the keys say; NULL: nothing so far */
    AuthDone done;         /* NULL: cancelled */
    void *data;
};

Auth *
auth_new(const Settings *settings, Registry *registry, Admission *admission,
         const char *const *names)
{
    Auth *auth = g_new0(Auth, 1);

    auth->settings = settings;
    auth->registry = registry;
    auth->admission = admission;
    auth->penalties = penalties_new(settings);
    auth->names = names;
    return auth;
}

void
auth_set_names(Auth *auth, const char *const *names)
{
    auth->names = names;
}

void
auth_free(Auth *auth)
{
    if (!auth)
        return;
    penalties_free(auth->penalties);
    g_free(auth);
}

const AuthMeter *
auth_meter(const Auth *auth)
{
    return &auth->meter;
}

guint
auth_penalties(const Auth *auth)
{
    return penalties_in_force(auth->penalties, g_get_monotonic_time());
}

const char *
auth_claimant_name(AuthClaimant claimant)
{
    static const char *const names[AUTH_CLAIMANTS] = {"device", "service", "invitation"};

    return names[claimant];
}

const char *
auth_verdict_name(AuthVerdict verdict)
{
    static const char *const names[AUTH_VERDICTS] = {
        [AUTH_OK] = "accepted",       [AUTH_DENIED] = "denied", [AUTH_FORBIDDEN] = "forbidden",
        [AUTH_TOO_SOON] = "too-soon", [AUTH_BUSY] = "busy",
    };

    return names[verdict];
}

static AuthClaimant
auth_check_claimant(const AuthCheck *check)
{
    if (check->invitation)
        return AUTH_BY_INVITED;
    return check->device ? AUTH_BY_DEVICE : AUTH_BY_SERVICE;
}

static void
auth_check_free(AuthCheck *check)
{
    if (check->text)
        explicit_bzero(check->text, strlen(check->text));
    g_free(check->text);
    registry_device_free(check->found);
    tls_client_unref(check->client);
    g_free(check->path);
    g_free(check->invitation);
    g_free(check);
}

/* The identity that it claims: for a device the resource of its token, for a service its user, for
 * an enrolment the invitation, with a slash that no user has. */
static const char *
auth_check_identity(const AuthCheck *check)
{
    if (check->invitation)
        return check->invitation;
    return check->device ? check->path : check->token.policy;
}

/* Without a policy, "-" is looked up, a name that a policy may have: this takes the same time. */
static const char *
auth_check_policy(const AuthCheck *check)
{
    return check->token.policy[0] ? check->token.policy : "-";
}

/* Slows down a source that guesses, and the prefixes around it, unless somebody there authenticated
 * recently. */
static void
source_judge(const Settings *settings, Penalties *penalties, Admission *admission,
             const Source *source, gint64 now)
{
    gint64 until = now + settings->penalty_max;
    Source wider = source_region(source);

    if (admission_knows(admission, source, now))
        return;
    if (penalties_guesses(penalties, &wider))
        admission_slow(admission, &wider, until, now);
    for (guint level = 0; level < source_levels(source); level++) {
        wider = source_at_level(source, level);
        if (penalties_guesses(penalties, &wider))
            admission_slow(admission, &wider, until, now);
    }
}

guint
auth_penalize(const Settings *settings, Penalties *penalties, Admission *admission,
              const Source *source, const char *identity, gint64 now)
{
    gint64 wait = penalties_wait(penalties, source, identity, now);

    if (wait > 0)
        return (guint)((wait + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND);
    penalties_failed(penalties, source, identity, now);
    source_judge(settings, penalties, admission, source, now);
    return 0;
}

/* Decides on the answer and remembers the failure. Wrong credentials that come too soon do not
 * extend the penalty. */
static void
check_account(const AuthCheck *check, AuthResult *result)
{
    const Auth *auth = check->auth;
    const char *identity = auth_check_identity(check);
    guint seconds;

    if (result->verdict == AUTH_OK)
        penalties_passed(auth->penalties, &check->source, identity);
    if (result->verdict != AUTH_DENIED)
        return;
    seconds = auth_penalize(auth->settings, auth->penalties, auth->admission, &check->source,
                            identity, g_get_monotonic_time());
    if (seconds == 0)
        return;
    result->verdict = AUTH_TOO_SOON;
    result->text = "wrong credentials again, too soon after the last ones";
    result->retry_after = seconds;
}

/* POLICY: with AUTH_OK, the one that gives the right; NULL: DEVICE itself. */
static void
check_complete_by(AuthCheck *check, AuthVerdict verdict, const char *text,
                  const RegistryDevice *device, const RegistryPolicy *policy)
{
    const RegistryScope *scope = policy ? policy->scope : NULL;
    gint64 until = scope && scope->expires > 0 ? scope->expires / G_TIME_SPAN_SECOND : G_MAXINT64;
    AuthResult result = {
        .verdict = verdict,
        .text = text,
        .policy = check->token.policy[0] ? check->token.policy : NULL,
        .expiry = MIN((gint64)MIN(check->token.expiry, (guint64)G_MAXINT64), until),
        .keys = check->keys,
        .device = policy ? NULL : device,
        .rights = policy ? policy->rights : 0,
        .scope = scope,
    };

    if (check->bare && verdict == AUTH_OK) {
        result.expiry = check->client->until;
        result.by_certificate = TRUE;
        result.by_authority = check->by_authority;
    }
    check_account(check, &result);
    check->auth->meter.verdicts[auth_check_claimant(check)][result.verdict]++;
    check->done(&result, check->data);
    auth_check_free(check);
}

static void
check_complete(AuthCheck *check, AuthVerdict verdict, const char *text)
{
    check_complete_by(check, verdict, text, NULL, NULL);
}

/* What is wrong with the token before any key is looked at, or NULL. */
static const char *
token_fault(const AuthCheck *check)
{
    const Settings *settings = check->auth->settings;
    gint64 life =
        check->device ? settings->device_token_life_max : settings->service_token_life_max;
    guint64 now = (guint64)(g_get_real_time() / G_TIME_SPAN_SECOND);
    guint64 skew = (guint64)(settings->token_skew / G_TIME_SPAN_SECOND);

    if (check->token.expiry + skew < now)
        return "the token has expired";
    if (check->token.expiry > now + (guint64)(life / G_TIME_SPAN_SECOND) + skew)
        return "the token expires too far ahead";
    if (!sas_resource_matches(check->token.sr, check->auth->names, check->path))
        return "the token is for another resource";
    return NULL;
}

static AuthCheck *
check_new(Auth *auth, const Source *source, const char *token, gsize len)
{
    AuthCheck *check = g_new0(AuthCheck, 1);
    SasResult result = SAS_NOT_SAS;

    check->auth = auth;
    check->source = *source;
    if (token && len <= SAS_TEXT_MAX) {
        check->text = g_strndup(token, len);
        result = strlen(check->text) == len ? sas_token_parse(check->text, len, &check->token)
                                            : SAS_NOT_SAS;
    }
    if (result != SAS_OK) {
        check->token = (SasToken){.sr = slice_of("-"), .se = slice_of("0")};
        check->fault = token ? sas_result_text(result) : "no token was sent";
    }
    return check;
}

/* Which key signed. Always tries both, and zeros for a missing one, so that the time tells nothing.
 */
static RegistryKeys
keys_verify(const SasToken *token, const RegistryKey *primary, const RegistryKey *secondary)
{
    static const RegistryKey none = {.len = REGISTRY_KEY_NEW};
    gboolean has_first = primary && primary->len > 0;
    gboolean has_second = secondary && secondary->len > 0;
    const RegistryKey *first = has_first ? primary : &none;
    const RegistryKey *second = has_second ? secondary : &none;
    gboolean good_first = sas_token_verify(token, first->bytes, first->len);
    gboolean good_second = sas_token_verify(token, second->bytes, second->len);

    if (has_first && good_first)
        return REGISTRY_KEY_PRIMARY;
    return has_second && good_second ? REGISTRY_KEY_SECONDARY : REGISTRY_KEYS_NONE;
}

static gboolean
code_is_answer(RegistryCode code)
{
    return code == REGISTRY_OK || code == REGISTRY_NOT_FOUND || code == REGISTRY_INVALID;
}

/* Puts what was found into the cache for the next time. */
static void
check_passed(AuthCheck *check, const RegistryDevice *device, const RegistryPolicy *policy)
{
    if (check->fetch && device)
        registry_keep_device(check->auth->registry, device);
    if (check->fetch && policy)
        registry_keep_policy(check->auth->registry, policy);
    check_complete_by(check, AUTH_OK, "", device, policy);
}

/* A device that connects with a policy's key must be in the policy's scope. A module has the tags
 * of its device. */
static gboolean
policy_reaches(const AuthCheck *check, const RegistryPolicy *policy)
{
    const RegistryDevice *device = check->found;

    return !device || registry_scope_has_device(policy->scope, device->id, device->tags);
}

static void
check_forbidden(AuthCheck *check)
{
    g_autofree char *rights = registry_rights_format(check->needed);
    g_autofree char *text = g_strconcat("the user lacks the permission ", rights, NULL);

    check_complete(check, AUTH_FORBIDDEN, text);
}

static void
check_policy_found(const RegistryResult *result, void *data)
{
    AuthCheck *check = data;
    const RegistryPolicy *policy = result->policy;

    if (check->done)
        check->keys = keys_verify(&check->token, policy ? &policy->primary : NULL,
                                  policy ? &policy->secondary : NULL);
    if (!check->done)
        auth_check_free(check);
    else if (!code_is_answer(result->code))
        check_complete(check, AUTH_BUSY, "the registry does not answer");
    else if (check->fault)
        check_complete(check, AUTH_DENIED, check->fault);
    else if (!policy)
        check_complete(check, AUTH_DENIED, "no such user");
    else if (!check->keys)
        check_complete(check, AUTH_DENIED, "wrong signature");
    else if (registry_scope_has_expired(policy->scope, g_get_real_time()))
        check_complete(check, AUTH_DENIED, "the user has expired");
    else if (!policy_reaches(check, policy))
        check_complete(check, AUTH_DENIED, "the device is in no scope of the policy");
    else if (!(policy->rights & check->needed))
        check_forbidden(check);
    else
        check_passed(check, check->found, policy);
}

static void
check_ask_policy(AuthCheck *check)
{
    Registry *registry = check->auth->registry;
    const char *name = auth_check_policy(check);

    if (check->fetch)
        registry_fetch_policy(registry, name, check_policy_found, check);
    else
        registry_lookup_policy(registry, name, check_policy_found, check);
}

/* A device of certificates has keys that nobody is told, and that count for nothing. */
static const RegistryKey *
device_key(const RegistryDevice *device, gboolean secondary)
{
    if (!device || device->auth.kind != REGISTRY_AUTH_KEYS)
        return NULL;
    return secondary ? &device->secondary : &device->primary;
}

/* What its own credentials, a token or a certificate, say. The MACs of both keys are computed in
 * any case, for the time. NULL: they are good; *RET_KEYS is the key that signed, if one did. */
static char *
device_judge(const AuthCheck *check, const RegistryDevice *device, RegistryKeys *ret_keys)
{
    *ret_keys = keys_verify(&check->token, device_key(device, FALSE), device_key(device, TRUE));

    if (!device)
        return g_strdup("no such device");
    if (check->bare)
        return certificate_fault(check->client, device, g_get_real_time() / G_TIME_SPAN_SECOND);
    if (*ret_keys)
        return NULL;
    return g_strdup(device->auth.kind == REGISTRY_AUTH_KEYS
                        ? "wrong signature"
                        : "the device has a certificate, and no token counts for it");
}

static void
check_device_found(const RegistryResult *result, void *data)
{
    AuthCheck *check = data;
    const RegistryDevice *device = result->device;
    g_autofree char *fault = NULL;

    if (!check->done) {
        auth_check_free(check);
        return;
    }
    if (!code_is_answer(result->code)) {
        check_complete(check, AUTH_BUSY, "the registry does not answer");
        return;
    }
    if (!check->fault && !device)
        check->fault = "no such device";
    if (!check->fault && !device->admitted)
        check->fault = "the device is disabled";
    if (check->token.policy[0]) {
        check->found = device ? registry_device_copy(device) : NULL;
        check_ask_policy(check);
        return;
    }
    fault = device_judge(check, device, &check->keys);
    check->by_authority = device && device->auth.kind == REGISTRY_AUTH_AUTHORITY;
    if (check->fault || fault)
        check_complete(check, AUTH_DENIED, check->fault ? check->fault : fault);
    else
        check_passed(check, device, NULL);
}

/* The cache alone can accept a token, but not refuse it: a refusal always asks the database. */
static gboolean
cache_speaks_for(const AuthCheck *check, const RegistryDevice *device)
{
    Registry *registry = check->auth->registry;
    gboolean own_key = check->device && !check->token.policy[0];
    const RegistryPolicy *policy =
        own_key ? NULL : registry_peek_policy(registry, auth_check_policy(check));
    RegistryKeys keys;
    g_autofree char *fault = own_key ? device_judge(check, device, &keys) : NULL;
    gboolean good = own_key && !fault;

    if (!own_key)
        good = keys_verify(&check->token, policy ? &policy->primary : NULL,
                           policy ? &policy->secondary : NULL) != REGISTRY_KEYS_NONE;
    return good && !check->fault && (device || !check->device);
}

/* There is no token. The parsing of nothing is no fault of a device that may have a certificate. */
static const char *
bare_fault(const AuthCheck *check)
{
    return check->auth->settings->client_certificates || check->client
               ? NULL
               : "no token was sent, and the hub asks for no certificates (client-certificates)";
}

static char *
device_path(const char *device, const char *module)
{
    return module ? g_strdup_printf("devices/%s/modules/%s", device, module)
                  : g_strdup_printf("devices/%s", device);
}

void
auth_forgive_device(Auth *auth, const char *device, const char *module)
{
    g_autofree char *identity = device_path(device, module);

    penalties_forgive(auth->penalties, identity);
}

AuthCheck *
auth_check_device(Auth *auth, const AuthDevice *device, AuthDone done, void *data)
{
    AuthCheck *check = check_new(auth, &device->source, device->token, device->len);
    const char *id = device->device, *module = device->module;

    check->done = done;
    check->data = data;
    check->device = TRUE;
    check->needed = REGISTRY_RIGHT_DEVICE_CONNECT;
    check->path = device_path(id, module);
    check->bare = !device->token;
    check->client = device->client ? tls_client_ref(device->client) : NULL;
    if (check->bare)
        check->fault = bare_fault(check);
    else if (!check->fault)
        check->fault = token_fault(check);
    check->fetch = !cache_speaks_for(check, registry_peek_device(auth->registry, id, module));
    if (check->fetch)
        registry_fetch_device(auth->registry, id, module, check_device_found, check);
    else
        registry_lookup_device(auth->registry, id, module, check_device_found, check);
    return check;
}

AuthCheck *
auth_check_service(Auth *auth, const AuthService *service, AuthDone done, void *data)
{
    const char *token = service->token;
    AuthCheck *check = check_new(auth, &service->source, token, token ? strlen(token) : 0);

    check->done = done;
    check->data = data;
    check->path = g_strdup(service->path);
    check->needed = service->needed;
    if (!check->fault)
        check->fault = token_fault(check);
    if (!check->fault && !check->token.policy[0])
        check->fault = "the token names no user (skn)";
    check->fetch = !cache_speaks_for(check, NULL);
    check_ask_policy(check);
    return check;
}

static void
check_invitation_found(const RegistryResult *result, void *data)
{
    AuthCheck *check = data;
    const RegistryInvitation *invitation =
        result->code == REGISTRY_OK ? registry_result_invitation(result) : NULL;
    gboolean good =
        check->done && keys_verify(&check->token, invitation ? &invitation->key : NULL, NULL);

    if (!check->done)
        auth_check_free(check);
    else if (!code_is_answer(result->code))
        check_complete(check, AUTH_BUSY, "the registry does not answer");
    else if (check->fault)
        check_complete(check, AUTH_DENIED, check->fault);
    else if (!invitation)
        check_complete(check, AUTH_DENIED, "no such invitation");
    else if (!good)
        check_complete(check, AUTH_DENIED, "wrong signature");
    else
        check_complete(check, AUTH_OK, "");
}

AuthCheck *
auth_check_invited(Auth *auth, const AuthInvited *invited, AuthDone done, void *data)
{
    const char *token = invited->token;
    AuthCheck *check = check_new(auth, &invited->source, token, token ? strlen(token) : 0);

    check->done = done;
    check->data = data;
    check->path = g_strdup(invited->path);
    check->invitation = g_strconcat("enrollments/", invited->name, NULL);
    if (!check->fault)
        check->fault = token_fault(check);
    if (!check->fault && check->token.policy[0])
        check->fault = "the token of an invitation names no user (skn)";
    registry_fetch_invitation(auth->registry, invited->name, check_invitation_found, check);
    return check;
}

void
auth_check_cancel(AuthCheck *check)
{
    if (check)
        check->done = NULL;
}
