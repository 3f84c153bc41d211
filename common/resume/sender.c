/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/sender.h"

#define NEVER G_MAXUINT64

void
resume_sender_init(ResumeSender *sender, ResumeBudget *budget)
{
    *sender = (ResumeSender){
        .ring = resume_ring_new(budget, TRUE, 0),
        .limit = RESUME_FIRST,
        .blocked_for = NEVER,
    };
}

void
resume_sender_restore(ResumeSender *sender, ResumeBudget *budget, guint64 from, const void *kept,
                      gsize len)
{
    *sender = (ResumeSender){
        .ring = resume_ring_restore(budget, from, kept, len),
        .sent = from,
        .top = from + len, /* all of it may have been sent */
        .acked = from,
        .blocked_for = NEVER,
        .resumable = TRUE,
    };
}

void
resume_sender_clear(ResumeSender *sender)
{
    g_clear_pointer(&sender->ring, resume_ring_free);
}

static guint64
sender_end(const ResumeSender *sender)
{
    return resume_ring_end(sender->ring);
}

void
resume_sender_attach(ResumeSender *sender)
{
    resume_sender_detach(sender);
    sender->sent = resume_ring_begin(sender->ring);
}

void
resume_sender_detach(ResumeSender *sender)
{
    sender->talking = FALSE;
    sender->end_said = FALSE;
    sender->blocked_for = NEVER;
}

uint8_t *
resume_sender_room(ResumeSender *sender, gsize *ret_len)
{
    guint64 end = sender_end(sender);
    uint8_t *room;

    if (sender->ended || end - sender->sent >= RESUME_AHEAD || end >= RESUME_OFFSET_MAX - 1)
        return NULL;
    room = resume_ring_room(sender->ring, ret_len);
    if (room)
        *ret_len = (gsize)MIN(*ret_len, RESUME_OFFSET_MAX - 1 - end);
    return room;
}

/* The other end has consumed what is before CONSUMED, of which it was sent MOST at most. */
static gboolean
sender_ack(ResumeSender *sender, guint64 consumed, guint64 most)
{
    guint64 end = sender_end(sender);

    if (sender->end_known && most == end)
        most++;
    if (consumed < sender->acked || consumed > most)
        return FALSE;
    sender->acked = consumed;
    resume_ring_drop(sender->ring, MIN(consumed, end));
    return TRUE;
}

gboolean
resume_sender_begin(ResumeSender *sender, guint64 consumed, guint64 limit, gint64 now)
{
    if (sender->talking || limit < sender->limit || !sender_ack(sender, consumed, sender->top))
        return FALSE;
    /* What was sent on the first leg before this came is on its way. */
    if (sender->resumable)
        sender->sent = resume_ring_begin(sender->ring);
    sender->limit = limit;
    sender->idle_since = now;
    sender->talking = TRUE;
    sender->resumable = TRUE;
    return TRUE;
}

gboolean
resume_sender_told(ResumeSender *sender, guint64 consumed, guint64 limit)
{
    if (!sender->talking || limit < sender->limit || !sender_ack(sender, consumed, sender->sent))
        return FALSE;
    sender->limit = limit;
    return TRUE;
}

/* There is credit to give back, as soon as nothing was sent for long enough. */
static gboolean
sender_is_idle(const ResumeSender *sender)
{
    return sender->talking && !sender->ended && sender->sent == sender_end(sender) &&
           sender->limit > sender->sent + RESUME_SURE;
}

static gboolean
sender_is_blocked(const ResumeSender *sender)
{
    return sender->talking && sender->sent >= sender->limit && sender->sent < sender_end(sender);
}

gboolean
resume_sender_word(ResumeSender *sender, gint64 now, ResumeMessage *ret)
{
    if (sender_is_blocked(sender) && sender->blocked_for != sender->limit) {
        sender->blocked_for = sender->limit;
        *ret = (ResumeMessage){.word = RESUME_BLOCKED, .first = sender->limit};
        return TRUE;
    }
    if (!sender_is_idle(sender) || now < resume_sender_due(sender))
        return FALSE;
    *ret = (ResumeMessage){
        .word = RESUME_GIVE, .first = sender->limit, .second = sender->sent + RESUME_SURE};
    sender->limit = ret->second;
    sender->idle_since = now;
    return TRUE;
}

gint64
resume_sender_due(const ResumeSender *sender)
{
    return sender_is_idle(sender) ? sender->idle_since + RESUME_IDLE : G_MAXINT64;
}

/* It may send: after the other end's `r`, or on the first leg. */
static gboolean
sender_may_send(const ResumeSender *sender)
{
    return sender->talking || !sender->resumable;
}

const uint8_t *
resume_sender_data(const ResumeSender *sender, gsize most, gsize *ret_len)
{
    guint64 to = MIN(sender->limit, sender_end(sender));
    const uint8_t *data;

    if (!sender_may_send(sender) || sender->sent >= to || most == 0)
        return NULL;
    data = resume_ring_look(sender->ring, sender->sent, ret_len);
    *ret_len = (gsize)MIN(MIN(*ret_len, most), to - sender->sent);
    return data;
}

void
resume_sender_sent(ResumeSender *sender, gsize len, gint64 now)
{
    g_return_if_fail(len <= sender_end(sender) - sender->sent);
    sender->sent += len;
    sender->top = MAX(sender->top, sender->sent);
    sender->idle_since = now;
}

gboolean
resume_sender_end(ResumeSender *sender, ResumeMessage *ret)
{
    if (!sender->ended || sender->end_said || !sender_may_send(sender) ||
        sender->sent < sender_end(sender) || resume_sender_is_done(sender))
        return FALSE;
    sender->end_said = TRUE;
    sender->end_known = TRUE;
    *ret = (ResumeMessage){.word = RESUME_END, .first = sender_end(sender)};
    return TRUE;
}

gboolean
resume_sender_is_done(const ResumeSender *sender)
{
    return sender->ended && sender->acked > sender_end(sender);
}
