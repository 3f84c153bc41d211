/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/invitation.h"

#include "common/base/error.h"
#include "common/base/pasted.h"
#include "common/base/secret.h"
#include "common/base/slice.h"
#include "common/codec/connection-string.h"
#include "common/codec/device-id.h"
#include "common/codec/sas-token.h"

#include <string.h>

#define CERTIFICATE_BEGIN "-----BEGIN CERTIFICATE-----"
#define CERTIFICATE_END "-----END CERTIFICATE-----"
#define BLANKS " \t\r\n"

char *
invitation_make(const char *first, const char *ca)
{
    return g_strconcat(first, "\n", ca, NULL);
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
                                "what follows the first line are no certificates in PEM; if a "
                                "mail program has broken that line, make it one line again");
            return FALSE;
        }
        end += strlen(CERTIFICATE_END);
        text = end + strspn(end, BLANKS);
    }
    return TRUE;
}

gboolean
invitation_split(const char *text, char **ret_first, char **ret_ca, GError **error)
{
    g_auto(SecretText) clean = NULL, first = NULL;
    const char *ca;

    if (strlen(text) > INVITATION_MAX) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "the credentials are too long");
        return FALSE;
    }
    clean = pasted_clean(text, strlen(text), "What was given", error);
    if (!clean)
        return FALSE;
    ca = clean + strcspn(clean, "\n");
    first = g_strchomp(g_strndup(clean, (gsize)(ca - clean)));
    ca += strspn(ca, BLANKS);
    if (!invitation_check_ca(ca, error))
        return FALSE;
    *ret_first = g_steal_pointer(&first);
    *ret_ca = *ca != '\0' ? g_strconcat(ca, "\n", NULL) : NULL;
    return TRUE;
}

enum {
    PART_HOST,
    PART_NAME,
    PART_DEVICE,
    PART_MODULE,
    PART_USER,
    PART_KEY,
    PART_COUNT,
};

static const char *const part_names[PART_COUNT] = {
    [PART_HOST] = "HostName",   [PART_NAME] = "Invitation", [PART_DEVICE] = "DeviceId",
    [PART_MODULE] = "ModuleId", [PART_USER] = "UserName",   [PART_KEY] = "InvitationKey",
};

gboolean
invitation_is_ticket(const char *first)
{
    return g_str_has_prefix(first, "Invitation=") || strstr(first, ";Invitation=") != NULL;
}

static gboolean
ticket_fail(GError **error, const char *what)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "The invitation %s", what);
    return FALSE;
}

/* Puts "Name=value" into its place. */
static gboolean
ticket_take(const char *text, char **parts, GError **error)
{
    const char *equals = strchr(text, '=');
    Slice name = {text, equals ? (gsize)(equals - text) : 0};

    for (guint i = 0; equals && i < PART_COUNT; i++) {
        if (!slice_equal(name, part_names[i]))
            continue;
        if (parts[i])
            return ticket_fail(error, "has a part twice");
        parts[i] = g_strdup(equals + 1);
        return TRUE;
    }
    return ticket_fail(error, "has a part that this version does not know");
}

static gboolean
ticket_take_all(const char *text, char **parts, GError **error)
{
    char **pieces = g_strsplit(text, ";", PART_COUNT + 1);
    gboolean good = TRUE;

    for (char **piece = pieces; *piece; piece++)
        good = good && ticket_take(*piece, parts, error);
    for (char **piece = pieces; *piece; piece++)
        secret_free(*piece);
    g_free(pieces);
    return good;
}

static gboolean
name_is_good(const char *name)
{
    return !name || device_id_is_valid(name, -1);
}

/* The rules of a connection string hold for the host, too. */
static gboolean
host_is_good(const char *host)
{
    g_autofree char *text = g_strdup_printf("HostName=%s;DeviceId=d;SharedAccessKey=AAAA", host);
    g_autoptr(ConnectionString) parts = connection_string_parse(text, -1, NULL);

    return parts && !strchr(host, ';');
}

static gboolean
ticket_check(char *const *parts, GError **error)
{
    g_auto(SasKey) key = {0};

    if (!parts[PART_HOST] || !host_is_good(parts[PART_HOST]))
        return ticket_fail(error, "has no good HostName; right is NAME or NAME:1..65535");
    if (!parts[PART_NAME] || !name_is_good(parts[PART_NAME]) || !name_is_good(parts[PART_DEVICE]) ||
        !name_is_good(parts[PART_MODULE]) || !name_is_good(parts[PART_USER]))
        return ticket_fail(error, "has a malformed name; right are 1 to 128 letters, digits, and "
                                  ". _ : -");
    if ((parts[PART_USER] && parts[PART_DEVICE]) || (parts[PART_MODULE] && !parts[PART_DEVICE]))
        return ticket_fail(error, "is for a device, a module of one, a user or a group, not for "
                                  "several");
    if (!parts[PART_KEY] || !sas_key_decode(&key, parts[PART_KEY], strlen(parts[PART_KEY])))
        return ticket_fail(error, "has no good InvitationKey: base64 of 1 to 128 bytes");
    return TRUE;
}

InvitationTicket *
invitation_ticket_parse(const char *text, GError **error)
{
    g_autoptr(InvitationTicket) ticket = g_new0(InvitationTicket, 1);
    char *parts[PART_COUNT] = {NULL};
    gboolean good;

    if (strlen(text) > INVITATION_TICKET_MAX) {
        (void)ticket_fail(error, "is too long");
        return NULL;
    }
    good = ticket_take_all(text, parts, error) && ticket_check(parts, error);
    ticket->host = parts[PART_HOST];
    ticket->name = parts[PART_NAME];
    ticket->device_id = parts[PART_DEVICE];
    ticket->module_id = parts[PART_MODULE];
    ticket->user = parts[PART_USER];
    ticket->key = parts[PART_KEY];
    return good ? g_steal_pointer(&ticket) : NULL;
}

char *
invitation_ticket_format(const InvitationTicket *ticket)
{
    const char *device = ticket->device_id, *module = ticket->module_id, *user = ticket->user;

    return g_strconcat("HostName=", ticket->host, ";Invitation=", ticket->name,
                       device ? ";DeviceId=" : "", device ? device : "", module ? ";ModuleId=" : "",
                       module ? module : "", user ? ";UserName=" : "", user ? user : "",
                       ";InvitationKey=", ticket->key, NULL);
}

void
invitation_ticket_free(InvitationTicket *ticket)
{
    if (!ticket)
        return;
    g_free(ticket->host);
    g_free(ticket->name);
    g_free(ticket->device_id);
    g_free(ticket->module_id);
    g_free(ticket->user);
    secret_free(ticket->key);
    g_free(ticket);
}
