/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/store.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "daemon/config/store-secrets.h"
#include "daemon/config/store-text.h"
#include "daemon/config/store-upgrade.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* What else a hub may have in its file: */
#define STORE_INVITATION "/invitation"
#define STORE_PROXY "/proxy" /* they follow its name, which has no slash */

/* The files, as this store knows them. */
struct Store {
    char *dir, *state_path, *secrets_path; /* SECRETS_PATH: the keys before version 4 */
    StoreSecrets *secrets;
    char *text;            /* body of the state; NULL: there is none */
    int version;           /* of the state; 0: there is none */
    gboolean old_kept;     /* the files of an older version have been copied */
    GHashTable *files;     /* hub's name -> name of the file with its key */
    GHashTable *sums;      /* hub's name -> SHA-256 of the body of that file */
    GPtrArray *leftovers;  /* names in secrets.d that the next save removes */
    GPtrArray *torn;       /* the same, in the state directory itself */
    char *newer;           /* why it cannot save; NULL: the state is not newer */
    char *loading_secrets; /* while an old version is loaded: its file `secrets` */
};

Store *
store_new(const char *dir, GError **error)
{
    Store *store;

    if (!g_file_test(dir, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND,
                    "the state directory %s does not exist", dir);
        return NULL;
    }
    store = g_new0(Store, 1);
    store->dir = g_strdup(dir);
    store->state_path = g_build_filename(dir, "state", NULL);
    store->secrets_path = g_build_filename(dir, "secrets", NULL);
    store->secrets = store_secrets_new(dir);
    store->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    store->sums = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    store->leftovers = g_ptr_array_new_with_free_func(g_free);
    store->torn = g_ptr_array_new_with_free_func(g_free);
    return store;
}

void
store_free(Store *store)
{
    if (!store)
        return;
    store_secrets_free(store->secrets);
    g_hash_table_unref(store->files);
    g_hash_table_unref(store->sums);
    g_ptr_array_unref(store->leftovers);
    g_ptr_array_unref(store->torn);
    g_free(store->dir);
    g_free(store->state_path);
    g_free(store->secrets_path);
    g_free(store->text);
    g_free(store->newer);
    g_free(store);
}

const char *
store_is_newer(const Store *store)
{
    return store->newer;
}

/* The old file has one line per hub: its name, a blank, its connection string; and one for its
 * proxy's credentials, if there are any. */
static char *
store_find_secret(const char *secrets, const char *hub, const char *suffix)
{
    g_autofree char *prefix = g_strdup_printf("%s%s ", hub, suffix);

    for (const char *line = secrets; line && *line;) {
        const char *end = strchrnul(line, '\n');

        if (g_str_has_prefix(line, prefix))
            return g_strndup(line + strlen(prefix), (gsize)(end - line) - strlen(prefix));
        line = *end ? end + 1 : end;
    }
    return NULL;
}

/* Caller frees it with secret_free(). */
static char *
store_format_secret(const HubSettings *hub)
{
    const char *proxy = hub->proxy.credentials, *invitation = hub->invitation;

    /* One allocation of the right size, so that no copy of a key is left in memory. */
    return g_strconcat(hub->name, " ", hub->connection_string, "\n", proxy ? hub->name : "",
                       proxy ? STORE_PROXY " " : "", proxy ? proxy : "", proxy ? "\n" : "",
                       invitation ? hub->name : "", invitation ? STORE_INVITATION " " : "",
                       invitation ? invitation : "", invitation ? "\n" : "", NULL);
}

static void
store_keep_file(Store *store, const char *hub, const char *file, const char *body)
{
    g_hash_table_insert(store->files, g_strdup(hub), g_strdup(file));
    if (body)
        g_hash_table_insert(store->sums, g_strdup(hub),
                            g_compute_checksum_for_string(G_CHECKSUM_SHA256, body, -1));
}

static void
store_find_key(const char *hub, const char *file, StoreKey *key, void *data)
{
    Store *store = data;
    g_auto(SecretText) own = NULL;
    const char *keys = store->loading_secrets;

    if (file) {
        own = store_secrets_read(store->secrets, file, &key->why);
        store_keep_file(store, hub, file, own);
        keys = own;
    }
    key->connection_string = store_find_secret(keys, hub, "");
    key->invitation = store_find_secret(keys, hub, STORE_INVITATION);
    key->proxy_credentials = store_find_secret(keys, hub, STORE_PROXY);
    if (!key->connection_string && !key->why)
        key->why = g_strdup_printf("its key is missing: it is not in %s",
                                   file ? file : store->secrets_path);
}

static char *
store_kept_path(const char *path)
{
    return g_strconcat(path, ".v3", NULL);
}

static gboolean
store_is_leftover(const Store *store, const char *name)
{
    g_autofree char *kept = store_kept_path(store->secrets_path);

    if (g_str_equal(name, "secrets"))
        return store_file_is_copy(store->secrets_path, kept);
    return store_file_is_torn(name) &&
           (g_str_has_prefix(name, "state.") || g_str_has_prefix(name, "secrets."));
}

/* Finds files that the state does not name. The state was read whole and is of this version. */
static void
store_find_leftovers(Store *store)
{
    g_autoptr(GHashTable) named = g_hash_table_new(g_str_hash, g_str_equal);
    GDir *folder = g_dir_open(store->dir, 0, NULL);
    GHashTableIter iter;
    gpointer file;
    const char *name;

    g_hash_table_iter_init(&iter, store->files);
    while (g_hash_table_iter_next(&iter, NULL, &file))
        g_hash_table_add(named, file);
    store_secrets_list(store->secrets, named, store->leftovers);
    while (folder && (name = g_dir_read_name(folder)) != NULL)
        if (store_is_leftover(store, name))
            g_ptr_array_add(store->torn, g_strdup(name));
    g_clear_pointer(&folder, g_dir_close);
}

static StoreState *
store_load_text(Store *store, const char *text, const char *secrets, GError **error)
{
    const StoreKeys keys = {store_find_key, store};
    StoreState *state;

    store->loading_secrets = (char *)secrets;
    state = store_text_parse(store->state_path, text, store->version, &keys, error);
    store->loading_secrets = NULL;
    if (state && store->version == STORE_VERSION)
        store_find_leftovers(store);
    return state;
}

/* The keys of an older version; NULL when there are none. */
static gboolean
store_read_secrets(const Store *store, char **ret, GError **error)
{
    int version;

    switch (store_file_read(store->secrets_path, 077, ret, &version, error)) {
    case STORE_FILE_READ:
    case STORE_FILE_ABSENT:
        return TRUE;
    case STORE_FILE_NEWER:
    case STORE_FILE_REFUSED:
    default:
        return FALSE;
    }
}

static void
store_forget(Store *store)
{
    g_clear_pointer(&store->text, g_free);
    g_clear_pointer(&store->newer, g_free);
    store->version = 0;
    store->old_kept = FALSE;
    g_hash_table_remove_all(store->files);
    g_hash_table_remove_all(store->sums);
    g_ptr_array_set_size(store->leftovers, 0);
    g_ptr_array_set_size(store->torn, 0);
}

StoreState *
store_load(Store *store, GError **error)
{
    g_auto(SecretText) secrets = NULL;
    g_autoptr(GError) reason = NULL;

    store_forget(store);
    switch (store_file_read(store->state_path, 022, &store->text, &store->version, &reason)) {
    case STORE_FILE_READ:
        if (store->version < STORE_VERSION_SECRETS && !store_read_secrets(store, &secrets, error))
            return NULL;
        return store_load_text(store, store->text, secrets, error);
    case STORE_FILE_ABSENT:
        return store_state_new();
    case STORE_FILE_NEWER:
        store->newer = g_strdup(reason->message);
        return store_state_new();
    case STORE_FILE_REFUSED:
    default:
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
}

/* A save that is under way: what it has made, and what will be kept if it succeeds. */
typedef struct {
    Store *store;
    GHashTable *files, *sums; /* as in Store */
    GPtrArray *fresh;         /* names of new files */
    char *text;
} Saving;

static void
saving_init(Saving *saving, Store *store)
{
    saving->store = store;
    saving->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    saving->sums = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    saving->fresh = g_ptr_array_new_with_free_func(g_free);
}

static void
saving_clear(Saving *saving)
{
    g_hash_table_unref(saving->files);
    g_hash_table_unref(saving->sums);
    g_ptr_array_unref(saving->fresh);
    g_free(saving->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Saving, saving_clear)

static void
saving_take_back(Saving *saving)
{
    for (guint i = 0; i < saving->fresh->len; i++)
        store_secrets_remove(saving->store->secrets, saving->fresh->pdata[i]);
}

/* A key that has not changed stays in its file. */
static gboolean
saving_put_secret(Saving *saving, const HubSettings *hub, GError **error)
{
    const Store *store = saving->store;
    const char *file = g_hash_table_lookup(store->files, hub->name);
    const char *known = g_hash_table_lookup(store->sums, hub->name);
    g_auto(SecretText) body = hub->connection_string ? store_format_secret(hub) : NULL;
    g_autofree char *sum = body ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, body, -1) : NULL;

    if (body && (!file || g_strcmp0(sum, known) != 0)) {
        file = store_secrets_add(store->secrets, hub->name, body, error);
        if (!file)
            return FALSE;
        g_ptr_array_add(saving->fresh, (char *)file);
    }
    if (file)
        g_hash_table_insert(saving->files, g_strdup(hub->name), g_strdup(file));
    if (sum)
        g_hash_table_insert(saving->sums, g_strdup(hub->name), g_steal_pointer(&sum));
    return TRUE;
}

static void
saving_find_nothing(const char *hub G_GNUC_UNUSED, const char *file G_GNUC_UNUSED,
                    StoreKey *key G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

/* Checks that the text can be read again: no setting may keep streamd from starting. */
static gboolean
saving_format(Saving *saving, const StoreState *state, GError **error)
{
    const StoreKeys keys = {saving_find_nothing, NULL};
    g_autoptr(StoreState) again = NULL;

    saving->text = store_text_format(state, saving->files);
    again = store_text_parse(saving->store->state_path, saving->text, STORE_VERSION, &keys, error);
    return again != NULL;
}

/* Copies the files of the older version, so that it can be installed again. */
static gboolean
saving_keep_old(const Saving *saving, GError **error)
{
    Store *store = saving->store;
    g_autofree char *state = store_kept_path(store->state_path);
    g_autofree char *secrets = store_kept_path(store->secrets_path);

    if (store->version == 0 || store->version == STORE_VERSION || store->old_kept)
        return TRUE;
    store->old_kept = store_file_copy(store->secrets_path, secrets, error) &&
                      store_file_copy(store->state_path, state, error);
    return store->old_kept;
}

static gboolean
saving_prepare(Saving *saving, const StoreState *state, GError **error)
{
    for (guint i = 0; i < store_state_hubs(state); i++) {
        const HubSettings hub = store_state_hub(state, i);

        if (!saving_put_secret(saving, &hub, error))
            return FALSE;
    }
    return saving_format(saving, state, error) && saving_keep_old(saving, error);
}

/* The state was replaced, but the folder could not be synced. Restores the old state, so that the
 * refused change does not come back. FALSE: the new state stays, but a power cut may undo it. */
static gboolean
saving_put_back(const Saving *saving)
{
    const Store *store = saving->store;
    g_autofree char *kept = store_kept_path(store->state_path);

    if (store->version == STORE_VERSION)
        return store_file_write(store->state_path, store->text, NULL) == STORE_FILE_WRITTEN;
    if (store->version == 0)
        return unlink(store->state_path) == 0 && store_file_sync_folder(store->dir, NULL);
    return store_file_copy(kept, store->state_path, NULL);
}

static gboolean
saving_write(Saving *saving, GError **error)
{
    Store *store = saving->store;

    switch (store_file_write(store->state_path, saving->text, error)) {
    case STORE_FILE_WRITTEN:
        return TRUE;
    case STORE_FILE_UNCHANGED:
        saving_take_back(saving);
        return FALSE;
    case STORE_FILE_UNCERTAIN:
    default:
        /* Otherwise either state may be there, so the keys of both are kept. */
        if (saving_put_back(saving))
            saving_take_back(saving);
        return FALSE;
    }
}

static void
store_unlink(const Store *store, const char *name)
{
    g_autofree char *path = g_build_filename(store->dir, name, NULL);

    if (unlink(path) < 0 && errno != ENOENT)
        g_warning("%s is left over and cannot be removed: %s", path, g_strerror(errno));
}

/* Only now does the state on the disk no longer name them. */
static void
saving_remove_old(const Saving *saving)
{
    Store *store = saving->store;
    GHashTableIter iter;
    gpointer hub, file;

    g_hash_table_iter_init(&iter, store->files);
    while (g_hash_table_iter_next(&iter, &hub, &file))
        if (g_strcmp0(g_hash_table_lookup(saving->files, hub), file) != 0)
            store_secrets_remove(store->secrets, file);
    for (guint i = 0; i < store->leftovers->len; i++)
        store_secrets_remove(store->secrets, store->leftovers->pdata[i]);
    for (guint i = 0; i < store->torn->len; i++)
        store_unlink(store, store->torn->pdata[i]);
    if (store->version > 0 && store->version < STORE_VERSION_SECRETS)
        store_unlink(store, "secrets");
    g_ptr_array_set_size(store->leftovers, 0);
    g_ptr_array_set_size(store->torn, 0);
}

static void
saving_commit(Saving *saving)
{
    Store *store = saving->store;

    saving_remove_old(saving);
    g_hash_table_unref(store->files);
    g_hash_table_unref(store->sums);
    store->files = g_hash_table_ref(saving->files);
    store->sums = g_hash_table_ref(saving->sums);
    g_free(store->text);
    store->text = g_steal_pointer(&saving->text);
    store->version = STORE_VERSION;
}

gboolean
store_save(Store *store, const StoreState *state, GError **error)
{
    g_auto(Saving) saving = {0};

    saving_init(&saving, store);
    if (store->newer) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_BUSY, store->newer);
        return FALSE;
    }
    if (!saving_prepare(&saving, state, error)) {
        saving_take_back(&saving);
        return FALSE;
    }
    if (!saving_write(&saving, error))
        return FALSE;
    saving_commit(&saving);
    return TRUE;
}
