/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Token: lets one leg of one stream connect, once (docs/wire-protocol.md, section 4).
 *
 * 32 random bytes in base64url without padding; only their SHA-256 is kept and looked up, so that
 * neither a memory dump nor the time of a look-up reveals a usable token. A Token is embedded in
 * its stream. Main thread. */
#pragma once

#include <glib.h>

#define TOKEN_BYTES 32
#define TOKEN_TEXT 43 /* characters, without the NUL */
#define TOKEN_HASH 32

typedef enum {
    LEG_DEVICE,
    LEG_SERVICE,
} LegSide;

#define LEG_SIDES 2

typedef struct {
    guint8 hash[TOKEN_HASH];
    gint64 deadline; /* monotonic µs; 0: not issued, or spent, or revoked */
    LegSide side;
    void *owner;
} Token;

typedef struct TokenStore TokenStore;

TokenStore *token_store_new(void);
void token_store_free(TokenStore *store); /* the tokens are their owners' */

/* Makes TOKEN valid until DEADLINE and writes its text, which is kept nowhere else. TOKEN must not
 * be issued already. */
void token_issue(TokenStore *store, Token *token, void *owner, LegSide side, gint64 deadline,
                 char ret_text[TOKEN_TEXT + 1]);

/* The token of this text, or NULL when there is none that is valid at NOW. */
Token *token_find(TokenStore *store, const char *text, gsize len, gint64 now);

/* Spends or revokes it; nothing when it is not issued. */
void token_drop(TokenStore *store, Token *token);

gboolean token_is_issued(const Token *token);
guint token_store_size(const TokenStore *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TokenStore, token_store_free)
