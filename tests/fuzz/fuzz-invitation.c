/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitations: the parts of one that is taken make one that is taken to the same parts. */
#include "common/codec/invitation.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *string = NULL, *ca = NULL, *made = NULL, *again = NULL, *ca_again = NULL;

    if (!invitation_split(text, &string, &ca, NULL))
        return 0;
    g_assert_null(strchr(string, '\n'));
    made = invitation_make(string, ca);
    if (*string == '\0')
        return 0;
    g_assert_true(invitation_split(made, &again, &ca_again, NULL));
    g_assert_cmpstr(again, ==, string);
    g_assert_cmpstr(ca_again, ==, ca);
    return 0;
}
