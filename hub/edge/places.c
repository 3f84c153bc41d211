/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/places.h"

#include "hub/edge/pace.h"

#include <sys/socket.h>

/* The places of a source, of a /56 or of a /48. When places are shared out, the last group of a
 * place counts for it: for a known source the source itself, for a stranger the widest group. */
struct PlaceGroup {
    Source source;
    GQueue places; /* of Place.links, the oldest first */
    guint load;    /* places that it counts for */
    GSequenceIter *in_loads;
};

struct Places {
    guint max;
    GQueue by_age;      /* of Place.by_age, the oldest first */
    GHashTable *groups; /* by the source inside the group */
    GSequence *loads;   /* of groups with a load, the heaviest last */
};

Places *
places_new(guint max)
{
    Places *places = g_new0(Places, 1);

    places->max = max;
    places->groups = g_hash_table_new(source_hash, source_equal);
    places->loads = g_sequence_new(NULL);
    return places;
}

void
places_free(Places *places)
{
    if (!places)
        return;
    g_hash_table_unref(places->groups);
    g_sequence_free(places->loads);
    g_free(places);
}

static int
load_compare(gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED)
{
    const PlaceGroup *one = a, *other = b;

    return (one->load > other->load) - (one->load < other->load);
}

static void
group_load(Places *places, PlaceGroup *group, guint load)
{
    group->load = load;
    if (load == 0) {
        g_sequence_remove(group->in_loads);
        group->in_loads = NULL;
    } else if (!group->in_loads) {
        group->in_loads = g_sequence_insert_sorted(places->loads, group, load_compare, NULL);
    } else {
        g_sequence_sort_changed(group->in_loads, load_compare, NULL);
    }
}

static PlaceGroup *
group_of_last(const Place *place)
{
    return place->groups[place->n_groups - 1];
}

void
places_leave(Places *places, Place *place)
{
    PlaceGroup *last;

    if (place->n_groups == 0)
        return;
    last = group_of_last(place);
    group_load(places, last, last->load - place->weight);
    g_queue_unlink(&places->by_age, &place->by_age);
    for (guint i = 0; i < place->n_groups; i++) {
        PlaceGroup *group = place->groups[i];

        g_queue_unlink(&group->places, &place->links[i]);
        if (group->places.length > 0)
            continue;
        g_hash_table_remove(places->groups, &group->source);
        g_free(group);
    }
    place->n_groups = 0;
}

static void
place_put_out(Places *places, Place *place)
{
    places_leave(places, place);
    if (place->fd >= 0)
        (void)shutdown(place->fd, SHUT_RDWR);
}

static PlaceGroup *
group_find(Places *places, const Source *source, guint level)
{
    const Source wider = source_at_level(source, level);

    return g_hash_table_lookup(places->groups, &wider);
}

static guint
wish_levels(const PlaceWish *wish)
{
    return wish->known ? 1 : source_levels(&wish->source);
}

static guint
wish_limit(const PlaceWish *wish, guint level)
{
    if (wish->known)
        return wish->per_source * wish->factor;
    return level == 0 ? wish->per_source : wish->per_source * level * SOURCE_WIDER;
}

/* Whether each level is below its limit, or its oldest place has had its time. */
static gboolean
wish_fits_source(Places *places, const PlaceWish *wish)
{
    for (guint level = 0; level < wish_levels(wish); level++) {
        const PlaceGroup *group = group_find(places, &wish->source, level);
        Place *oldest;

        if (!group || group->places.length < wish_limit(wish, level))
            continue;
        oldest = group->places.head->data;
        if (wish->now - oldest->since < PLACE_PATIENCE)
            return FALSE;
        place_put_out(places, oldest);
    }
    return TRUE;
}

static guint
wish_load(Places *places, const PlaceWish *wish)
{
    const PlaceGroup *group = group_find(places, &wish->source, wish_levels(wish) - 1);

    return group ? group->load : 0;
}

/* When more than half of the places are taken, a growing share of new connections is dropped, but
 * only of sources that hold more than the average, and never the first connection of a source. */
static gboolean
wish_is_dropped(Places *places, const PlaceWish *wish)
{
    const PlaceGroup *group = group_find(places, &wish->source, wish_levels(wish) - 1);
    guint taken = places_taken(places), half = places->max / 2;
    guint sources = (guint)g_sequence_get_length(places->loads);

    if (wish->known || !group || taken < half || taken >= places->max)
        return FALSE;
    return ((guint64)group->places.length + 1) * sources > taken &&
           wish->random % (places->max - half) < taken - half;
}

static gboolean
wish_fits_all(Places *places, const PlaceWish *wish, guint weight)
{
    const PlaceGroup *heaviest;
    Place *oldest = NULL;

    if (places_taken(places) < places->max)
        return TRUE;
    heaviest = g_sequence_get(g_sequence_iter_prev(g_sequence_get_end_iter(places->loads)));
    if (heaviest->load > wish_load(places, wish) + weight)
        oldest = heaviest->places.head->data;
    else if (wish->now - ((Place *)places->by_age.head->data)->since >= PLACE_PATIENCE)
        oldest = places->by_age.head->data;
    if (oldest)
        place_put_out(places, oldest);
    return oldest != NULL;
}

static void
place_join(Places *places, Place *place, const Source *source, guint level)
{
    PlaceGroup *group = group_find(places, source, level);

    if (!group) {
        group = g_new0(PlaceGroup, 1);
        group->source = source_at_level(source, level);
        g_hash_table_insert(places->groups, &group->source, group);
    }
    place->groups[level] = group;
    place->links[level].data = place;
    g_queue_push_tail_link(&group->places, &place->links[level]);
}

gboolean
places_take(Places *places, Place *place, const PlaceWish *wish)
{
    guint weight = wish->known ? 1 : wish->factor;

    if (places->max == 0 || wish_is_dropped(places, wish) || !wish_fits_source(places, wish) ||
        !wish_fits_all(places, wish, weight))
        return FALSE;
    *place = (Place){.fd = wish->fd, .since = wish->now, .weight = weight};
    place->n_groups = wish_levels(wish);
    for (guint level = 0; level < place->n_groups; level++)
        place_join(places, place, &wish->source, level);
    place->by_age.data = place;
    g_queue_push_tail_link(&places->by_age, &place->by_age);
    group_load(places, group_of_last(place), group_of_last(place)->load + weight);
    return TRUE;
}

guint
places_taken(const Places *places)
{
    return places->by_age.length;
}
