/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/sightings.h"

#include <string.h>

struct Sightings {
    Registry *registry;
    Clock *clock;
    SightingsEach each;
    void *data;
    GHashTable *waiting; /* client id -> RegistryFacts */
    guint refused;       /* of those that were only refused */
    GPtrArray *writing;  /* RegistryFacts on their way to the disk; NULL: none */
    gboolean forgot;     /* something was removed during the write: what fails is dropped */
    Timer write;
    gboolean due; /* the timer is set */
    Timer refresh;
    guint64 lost;
};

static void
facts_destroy(gpointer facts)
{
    registry_facts_free(facts);
}

/* 1 or 0. */
static guint
is_refusal_only(const RegistryFacts *facts)
{
    return facts->seen == 0 ? 1 : 0;
}

static void
sightings_refresh(Timer *timer)
{
    Sightings *self = CONTAINER_OF(timer, Sightings, refresh);

    self->each(self, self->data);
    clock_set(self->clock, &self->refresh, SIGHTINGS_REFRESH);
}

static void
sightings_write(Timer *timer)
{
    Sightings *self = CONTAINER_OF(timer, Sightings, write);

    self->due = FALSE;
    sightings_flush(self);
}

Sightings *
sightings_new(Registry *registry, Clock *clock, SightingsEach each, void *data)
{
    Sightings *self = g_new0(Sightings, 1);

    self->registry = registry;
    self->clock = clock;
    self->each = each;
    self->data = data;
    self->waiting = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, facts_destroy);
    self->write.func = sightings_write;
    self->refresh.func = sightings_refresh;
    clock_set(clock, &self->refresh, SIGHTINGS_REFRESH);
    return self;
}

void
sightings_free(Sightings *self)
{
    if (!self)
        return;
    clock_clear(self->clock, &self->write);
    clock_clear(self->clock, &self->refresh);
    g_hash_table_unref(self->waiting);
    g_clear_pointer(&self->writing, g_ptr_array_unref);
    g_free(self);
}

static gboolean
has_room(Sightings *self, gboolean refusal)
{
    if (g_hash_table_size(self->waiting) < SIGHTINGS_MAX &&
        (!refusal || self->refused < SIGHTINGS_REFUSED_MAX))
        return TRUE;
    self->lost++;
    return FALSE;
}

static RegistryFacts *
facts_of(const char *client_id)
{
    const char *slash = strchr(client_id, '/');
    g_autofree char *id = slash ? g_strndup(client_id, (gsize)(slash - client_id)) : NULL;

    return registry_facts_new(id ? id : client_id, slash ? slash + 1 : NULL);
}

/* From the first that waits on: one that comes again and again does not put it off. */
static void
sightings_write_later(Sightings *self)
{
    if (self->writing || self->due || g_hash_table_size(self->waiting) == 0)
        return;
    self->due = TRUE;
    clock_set(self->clock, &self->write, SIGHTINGS_DELAY);
}

/* Adds FACTS to what waits for its device. Takes them. */
static void
sightings_add(Sightings *self, const char *client_id, RegistryFacts *facts)
{
    g_autoptr(RegistryFacts) newer = facts;
    RegistryFacts *waiting = g_hash_table_lookup(self->waiting, client_id);

    if (!waiting && !has_room(self, is_refusal_only(newer) > 0))
        return;
    if (!waiting) {
        self->refused += is_refusal_only(newer);
        g_hash_table_insert(self->waiting, g_strdup(client_id), g_steal_pointer(&newer));
    } else {
        self->refused -=
            is_refusal_only(waiting) - (is_refusal_only(waiting) & is_refusal_only(newer));
        registry_facts_merge(waiting, newer);
    }
    sightings_write_later(self);
}

/* At most MAX bytes of printable text. */
static char *
text_of(const char *text, gsize max)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
    gsize len = valid ? strlen(valid) : 0;

    if (len == 0)
        return NULL;
    for (gsize i = 0; i < len; i++)
        if (g_ascii_iscntrl(valid[i]))
            valid[i] = ' ';
    if (len > max)
        *g_utf8_find_prev_char(valid, valid + max + 1) = '\0';
    return g_steal_pointer(&valid);
}

/* "192.0.2.1:7" or "[2001:db8::1]:7" without the port. */
static char *
address_of(const char *peer)
{
    const char *colon = peer ? strrchr(peer, ':') : NULL;
    const char *end = colon ? colon : peer ? peer + strlen(peer) : NULL;
    gboolean bracket = peer && *peer == '[' && end > peer + 1 && end[-1] == ']';
    g_autofree char *address = bracket
                                   ? g_strndup(peer + 1, (gsize)(end - peer) - 2)
                                   : g_strndup(peer ? peer : "", peer ? (gsize)(end - peer) : 0);

    return text_of(address, REGISTRY_ADDRESS_MAX);
}

void
sightings_connected(Sightings *self, const char *client_id, const char *peer, const char *client)
{
    RegistryFacts *facts = facts_of(client_id);

    facts->seen = g_get_real_time();
    facts->address = address_of(peer);
    facts->client = text_of(client, REGISTRY_CLIENT_MAX);
    sightings_add(self, client_id, facts);
}

void
sightings_seen(Sightings *self, const char *client_id)
{
    RegistryFacts *facts = facts_of(client_id);

    facts->seen = g_get_real_time();
    sightings_add(self, client_id, facts);
}

/* Called for each of many messages: there is no copy once its device has something to be written. */
void
sightings_message(Sightings *self, const char *client_id, gsize len)
{
    RegistryFacts *facts = g_hash_table_lookup(self->waiting, client_id);
    gboolean fresh = !facts || facts->seen == 0;

    if (fresh)
        facts = facts_of(client_id);
    facts->messages++;
    facts->message_bytes += len;
    if (facts->messages_since == 0)
        facts->messages_since = g_get_real_time();
    if (!fresh)
        return;
    facts->seen = g_get_real_time();
    sightings_add(self, client_id, facts);
}

void
sightings_refused(Sightings *self, const char *client_id, const char *why)
{
    RegistryFacts *facts = facts_of(client_id);

    facts->refused = g_get_real_time();
    facts->refusal = text_of(why, REGISTRY_REFUSAL_MAX);
    sightings_add(self, client_id, facts);
}

void
sightings_forget(Sightings *self, const char *device, const char *module)
{
    GHashTableIter iter;
    gpointer value;

    self->forgot = TRUE;
    g_hash_table_iter_init(&iter, self->waiting);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const RegistryFacts *facts = value;

        if (strcmp(facts->id, device) != 0 || (module && g_strcmp0(facts->module, module) != 0))
            continue;
        self->refused -= is_refusal_only(facts);
        g_hash_table_iter_remove(&iter);
    }
}

static GPtrArray *
take_batch(Sightings *self)
{
    GPtrArray *batch = g_ptr_array_new_with_free_func(facts_destroy);
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, self->waiting);
    while (batch->len < REGISTRY_FACTS_MAX && g_hash_table_iter_next(&iter, &key, &value)) {
        g_hash_table_iter_steal(&iter);
        g_free(key);
        self->refused -= is_refusal_only(value);
        g_ptr_array_add(batch, value);
    }
    return batch;
}

/* What could not be written waits again, under what has come meanwhile. */
static void
put_back(Sightings *self, const GPtrArray *batch)
{
    for (guint i = 0; i < batch->len; i++) {
        RegistryFacts *facts = registry_facts_copy(batch->pdata[i]);
        g_autofree char *client_id = g_strjoin("/", facts->id, facts->module, NULL);
        const RegistryFacts *newer = g_hash_table_lookup(self->waiting, client_id);

        if (newer)
            registry_facts_merge(facts, newer);
        sightings_add(self, client_id, facts);
    }
}

/* One batch follows the other while something waits; after a failure, the next try comes after the
 * usual delay. */
static void
on_written(const RegistryResult *result, void *data)
{
    Sightings *self = data;
    g_autoptr(GPtrArray) batch = g_steal_pointer(&self->writing);

    if (result->code == REGISTRY_CLOSED)
        return;
    if (result->code != REGISTRY_OK && !self->forgot)
        put_back(self, batch);
    if (result->code == REGISTRY_OK)
        sightings_flush(self);
    else
        sightings_write_later(self);
}

void
sightings_flush(Sightings *self)
{
    if (self->writing || g_hash_table_size(self->waiting) == 0)
        return;
    clock_clear(self->clock, &self->write);
    self->due = FALSE;
    self->writing = take_batch(self);
    self->forgot = FALSE;
    registry_write_facts(self->registry, g_ptr_array_ref(self->writing), on_written, self);
}

guint
sightings_waiting(const Sightings *self)
{
    return g_hash_table_size(self->waiting);
}

guint64
sightings_lost(const Sightings *self)
{
    return self->lost;
}
