/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/token.h"

#include "common/codec/base64.h"

#include <string.h>
#include <unistd.h>

struct TokenStore {
    GHashTable *by_hash; /* hash inside the Token -> Token */
};

static guint
hash_hash(gconstpointer key)
{
    guint value;

    memcpy(&value, key, sizeof value);
    return value;
}

/* Compares digests and not the secrets, so the time that it takes tells nothing. */
static gboolean
hash_equal(gconstpointer a, gconstpointer b)
{
    guint64 one[TOKEN_HASH / 8], other[TOKEN_HASH / 8];
    guint64 difference = 0;

    memcpy(one, a, sizeof one);
    memcpy(other, b, sizeof other);
    for (guint i = 0; i < G_N_ELEMENTS(one); i++)
        difference |= one[i] ^ other[i];
    return difference == 0;
}

static void
hash_make(const guint8 bytes[TOKEN_BYTES], guint8 ret[TOKEN_HASH])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize len = TOKEN_HASH;

    g_checksum_update(sum, bytes, TOKEN_BYTES);
    g_checksum_get_digest(sum, ret, &len);
}

TokenStore *
token_store_new(void)
{
    TokenStore *store = g_new0(TokenStore, 1);

    store->by_hash = g_hash_table_new(hash_hash, hash_equal);
    return store;
}

void
token_store_free(TokenStore *store)
{
    if (!store)
        return;
    g_hash_table_unref(store->by_hash);
    g_free(store);
}

void
token_issue(TokenStore *store, Token *token, void *owner, LegSide side, gint64 deadline,
            char ret_text[TOKEN_TEXT + 1])
{
    guint8 bytes[TOKEN_BYTES];
    g_autofree char *text = NULL;

    g_assert(!token_is_issued(token));
    if (getentropy(bytes, sizeof bytes) < 0)
        g_error("the kernel gives no random bytes");
    text = base64url_encode(bytes, sizeof bytes);
    hash_make(bytes, token->hash);
    explicit_bzero(bytes, sizeof bytes);
    token->owner = owner;
    token->side = side;
    token->deadline = deadline;
    g_hash_table_insert(store->by_hash, token->hash, token);
    memcpy(ret_text, text, TOKEN_TEXT + 1);
    explicit_bzero(text, TOKEN_TEXT);
}

Token *
token_find(TokenStore *store, const char *text, gsize len, gint64 now)
{
    guint8 bytes[TOKEN_BYTES], hash[TOKEN_HASH];
    gsize size = 0;
    Token *token;

    if (len != TOKEN_TEXT || !base64url_decode(text, len, bytes, sizeof bytes, &size) ||
        size != TOKEN_BYTES)
        return NULL;
    hash_make(bytes, hash);
    explicit_bzero(bytes, sizeof bytes);
    token = g_hash_table_lookup(store->by_hash, hash);
    return token && now < token->deadline ? token : NULL;
}

void
token_drop(TokenStore *store, Token *token)
{
    if (!token_is_issued(token))
        return;
    g_hash_table_remove(store->by_hash, token->hash);
    token->deadline = 0;
}

gboolean
token_is_issued(const Token *token)
{
    return token->deadline != 0;
}

guint
token_store_size(const TokenStore *store)
{
    return g_hash_table_size(store->by_hash);
}
