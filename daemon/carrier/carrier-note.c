/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a carrier tells its owner. Each word has a message of its own, because all of them count,
 * and in their order. A leg is lost at most once, so there are no more of them than legs. */
#include "daemon/carrier/carrier-private.h"

typedef struct CarrierNote CarrierNote;
struct CarrierNote {
    Message message;
    Carrier *carrier; /* holds a reference */
    void (*tell)(const CarrierNote *note);
    Reason reason;
    guint64 pending;
    gint64 elapsed;
    gboolean lost;
    CarrierFrozen frozen;
    Connection *local;
};

static void
note_tell(Message *message)
{
    CarrierNote *note = CONTAINER_OF(message, CarrierNote, message);

    note->tell(note);
    carrier_release(note->carrier);
    g_free(note);
}

static void
carrier_note(Carrier *carrier, const CarrierNote *template)
{
    CarrierNote *note = g_new0(CarrierNote, 1);

    *note = *template;
    note->message.func = note_tell;
    note->carrier = carrier_ref(carrier);
    (void)queue_post(carrier->owner, &note->message);
}

static void
tell_talking(const CarrierNote *note)
{
    Carrier *carrier = note->carrier;

    if (!carrier->done)
        carrier->events.talking(carrier, carrier->data);
}

void
carrier_tell_talking(Carrier *carrier)
{
    carrier_note(carrier, &(CarrierNote){.tell = tell_talking});
}

static void
tell_lost(const CarrierNote *note)
{
    Carrier *carrier = note->carrier;

    if (!carrier->done)
        carrier->events.lost(carrier, note->reason, note->pending, carrier->data);
}

void
carrier_tell_lost(Carrier *carrier, Reason reason, guint64 pending)
{
    carrier_note(carrier, &(CarrierNote){.tell = tell_lost, .reason = reason, .pending = pending});
}

static void
tell_ended(const CarrierNote *note)
{
    Carrier *carrier = note->carrier;
    const ResumeFigures figures = resume_stream_figures(carrier->stream);

    carrier->over = TRUE;
    if (!carrier->done)
        carrier->events.ended(carrier, carrier->reason, &figures, carrier->data);
    carrier_release(carrier); /* the reactor's reference */
}

void
carrier_tell_ended(Carrier *carrier)
{
    carrier_note(carrier, &(CarrierNote){.tell = tell_ended});
}

/* When the connection was closed at once, this comes before the end is told. */
static void
tell_parted(const CarrierNote *note)
{
    Carrier *carrier = note->carrier;

    carrier->parts = FALSE;
    carrier->unsaid |= note->lost;
    if (carrier->over && !carrier->done)
        carrier->events.parted(carrier, note->lost, carrier->data);
}

void
carrier_tell_parted(Carrier *carrier, gboolean lost)
{
    carrier_note(carrier, &(CarrierNote){.tell = tell_parted, .lost = lost});
}

static void
tell_frozen(const CarrierNote *note)
{
    Carrier *carrier = note->carrier;

    if (note->local)
        carrier->over = TRUE;
    if (!carrier->done)
        note->frozen(carrier, note->local, note->local ? carrier->stream : NULL, note->elapsed,
                     carrier->data);
    else
        connection_free(note->local);
    if (note->local)
        carrier_release(carrier); /* the reactor's reference */
}

void
carrier_tell_frozen(Carrier *carrier, CarrierFrozen frozen, Connection *local)
{
    const gint64 elapsed = g_get_monotonic_time() - carrier->since;

    carrier_note(carrier, &(CarrierNote){
                              .tell = tell_frozen,
                              .frozen = frozen,
                              .local = local,
                              .elapsed = elapsed,
                          });
}
