/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/identity.h"

#include "common/base/error.h"
#include "hub/certificate/certificate.h"

#define DAY (24 * 60 * 60)

struct Identity {
    char *state_dir;
    const char *const *host_names;
    GStrv given;     /* the public name, and host_names */
    GStrv certified; /* as they were at the start */
    GStrv names;     /* both */
    CertificatePair *pair;
    TlsContext *tls;
};

/* The names of the options, then those of the certificate, each once. */
static GStrv
all_names(const char *const *given, const char *const *certified)
{
    GPtrArray *names = g_ptr_array_new();
    const char *const *const lists[] = {given, certified};

    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        for (const char *const *name = lists[i]; name && *name; name++) {
            g_autofree char *lower = g_ascii_strdown(*name, -1);

            if (!g_ptr_array_find_with_equal_func(names, lower, g_str_equal, NULL))
                g_ptr_array_add(names, g_steal_pointer(&lower));
        }
    g_ptr_array_add(names, NULL);
    return (GStrv)g_ptr_array_free(names, FALSE);
}

/* A name with a port is refused: the port would become part of the name. */
static gboolean
check_names(const char *const *names, GError **error)
{
    for (const char *const *name = names; *name; name++)
        if (!certificate_name_is_valid(*name)) {
            g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                        "--host-name %s: neither a host name nor an IP address", *name);
            return FALSE;
        }
    if (names[0])
        return TRUE;
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                        "the certificate has no name: give --host-name NAME");
    return FALSE;
}

static gint64
now_seconds(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

/* The new certificate must have the names that were given, and the name that is in all connection
 * strings. And a later start with it must not fail because of a name. */
gboolean
identity_check(const CertificatePair *pair, const char *const *host_names,
               const char *const *certified, GError **error)
{
    g_auto(GStrv) names = all_names(host_names, certificate_pair_names(pair));
    g_auto(GStrv) before = all_names(host_names, certified);
    const char *const none[] = {NULL};
    const char *const first[] = {before[0], NULL};
    g_auto(GStrv) needed = all_names(host_names, before[0] ? first : none);

    return check_names((const char *const *)names, error) &&
           certificate_pair_check(pair, (const char *const *)needed, now_seconds(), error);
}

/* PAIR is taken on success. */
static gboolean
identity_take(Identity *identity, CertificatePair *pair, GError **error)
{
    TlsContext *tls = certificate_pair_tls(pair, error);

    if (!tls)
        return FALSE;
    tls_context_unref(identity->tls);
    certificate_pair_free(identity->pair);
    identity->tls = tls;
    identity->pair = pair;
    return TRUE;
}

static GStrv
given_names(const Identity *identity, const char *public_name)
{
    const char *const first[] = {public_name, NULL};

    return all_names(first, identity->host_names);
}

/* GIVEN is taken. */
static void
identity_set_given(Identity *identity, GStrv given)
{
    g_strfreev(identity->given);
    g_strfreev(identity->names);
    identity->given = given;
    identity->names =
        all_names((const char *const *)given, (const char *const *)identity->certified);
}

Identity *
identity_new(const char *state_dir, const char *public_name, const char *const *host_names,
             GError **error)
{
    g_autoptr(Identity) identity = g_new0(Identity, 1);
    g_autoptr(CertificatePair) pair = certificate_pair_open(state_dir, error);

    if (!pair)
        return NULL;
    identity->state_dir = g_strdup(state_dir);
    identity->host_names = host_names;
    identity->certified = all_names(NULL, certificate_pair_names(pair));
    identity_set_given(identity, given_names(identity, public_name));
    if (!check_names(identity_names(identity), error) || !identity_take(identity, pair, error))
        return NULL;
    g_steal_pointer(&pair);
    return g_steal_pointer(&identity);
}

void
identity_free(Identity *identity)
{
    if (!identity)
        return;
    tls_context_unref(identity->tls);
    certificate_pair_free(identity->pair);
    g_strfreev(identity->given);
    g_strfreev(identity->certified);
    g_strfreev(identity->names);
    g_free(identity->state_dir);
    g_free(identity);
}

static gboolean
identity_judge(const Identity *identity, const CertificatePair *pair, GError **error)
{
    return identity_check(pair, (const char *const *)identity->given, identity_names(identity),
                          error);
}

GStrv
identity_names_as(const Identity *identity, const char *public_name)
{
    g_auto(GStrv) given = given_names(identity, public_name);

    return all_names((const char *const *)given, (const char *const *)identity->certified);
}

gboolean
identity_reload(Identity *identity, const char *public_name, GError **error)
{
    g_autoptr(CertificatePair) pair = certificate_pair_open(identity->state_dir, error);
    g_auto(GStrv) given = given_names(identity, public_name);
    g_auto(GStrv) names = identity_names_as(identity, public_name);

    if (!pair ||
        !identity_check(pair, (const char *const *)given, (const char *const *)names, error) ||
        !identity_take(identity, pair, error))
        return FALSE;
    g_steal_pointer(&pair);
    identity_set_given(identity, g_steal_pointer(&given));
    return TRUE;
}

gboolean
identity_install(Identity *identity, GError **error)
{
    g_autoptr(CertificatePair) pair = certificate_pair_open_staged(identity->state_dir, error);

    if (!pair || !identity_judge(identity, pair, error) ||
        !certificate_pair_commit(identity->state_dir, error) ||
        !identity_take(identity, pair, error))
        return FALSE;
    g_steal_pointer(&pair);
    return TRUE;
}

const char *const *
identity_names(const Identity *identity)
{
    return (const char *const *)identity->names;
}

TlsContext *
identity_tls(const Identity *identity)
{
    return identity->tls;
}

const CertificatePair *
identity_pair(const Identity *identity)
{
    return identity->pair;
}

gint64
identity_days(const Identity *identity)
{
    gint64 left = certificate_pair_end(identity->pair) - now_seconds();

    return left < 0 ? -1 : left / DAY;
}

char *
identity_warning(const Identity *identity)
{
    g_autoptr(GError) error = NULL;

    if (!identity_judge(identity, identity->pair, &error))
        return g_strdup_printf("clients will not take the hub's certificate: %s", error->message);
    if (identity_days(identity) < IDENTITY_WARN_DAYS)
        return g_strdup_printf("the hub's certificate expires in %" G_GINT64_FORMAT
                               " days: 'streamhub certificate renew' makes another, or "
                               "'streamhub certificate install CERT KEY' takes one",
                               identity_days(identity));
    return NULL;
}
