/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/admission.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

typedef struct {
    AdmissionSource key;
    guint waiting;
    guint authenticated;
    double tokens; /* connections that may come now */
    gint64 updated;
    gint64 known; /* when a connection was authenticated last; 0: never */
    gint64 banned_until;
} SourceEntry;

struct Admission {
    const Settings *settings;
    pthread_mutex_t lock;
    GHashTable *sources; /* AdmissionSource inside the entry -> SourceEntry */
    guint waiting;
    guint total;
    guint most; /* total, since that was asked */
};

static guint
source_hash(gconstpointer key)
{
    guint hash = 5381;

    for (guint i = 0; i < sizeof(AdmissionSource); i++)
        hash = hash * 33 + ((const guint8 *)key)[i];
    return hash;
}

static gboolean
source_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(AdmissionSource)) == 0;
}

Admission *
admission_new(const Settings *settings)
{
    Admission *admission = g_new0(Admission, 1);

    admission->settings = settings;
    pthread_mutex_init(&admission->lock, NULL);
    admission->sources = g_hash_table_new_full(source_hash, source_equal, NULL, g_free);
    return admission;
}

void
admission_free(Admission *admission)
{
    if (!admission)
        return;
    g_hash_table_unref(admission->sources);
    pthread_mutex_destroy(&admission->lock);
    g_free(admission);
}

/* "192.0.2.7:5123", "[2001:db8::1]:5123" */
AdmissionSource
admission_source(const char *address)
{
    AdmissionSource source = {0};
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
source_entry(Admission *admission, const AdmissionSource *source, gint64 now)
{
    SourceEntry *entry = g_hash_table_lookup(admission->sources, source);

    if (entry)
        return entry;
    if (g_hash_table_size(admission->sources) >= ADMISSION_SOURCES_MAX)
        g_hash_table_foreach_remove(admission->sources, source_is_idle, NULL);
    if (g_hash_table_size(admission->sources) >= ADMISSION_SOURCES_MAX)
        return NULL;
    entry = g_new0(SourceEntry, 1);
    entry->key = *source;
    entry->tokens = admission->settings->connections_burst;
    entry->updated = now;
    g_hash_table_insert(admission->sources, &entry->key, entry);
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

/* From half of the slots on a growing share is dropped, instead of everybody at the end. */
static gboolean
early_drop(const Settings *settings, guint waiting, guint32 random)
{
    guint half = settings->unauthenticated_max / 2;

    if (waiting < half || half == 0)
        return waiting >= settings->unauthenticated_max;
    return random % (settings->unauthenticated_max - half) < waiting - half;
}

static gboolean
place_allowed(Admission *admission, SourceEntry *entry, gint64 now, guint32 random)
{
    const Settings *settings = admission->settings;
    guint factor = entry->authenticated > 0 ? settings->known_source_factor : 1;

    if (admission->total >= settings->connections_max || !rate_allows(settings, entry, now))
        return FALSE;
    if (entry->authenticated == 0 && now < entry->banned_until)
        return FALSE;
    if (entry->waiting / factor >= settings->unauthenticated_per_source)
        return FALSE;
    return !early_drop(settings, admission->waiting, random);
}

gboolean
admission_take(Admission *admission, Slot *slot, const char *address, gint64 now, guint32 random)
{
    SourceEntry *entry;
    gboolean taken = FALSE;

    slot->source = admission_source(address);
    pthread_mutex_lock(&admission->lock);
    entry = source_entry(admission, &slot->source, now);
    if (entry && place_allowed(admission, entry, now, random)) {
        entry->waiting++;
        admission->waiting++;
        admission->total++;
        admission->most = MAX(admission->most, admission->total);
        taken = TRUE;
    }
    pthread_mutex_unlock(&admission->lock);
    slot->state = taken ? SLOT_WAITING : SLOT_NONE;
    return taken;
}

void
admission_authenticated(Admission *admission, Slot *slot, gint64 now)
{
    SourceEntry *entry;

    if (slot->state != SLOT_WAITING)
        return;
    slot->state = SLOT_AUTHENTICATED;
    pthread_mutex_lock(&admission->lock);
    entry = g_hash_table_lookup(admission->sources, &slot->source);
    entry->waiting--;
    entry->authenticated++;
    entry->known = now;
    admission->waiting--;
    pthread_mutex_unlock(&admission->lock);
}

gboolean
admission_knows(Admission *admission, const AdmissionSource *source)
{
    const SourceEntry *entry;
    gboolean knows;

    pthread_mutex_lock(&admission->lock);
    entry = g_hash_table_lookup(admission->sources, source);
    knows = entry && entry->authenticated > 0;
    pthread_mutex_unlock(&admission->lock);
    return knows;
}

void
admission_ban(Admission *admission, const AdmissionSource *source, gint64 until, gint64 now)
{
    SourceEntry *entry;

    pthread_mutex_lock(&admission->lock);
    entry = source_entry(admission, source, now);
    if (entry && (entry->known == 0 || now - entry->known >= ADMISSION_KNOWN))
        entry->banned_until = MAX(entry->banned_until, until);
    pthread_mutex_unlock(&admission->lock);
}

void
admission_leave(Admission *admission, Slot *slot)
{
    SourceEntry *entry;

    if (slot->state == SLOT_NONE)
        return;
    pthread_mutex_lock(&admission->lock);
    entry = g_hash_table_lookup(admission->sources, &slot->source);
    if (slot->state == SLOT_WAITING) {
        entry->waiting--;
        admission->waiting--;
    } else {
        entry->authenticated--;
    }
    admission->total--;
    pthread_mutex_unlock(&admission->lock);
    slot->state = SLOT_NONE;
}

guint
admission_waiting(Admission *admission)
{
    guint waiting;

    pthread_mutex_lock(&admission->lock);
    waiting = admission->waiting;
    pthread_mutex_unlock(&admission->lock);
    return waiting;
}

guint
admission_total(Admission *admission)
{
    guint total;

    pthread_mutex_lock(&admission->lock);
    total = admission->total;
    pthread_mutex_unlock(&admission->lock);
    return total;
}

guint
admission_most(Admission *admission)
{
    guint most;

    pthread_mutex_lock(&admission->lock);
    most = admission->most;
    admission->most = admission->total;
    pthread_mutex_unlock(&admission->lock);
    return most;
}
