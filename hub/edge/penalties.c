/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/penalties.h"

#include <string.h>

typedef struct {
    AdmissionSource source;
    char *identity;
    guint failures;
    gint64 until;
    gint64 forget;
    GList by_age; /* of the last failure; the oldest first */
} Penalty;

struct Penalties {
    const Settings *settings;
    GHashTable *all;     /* of Penalty, which is its own key */
    GHashTable *sources; /* AdmissionSource, owned -> how many of them are its */
    GQueue by_age;
};

static guint
source_hash(gconstpointer data)
{
    const AdmissionSource *source = data;
    guint hash = 5381;

    for (guint i = 0; i < sizeof source->bytes; i++)
        hash = hash * 33 + source->bytes[i];
    return hash;
}

static gboolean
source_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(AdmissionSource)) == 0;
}

static guint
penalty_hash(gconstpointer data)
{
    const Penalty *penalty = data;

    return source_hash(&penalty->source) ^ g_str_hash(penalty->identity);
}

static gboolean
penalty_equal(gconstpointer a, gconstpointer b)
{
    const Penalty *one = a, *other = b;

    return source_equal(&one->source, &other->source) &&
           g_str_equal(one->identity, other->identity);
}

Penalties *
penalties_new(const Settings *settings)
{
    Penalties *penalties = g_new0(Penalties, 1);

    penalties->settings = settings;
    penalties->all = g_hash_table_new(penalty_hash, penalty_equal);
    penalties->sources = g_hash_table_new_full(source_hash, source_equal, g_free, NULL);
    g_queue_init(&penalties->by_age);
    return penalties;
}

/* How many identities this source has failed as, changed by BY. */
static guint
source_count(Penalties *penalties, const AdmissionSource *source, int by)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(penalties->sources, source)) + (guint)by;

    if (count == 0)
        g_hash_table_remove(penalties->sources, source);
    else
        g_hash_table_insert(penalties->sources, g_memdup2(source, sizeof *source),
                            GUINT_TO_POINTER(count));
    return count;
}

static void
penalty_forget(Penalties *penalties, Penalty *penalty)
{
    g_hash_table_remove(penalties->all, penalty);
    g_queue_unlink(&penalties->by_age, &penalty->by_age);
    (void)source_count(penalties, &penalty->source, -1);
    g_free(penalty->identity);
    g_free(penalty);
}

void
penalties_free(Penalties *penalties)
{
    if (!penalties)
        return;
    while (penalties->by_age.head)
        penalty_forget(penalties, penalties->by_age.head->data);
    g_hash_table_unref(penalties->all);
    g_hash_table_unref(penalties->sources);
    g_free(penalties);
}

static Penalty *
penalties_find(Penalties *penalties, const AdmissionSource *source, const char *identity)
{
    const Penalty key = {.source = *source, .identity = (char *)identity};

    return g_hash_table_lookup(penalties->all, &key);
}

gboolean
penalties_hold(Penalties *penalties, const AdmissionSource *source, const char *identity,
               gint64 now)
{
    const Penalty *penalty = penalties_find(penalties, source, identity);

    return penalty && now < penalty->until;
}

static Penalty *
penalties_add(Penalties *penalties, const AdmissionSource *source, const char *identity)
{
    Penalty *penalty;

    if (penalties->by_age.length >= PENALTIES_MAX)
        penalty_forget(penalties, penalties->by_age.head->data);
    penalty = g_new0(Penalty, 1);
    penalty->source = *source;
    penalty->identity = g_strdup(identity);
    penalty->by_age.data = penalty;
    g_hash_table_add(penalties->all, penalty);
    g_queue_push_tail_link(&penalties->by_age, &penalty->by_age);
    (void)source_count(penalties, source, 1);
    return penalty;
}

static void
penalties_forget_old(Penalties *penalties, gint64 now)
{
    while (penalties->by_age.head) {
        Penalty *oldest = penalties->by_age.head->data;

        if (now < oldest->forget)
            return;
        penalty_forget(penalties, oldest);
    }
}

gint64
penalties_failed(Penalties *penalties, const AdmissionSource *source, const char *identity,
                 gint64 now)
{
    const Settings *settings = penalties->settings;
    Penalty *penalty;
    gint64 length;
    guint identities;

    if (settings->penalty == 0)
        return 0;
    penalties_forget_old(penalties, now);
    penalty = penalties_find(penalties, source, identity);
    if (!penalty)
        penalty = penalties_add(penalties, source, identity);
    length = MIN(settings->penalty << MIN(penalty->failures, 20U), settings->penalty_max);
    penalty->failures++;
    penalty->until = now + length;
    penalty->forget = penalty->until + settings->penalty_max;
    g_queue_unlink(&penalties->by_age, &penalty->by_age);
    g_queue_push_tail_link(&penalties->by_age, &penalty->by_age);
    identities = source_count(penalties, source, 0);
    return identities >= settings->penalty_identities
               ? MIN(settings->penalty * identities, settings->penalty_max)
               : 0;
}

void
penalties_passed(Penalties *penalties, const AdmissionSource *source, const char *identity)
{
    Penalty *penalty = penalties_find(penalties, source, identity);

    if (penalty)
        penalty_forget(penalties, penalty);
}

void
penalties_forgive(Penalties *penalties, const char *identity)
{
    for (GList *l = penalties->by_age.head, *next; l; l = next) {
        Penalty *penalty = l->data;

        next = l->next;
        if (g_str_equal(penalty->identity, identity))
            penalty_forget(penalties, penalty);
    }
}

guint
penalties_size(const Penalties *penalties)
{
    return penalties->by_age.length;
}
