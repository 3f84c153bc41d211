/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two ends of a stream that survives its legs, against a model: what goes in at one end comes out
 * at the other, in order, once, whatever becomes of the legs, and when each end notices.
 * Input: two bytes (budgets; who lies), then two bytes for each step: what to do in the lower half
 * of the first, for which end in the next bit; how much in the rest and in the second one. */
#include "common/resume/sender.h"
#include "common/resume/stream.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 600
#define WRITE_MAX ((guint64)3 * 1024 * 1024)
#define PERIOD 65521 /* of the bytes that are sent: no multiple of anything */
#define PIECE_MAX 32768
#define LAST_ROUNDS 20000
#define NOBODY 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    gboolean is_text;
    gsize at, len;
    uint8_t *bytes;
} Message;

/* Messages on their way to each of the two ends. */
typedef struct {
    GQueue to[2];
} Leg;

typedef struct {
    ResumeBudget *budget;
    ResumeStream *stream;
    guint64 windows_most, rings_most;
    guint leg;         /* 0: none */
    guint64 sent, got; /* what its application has written and read */
    gboolean ended;    /* the application has no more */
    gboolean over;     /* it has got FIN */
    uint8_t last[RESUME_TEXT_MAX];
    gsize last_len; /* a word that it has said */
} End;

typedef struct {
    End ends[2];
    GPtrArray *legs; /* the first one is leg 1 */
    gint64 now;
    guint liar;      /* whose words may be wrong */
    gboolean broken; /* the protocol was, or the opening failed */
} Model;

static uint8_t pattern[2 * PERIOD];

static void
message_free(gpointer data)
{
    Message *message = data;

    g_free(message->bytes);
    g_free(message);
}

static void
leg_free(gpointer data)
{
    Leg *leg = data;

    for (guint i = 0; i < 2; i++)
        g_queue_clear_full(&leg->to[i], message_free);
    g_free(leg);
}

/* What the application of the end INDEX writes at OFFSET. */
static const uint8_t *
pattern_at(guint index, guint64 offset)
{
    /* Made once: it would take longer than all the rest. */
    if (pattern[1] == 0)
        for (guint i = 0; i < 2 * PERIOD; i++)
            pattern[i] = (uint8_t)((i % PERIOD) * 2654435761u >> 24);
    return pattern + (offset + index * 777) % PERIOD;
}

static void
check(gboolean right)
{
    if (!right)
        abort();
}

/* The application of the end INDEX writes. */
static void
model_write(Model *model, guint index, gsize len)
{
    End *end = &model->ends[index];

    while (len > 0 && !end->ended && end->sent < WRITE_MAX) {
        gsize room = 0;
        uint8_t *out = resume_stream_room(end->stream, &room);

        if (!out)
            break;
        room = MIN(MIN(room, len), PIECE_MAX);
        memcpy(out, pattern_at(index, end->sent), room);
        resume_stream_filled(end->stream, room, model->now);
        end->sent += room;
        len -= room;
    }
    resume_stream_rest(end->stream);
}

static void
model_end(Model *model, guint index)
{
    model->ends[index].ended = TRUE;
    resume_stream_local_ended(model->ends[index].stream);
}

static Leg *
leg_of(Model *model, guint number)
{
    return number ? g_ptr_array_index(model->legs, number - 1) : NULL;
}

static void
model_put(Model *model, guint index, gboolean is_text, const void *bytes, gsize len)
{
    Leg *leg = leg_of(model, model->ends[index].leg);
    Message *message = g_new0(Message, 1);

    message->is_text = is_text;
    message->len = len;
    message->bytes = g_memdup2(bytes, len);
    g_queue_push_tail(&leg->to[1 - index], message);
}

/* FALSE: it has nothing to send. */
static gboolean
model_send(Model *model, guint index, gsize most)
{
    End *end = &model->ends[index];
    ResumePiece piece;

    if (resume_stream_next(end->stream, most, model->now, &piece) == RESUME_SENDS_NOTHING)
        return FALSE;
    if (piece.kind == RESUME_SENDS_TEXT) {
        model_put(model, index, TRUE, piece.text, piece.len);
        memcpy(end->last, piece.text, piece.len);
        end->last_len = piece.len;
    } else {
        check(piece.len > 0 && piece.len <= most);
        model_put(model, index, FALSE, piece.data, piece.len);
    }
    resume_stream_sent(end->stream, &piece, model->now);
    return TRUE;
}

/* The application of the end INDEX reads what is right. */
static void
model_read(Model *model, guint index, const uint8_t *bytes, gsize len)
{
    End *end = &model->ends[index];

    /* Who lies about what it has gets what it asks for. */
    if (index != model->liar) {
        check(!end->over && end->got + len <= model->ends[1 - index].sent);
        check(memcmp(bytes, pattern_at(1 - index, end->got), len) == 0);
    }
    end->got += len;
}

static void
model_drain(Model *model, guint index, gsize most)
{
    End *end = &model->ends[index];

    while (most > 0) {
        gsize len = 0;
        const uint8_t *held = resume_stream_held(end->stream, &len);

        if (!held)
            return;
        len = MIN(len, most);
        model_read(model, index, held, len);
        resume_stream_consumed(end->stream, len, model->now);
        most -= len;
    }
}

/* LEN bytes come, of which the local socket takes TAKES at once, if nothing waits before them. */
static ResumeResult
model_arrived(Model *model, guint index, const uint8_t *bytes, gsize len, gsize takes)
{
    End *end = &model->ends[index];
    gsize waits = 0;

    if (resume_stream_arrived(end->stream, len) != RESUME_GOES_ON)
        return RESUME_PROTOCOL;
    takes = resume_stream_held(end->stream, &waits) ? 0 : MIN(takes, len);
    if (takes > 0) {
        model_read(model, index, bytes, takes);
        resume_stream_consumed(end->stream, takes, model->now);
    }
    if (takes < len)
        resume_stream_keep(end->stream, bytes + takes, len - takes);
    return RESUME_GOES_ON;
}

static ResumeResult
model_text(Model *model, guint index, const uint8_t *text, gsize len)
{
    /* An exact copy, so that a look behind it is seen. */
    g_autofree uint8_t *exact = g_memdup2(text, len);
    Reason reason;

    return resume_stream_text(model->ends[index].stream, exact, len, model->now, &reason);
}

/* The next message for the end INDEX, or MOST bytes of it. FALSE: none. */
static gboolean
model_deliver(Model *model, guint index, gsize most, gsize takes)
{
    End *end = &model->ends[index];
    Leg *leg = leg_of(model, end->leg);
    Message *message = leg ? g_queue_peek_head(&leg->to[index]) : NULL;
    ResumeResult result;
    gsize part;

    if (!message)
        return FALSE;
    part = message->is_text ? message->len : MIN(most, message->len - message->at);
    if (message->is_text)
        result = model_text(model, index, message->bytes, part);
    else
        result = model_arrived(model, index, message->bytes + message->at, part, takes);
    message->at += part;
    if (message->at == message->len)
        message_free(g_queue_pop_head(&leg->to[index]));
    check(result == RESUME_GOES_ON || model->liar != NOBODY);
    model->broken = model->broken || result != RESUME_GOES_ON;
    return TRUE;
}

static void
model_fin(Model *model, guint index)
{
    End *end = &model->ends[index];

    if (!resume_stream_wants_fin(end->stream))
        return;
    resume_stream_fin_given(end->stream, model->now);
    if (model->liar == NOBODY)
        check(model->ends[1 - index].ended && end->got == model->ends[1 - index].sent);
    end->over = TRUE;
}

/* Its leg is lost, and it notices. Before it had the other's `r`, that is a failed opening. */
static void
model_lose(Model *model, guint index)
{
    End *end = &model->ends[index];

    if (end->leg == 0)
        return;
    end->leg = 0;
    resume_stream_detach(end->stream, model->now);
    model->broken = model->broken || !resume_stream_is_resumable(end->stream);
}

/* It gets the latest leg, or begins a new one if it has been on that one already. */
static void
model_attach(Model *model, guint index, guint *was_on)
{
    if (model->legs->len == was_on[index])
        g_ptr_array_add(model->legs, g_new0(Leg, 1));
    model_lose(model, index);
    if (model->broken)
        return;
    was_on[index] = model->legs->len;
    model->ends[index].leg = model->legs->len;
    resume_stream_attach(model->ends[index].stream, model->now);
}

/* The program is restarted. */
static void
model_restart(Model *model, guint index)
{
    End *end = &model->ends[index];
    g_autoptr(GByteArray) kept = g_byte_array_new();
    ResumeSaved saved;

    model_lose(model, index);
    if (model->broken || !resume_stream_is_resumable(end->stream) ||
        resume_stream_is_completed(end->stream))
        return;
    resume_stream_save(end->stream, &saved);
    for (guint64 at = saved.kept_from; at < saved.kept_to;) {
        gsize len = 0;
        const uint8_t *bytes = resume_stream_kept(end->stream, at, &len);

        g_byte_array_append(kept, bytes, (guint)len);
        at += len;
    }
    resume_stream_free(end->stream);
    end->stream = resume_stream_restore(end->budget, &saved, kept->data);
    if (!end->stream) /* only what a liar has said may not be sound */
        check(model->liar != NOBODY);
    model->broken = model->broken || !end->stream;
}

/* A word that is not true, at a place where there may be none: an earlier one again, one with
 * another offset, or any other. */
static void
model_lie(Model *model, guint8 how, guint8 much)
{
    static const char letters[] = {'r', 'w', 'e', 'b', 'g', 'c'};
    End *liar = &model->ends[model->liar], *other = &model->ends[1 - model->liar];
    ResumeFigures figures = resume_stream_figures(other->stream);
    const guint64 near[] = {figures.kept_from,
                            figures.kept_to,
                            figures.sent,
                            figures.limit,
                            figures.received,
                            figures.told_limit,
                            0,
                            RESUME_OFFSET_MAX};
    ResumeMessage message = {.word = (ResumeWord)letters[how % G_N_ELEMENTS(letters)]};
    char text[RESUME_TEXT_MAX];
    gsize len;

    if (liar->leg == 0)
        return;
    if (how >= 240) {
        model_put(model, model->liar, TRUE, liar->last, liar->last_len);
        return;
    }
    message.reason = REASON_CUT;
    message.first = near[much & 7] + (how >> 3 & 3) - 1;
    message.second = near[much >> 3 & 7] + (how >> 5 & 3) - 1;
    message.first = MIN(message.first, RESUME_OFFSET_MAX);
    message.second = MIN(message.second, RESUME_OFFSET_MAX);
    len = resume_message_write(text, &message);
    model_put(model, model->liar, TRUE, text, len);
}

/* Small ones are likely, and so are those around a chunk. */
static gsize
amount_of(guint8 how, guint8 much)
{
    static const gsize scales[] = {1, 16, 256, 1024};

    if (much >= 250)
        return RESUME_CHUNK - 252 + much;
    return 1 + scales[how] * much;
}

static void
model_step(Model *model, guint8 first, guint8 second, guint *was_on)
{
    guint index = first >> 4 & 1;
    End *end = &model->ends[index];
    gsize amount = amount_of(first >> 5 & 3, second);
    ResumePiece piece;

    switch (first & 15) {
    case 0:
    case 1:
        model_write(model, index, amount);
        break;
    case 2:
        if (second >= 128)
            model_end(model, index);
        break;
    case 3:
    case 4:
    case 5:
        /* Asked, and not sent: something may come meanwhile. */
        if (second & 8)
            (void)resume_stream_next(end->stream, amount, model->now, &piece);
        for (guint i = 0; i < (second & 7) && model_send(model, index, amount); i++)
            ;
        break;
    case 6:
    case 7:
    case 8:
        for (guint i = 0; i <= (second & 7) && !model->broken; i++)
            if (!model_deliver(model, index, amount, first & 128 ? amount / 2 : G_MAXSIZE))
                break;
        break;
    case 9:
        model_drain(model, index, amount);
        break;
    case 10:
        model_fin(model, index);
        break;
    case 11:
        model_attach(model, index, was_on);
        break;
    case 12:
        /* It is on no leg before the first one. */
        if (second >= 64 && was_on[index] > 0)
            model_lose(model, index);
        break;
    case 13:
        model->now += (gint64)second * second * (first & 128 ? 400 : 1);
        check(resume_stream_due(end->stream, model->now) >= 0);
        break;
    case 14:
        if (second >= 128 && was_on[index] > 0)
            model_restart(model, index);
        break;
    default:
        if (model->liar != NOBODY)
            model_lie(model, second, (guint8)(first >> 5 | second << 3));
        break;
    }
}

/* What holds at all times. */
static void
model_check(const Model *model)
{
    for (guint i = 0; i < 2; i++) {
        const End *end = &model->ends[i];
        ResumeUse use = resume_budget_use(end->budget);
        ResumeFigures figures;
        guint64 promised;

        check(use.windows <= end->windows_most && use.rings <= end->rings_most);
        if (!end->stream)
            continue;
        figures = resume_stream_figures(end->stream);
        if (model->liar == NOBODY) {
            check(figures.sent <= figures.limit);
            check(figures.kept_to == end->sent);
        }
        check(figures.kept_from <= figures.sent && figures.sent <= figures.kept_to);
        check(figures.received <= figures.told_limit);
        check(figures.consumed - (figures.fin_given ? 1 : 0) == end->got);
        /* What is promised has its memory, and no more is taken than that and the window. */
        promised = figures.told_limit > end->got ? figures.told_limit - end->got : 0;
        check(figures.fin_given || promised <= RESUME_SURE + use.windows);
        promised = figures.fin_given ? 0 : MAX(promised, figures.window);
        check(use.windows == (promised > RESUME_SURE ? promised - RESUME_SURE : 0));
    }
}

/* Both ends want to end, and the leg works: both get there. */
static void
model_finish(Model *model, guint *was_on)
{
    for (guint i = 0; i < 2; i++) {
        model_end(model, i);
        if (model->ends[i].leg != model->legs->len || model->legs->len == 0)
            model_attach(model, i, was_on);
    }
    /* One of them may have begun another leg meanwhile. */
    if (!model->broken && model->ends[0].leg != model->ends[1].leg)
        model_attach(model, 0, was_on);
    for (guint round = 0; !model->broken; round++) {
        if (resume_stream_is_completed(model->ends[0].stream) &&
            resume_stream_is_completed(model->ends[1].stream))
            break;
        check(round < LAST_ROUNDS);
        for (guint i = 0; i < 2; i++) {
            (void)model_send(model, i, PIECE_MAX);
            (void)model_deliver(model, i, PIECE_MAX, G_MAXSIZE);
            if (model->broken)
                break;
            model_drain(model, i, PIECE_MAX);
            model_fin(model, i);
        }
        model->now += G_TIME_SPAN_MILLISECOND;
        model_check(model);
    }
    if (!model->broken)
        for (guint i = 0; i < 2; i++)
            check(model->ends[i].over && model->ends[i].got == model->ends[1 - i].sent);
}

static void
model_begin(Model *model, guint8 budgets, guint8 lies)
{
    static const guint64 growth[] = {0, 64, 8 * 65536, RESUME_BUDGET};
    static const guint64 rings[] = {RESUME_CHUNK, 2 * RESUME_CHUNK, 11 * RESUME_CHUNK,
                                    RESUME_BUDGET};

    *model = (Model){.now = 1, .liar = lies < 192 ? NOBODY : lies & 1};
    model->legs = g_ptr_array_new_with_free_func(leg_free);
    for (guint i = 0; i < 2; i++) {
        End *end = &model->ends[i];

        end->windows_most = growth[budgets >> (4 * i) & 3];
        end->rings_most = rings[budgets >> (4 * i + 2) & 3];
        end->budget = resume_budget_new((guint64)RESUME_SURE * RESUME_STREAMS + end->windows_most,
                                        end->rings_most);
        end->stream = resume_stream_new(end->budget);
    }
}

static void
model_clear(Model *model)
{
    for (guint i = 0; i < 2; i++) {
        ResumeUse use;

        resume_stream_free(model->ends[i].stream);
        use = resume_budget_use(model->ends[i].budget);
        check(use.windows == 0 && use.rings == 0 && use.streams == 0);
        resume_budget_unref(model->ends[i].budget);
    }
    g_ptr_array_unref(model->legs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Model space, *model = &space;
    guint was_on[2] = {0, 0};

    if (size < 2)
        return 0;
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
    model_begin(model, data[0], data[1]);
    for (gsize i = 2; i + 1 < size && i < 2 * STEPS_MAX && !model->broken; i += 2) {
        model_step(model, data[i], data[i + 1], was_on);
        model_check(model);
    }
    if (!model->broken && model->liar == NOBODY)
        model_finish(model, was_on);
    model_clear(model);
    return 0;
}
