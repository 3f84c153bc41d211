/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitations: the parts of one that is taken make one that is taken to the same parts; and so do
 * the parts of a ticket. */
#include "common/codec/invitation.h"

#include "common/base/secret.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_ticket(const char *first)
{
    g_autoptr(InvitationTicket) ticket = invitation_ticket_parse(first, NULL), again = NULL;
    g_auto(SecretText) made = NULL;

    if (!ticket)
        return;
    g_assert_true(invitation_is_ticket(first));
    g_assert_false(ticket->user && ticket->device_id);
    made = invitation_ticket_format(ticket);
    again = invitation_ticket_parse(made, NULL);
    g_assert_nonnull(again);
    g_assert_cmpstr(again->host, ==, ticket->host);
    g_assert_cmpstr(again->name, ==, ticket->name);
    g_assert_cmpstr(again->device_id, ==, ticket->device_id);
    g_assert_cmpstr(again->module_id, ==, ticket->module_id);
    g_assert_cmpstr(again->user, ==, ticket->user);
    g_assert_cmpstr(again->key, ==, ticket->key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *string = NULL, *ca = NULL, *made = NULL, *again = NULL, *ca_again = NULL;

    if (!invitation_split(text, &string, &ca, NULL))
        return 0;
    g_assert_null(strchr(string, '\n'));
    check_ticket(string);
    made = invitation_make(string, ca);
    if (!g_ascii_isalnum(*string)) /* a second pair of quotes would be taken off the next time */
        return 0;
    g_assert_true(invitation_split(made, &again, &ca_again, NULL));
    g_assert_cmpstr(again, ==, string);
    g_assert_cmpstr(ca_again, ==, ca);
    return 0;
}
