/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/admission.h"

#include "common/base/descriptors.h"
#include "hub/edge/ledger.h"
#include "hub/edge/pace.h"
#include "hub/edge/places.h"

#include <pthread.h>
#include <stdatomic.h>

/* Of all balancers together. */
#define GREETED_MAX (16 * ADMISSION_BALANCER_MAX)

/* A known source or region. The entry is in force as long as it is known. */
typedef struct {
    LedgerEntry entry;
    guint live; /* authenticated connections */
    Bucket bucket;
} Reserve;

typedef struct {
    Ledger *ledger;
    LedgerKey key;
} ReserveName;

struct Admission {
    atomic_uint references; /* its owner's, and one per slot: some slots outlive the hub */
    const Settings *settings;
    gint64 known_time;
    pthread_mutex_t lock;
    Paces *paces;      /* of strangers */
    Places *places;    /* of those that wait */
    Places *greeted;   /* of balancers that have not said for whom yet */
    Ledger *known;     /* Reserve by source */
    Ledger *shared;    /* Reserve by region */
    GHashTable *users; /* name -> connections */
    guint total;
    guint most; /* the highest total since it was last asked */
};

struct Slot {
    Admission *admission;
    atomic_uint references;
    Source source; /* constant; set again by slot_name */
    /* under the lock */
    Place place;      /* among the places, or the greeted */
    gboolean unnamed; /* not counted in the total */
    gboolean left;
    gboolean authenticated;
    ReserveName reserve; /* where it is counted as live; ledger NULL: nowhere */
    char *user;
};

Admission *
admission_new(const Settings *settings)
{
    Admission *admission = g_new0(Admission, 1);

    atomic_init(&admission->references, 1);
    admission->settings = settings;
    admission->known_time = settings->known_source_time;
    pthread_mutex_init(&admission->lock, NULL);
    admission->paces = paces_new(settings);
    admission->places = places_new(settings->unauthenticated_max);
    admission->greeted = places_new(GREETED_MAX);
    admission->known = ledger_new(ADMISSION_KNOWN_MAX, sizeof(Reserve), NULL, NULL);
    admission->shared = ledger_new(ADMISSION_KNOWN_MAX, sizeof(Reserve), NULL, NULL);
    admission->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return admission;
}

void
admission_free(Admission *admission)
{
    if (!admission || atomic_fetch_sub(&admission->references, 1) != 1)
        return;
    paces_free(admission->paces);
    places_free(admission->places);
    places_free(admission->greeted);
    ledger_free(admission->known);
    ledger_free(admission->shared);
    g_hash_table_unref(admission->users);
    pthread_mutex_destroy(&admission->lock);
    g_free(admission);
}

static Reserve *
reserve_in_force(Ledger *ledger, const Source *source, gint64 now)
{
    const LedgerKey key = ledger_key(source, NULL);
    Reserve *reserve = ledger_find(ledger, &key);

    return reserve && (reserve->live > 0 || now < reserve->entry.until) ? reserve : NULL;
}

static Reserve *
reserve_find(Admission *admission, const Source *source, gint64 now)
{
    const Source region = source_region(source);
    Reserve *reserve = reserve_in_force(admission->known, source, now);

    return reserve ? reserve : reserve_in_force(admission->shared, &region, now);
}

/* The source's entry if there is room, otherwise its region's; NULL: no room for either. */
static Reserve *
reserve_want(Admission *admission, const Source *source, gint64 now, ReserveName *ret_name)
{
    const Source region = source_region(source);
    Reserve *reserve;

    *ret_name = (ReserveName){admission->known, ledger_key(source, NULL)};
    reserve = ledger_want(ret_name->ledger, &ret_name->key, now);
    if (reserve)
        return reserve;
    *ret_name = (ReserveName){admission->shared, ledger_key(&region, NULL)};
    return ledger_want(ret_name->ledger, &ret_name->key, now);
}

/* An entry with a live connection does not expire, however long the connection lives. */
static void
reserve_count(const Slot *slot, Reserve *reserve, int by, gint64 now)
{
    gint64 until = now + slot->admission->known_time;

    reserve->live += (guint)by;
    ledger_set_until(slot->reserve.ledger, reserve, reserve->live > 0 ? G_MAXINT64 : until);
}

static gboolean
pace_allows(Admission *admission, Reserve *reserve, const Source *source, gint64 now)
{
    const Settings *settings = admission->settings;
    double factor = settings->known_source_factor;
    const BucketSize size = {settings->connections_per_second * factor,
                             settings->connections_burst * factor};

    return reserve ? bucket_take(&reserve->bucket, size, now)
                   : paces_take(admission->paces, source, now);
}

static gboolean
place_allowed(Admission *admission, Slot *slot, int fd, gint64 now, guint32 random)
{
    const Settings *settings = admission->settings;
    Reserve *reserve = reserve_find(admission, &slot->source, now);
    const PlaceWish wish = {
        .fd = fd,
        .source = slot->source,
        .known = reserve != NULL,
        .per_source = settings->unauthenticated_per_source,
        .factor = settings->known_source_factor,
        .now = now,
        .random = random,
    };

    return admission->total < settings->connections_max &&
           pace_allows(admission, reserve, &slot->source, now) &&
           places_take(admission->places, &slot->place, &wish);
}

static Slot *
slot_new(Admission *admission, const char *peer)
{
    Slot *slot = g_new0(Slot, 1);

    slot->admission = admission;
    atomic_init(&slot->references, 1);
    atomic_fetch_add(&admission->references, 1);
    slot->source = source_of_peer(peer);
    return slot;
}

/* Under the lock. */
static gboolean
slot_count(Slot *slot, int fd, gint64 now, guint32 random)
{
    Admission *admission = slot->admission;

    if (!place_allowed(admission, slot, fd, now, random))
        return FALSE;
    admission->total++;
    admission->most = MAX(admission->most, admission->total);
    return TRUE;
}

Slot *
admission_take(Admission *admission, int fd, const char *peer, gint64 now, guint32 random)
{
    Slot *slot = slot_new(admission, peer);
    gboolean taken;

    pthread_mutex_lock(&admission->lock);
    taken = slot_count(slot, fd, now, random);
    pthread_mutex_unlock(&admission->lock);
    if (!taken)
        g_clear_pointer(&slot, slot_unref);
    return slot;
}

Slot *
admission_greet(Admission *admission, int fd, const char *balancer, gint64 now)
{
    Slot *slot = slot_new(admission, balancer);
    const PlaceWish wish = {.fd = fd,
                            .source = slot->source,
                            .known = TRUE,
                            .per_source = ADMISSION_BALANCER_MAX,
                            .factor = 1,
                            .now = now};
    gboolean taken;

    slot->unnamed = TRUE;
    pthread_mutex_lock(&admission->lock);
    taken = places_take(admission->greeted, &slot->place, &wish);
    pthread_mutex_unlock(&admission->lock);
    if (!taken)
        g_clear_pointer(&slot, slot_unref);
    return slot;
}

gboolean
slot_name(Slot *slot, int fd, const char *peer, gint64 now, guint32 random)
{
    Admission *admission = slot->admission;
    gboolean taken = FALSE;

    pthread_mutex_lock(&admission->lock);
    if (!slot->left && slot->place.n_groups > 0) { /* else it had to give way meanwhile */
        places_leave(admission->greeted, &slot->place);
        slot->source = source_of_peer(peer);
        taken = slot_count(slot, fd, now, random);
        slot->unnamed = !taken;
    }
    pthread_mutex_unlock(&admission->lock);
    return taken;
}

void
admission_slow(Admission *admission, const Source *source, gint64 until, gint64 now)
{
    pthread_mutex_lock(&admission->lock);
    paces_slow(admission->paces, source, until, now);
    pthread_mutex_unlock(&admission->lock);
}

gboolean
admission_knows(Admission *admission, const Source *source, gint64 now)
{
    gboolean knows;

    pthread_mutex_lock(&admission->lock);
    knows = reserve_find(admission, source, now) != NULL;
    pthread_mutex_unlock(&admission->lock);
    return knows;
}

guint
admission_waiting(Admission *admission)
{
    guint waiting;

    pthread_mutex_lock(&admission->lock);
    waiting = places_taken(admission->places);
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

Slot *
slot_ref(Slot *slot)
{
    atomic_fetch_add(&slot->references, 1);
    return slot;
}

void
slot_unref(Slot *slot)
{
    if (!slot || atomic_fetch_sub(&slot->references, 1) != 1)
        return;
    admission_free(slot->admission);
    g_free(slot->user);
    g_free(slot);
}

Source
slot_source(const Slot *slot)
{
    return slot->source;
}

static void
user_count(Admission *admission, const char *user, int by)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(admission->users, user)) + (guint)by;

    if (count == 0)
        g_hash_table_remove(admission->users, user);
    else
        g_hash_table_insert(admission->users, g_strdup(user), GUINT_TO_POINTER(count));
}

/* The connection may live a little longer, but is no longer counted and will not be shut down. */
void
slot_leave(Slot *slot, gint64 now)
{
    Admission *admission = slot->admission;

    pthread_mutex_lock(&admission->lock);
    if (!slot->left) {
        Reserve *reserve =
            slot->reserve.ledger ? ledger_find(slot->reserve.ledger, &slot->reserve.key) : NULL;

        slot->left = TRUE;
        admission->total -= slot->unnamed ? 0 : 1;
        places_leave(slot->unnamed ? admission->greeted : admission->places, &slot->place);
        if (reserve)
            reserve_count(slot, reserve, -1, now);
        if (slot->user)
            user_count(admission, slot->user, -1);
    }
    pthread_mutex_unlock(&admission->lock);
}

void
slot_authenticated(Slot *slot, gint64 now)
{
    Admission *admission = slot->admission;

    pthread_mutex_lock(&admission->lock);
    if (!slot->left && !slot->authenticated) {
        Reserve *reserve = reserve_want(admission, &slot->source, now, &slot->reserve);

        slot->authenticated = TRUE;
        places_leave(admission->places, &slot->place);
        if (reserve)
            reserve_count(slot, reserve, 1, now);
        else
            slot->reserve.ledger = NULL;
    }
    pthread_mutex_unlock(&admission->lock);
}

UserRoom
slot_take_user(Slot *slot, const char *user, gboolean force)
{
    Admission *admission = slot->admission;
    guint most = MIN(admission->settings->connections_max, descriptors_capacity());
    guint share = settings_user_share(admission->settings, most), count;

    pthread_mutex_lock(&admission->lock);
    if (slot->user && !g_str_equal(slot->user, user)) {
        user_count(admission, slot->user, -1);
        g_clear_pointer(&slot->user, g_free);
    }
    count = GPOINTER_TO_UINT(g_hash_table_lookup(admission->users, user));
    if (!slot->left && !slot->user && (force || count < share)) {
        slot->user = g_strdup(user);
        user_count(admission, user, 1);
        count++;
    } else if (!slot->user) {
        count = G_MAXUINT;
    }
    pthread_mutex_unlock(&admission->lock);
    if (count > share)
        return USER_IS_FULL;
    return count > share / 2 ? USER_IS_CROWDED : USER_HAS_ROOM;
}
