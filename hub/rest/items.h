/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Items: the changes of POST /devices (docs/wire-protocol.md, section 6). Pure; any thread. */
#pragma once

#include "hub/registry/write.h"

#define ITEMS_MAX 100 /* in one request, as in IoT Hub */

typedef struct {
    RegistryWrite write;   /* all but the scope; without names where there were none */
    const char *operation; /* its importMode; valid for ever */
    char *why;             /* what is wrong with it; NULL: nothing */
} Item;

/* Reads BODY, an array of 1 to ITEMS_MAX changes, into Items, which the array owns. Keys in BODY
 * are overwritten. NULL: *ret_why is one English sentence, which the caller frees. */
GPtrArray *items_parse(char *body, gsize len, char **ret_why);
