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
};

/* Of a source, an identity and a reason; or of a source, for all that are not told apart. */
typedef struct {
    LedgerEntry base;
    guint apart;   /* of a source: how many entries it got in this window */
    guint64 count; /* refusals without a line */
    EventKind kind;
    char *peer; /* of the last one of these, and so on; NULL: there is none */
    char *claimed;
    char *why;
} Entry;

/* Untrusted, and of any length. */
static char *
text_keep(const char *text)
{
    if (text && strnlen(text, TEXT_MAX + 1) > TEXT_MAX)
        return g_strdup_printf("%.*s...", TEXT_MAX, text);
    return g_strdup(text);
}

static void
line_write(EventKind kind, const char *peer, const char *claimed, const char *text)
{
    g_autofree char *name = text_keep(claimed);

    event_log(kind, &(EventData){.peer = peer, .device = name, .initiator = name, .detail = text});
}

static void
entry_write(const Entry *entry)
{
    g_autofree char *text = NULL;

    if (entry->count == 0)
        return;
    text = g_strdup_printf("%" PRIu64 " more left out: %s", (uint64_t)entry->count,
                           entry->why ? entry->why : "refusals of several names or reasons");
    line_write(entry->kind, entry->peer, entry->claimed, text);
}

/* Writes what is owed; the entry's window is over. */
static void
entry_end(Entry *entry)
{
    entry_write(entry);
    g_clear_pointer(&entry->peer, g_free);
    g_clear_pointer(&entry->claimed, g_free);
    g_clear_pointer(&entry->why, g_free);
    entry->apart = 0;
    entry->count = 0;
}

static void
entry_gone(LedgerEntry *entry, void *data G_GNUC_UNUSED)
{
    entry_end((Entry *)entry);
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
    log->ledger = ledger_new(REFUSAL_LOG_MAX, sizeof(Entry), entry_gone, NULL);
    return log;
}

void
refusal_log_free(RefusalLog *log)
{
    if (!log)
        return;
    clock_clear(log->clock, &log->timer);
    ledger_free(log->ledger);
    g_free(log);
}

void
refusal_log_sweep(RefusalLog *log, gint64 now)
{
    ledger_trim(log->ledger, now);
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
    entry_end(entry);
    ledger_set_until(log->ledger, entry, now + REFUSAL_LOG_WINDOW);
    return entry;
}

static void
entry_count(Entry *entry, const Refused *refused, gboolean named)
{
    entry->count++;
    entry->kind = refused->kind;
    g_free(entry->peer);
    entry->peer = g_strdup(refused->peer);
    if (!named || entry->why)
        return;
    entry->claimed = text_keep(refused->claimed);
    entry->why = text_keep(refused->why);
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
        line_write(refused->kind, refused->peer, refused->claimed, text);
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
