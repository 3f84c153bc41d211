/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/admission.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

typedef struct {
    PlaceSource key;
    guint waiting;
    guint authenticated;
    double tokens; /* connections that may come now */
    gint64 updated;
    gint64 known; /* when a connection was authenticated last; 0: never */
    gint64 banned_until;
} SourceEntry;

struct Places {
    const Settings *settings;
    pthread_mutex_t lock;
    GHashTable *sources; /* PlaceSource inside the entry -> SourceEntry */
    guint waiting;
    guint total;
};

static guint
source_hash(gconstpointer key)
{
    guint hash = 5381;

    for (guint i = 0; i < sizeof(PlaceSource); i++)
        hash = hash * 33 + ((const guint8 *)key)[i];
    return hash;
}

static gboolean
source_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(PlaceSource)) == 0;
}

Places *
places_new(const Settings *settings)
{
    Places *places = g_new0(Places, 1);

    places->settings = settings;
    pthread_mutex_init(&places->lock, NULL);
    places->sources = g_hash_table_new_full(source_hash, source_equal, NULL, g_free);
    return places;
}

void
places_free(Places *places)
{
    if (!places)
        return;
    g_hash_table_unref(places->sources);
    pthread_mutex_destroy(&places->lock);
    g_free(places);
}

/* "192.0.2.7:5123", "[2001:db8::1]:5123" */
PlaceSource
places_source(const char *address)
{
    PlaceSource source = {0};
    char text[INET6_ADDRSTRLEN] = "";
    const char *end = strrchr(address, ':');
    gboolean six = address[0] == '[';
    gsize len;

    if (!end || end == address)
        return source;
    len = (gsize)(end - address) - (six ? 2 : 0);
    if (len >= sizeof text)
        return source;
    memcpy(text, address + (six ? 1 : 0), len);
    if (six) {
        struct in6_addr in6;
        gboolean mapped;

        if (inet_pton(AF_INET6, text, &in6) != 1)
            return source;
        mapped = IN6_IS_ADDR_V4MAPPED(&in6);
        source.bytes[0] = mapped ? 4 : 6;
        memcpy(source.bytes + 1, in6.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
    } else if (inet_pton(AF_INET, text, source.bytes + 1) == 1) {
        source.bytes[0] = 4;
    }
    return source;
}

static gboolean
source_is_idle(gpointer key, gpointer value, gpointer data)
{
    const SourceEntry *entry = value;

    return entry->waiting == 0 && entry->authenticated == 0;
}

/* NULL: too many sources are busy. */
static SourceEntry *
source_entry(Places *places, const PlaceSource *source, gint64 now)
{
    SourceEntry *entry = g_hash_table_lookup(places->sources, source);

    if (entry)
        return entry;
    if (g_hash_table_size(places->sources) >= PLACES_SOURCES_MAX)
        g_hash_table_foreach_remove(places->sources, source_is_idle, NULL);
    if (g_hash_table_size(places->sources) >= PLACES_SOURCES_MAX)
        return NULL;
    entry = g_new0(SourceEntry, 1);
    entry->key = *source;
    entry->tokens = places->settings->connections_burst;
    entry->updated = now;
    g_hash_table_insert(places->sources, &entry->key, entry);
    return entry;
}

static gboolean
rate_allows(const Settings *settings, SourceEntry *entry, gint64 now)
{
    double factor = entry->authenticated > 0 ? settings->known_source_factor : 1;
    double seconds = (double)(now - entry->updated) / G_TIME_SPAN_SECOND;

    entry->tokens += seconds * settings->connections_per_second * factor;
    entry->tokens = MIN(entry->tokens, settings->connections_burst * factor);
    entry->updated = now;
    if (entry->tokens < 1)
        return FALSE;
    entry->tokens -= 1;
    return TRUE;
}

/* From half of the places on a growing share is dropped, instead of everybody at the end. */
static gboolean
early_drop(const Settings *settings, guint waiting, guint32 random)
{
    guint half = settings->unauthenticated_max / 2;

    if (waiting < half || half == 0)
        return waiting >= settings->unauthenticated_max;
    return random % (settings->unauthenticated_max - half) < waiting - half;
}

static gboolean
place_allowed(Places *places, SourceEntry *entry, gint64 now, guint32 random)
{
    const Settings *settings = places->settings;
    guint factor = entry->authenticated > 0 ? settings->known_source_factor : 1;

    if (places->total >= settings->connections_max || !rate_allows(settings, entry, now))
        return FALSE;
    if (entry->authenticated == 0 && now < entry->banned_until)
        return FALSE;
    if (entry->waiting / factor >= settings->unauthenticated_per_source)
        return FALSE;
    return !early_drop(settings, places->waiting, random);
}

gboolean
places_take(Places *places, Place *place, const char *address, gint64 now, guint32 random)
{
    SourceEntry *entry;
    gboolean taken = FALSE;

    place->source = places_source(address);
    pthread_mutex_lock(&places->lock);
    entry = source_entry(places, &place->source, now);
    if (entry && place_allowed(places, entry, now, random)) {
        entry->waiting++;
        places->waiting++;
        places->total++;
        taken = TRUE;
    }
    pthread_mutex_unlock(&places->lock);
    place->state = taken ? PLACE_WAITING : PLACE_NONE;
    return taken;
}

void
places_authenticated(Places *places, Place *place, gint64 now)
{
    SourceEntry *entry;

    if (place->state != PLACE_WAITING)
        return;
    place->state = PLACE_AUTHENTICATED;
    pthread_mutex_lock(&places->lock);
    entry = g_hash_table_lookup(places->sources, &place->source);
    entry->waiting--;
    entry->authenticated++;
    entry->known = now;
    places->waiting--;
    pthread_mutex_unlock(&places->lock);
}

gboolean
places_knows(Places *places, const PlaceSource *source)
{
    const SourceEntry *entry;
    gboolean knows;

    pthread_mutex_lock(&places->lock);
    entry = g_hash_table_lookup(places->sources, source);
    knows = entry && entry->authenticated > 0;
    pthread_mutex_unlock(&places->lock);
    return knows;
}

void
places_ban(Places *places, const PlaceSource *source, gint64 until, gint64 now)
{
    SourceEntry *entry;

    pthread_mutex_lock(&places->lock);
    entry = source_entry(places, source, now);
    if (entry && (entry->known == 0 || now - entry->known >= PLACES_KNOWN))
        entry->banned_until = MAX(entry->banned_until, until);
    pthread_mutex_unlock(&places->lock);
}

void
places_leave(Places *places, Place *place)
{
    SourceEntry *entry;

    if (place->state == PLACE_NONE)
        return;
    pthread_mutex_lock(&places->lock);
    entry = g_hash_table_lookup(places->sources, &place->source);
    if (place->state == PLACE_WAITING) {
        entry->waiting--;
        places->waiting--;
    } else {
        entry->authenticated--;
    }
    places->total--;
    pthread_mutex_unlock(&places->lock);
    place->state = PLACE_NONE;
}

guint
places_waiting(Places *places)
{
    guint waiting;

    pthread_mutex_lock(&places->lock);
    waiting = places->waiting;
    pthread_mutex_unlock(&places->lock);
    return waiting;
}

guint
places_total(Places *places)
{
    guint total;

    pthread_mutex_lock(&places->lock);
    total = places->total;
    pthread_mutex_unlock(&places->lock);
    return total;
}
