/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/carrier/carrier-private.h"

/* When a timer is later than this, the machine was not just busy: nothing ran. */
#define CARRIER_LATE_TIMER (1 * G_TIME_SPAN_SECOND)

/* Between two looks at what has no time of its own. */
#define CARRIER_PERIOD (10 * G_TIME_SPAN_SECOND)

/* What somebody wants of a carrier, on the way to its reactor. It holds a reference. */
typedef struct CarrierOrder CarrierOrder;
struct CarrierOrder {
    Message message;
    Carrier *carrier;
    void (*obey)(Carrier *carrier, const CarrierOrder *order);
    Connection *leg;
    Reason reason;
    CarrierFrozen frozen;
    gint64 limit;
};

Carrier *
carrier_ref(Carrier *carrier)
{
    atomic_fetch_add(&carrier->references, 1);
    return carrier;
}

void
carrier_release(Carrier *carrier)
{
    if (atomic_fetch_sub(&carrier->references, 1) != 1)
        return;
    g_free(carrier->leg.masks);
    resume_stream_free(carrier->stream);
    resume_budget_unref(carrier->budget);
    g_free(carrier);
}

Reactor *
carrier_reactor(const Carrier *carrier)
{
    return carrier->reactor;
}

static void
carrier_set_timer(Carrier *carrier, gint64 delay)
{
    carrier->due = reactor_now(carrier->reactor) + delay;
    reactor_set_timer(carrier->reactor, &carrier->timer, delay);
}

void
carrier_wake_by(Carrier *carrier, gint64 delay)
{
    if (delay != G_MAXINT64 && reactor_now(carrier->reactor) + delay < carrier->due)
        carrier_set_timer(carrier, MAX(delay, 0));
}

void
carrier_run_again(Carrier *carrier)
{
    reactor_defer(carrier->reactor, &carrier->again);
}

void
carrier_pump(Carrier *carrier)
{
    gint64 now = reactor_now(carrier->reactor);
    gboolean more = FALSE;

    /* The end was asked for. That reason counts, not what follows from it; the order is on its way.
     */
    if (carrier->finished ||
        (carrier->reason == REASON_NONE && atomic_load(&carrier->wanted) != REASON_NONE))
        return;
    carrier_ref(carrier); /* once it is over, the owner may let go at any moment */
    local_write(carrier);
    more |= leg_read(carrier);
    more |= leg_write(carrier);
    leg_flush(carrier);
    local_check(carrier);
    carrier_settle(carrier);
    if (!carrier->finished && more)
        carrier_run_again(carrier);
    /* A word that the leg has no room for is tried when it has. */
    if (!carrier->finished && leg_is_free(carrier))
        carrier_wake_by(carrier, resume_stream_due(carrier->stream, now));
    carrier_release(carrier);
}

static void
carrier_again(Task *task)
{
    carrier_pump(CONTAINER_OF(task, Carrier, again));
}

/* When this process was stopped or had no CPU, the silence does not count against the peer. */
static void
carrier_forgive(Carrier *carrier, gint64 now)
{
    if (now - carrier->due >= CARRIER_LATE_TIMER)
        carrier->leg.unheard = carrier->leg.owing = now;
}

static void
carrier_timer(Timer *timer)
{
    Carrier *carrier = CONTAINER_OF(timer, Carrier, timer);
    gint64 now = reactor_now(carrier->reactor);
    gint64 delay = CARRIER_PERIOD;

    carrier_forgive(carrier, now);
    carrier_limit_check(carrier, now);
    delay = MIN(delay, leg_check(carrier, now));
    delay = MIN(delay, carrier_end_check(carrier, now));
    delay = MIN(delay, carrier_limit_next(carrier, now));
    carrier_set_timer(carrier, delay);
    carrier_pump(carrier);
}

static void
carrier_started(Carrier *carrier, const CarrierOrder *order G_GNUC_UNUSED)
{
    carrier_start(carrier);
    carrier_set_timer(carrier, MIN(CARRIER_PERIOD, carrier_limit_next(carrier, carrier->since)));
    carrier_run_again(carrier);
}

static void
carrier_attached(Carrier *carrier, const CarrierOrder *order)
{
    if (carrier->finished || carrier->reason != REASON_NONE) {
        connection_free(order->leg);
        return;
    }
    /* It has not begun: there is nothing to go on with. */
    if (carrier->leg.connection && !resume_stream_is_resumable(carrier->stream)) {
        connection_free(order->leg);
        carrier_lost(carrier, REASON_CUT);
        return;
    }
    if (carrier->leg.connection) {
        leg_drop(carrier);
        resume_stream_detach(carrier->stream, reactor_now(carrier->reactor));
        if (carrier->suspended == 0)
            carrier->suspended = reactor_now(carrier->reactor);
    }
    leg_open(carrier, order->leg);
    carrier_set_timer(carrier, 0);
}

static void
carrier_detached(Carrier *carrier, const CarrierOrder *order)
{
    if (carrier->finished || carrier->reason != REASON_NONE || !carrier->leg.connection)
        return;
    carrier_lost(carrier, order->reason);
    carrier_pump(carrier);
}

static void
carrier_probed(Carrier *carrier, const CarrierOrder *order)
{
    if (carrier->finished || carrier->reason != REASON_NONE)
        return;
    leg_probe(carrier, order->limit);
    carrier_pump(carrier);
}

/* The owner's wish does not wait for a reader that may never read. */
static void
carrier_ordered(Carrier *carrier, const CarrierOrder *order)
{
    gint64 wait = carrier->times.wait;
    gboolean hasty = order->reason == REASON_STOPPING || order->reason == REASON_CANCELLED;

    if (carrier->finished)
        return;
    carrier_ends(carrier, order->reason, reason_is_orderly(order->reason) ? CARRIER_DELIVERS : 0);
    if (!reason_is_orderly(order->reason))
        carrier_cut_short(carrier, order->reason);
    wait = hasty ? MIN(RELAY_HASTE, wait) : wait;
    carrier->close_by = reactor_now(carrier->reactor) + wait;
    carrier_wake_by(carrier, wait);
    carrier_pump(carrier);
}

static void
carrier_heard_of_end(Carrier *carrier, const CarrierOrder *order)
{
    ResumeFigures figures = resume_stream_figures(carrier->stream);
    gboolean whole = figures.fin_given || resume_stream_wants_fin(carrier->stream);
    gboolean cut = !whole && reason_is_orderly(order->reason);

    if (carrier->finished)
        return;
    leg_drop(carrier);
    carrier_ends(carrier, cut ? REASON_CUT : order->reason,
                 CARRIER_TOLD | (whole ? CARRIER_FINISH : 0));
    carrier_pump(carrier);
}

static void
carrier_froze(Carrier *carrier, const CarrierOrder *order)
{
    Connection *local = NULL;

    if (!carrier->finished && carrier->reason == REASON_NONE && carrier->local.connection &&
        resume_stream_is_resumable(carrier->stream) && carrier->completed == 0) {
        leg_drop(carrier);
        if (resume_stream_is_attached(carrier->stream))
            resume_stream_detach(carrier->stream, reactor_now(carrier->reactor));
        local = g_steal_pointer(&carrier->local.connection);
        connection_detach(local);
        carrier->finished = TRUE;
        reactor_cancel(carrier->reactor, &carrier->again);
        reactor_clear_timer(carrier->reactor, &carrier->timer);
    }
    carrier_tell_frozen(carrier, order->frozen, local);
    if (!local && !carrier->finished) {
        carrier_ends(carrier, REASON_STOPPING, 0);
        carrier->close_by = reactor_now(carrier->reactor) + RELAY_HASTE;
        carrier_wake_by(carrier, RELAY_HASTE);
        carrier_pump(carrier);
    }
}

static void
carrier_obey(Message *message)
{
    CarrierOrder *order = CONTAINER_OF(message, CarrierOrder, message);

    order->obey(order->carrier, order);
    carrier_release(order->carrier);
    g_free(order);
}

/* TEMPLATE is copied. */
static void
carrier_order(Carrier *carrier, const CarrierOrder *template)
{
    CarrierOrder *order = g_new0(CarrierOrder, 1);

    *order = *template;
    order->message.func = carrier_obey;
    order->carrier = carrier_ref(carrier);
    reactor_post(carrier->reactor, &order->message);
}

/* Of what it may carry a former process has used a part, as METER says. */
static guint64
carrier_allowance(const CarrierOptions *options)
{
    guint64 most = options->times.limits.bytes;
    guint64 used = atomic_load(&options->meter->bytes[0]) + atomic_load(&options->meter->bytes[1]);

    if (most == 0)
        return G_MAXUINT64;
    return most > used ? most - used : 0;
}

static void
carrier_set_times(Carrier *carrier, const CarrierOptions *options)
{
    gint64 now = g_get_monotonic_time();

    carrier->times = options->times;
    carrier->times.wait = carrier->times.wait > 0 ? carrier->times.wait : RELAY_WAIT;
    carrier->times.patience =
        carrier->times.patience > 0 ? carrier->times.patience : RELAY_PATIENCE;
    carrier->since = now - options->elapsed;
    carrier->local.moved = carrier->leg.moved = now;
    carrier->due = G_MAXINT64;
    carrier->allowance = carrier_allowance(options);
}

Carrier *
carrier_new(Reactor *reactor, const CarrierOptions *options, ResumeStream *restored,
            const CarrierEvents *events, Queue *owner, void *data)
{
    Carrier *carrier = g_new0(Carrier, 1);

    carrier->references = 2; /* the caller's and the reactor's */
    carrier->reactor = reactor;
    carrier->owner = owner;
    carrier->events = *events;
    carrier->data = data;
    carrier->device = options->device;
    carrier->caps = options->caps;
    carrier->budget = resume_budget_ref(options->budget);
    carrier->meter = options->meter;
    carrier->stream = restored ? restored : resume_stream_new(options->budget);
    carrier->suspended = restored ? g_get_monotonic_time() : 0;
    carrier->local.connection = options->local;
    carrier->again.func = carrier_again;
    carrier->timer.func = carrier_timer;
    carrier_set_times(carrier, options);
    carrier_order(carrier, &(CarrierOrder){.obey = carrier_started});
    return carrier;
}

void
carrier_attach(Carrier *carrier, Connection *leg)
{
    carrier_order(carrier, &(CarrierOrder){.obey = carrier_attached, .leg = leg});
}

void
carrier_detach(Carrier *carrier, Reason reason)
{
    carrier_order(carrier, &(CarrierOrder){.obey = carrier_detached, .reason = reason});
}

static gboolean
carrier_wants(Carrier *carrier, Reason reason)
{
    int none = REASON_NONE;

    return atomic_compare_exchange_strong(&carrier->wanted, &none, (int)reason);
}

void
carrier_end(Carrier *carrier, Reason reason)
{
    if (carrier_wants(carrier, reason))
        carrier_order(carrier, &(CarrierOrder){.obey = carrier_ordered, .reason = reason});
}

void
carrier_ended_there(Carrier *carrier, Reason reason)
{
    if (carrier_wants(carrier, reason))
        carrier_order(carrier, &(CarrierOrder){.obey = carrier_heard_of_end, .reason = reason});
}

void
carrier_probe(Carrier *carrier, gint64 limit)
{
    carrier_order(carrier, &(CarrierOrder){.obey = carrier_probed, .limit = limit});
}

void
carrier_freeze(Carrier *carrier, CarrierFrozen frozen)
{
    carrier_order(carrier, &(CarrierOrder){.obey = carrier_froze, .frozen = frozen});
}

gboolean
carrier_is_unsaid(const Carrier *carrier)
{
    return carrier->unsaid;
}

gboolean
carrier_is_parting(const Carrier *carrier)
{
    return carrier->parts;
}

gboolean
carrier_is_known(const Carrier *carrier)
{
    return (carrier->last & CARRIER_TOLD) && !carrier->missed;
}

gboolean
carrier_take_advance(Carrier *carrier)
{
    return atomic_exchange(&carrier->advanced, FALSE);
}

void
carrier_unref(Carrier *carrier)
{
    if (!carrier)
        return;
    carrier->done = TRUE;
    if (!carrier->over)
        carrier_end(carrier, REASON_CANCELLED);
    carrier_release(carrier);
}
