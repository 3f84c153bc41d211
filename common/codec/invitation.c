/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/invitation.h"

#include "common/base/error.h"
#include "common/base/secret.h"

#include <string.h>

#define CERTIFICATE_BEGIN "-----BEGIN CERTIFICATE-----"
#define CERTIFICATE_END "-----END CERTIFICATE-----"
#define BLANKS " \t\r\n"

char *
invitation_make(const char *connection_string, const char *ca)
{
    return g_strconcat(connection_string, "\n", ca, NULL);
}

/* A private key next to the certificates would be given away by mistake. */
static gboolean
invitation_check_ca(const char *text, GError **error)
{
    while (*text != '\0') {
        const char *end = g_str_has_prefix(text, CERTIFICATE_BEGIN)
                              ? strstr(text + strlen(CERTIFICATE_BEGIN), CERTIFICATE_END)
                              : NULL;

        if (!end) {
            g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                                "what follows the connection string are no certificates in PEM");
            return FALSE;
        }
        end += strlen(CERTIFICATE_END);
        text = end + strspn(end, BLANKS);
    }
    return TRUE;
}

gboolean
invitation_split(const char *text, char **ret_connection_string, char **ret_ca, GError **error)
{
    const char *begin = text + strspn(text, BLANKS);
    const char *ca = begin + strcspn(begin, "\n");
    g_auto(SecretText) first = g_strchomp(g_strndup(begin, (gsize)(ca - begin)));

    ca += strspn(ca, BLANKS);
    if (strlen(text) > INVITATION_MAX) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "the credentials are too long");
        return FALSE;
    }
    if (!invitation_check_ca(ca, error))
        return FALSE;
    *ret_connection_string = g_steal_pointer(&first);
    *ret_ca = *ca != '\0' ? g_strdup(ca) : NULL;
    return TRUE;
}
