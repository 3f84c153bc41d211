/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/refusal-log.h"

#include "common/codec/percent.h"
#include "common/codec/sas-token.h"
#include "common/loop/queue.h"
#include "hub/edge/cure.h"
#include "hub/edge/ledger.h"

#include <inttypes.h>
#include <string.h>

#define TEXT_MAX 160 /* bytes of each text that is kept, and of a claimed identity in a line */
#define SWEEP_DELAY G_TIME_SPAN_SECOND

struct RefusalLog {
    Clock *clock;
    Timer timer;
    gboolean sweeps; /* the timer is set */
    Ledger *ledger;
    GPtrArray *owed; /* of Owed: windows that are over; at most REFUSAL_LOG_MAX */
};

/* Refusals without a line. */
typedef struct {
    guint64 count;
    EventKind kind;
    char *peer; /* of the last one of these, and so on; NULL: there is none */
    char *claimed;
    char *why;
} Left;

/* Of a source, an identity and a reason; or of a source, for all that are not told apart. */
typedef struct {
    LedgerEntry base;
    guint apart; /* of a source: how many entries it got in this window */
    Left left;
} Entry;

/* What an entry left. */
typedef struct {
    Source source;
    guint rank; /* in what the source left; 0: the most */
    Left left;
} Owed;

/* Refusals with the same cure, of sources that have no line. */
typedef struct {
    const char *cure; /* "": of several names or reasons */
    const char *why;  /* of one of them; borrowed */
    guint64 count;
    GHashTable *sources; /* borrowed Source */
} Sum;

/* Untrusted, and of any length. */
static char *
text_keep(const char *text)
{
    if (text && strnlen(text, TEXT_MAX + 1) > TEXT_MAX)
        return g_strdup_printf("%.*s...", TEXT_MAX, text);
    return g_strdup(text);
}

static void
left_clear(Left *left)
{
    g_free(left->peer);
    g_free(left->claimed);
    g_free(left->why);
    *left = (Left){0};
}

static void
owed_free(gpointer data)
{
    left_clear(&((Owed *)data)->left);
    g_free(data);
}

static void
sum_free(gpointer data)
{
    g_hash_table_unref(((Sum *)data)->sources);
    g_free(data);
}

static void
line_write(const Refused *refused, const char *text, gboolean bounded)
{
    g_autofree char *name = text_keep(refused->claimed);

    event_log(refused->kind, &(EventData){.peer = refused->peer,
                                          .device = name,
                                          .initiator = name,
                                          .detail = text,
                                          .bounded = bounded});
}

static void
owed_write(const Owed *owed)
{
    const Left *left = &owed->left;
    g_autofree char *text =
        g_strdup_printf("%" PRIu64 " more left out: %s", (uint64_t)left->count,
                        left->why ? left->why : "refusals of several names or reasons");

    line_write(&(Refused){left->kind, left->peer, left->claimed, NULL}, text, TRUE);
}

static void
sum_write(const Sum *sum)
{
    const guint sources = g_hash_table_size(sum->sources);
    g_autofree char *text = g_strdup_printf("from %u source%s: %" PRIu64 " more left out%s%s",
                                            sources, sources == 1 ? "" : "s", (uint64_t)sum->count,
                                            sum->why ? ", such as: " : ", for several reasons",
                                            sum->why ? sum->why : "");

    event_log(EVENT_REFUSALS_SUMMED,
              &(EventData){.detail = text, .count = sum->count, .bounded = TRUE});
}

static Sum *
sum_new(const char *cure, const char *why)
{
    Sum *sum = g_new0(Sum, 1);

    sum->cure = cure;
    sum->why = why;
    sum->sources = g_hash_table_new(source_hash, source_equal);
    return sum;
}

static Sum *
sums_want(GPtrArray *sums, const char *cure, const char *why)
{
    for (guint i = 0; i < sums->len; i++)
        if (strcmp(((Sum *)sums->pdata[i])->cure, cure) == 0)
            return sums->pdata[i];
    g_ptr_array_add(sums, sum_new(cure, why));
    return sums->pdata[sums->len - 1];
}

static int
sum_compare(gconstpointer a, gconstpointer b)
{
    const Sum *one = *(const Sum *const *)a, *other = *(const Sum *const *)b;

    return (one->count < other->count) - (one->count > other->count);
}

/* The last one takes what is beyond REFUSAL_LOG_SUMS. */
static void
sums_shorten(GPtrArray *sums)
{
    Sum *rest;

    g_ptr_array_sort(sums, sum_compare);
    if (sums->len <= REFUSAL_LOG_SUMS)
        return;
    rest = sum_new("", NULL);
    for (guint i = REFUSAL_LOG_SUMS - 1; i < sums->len; i++) {
        const Sum *sum = sums->pdata[i];
        GHashTableIter iter;
        gpointer source;

        rest->count += sum->count;
        g_hash_table_iter_init(&iter, sum->sources);
        while (g_hash_table_iter_next(&iter, &source, NULL))
            g_hash_table_add(rest->sources, source);
    }
    g_ptr_array_set_size(sums, REFUSAL_LOG_SUMS - 1);
    g_ptr_array_add(sums, rest);
}

/* By source, what is most first. */
static int
owed_compare_source(gconstpointer a, gconstpointer b)
{
    const Owed *one = *(const Owed *const *)a, *other = *(const Owed *const *)b;
    const int by_source = memcmp(&one->source, &other->source, sizeof one->source);

    if (by_source != 0)
        return by_source;
    return (one->left.count < other->left.count) - (one->left.count > other->left.count);
}

/* The most of each source, what is most first; then the second of each. */
static int
owed_compare_rank(gconstpointer a, gconstpointer b)
{
    const Owed *one = *(const Owed *const *)a, *other = *(const Owed *const *)b;

    if (one->rank != other->rank)
        return one->rank > other->rank ? 1 : -1;
    return (one->left.count < other->left.count) - (one->left.count > other->left.count);
}

/* So that a source with many names takes no other's line. */
static void
owed_sort(GPtrArray *all)
{
    g_ptr_array_sort(all, owed_compare_source);
    for (guint i = 1; i < all->len; i++) {
        const Owed *before = all->pdata[i - 1];
        Owed *owed = all->pdata[i];

        owed->rank = source_equal(&before->source, &owed->source) ? before->rank + 1 : 0;
    }
    g_ptr_array_sort(all, owed_compare_rank);
}

/* Writes what is owed: many windows may have ended at once. */
static void
log_write_owed(RefusalLog *log)
{
    g_autoptr(GPtrArray) sums = g_ptr_array_new_with_free_func(sum_free);

    owed_sort(log->owed);
    for (guint i = 0; i < log->owed->len; i++) {
        Owed *owed = log->owed->pdata[i];
        const char *why = owed->left.why;
        Sum *sum;

        if (i < REFUSAL_LOG_TOLD) {
            owed_write(owed);
            continue;
        }
        sum = sums_want(sums, why ? cure_of(why) : "", why);
        sum->count += owed->left.count;
        g_hash_table_add(sum->sources, &owed->source);
    }
    sums_shorten(sums);
    for (guint i = 0; i < sums->len; i++)
        sum_write(sums->pdata[i]);
    g_ptr_array_set_size(log->owed, 0);
}

/* The entry's window is over. What is owed waits for the next sweep, which writes it together. */
static void
entry_end(Entry *entry, RefusalLog *log)
{
    entry->apart = 0;
    if (entry->left.count > 0) {
        Owed *owed = g_new0(Owed, 1);

        if (log->owed->len == REFUSAL_LOG_MAX)
            log_write_owed(log);
        owed->source = entry->base.key.source;
        owed->left = entry->left;
        entry->left = (Left){0};
        g_ptr_array_add(log->owed, owed);
    }
    left_clear(&entry->left);
}

static void
entry_gone(LedgerEntry *entry, void *data)
{
    entry_end((Entry *)entry, data);
}

static void
log_swept(Timer *timer)
{
    RefusalLog *log = CONTAINER_OF(timer, RefusalLog, timer);

    log->sweeps = FALSE;
    refusal_log_sweep(log, clock_now());
}

static void
log_set_timer(RefusalLog *log)
{
    if (log->sweeps || ledger_size(log->ledger) == 0)
        return;
    log->sweeps = TRUE;
    clock_set(log->clock, &log->timer, SWEEP_DELAY);
}

RefusalLog *
refusal_log_new(Clock *clock)
{
    RefusalLog *log = g_new0(RefusalLog, 1);

    log->clock = clock;
    log->timer.func = log_swept;
    log->ledger = ledger_new(REFUSAL_LOG_MAX, sizeof(Entry), entry_gone, log);
    log->owed = g_ptr_array_new_with_free_func(owed_free);
    return log;
}

void
refusal_log_free(RefusalLog *log)
{
    if (!log)
        return;
    clock_clear(log->clock, &log->timer);
    ledger_free(log->ledger);
    log_write_owed(log);
    g_ptr_array_unref(log->owed);
    g_free(log);
}

void
refusal_log_sweep(RefusalLog *log, gint64 now)
{
    ledger_trim(log->ledger, now);
    log_write_owed(log);
    log_set_timer(log);
}

/* The entry in force; one that is new, or whose window has ended, begins. NULL: there is no room.
 */
static Entry *
log_entry(RefusalLog *log, const LedgerKey *key, gint64 now, gboolean *ret_new)
{
    Entry *entry = ledger_want(log->ledger, key, now);

    *ret_new = entry && entry->base.until <= now;
    if (!*ret_new)
        return entry;
    entry_end(entry, log);
    ledger_set_until(log->ledger, entry, now + REFUSAL_LOG_WINDOW);
    return entry;
}

static void
entry_count(Entry *entry, const Refused *refused, gboolean named)
{
    Left *left = &entry->left;

    left->count++;
    left->kind = refused->kind;
    g_free(left->peer);
    left->peer = g_strdup(refused->peer);
    if (!named || left->why)
        return;
    left->claimed = text_keep(refused->claimed);
    left->why = text_keep(refused->why);
}

/* TRUE: it gets a line. */
static gboolean
log_admit(RefusalLog *log, const Refused *refused, gint64 now)
{
    const Source source = source_of_peer(refused->peer);
    const char *claimed = refused->claimed ? refused->claimed : "";
    g_autofree char *name =
        g_strdup_printf("%d\n%s\n%s", (int)refused->kind, refused->why, claimed);
    const LedgerKey all = ledger_key(&source, NULL), one = ledger_key(&source, name);
    Entry *entry = ledger_find(log->ledger, &one), *of_source;
    gboolean new = FALSE;

    if (entry && entry->base.until > now) {
        entry_count(entry, refused, TRUE);
        return FALSE;
    }
    of_source = log_entry(log, &all, now, &new);
    if (of_source && of_source->apart == REFUSAL_LOG_APART) {
        entry_count(of_source, refused, FALSE);
        return FALSE;
    }
    if (of_source && log_entry(log, &one, now, &new))
        of_source->apart++;
    return TRUE;
}

/* Without the full stop of a text that is also an answer. */
static gsize
sentence_len(const char *text)
{
    gsize len = strlen(text);

    return len > 0 && text[len - 1] == '.' ? len - 1 : len;
}

void
refusal_log_note_at(RefusalLog *log, const Refused *refused, gint64 now)
{
    g_autofree char *text = NULL;

    if (!log)
        return;
    if (log_admit(log, refused, now)) {
        text = g_strdup_printf("%.*s; %s", (int)sentence_len(refused->why), refused->why,
                               cure_of(refused->why));
        line_write(refused, text, FALSE);
    }
    log_set_timer(log);
}

void
refusal_log_note(RefusalLog *log, const Refused *refused)
{
    refusal_log_note_at(log, refused, clock_now());
}

/* "hub.example/devices/gw-1": what is behind the hub's name. */
static char *
resource_name(Slice sr)
{
    g_autofree char *text = percent_decode_text(sr.ptr, sr.len);
    const char *slash = text ? strchr(text, '/') : NULL;

    return slash && slash[1] ? g_strdup(slash + 1) : NULL;
}

char *
refusal_log_claimed(const char *authorization, gsize len)
{
    SasToken token;

    if (!authorization || sas_token_parse(authorization, len, &token) != SAS_OK)
        return NULL;
    return token.policy[0] ? g_strdup(token.policy) : resource_name(token.sr);
}
