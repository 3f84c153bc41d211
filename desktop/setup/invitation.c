/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/setup/invitation.h"
#include "desktop/setup/other-text.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CERTIFICATE_BEGIN "-----BEGIN CERTIFICATE-----"
#define CERTIFICATE_END "-----END CERTIFICATE-----"

enum { HOST, NAME, DEVICE, MODULE, USER, POLICY, PART_COUNT };

/* Parts that are shown, and no others are copied. */
static const char *const shown[PART_COUNT] = {
    [HOST] = "HostName=",   [NAME] = "Invitation=", [DEVICE] = "DeviceId=",
    [MODULE] = "ModuleId=", [USER] = "UserName=",   [POLICY] = "SharedAccessKeyName=",
};

typedef struct {
    char *part[PART_COUNT];
    gboolean ticket_key, key, certificate;
} Parts;

static void
parts_clear(Parts *parts)
{
    for (guint i = 0; i < PART_COUNT; i++)
        g_free(parts->part[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parts, parts_clear)

void
invitation_wipe(char *text, gsize length)
{
    if (text != NULL)
        explicit_bzero(text, length);
    g_free(text);
}

static gboolean
starts(const char *text, gsize length, const char *with)
{
    return length >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* What editors, mail programs and word processors put around a text: blanks, quotes, marks. No part
 * of it begins or ends with one of these. */
static gboolean
is_around(char c)
{
    return !g_ascii_isgraph(c) || strchr("\"'`>", c) != NULL;
}

/* One "Name=value", without what is around it. */
static void
parts_take(Parts *parts, const char *text, gsize length)
{
    while (length > 0 && is_around(*text)) {
        text++;
        length--;
    }
    while (length > 0 && is_around(text[length - 1]))
        length--;
    parts->ticket_key |= starts(text, length, "InvitationKey=");
    parts->key |= starts(text, length, "SharedAccessKey=");
    parts->certificate |= starts(text, length, "x509=");
    for (guint i = 0; i < PART_COUNT; i++) {
        if (starts(text, length, shown[i]) && parts->part[i] == NULL)
            parts->part[i] = g_strndup(text + strlen(shown[i]), length - strlen(shown[i]));
    }
}

/* All parts, which end where the certificates begin. */
static void
parts_read(Parts *parts, const char *text, gsize length)
{
    const char *end = g_strstr_len(text, (gssize)length, "-----BEGIN");
    gsize left = end == NULL ? length : (gsize)(end - text);

    while (left > 0) {
        const char *semicolon = memchr(text, ';', left);
        gsize size = semicolon == NULL ? left : (gsize)(semicolon - text);

        parts_take(parts, text, size);
        size += semicolon == NULL ? 0 : 1;
        text += size;
        left -= size;
    }
}

static char *
fingerprint(const char *base64, gsize length)
{
    g_autofree char *text = g_strndup(base64, length), *hex = NULL;
    gsize size = 0;
    g_autofree guchar *der = g_base64_decode(text, &size);
    g_autoptr(GString) colons = g_string_new(NULL);

    hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, der, size);
    for (gsize i = 0; hex[i] != '\0'; i++) {
        if (i > 0 && i % 2 == 0)
            g_string_append_c(colons, ':');
        g_string_append_c(colons, g_ascii_toupper(hex[i]));
    }
    return g_string_free(g_steal_pointer(&colons), FALSE);
}

static char *
fingerprints(const char *text, gsize length)
{
    const char *const end = text + length;
    g_autoptr(GString) lines = g_string_new(NULL);
    const char *first, *last;

    while ((first = g_strstr_len(text, end - text, CERTIFICATE_BEGIN)) != NULL) {
        g_autofree char *one = NULL;

        first += strlen(CERTIFICATE_BEGIN);
        last = g_strstr_len(first, end - first, CERTIFICATE_END);
        if (last == NULL)
            break;
        one = fingerprint(first, (gsize)(last - first));
        g_string_append_printf(lines, "%s%s", lines->len > 0 ? "\n" : "", one);
        text = last + strlen(CERTIFICATE_END);
    }
    return g_string_free(g_steal_pointer(&lines), FALSE);
}

static gboolean
invalid(GError **error, const char *text)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, text);
    return FALSE;
}

static gboolean
check_kind(const char *text, gsize length, GError **error)
{
    const char *other = other_text_name(text, length);
    g_autofree char *said =
        other == NULL ? NULL
                      : g_strdup_printf(_("This is not an invitation but %s. Ask whoever runs the "
                                          "hub for an invitation or a connection string."),
                                        other);

    if (length == 0)
        return invalid(error, _("It is empty. Ask for the invitation once more."));
    if (length > INVITATION_MAX)
        return invalid(error, _("This is too long for an invitation, which has at most 32 KB."));
    if (said != NULL)
        return invalid(error, said);
    if (memchr(text, '\0', length) != NULL || !g_utf8_validate(text, (gssize)length, NULL))
        return invalid(error, _("This is not an invitation: it is not even text."));
    return TRUE;
}

/* What is missing tells where the text was cut. */
static gboolean
check_parts(const Parts *parts, GError **error)
{
    const gboolean ticket = parts->part[NAME] != NULL;

    if (parts->part[HOST] == NULL && !ticket && !parts->key)
        return invalid(error, _("This is neither an invitation nor a connection string: both begin "
                                "with HostName=."));
    if (parts->part[HOST] == NULL || *parts->part[HOST] == '\0')
        return invalid(error, _("Its beginning is missing: it does not say HostName=, which is "
                                "where the hub is. Copy all of it."));
    if (ticket ? !parts->ticket_key : !parts->key && !parts->certificate)
        return invalid(error, _("Its end is missing: the key in it. Copy all of it."));
    if (!ticket && parts->part[DEVICE] == NULL && parts->part[POLICY] == NULL)
        return invalid(error, _("It does not say for whom it is, neither DeviceId= nor "
                                "SharedAccessKeyName=. Copy all of it."));
    return TRUE;
}

static void
take_identity(Invitation *invitation, const Parts *parts)
{
    const char *device = parts->part[DEVICE], *module = parts->part[MODULE];
    const char *user = parts->part[NAME] != NULL ? parts->part[USER] : parts->part[POLICY];

    if (device != NULL && module != NULL)
        invitation->identity = g_strdup_printf("%s/%s", device, module);
    else
        invitation->identity = g_strdup(device != NULL ? device : user);
    invitation->role = device != NULL ? INVITATION_DEVICE
                       : user != NULL ? INVITATION_SERVICE
                                      : INVITATION_ANY;
}

Invitation *
invitation_read(const char *text, gsize length, GError **error)
{
    g_auto(Parts) parts = {0};
    Invitation *invitation;

    if (!check_kind(text, length, error))
        return NULL;
    parts_read(&parts, text, length);
    if (!check_parts(&parts, error))
        return NULL;
    invitation = g_new0(Invitation, 1);
    invitation->host = g_strdup(parts.part[HOST]);
    invitation->name = g_strdup(parts.part[NAME]);
    take_identity(invitation, &parts);
    invitation->fingerprints = fingerprints(text, length);
    invitation->text = g_memdup2(text, length);
    invitation->length = length;
    return invitation;
}

void
invitation_free(Invitation *invitation)
{
    if (invitation == NULL)
        return;
    g_free(invitation->host);
    g_free(invitation->name);
    g_free(invitation->identity);
    g_free(invitation->fingerprints);
    invitation_wipe(invitation->text, invitation->length);
    g_free(invitation);
}

char *
invitation_hub_name(const Invitation *invitation)
{
    const gsize first = strcspn(invitation->host, ".:");
    g_autofree char *name = g_strndup(invitation->host, MIN(first, 64));
    gboolean letters = FALSE;

    for (char *c = name; *c != '\0'; c++) {
        letters |= g_ascii_isalpha(*c);
        if (!g_ascii_isalnum(*c) && *c != '-' && *c != '_')
            *c = '-';
    }
    return letters ? g_steal_pointer(&name) : g_strdup("hub"); /* an address is no good name */
}

int
invitation_open(const Invitation *invitation, GError **error)
{
    int fd = memfd_create("invitation", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, invitation->text, invitation->length) == (ssize_t)invitation->length &&
        lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    g_set_error_literal(error, G_IO_ERROR, g_io_error_from_errno(errno), g_strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

gboolean
invitation_is(const Invitation *invitation, const char *text)
{
    return text != NULL && strlen(text) == invitation->length &&
           memcmp(text, invitation->text, invitation->length) == 0;
}
