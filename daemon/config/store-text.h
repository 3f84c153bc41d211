/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store text: turns the state into the body of the store's file, and back. Keys are not in it: the
 * state has the name of the file with a hub's key. Pure except for the callbacks. */
#pragma once

#include "daemon/config/store-state.h"

/* The key of a hub. */
typedef struct {
    char *connection_string; /* secret; NULL: there is none */
    char *proxy_credentials; /* secret; NULL: none */
    char *invitation;        /* secret; NULL: none, we have joined */
    char *why;               /* when there is no connection string: the reason, for people */
} StoreKey;

void store_key_clear(StoreKey *key); /* wipes it */

typedef struct {
    /* FILE: the name in the state; NULL: none. KEY is all 0 at first; the caller clears it. */
    void (*find)(const char *hub, const char *file, StoreKey *key, void *data);
    void *data;
} StoreKeys;

/* PATH is for messages. Errors: INVALID, with section and key. */
StoreState *store_text_parse(const char *path, const char *text, int version, const StoreKeys *keys,
                             GError **error);

/* FILES: hub's name -> name of its key file (char *); a hub may have none. Caller frees. */
char *store_text_format(const StoreState *state, GHashTable *files);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreKey, store_key_clear)
