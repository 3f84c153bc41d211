/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/device-auth.h"

#include <string.h>

#define SHA1_SIZE 20

static const char *const kind_names[] = {
    [REGISTRY_AUTH_KEYS] = "sas",
    [REGISTRY_AUTH_THUMBPRINT] = "selfSigned",
    [REGISTRY_AUTH_AUTHORITY] = "certificateAuthority",
};

gboolean
registry_thumbprint_parse(const char *text, RegistryThumbprint *ret)
{
    RegistryThumbprint found = {0};

    for (gsize i = 0; text[i]; found.len++) {
        if (found.len > 0 && text[i] == ':')
            i++;
        if (found.len == REGISTRY_THUMBPRINT_SIZE || !g_ascii_isxdigit(text[i]) ||
            !g_ascii_isxdigit(text[i + 1]))
            return FALSE;
        found.bytes[found.len] =
            (guint8)(g_ascii_xdigit_value(text[i]) << 4 | g_ascii_xdigit_value(text[i + 1]));
        i += 2;
    }
    if (found.len != SHA1_SIZE && found.len != REGISTRY_THUMBPRINT_SIZE)
        return FALSE;
    *ret = found;
    return TRUE;
}

char *
registry_thumbprint_format(const RegistryThumbprint *thumbprint)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < thumbprint->len; i++)
        g_string_append_printf(text, "%02X", thumbprint->bytes[i]);
    return g_string_free(text, FALSE);
}

static gboolean
thumbprint_equal(const RegistryThumbprint *one, const RegistryThumbprint *other)
{
    return one->len == other->len && memcmp(one->bytes, other->bytes, one->len) == 0;
}

gboolean
registry_auth_knows(const RegistryAuth *auth, const guint8 *sha1, const guint8 *sha256)
{
    gboolean knows = FALSE;

    for (guint i = 0; i < REGISTRY_THUMBPRINTS_MAX; i++) {
        const RegistryThumbprint *known = &auth->thumbprints[i];

        knows = knows || (known->len == SHA1_SIZE && memcmp(known->bytes, sha1, SHA1_SIZE) == 0) ||
                (known->len == REGISTRY_THUMBPRINT_SIZE &&
                 memcmp(known->bytes, sha256, REGISTRY_THUMBPRINT_SIZE) == 0);
    }
    return knows && auth->kind == REGISTRY_AUTH_THUMBPRINT;
}

const char *
registry_auth_fault(const RegistryAuth *auth)
{
    gboolean has = auth->thumbprints[0].len > 0 || auth->thumbprints[1].len > 0;

    if (auth->kind == REGISTRY_AUTH_THUMBPRINT && !has)
        return "a device with certificates of its own needs a thumbprint";
    if (auth->kind != REGISTRY_AUTH_THUMBPRINT && has)
        return "only a device with certificates of its own has thumbprints";
    if (has && thumbprint_equal(&auth->thumbprints[0], &auth->thumbprints[1]))
        return "the two thumbprints are the same";
    return NULL;
}

gboolean
registry_auth_equal(const RegistryAuth *auth, const RegistryAuth *other)
{
    return auth->kind == other->kind &&
           thumbprint_equal(&auth->thumbprints[0], &other->thumbprints[0]) &&
           thumbprint_equal(&auth->thumbprints[1], &other->thumbprints[1]);
}

const char *
registry_auth_kind_name(RegistryAuthKind kind)
{
    return kind_names[kind];
}

gboolean
registry_auth_kind_from_name(const char *name, RegistryAuthKind *ret)
{
    for (guint i = 0; i < G_N_ELEMENTS(kind_names); i++)
        if (strcmp(name, kind_names[i]) == 0) {
            *ret = (RegistryAuthKind)i;
            return TRUE;
        }
    return FALSE;
}

/* A missing thumbprint is "-", so that the secondary one stays the secondary one. */
char *
registry_auth_format(const RegistryAuth *auth)
{
    g_autofree char *first = registry_thumbprint_format(&auth->thumbprints[0]);
    g_autofree char *second = registry_thumbprint_format(&auth->thumbprints[1]);

    if (auth->kind != REGISTRY_AUTH_THUMBPRINT)
        return g_strdup(kind_names[auth->kind]);
    return g_strdup_printf("%s %s %s", kind_names[auth->kind], *first ? first : "-",
                           *second ? second : "-");
}

gboolean
registry_auth_parse(const char *text, RegistryAuth *ret)
{
    g_auto(GStrv) words = g_strsplit(text, " ", REGISTRY_THUMBPRINTS_MAX + 2);
    guint count = g_strv_length(words);
    RegistryAuth found = {0};

    if (count == 0 || !registry_auth_kind_from_name(words[0], &found.kind))
        return FALSE;
    if (found.kind == REGISTRY_AUTH_THUMBPRINT ? count != REGISTRY_THUMBPRINTS_MAX + 1 : count != 1)
        return FALSE;
    for (guint i = 1; i < count; i++)
        if (strcmp(words[i], "-") != 0 &&
            !registry_thumbprint_parse(words[i], &found.thumbprints[i - 1]))
            return FALSE;
    if (registry_auth_fault(&found))
        return FALSE;
    *ret = found;
    return TRUE;
}
