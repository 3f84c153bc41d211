/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/certificate/succession.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "hub/certificate/certificate.h"
#include "hub/base/state.h"
#include "hub/base/private-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

struct Succession {
    char *state_dir;
    CertificateAuthority *present;
    CertificateAuthority *next; /* NULL: no change */
    char *cross;                /* PEM: NEXT, signed by PRESENT; NULL: it cannot be */
};

void
succession_free(Succession *succession)
{
    if (!succession)
        return;
    certificate_authority_free(succession->present);
    certificate_authority_free(succession->next);
    g_free(succession->cross);
    g_free(succession->state_dir);
    g_free(succession);
}

static char *
path_of(const Succession *succession, const char *name)
{
    return g_build_filename(succession->state_dir, name, NULL);
}

static gboolean
is_there(const Succession *succession, const char *name)
{
    g_autofree char *path = path_of(succession, name);

    return g_file_test(path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK);
}

static CertificateAuthority *
open_authority(const Succession *succession, const char *cert, const char *key, GError **error)
{
    g_autofree char *cert_file = path_of(succession, cert);
    g_autofree char *key_file = path_of(succession, key);

    return certificate_authority_open(cert_file, key_file, error);
}

/* Whether the next authority was told anybody, so that it must stay. */
static gboolean
is_told(const Succession *succession)
{
    return is_there(succession, STATE_STATEMENT_AUTHORITY);
}

static gboolean
open_both(Succession *succession, GError **error)
{
    g_autofree char *cross = path_of(succession, STATE_CA_CROSS);

    succession->present = open_authority(succession, STATE_CA_CERT, STATE_CA_KEY, error);
    if (!succession->present)
        return FALSE;
    if (!is_told(succession))
        return TRUE;
    succession->next = open_authority(succession, STATE_CA_NEXT_CERT, STATE_CA_NEXT_KEY, error);
    if (!succession->next)
        return FALSE;
    if (certificate_authority_may_cross(succession->present)) {
        succession->cross = file_read(cross, FILE_PEM_MAX, NULL, error);
        return succession->cross != NULL;
    }
    return TRUE;
}

/* TRUE where FROM does not exist. */
static gboolean
move(const Succession *succession, const char *from, const char *to, GError **error)
{
    g_autofree char *from_path = path_of(succession, from);
    g_autofree char *to_path = path_of(succession, to);

    return g_rename(from_path, to_path) == 0 || errno == ENOENT ||
           file_error_set(to_path, errno, error);
}

/* The present one becomes the old one, and the next one the present one. Whatever step was the last
 * before it was interrupted, the same steps bring it to its end. */
static gboolean
move_all(const Succession *succession, GError **error)
{
    if (is_there(succession, STATE_CA_NEXT_CERT) &&
        !move(succession, STATE_CA_CERT, STATE_CA_OLD_CERT, error))
        return FALSE;
    if (!move(succession, STATE_CA_NEXT_CERT, STATE_CA_CERT, error))
        return FALSE;
    if (is_there(succession, STATE_CA_NEXT_KEY) &&
        !move(succession, STATE_CA_KEY, STATE_CA_OLD_KEY, error))
        return FALSE;
    return move(succession, STATE_CA_NEXT_KEY, STATE_CA_KEY, error);
}

static void
unlink_in(const Succession *succession, const char *name)
{
    g_autofree char *path = path_of(succession, name);

    (void)g_unlink(path);
}

/* The mark says that this has begun; it goes last. */
static gboolean
replace_present(const Succession *succession, GError **error)
{
    if (!is_there(succession, STATE_CA_FINISHING))
        return TRUE;
    if (!move_all(succession, error))
        return FALSE;
    unlink_in(succession, STATE_STATEMENT_AUTHORITY);
    unlink_in(succession, STATE_CA_CROSS);
    unlink_in(succession, STATE_CA_FINISHING);
    return TRUE;
}

Succession *
succession_open(const char *state_dir, GError **error)
{
    g_autoptr(Succession) succession = g_new0(Succession, 1);

    succession->state_dir = g_strdup(state_dir);
    return replace_present(succession, error) && open_both(succession, error)
               ? g_steal_pointer(&succession)
               : NULL;
}

gboolean
succession_finish(Succession *succession, GError **error)
{
    g_autofree char *mark = path_of(succession, STATE_CA_FINISHING);

    if (!public_file_replace(mark, "", 0, error) || !replace_present(succession, error))
        return FALSE;
    g_clear_pointer(&succession->present, certificate_authority_free);
    g_clear_pointer(&succession->next, certificate_authority_free);
    g_clear_pointer(&succession->cross, g_free);
    return open_both(succession, error);
}

SuccessionKind
succession_kind(const Succession *succession)
{
    return !succession->next   ? SUCCESSION_NONE
           : succession->cross ? SUCCESSION_LINKED
                               : SUCCESSION_TOLD;
}

const CertificateAuthority *
succession_present(const Succession *succession)
{
    return succession->present;
}

const CertificateAuthority *
succession_next(const Succession *succession)
{
    return succession->next;
}

CertificatePair *
succession_issue(const Succession *succession, const char *const *names, GError **error)
{
    return certificate_authority_issue(succession->cross ? succession->next : succession->present,
                                       names, succession->cross, error);
}

CertificatePair *
succession_issue_last(const Succession *succession, const char *const *names, GError **error)
{
    return certificate_authority_issue(succession->next, names, NULL, error);
}

gboolean
succession_has_signed(const Succession *succession, const CertificatePair *pair)
{
    return certificate_authority_has_signed(succession->present, pair) ||
           (succession->next && certificate_authority_has_signed(succession->next, pair));
}

/* What an interrupted change has left, and nobody has been told of, is made anew. */
static gboolean
make_next(Succession *succession, gint64 now, GError **error)
{
    g_autofree char *name =
        g_strdup_printf("%s %" G_GINT64_FORMAT, CERTIFICATE_AUTHORITY_NAME, now);
    g_autofree char *cert = path_of(succession, STATE_CA_NEXT_CERT);
    g_autofree char *key = path_of(succession, STATE_CA_NEXT_KEY);

    (void)g_unlink(cert);
    (void)g_unlink(key);
    if (!certificate_make_authority(name, cert, key, error) ||
        !state_give(succession->state_dir, cert, error))
        return FALSE;
    succession->next = certificate_authority_open(cert, key, error);
    return succession->next != NULL;
}

static gboolean
write_public(const Succession *succession, const char *name, const char *text, GError **error)
{
    g_autofree char *path = path_of(succession, name);

    return public_file_replace(path, text, strlen(text), error) &&
           state_give(succession->state_dir, path, error);
}

static gboolean
make_cross(Succession *succession, GError **error)
{
    if (!certificate_authority_may_cross(succession->present))
        return TRUE;
    succession->cross = certificate_authority_cross(succession->present, succession->next, error);
    return succession->cross && write_public(succession, STATE_CA_CROSS, succession->cross, error);
}

/* The serial of the last statement of this kind; 0: none that can be read. */
static guint64
last_serial(const Succession *succession, const char *name)
{
    g_autofree char *path = path_of(succession, name);
    gsize len = 0;
    g_autofree char *text = file_read(path, STATEMENT_MAX, &len, NULL);
    g_autoptr(Statement) statement = text ? statement_parse(text, len, NULL) : NULL;

    return statement ? statement->serial : 0;
}

/* The clock is the serial, so that it rises also where the last statement was removed. */
static gboolean
write_statement(const Succession *succession, Statement *statement, const char *name, gint64 now,
                GError **error)
{
    const CertificateAuthority *root =
        statement->kind == STATEMENT_AUTHORITY ? succession->next : NULL;
    g_autofree char *text = NULL;

    statement->serial = MAX((guint64)now, last_serial(succession, name) + 1);
    text = certificate_authority_state(succession->present, statement, root, error);
    return text && write_public(succession, name, text, error);
}

gboolean
succession_begin(Succession *succession, const char *const *names, gint64 now, GError **error)
{
    Statement statement = {.kind = STATEMENT_AUTHORITY, .names = (char **)(guintptr)names};

    if (succession->next)
        return TRUE;
    return make_next(succession, now, error) && make_cross(succession, error) &&
           write_statement(succession, &statement, STATE_STATEMENT_AUTHORITY, now, error);
}

gboolean
succession_announce(const Succession *succession, const char *const *names, const char *host,
                    guint16 port, gint64 now, GError **error)
{
    Statement statement = {.kind = STATEMENT_ADDRESS,
                           .names = (char **)(guintptr)names,
                           .host = (char *)(guintptr)host,
                           .port = port};

    return write_statement(succession, &statement, STATE_STATEMENT_ADDRESS, now, error);
}

gboolean
succession_withdraw_address(const Succession *succession)
{
    g_autofree char *path = path_of(succession, STATE_STATEMENT_ADDRESS);

    return g_unlink(path) == 0;
}
