/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store text: the state as the body of the store's file, and back. Keys are elsewhere: the state
 * has the name of the file with a hub's key. Pure but for the callbacks. */
#pragma once

#include "daemon/config/store-state.h"

/* A hub's key, as it was found. */
typedef struct {
    char *connection_string; /* secret; NULL: there is none */
    char *proxy_credentials; /* secret; NULL: none */
    char *why;               /* without a connection string: why, for people */
} StoreKey;

void store_key_clear(StoreKey *key); /* wipes it */

typedef struct {
    /* FILE: what the state names; NULL: nothing. KEY is all 0 and is cleared by the caller. */
    void (*find)(const char *hub, const char *file, StoreKey *key, void *data);
    void *data;
} StoreKeys;

/* PATH is for messages. Errors: INVALID, with section and key. */
StoreState *store_text_parse(const char *path, const char *text, int version, const StoreKeys *keys,
                             GError **error);

/* FILES: from a hub's name to that of its file (char *); a hub may be without. Caller frees. */
char *store_text_format(const StoreState *state, GHashTable *files);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreKey, store_key_clear)
