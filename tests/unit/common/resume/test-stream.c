/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One end, talked to by hand: what it says and in which order, what it goes on with after a loss,
 * and every contradiction. Two ends against each other are tests/fuzz/fuzz-resume-stream.c. */
#include "common/resume/sender.h"
#include "common/resume/stream.h"

#include <string.h>

#define NOW ((gint64)1000000)
#define START 262144
#define MOST 16384

typedef struct {
    ResumeBudget *budget;
    ResumeStream *stream;
    gint64 now;
} End;

static void
end_begin(End *end)
{
    end->budget = resume_budget_new(RESUME_BUDGET, RESUME_BUDGET);
    end->stream = resume_stream_new(end->budget);
    end->now = NOW;
}

static void
end_end(End *end)
{
    ResumeUse use;

    resume_stream_free(end->stream);
    use = resume_budget_use(end->budget);
    g_assert_cmpuint(use.windows + use.rings + use.streams, ==, 0);
    resume_budget_unref(end->budget);
}

static ResumeResult
hear(End *end, const char *text)
{
    Reason reason;

    return resume_stream_text(end->stream, (const guint8 *)text, strlen(text), end->now, &reason);
}

/* What it says next is TEXT; "": nothing; "*N": N bytes of data. */
static void
says(End *end, const char *text)
{
    g_autofree char *said = NULL;
    ResumePiece piece;

    (void)resume_stream_next(end->stream, MOST, end->now, &piece);
    if (piece.kind == RESUME_SENDS_TEXT)
        said = g_strndup(piece.text, piece.len);
    else if (piece.kind == RESUME_SENDS_DATA)
        said = g_strdup_printf("*%zu", piece.len);
    g_assert_cmpstr(said ? said : "", ==, text);
    resume_stream_sent(end->stream, &piece, end->now);
}

/* From the local socket, LEN bytes; FALSE: it does not take them all. */
static gboolean
local(End *end, gsize len)
{
    while (len > 0) {
        gsize room = 0;
        guint8 *out = resume_stream_room(end->stream, &room);

        if (!out)
            return FALSE;
        room = MIN(room, len);
        memset(out, 'x', room);
        resume_stream_filled(end->stream, room, end->now);
        len -= room;
    }
    return TRUE;
}

/* On a leg, both have said `r`. */
static void
end_talk(End *end)
{
    end_begin(end);
    resume_stream_attach(end->stream, end->now);
    says(end, "r 0 262144");
    g_assert_cmpint(hear(end, "r 0 262144"), ==, RESUME_GOES_ON);
}

static void
arrive(End *end, gsize len)
{
    g_assert_cmpint(resume_stream_arrived(end->stream, len), ==, RESUME_GOES_ON);
}

/* `r` first, then words, then data, and `e` behind all data. */
static void
test_order(void)
{
    End end;

    end_begin(&end);
    resume_stream_attach(end.stream, end.now);
    g_assert_true(local(&end, 20000));
    resume_stream_local_ended(end.stream);
    says(&end, "r 0 262144");
    says(&end, "*16384");
    g_assert_cmpint(hear(&end, "r 0 262144"), ==, RESUME_GOES_ON);
    arrive(&end, START / 4);
    end.now += G_TIME_SPAN_SECOND;
    resume_stream_consumed(end.stream, START / 4, end.now);
    says(&end, "w 65536 327680");
    says(&end, "*3616");
    says(&end, "e 20000");
    says(&end, "");
    end_end(&end);
}

/* The same again until it is sent. */
static void
test_again(void)
{
    ResumePiece one, two;
    End end;

    end_begin(&end);
    resume_stream_attach(end.stream, end.now);
    g_assert_cmpint(resume_stream_next(end.stream, 1, end.now, &one), ==, RESUME_SENDS_TEXT);
    g_assert_cmpint(resume_stream_next(end.stream, 1, end.now, &two), ==, RESUME_SENDS_TEXT);
    g_assert_cmpuint(one.len, ==, two.len);
    resume_stream_sent(end.stream, &one, end.now);
    g_assert_true(local(&end, 2));
    g_assert_cmpint(resume_stream_next(end.stream, 1, end.now, &one), ==, RESUME_SENDS_DATA);
    g_assert_cmpint(resume_stream_next(end.stream, 1, end.now, &two), ==, RESUME_SENDS_DATA);
    g_assert_true(one.data == two.data && one.len == 1 && two.len == 1);
    end_end(&end);
}

/* RESUME_FIRST bytes before the other's `r` on the first leg, none on a later one. */
static void
test_first(void)
{
    End end;

    end_begin(&end);
    resume_stream_attach(end.stream, end.now);
    says(&end, "r 0 262144");
    g_assert_true(local(&end, RESUME_FIRST));
    says(&end, "*16384");
    says(&end, "*16384");
    g_assert_true(local(&end, 1));
    says(&end, "");
    g_assert_false(resume_stream_is_resumable(end.stream));
    g_assert_cmpint(hear(&end, "r 0 32768"), ==, RESUME_GOES_ON);
    says(&end, "b 32768");
    says(&end, "");
    g_assert_cmpint(hear(&end, "w 10 32769"), ==, RESUME_GOES_ON);
    says(&end, "*1");
    g_assert_true(resume_stream_is_resumable(end.stream));
    resume_stream_detach(end.stream, end.now);
    says(&end, "");
    resume_stream_attach(end.stream, end.now);
    says(&end, "r 0 262144");
    says(&end, "");
    g_assert_cmpint(hear(&end, "r 32768 65536"), ==, RESUME_GOES_ON);
    says(&end, "*1");
    end_end(&end);
}

/* It goes on at the CONSUMED of the other end, wherever that lies in what was sent. */
static void
test_replay(void)
{
    static const struct {
        const char *begin, *data;
    } rows[] = {
        {"r 0 262144", "*1000"}, {"r 1 262144", "*999"},  {"r 600 262144", "*400"},
        {"r 999 262144", "*1"},  {"r 1000 262144", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        for (guint acked = 0; acked < 2; acked++) {
            End end;

            end_talk(&end);
            g_assert_true(local(&end, 1000));
            resume_stream_local_ended(end.stream);
            says(&end, "*1000");
            if (acked && i > 0)
                g_assert_cmpint(hear(&end, "w 1 262144"), ==, RESUME_GOES_ON);
            says(&end, "e 1000");
            resume_stream_detach(end.stream, end.now);
            resume_stream_attach(end.stream, end.now);
            says(&end, "r 0 262144");
            g_assert_cmpint(hear(&end, rows[i].begin), ==, RESUME_GOES_ON);
            if (rows[i].data)
                says(&end, rows[i].data);
            says(&end, "e 1000");
            g_assert_cmpint(hear(&end, "w 1001 262144"), ==, RESUME_GOES_ON);
            g_assert_true(resume_stream_figures(end.stream).end_acked);
            resume_stream_detach(end.stream, end.now);
            resume_stream_attach(end.stream, end.now);
            says(&end, "r 0 262144");
            g_assert_cmpint(hear(&end, "r 1001 262144"), ==, RESUME_GOES_ON);
            says(&end, "");
            end_end(&end);
        }
}

/* What had come and was not consumed is asked for again; what was kept of it is gone. */
static void
test_forgotten(void)
{
    const guint8 data[100] = {0};
    gsize len;
    End end;

    end_talk(&end);
    arrive(&end, 300);
    resume_stream_consumed(end.stream, 200, end.now);
    resume_stream_keep(end.stream, data, 100);
    g_assert_nonnull(resume_stream_held(end.stream, &len));
    g_assert_cmpuint(len, ==, 100);
    resume_stream_consumed(end.stream, 30, end.now);
    g_assert_nonnull(resume_stream_held(end.stream, &len));
    g_assert_cmpuint(len, ==, 70);
    resume_stream_detach(end.stream, end.now);
    g_assert_null(resume_stream_held(end.stream, &len));
    g_assert_cmpuint(resume_stream_figures(end.stream).received, ==, 230);
    resume_stream_attach(end.stream, end.now);
    says(&end, "r 230 262374");
    end_end(&end);
}

/* Kept before what went straight on is said, or after it. */
static void
test_keep_first(void)
{
    const guint8 data[100] = {1, 2};
    gsize len;
    End end;

    end_talk(&end);
    arrive(&end, 300);
    resume_stream_keep(end.stream, data, 100);
    resume_stream_consumed(end.stream, 200, end.now);
    g_assert_nonnull(resume_stream_held(end.stream, &len));
    g_assert_cmpuint(len, ==, 100);
    arrive(&end, 50);
    resume_stream_keep(end.stream, data, 50);
    resume_stream_consumed(end.stream, 101, end.now);
    g_assert_cmpuint(*resume_stream_held(end.stream, &len), ==, 2);
    g_assert_cmpuint(len, ==, 49);
    end_end(&end);
}

static void
test_end_of_peer(void)
{
    const guint8 data[10] = {0};
    End end;

    end_talk(&end);
    arrive(&end, 10);
    resume_stream_keep(end.stream, data, 10);
    g_assert_cmpint(hear(&end, "e 10"), ==, RESUME_GOES_ON);
    g_assert_false(resume_stream_wants_fin(end.stream));
    resume_stream_consumed(end.stream, 10, end.now);
    g_assert_true(resume_stream_wants_fin(end.stream));
    /* The leg goes before FIN is given: it is wanted as before. */
    resume_stream_detach(end.stream, end.now);
    g_assert_true(resume_stream_wants_fin(end.stream));
    resume_stream_attach(end.stream, end.now);
    says(&end, "r 10 262154");
    resume_stream_fin_given(end.stream, end.now);
    g_assert_false(resume_stream_wants_fin(end.stream));
    g_assert_cmpint(hear(&end, "r 0 262144"), ==, RESUME_GOES_ON);
    g_assert_cmpint(hear(&end, "e 10"), ==, RESUME_GOES_ON);
    says(&end, "w 11 262154"); /* at once */
    says(&end, "");
    g_assert_false(resume_stream_is_completed(end.stream));
    resume_stream_local_ended(end.stream);
    says(&end, "e 0");
    g_assert_cmpint(hear(&end, "w 1 262144"), ==, RESUME_GOES_ON);
    g_assert_true(resume_stream_is_completed(end.stream));
    end_end(&end);
}

/* `b` once for each limit, and again on a new leg. */
static void
test_blocked(void)
{
    End end;

    end_begin(&end);
    resume_stream_attach(end.stream, end.now);
    says(&end, "r 0 262144");
    g_assert_cmpint(hear(&end, "r 0 40000"), ==, RESUME_GOES_ON);
    g_assert_true(local(&end, 30000));
    says(&end, "*16384");
    g_assert_true(local(&end, 10000));
    says(&end, "*16384");
    says(&end, "*7232");
    says(&end, "");
    g_assert_true(local(&end, 1));
    says(&end, "b 40000");
    says(&end, "");
    g_assert_cmpint(hear(&end, "w 5 40000"), ==, RESUME_GOES_ON);
    says(&end, "");
    resume_stream_detach(end.stream, end.now);
    resume_stream_attach(end.stream, end.now);
    says(&end, "r 0 262144");
    g_assert_cmpint(hear(&end, "r 40000 40000"), ==, RESUME_GOES_ON);
    says(&end, "b 40000");
    says(&end, "");
    end_end(&end);
}

/* Nothing more is read while RESUME_AHEAD bytes wait to be sent. */
static void
test_ahead(void)
{
    gsize len;
    End end;

    end_talk(&end);
    g_assert_true(local(&end, RESUME_AHEAD - 1));
    g_assert_true(local(&end, 1));
    g_assert_false(local(&end, 1));
    says(&end, "*16384");
    g_assert_true(local(&end, 16384));
    g_assert_false(local(&end, 1));
    says(&end, "*16383"); /* to the end of the first chunk */
    resume_stream_local_ended(end.stream);
    g_assert_null(resume_stream_room(end.stream, &len));
    end_end(&end);
}

static void
test_give_back(void)
{
    End end;

    end_talk(&end);
    g_assert_true(local(&end, 1000));
    says(&end, "*1000");
    g_assert_cmpint(resume_stream_due(end.stream, end.now), ==, RESUME_IDLE);
    end.now += RESUME_IDLE - 1;
    says(&end, "");
    end.now += 1;
    g_assert_cmpint(resume_stream_due(end.stream, end.now), ==, 0);
    says(&end, "g 262144 33768");
    says(&end, "");
    g_assert_cmpint(resume_stream_due(end.stream, end.now), ==, G_MAXINT64);
    end.now += 10 * RESUME_IDLE;
    says(&end, "");
    /* A `w` that crossed it. */
    g_assert_cmpint(hear(&end, "w 1000 263144"), ==, RESUME_GOES_ON);
    g_assert_cmpuint(resume_stream_figures(end.stream).limit, ==, 263144);
    g_assert_true(local(&end, 30000));
    says(&end, "*16384");
    end_end(&end);
}

/* One byte more than is sure is given back, not less. */
static void
test_give_back_bound(void)
{
    End end;

    end_begin(&end);
    resume_stream_attach(end.stream, end.now);
    says(&end, "r 0 262144");
    g_assert_cmpint(hear(&end, "r 0 32768"), ==, RESUME_GOES_ON);
    end.now += RESUME_IDLE;
    says(&end, "");
    g_assert_cmpint(hear(&end, "w 0 32769"), ==, RESUME_GOES_ON);
    says(&end, "g 32769 32768");
    /* It never goes back otherwise. */
    g_assert_cmpint(hear(&end, "w 0 32767"), ==, RESUME_PROTOCOL);
    end_end(&end);
}

/* An idle stream holds no memory but its own. */
static void
test_idle(void)
{
    const guint8 data[10] = {0};
    gsize len;
    End end;

    end_talk(&end);
    g_assert_true(local(&end, 100));
    says(&end, "*100");
    g_assert_nonnull(resume_stream_room(end.stream, &len));
    g_assert_cmpint(hear(&end, "w 100 262144"), ==, RESUME_GOES_ON);
    resume_stream_rest(end.stream);
    arrive(&end, 10);
    resume_stream_keep(end.stream, data, 10);
    resume_stream_consumed(end.stream, 10, end.now);
    g_assert_cmpuint(resume_budget_use(end.budget).rings, ==, 0);
    end.now += RESUME_IDLE;
    says(&end, "w 10 262154");
    says(&end, "g 262144 32868");
    g_assert_cmpint(hear(&end, "g 262154 32778"), ==, RESUME_GOES_ON);
    g_assert_cmpuint(resume_budget_use(end.budget).windows, ==, 0);
    end_end(&end);
}

/* Each of them behind: both `r`, 1,000 bytes sent and `e`, 500 of them consumed, 100 come. */
static void
test_contradictions(void)
{
    static const struct {
        const char *text;
        ResumeResult result;
    } rows[] = {
        {"r 500 262144", RESUME_PROTOCOL}, /* a second one */
        {"w 500 262144", RESUME_GOES_ON},
        {"w 499 262144", RESUME_PROTOCOL},
        {"w 500 262143", RESUME_PROTOCOL},
        {"w 1000 262144", RESUME_GOES_ON},
        {"w 1001 262144", RESUME_GOES_ON}, /* the end */
        {"w 1002 262144", RESUME_PROTOCOL},
        {"e 100", RESUME_GOES_ON},
        {"e 99", RESUME_PROTOCOL},
        {"e 101", RESUME_PROTOCOL},
        {"b 262144", RESUME_GOES_ON},
        {"b 1", RESUME_GOES_ON},
        {"g 262144 100", RESUME_GOES_ON},
        {"g 262144 99", RESUME_PROTOCOL},
        {"g 262144 262145", RESUME_PROTOCOL},
        {"g 262145 262144", RESUME_PROTOCOL},
        {"g 200000 100", RESUME_GOES_ON},
        {"c cut", RESUME_CLOSED},
        {"x 1", RESUME_PROTOCOL},
        {"w 500 0262144", RESUME_PROTOCOL},
        {"", RESUME_PROTOCOL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        End end;

        end_talk(&end);
        g_assert_true(local(&end, 1000));
        resume_stream_local_ended(end.stream);
        says(&end, "*1000");
        says(&end, "e 1000");
        g_assert_cmpint(hear(&end, "w 500 262144"), ==, RESUME_GOES_ON);
        arrive(&end, 100);
        resume_stream_consumed(end.stream, 100, end.now);
        g_test_message("%s", rows[i].text);
        g_assert_cmpint(hear(&end, rows[i].text), ==, rows[i].result);
        end_end(&end);
    }
}

/* Words, data and their end before the other end's `r`. */
static void
test_too_early(void)
{
    static const char *const words[] = {"w 0 262144", "e 0", "b 262144", "g 262144 262144",
                                        "c cut"};

    for (gsize leg = 0; leg < 2; leg++)
        for (gsize i = 0; i <= G_N_ELEMENTS(words); i++) {
            End end;

            end_begin(&end);
            resume_stream_attach(end.stream, end.now);
            if (leg > 0) {
                says(&end, "r 0 262144");
                g_assert_cmpint(hear(&end, "r 0 262144"), ==, RESUME_GOES_ON);
                resume_stream_detach(end.stream, end.now);
                resume_stream_attach(end.stream, end.now);
            }
            says(&end, "r 0 262144");
            if (i < G_N_ELEMENTS(words))
                g_assert_cmpint(hear(&end, words[i]), ==, RESUME_PROTOCOL);
            else
                g_assert_cmpint(resume_stream_arrived(end.stream, 1), ==, RESUME_PROTOCOL);
            end_end(&end);
        }
}

/* On a later leg data may not come before they can know where to go on. */
static void
test_data_before_our_word(void)
{
    End end;

    end_begin(&end);
    resume_stream_attach(end.stream, end.now);
    g_assert_cmpint(hear(&end, "r 0 262144"), ==, RESUME_GOES_ON);
    arrive(&end, 1);
    says(&end, "r 0 262144");
    resume_stream_detach(end.stream, end.now);
    resume_stream_attach(end.stream, end.now);
    g_assert_cmpint(hear(&end, "r 0 262144"), ==, RESUME_GOES_ON);
    g_assert_cmpint(resume_stream_arrived(end.stream, 1), ==, RESUME_PROTOCOL);
    g_assert_cmpint(hear(&end, "e 0"), ==, RESUME_PROTOCOL);
    end_end(&end);
}

/* As much as was allowed, and one byte more; nothing; more behind the end. */
static void
test_data_bounds(void)
{
    End end;

    end_begin(&end);
    resume_stream_attach(end.stream, end.now);
    g_assert_cmpint(hear(&end, "r 0 262144"), ==, RESUME_GOES_ON);
    g_assert_cmpint(resume_stream_arrived(end.stream, RESUME_FIRST + 1), ==, RESUME_PROTOCOL);
    arrive(&end, RESUME_FIRST);
    g_assert_cmpint(resume_stream_arrived(end.stream, 1), ==, RESUME_PROTOCOL);
    says(&end, "r 0 262144");
    g_assert_cmpint(resume_stream_arrived(end.stream, 0), ==, RESUME_PROTOCOL);
    arrive(&end, START - RESUME_FIRST);
    g_assert_cmpint(resume_stream_arrived(end.stream, 1), ==, RESUME_PROTOCOL);
    g_assert_cmpint(resume_stream_arrived(end.stream, G_MAXSIZE), ==, RESUME_PROTOCOL);
    end.now += G_TIME_SPAN_SECOND;
    resume_stream_consumed(end.stream, START, end.now);
    says(&end, "w 262144 524288");
    g_assert_cmpint(hear(&end, "e 262144"), ==, RESUME_GOES_ON);
    g_assert_cmpint(resume_stream_arrived(end.stream, 1), ==, RESUME_PROTOCOL);
    end_end(&end);
}

/* What the `r` of a later leg may not say. 1,000 bytes were sent, 500 of them were consumed. */
static void
test_begin_bounds(void)
{
    static const struct {
        const char *text;
        ResumeResult result;
    } rows[] = {
        {"r 500 262144", RESUME_GOES_ON},  {"r 499 262144", RESUME_PROTOCOL},
        {"r 1000 262144", RESUME_GOES_ON}, {"r 1001 262144", RESUME_PROTOCOL},
        {"r 500 262143", RESUME_PROTOCOL}, {"r 500 9223372036854775807", RESUME_GOES_ON},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        End end;

        end_talk(&end);
        g_assert_true(local(&end, 1000));
        says(&end, "*1000");
        g_assert_true(local(&end, 100)); /* never sent */
        g_assert_cmpint(hear(&end, "w 500 262144"), ==, RESUME_GOES_ON);
        resume_stream_detach(end.stream, end.now);
        resume_stream_attach(end.stream, end.now);
        g_assert_cmpint(hear(&end, rows[i].text), ==, rows[i].result);
        end_end(&end);
    }
}

static void
test_reason(void)
{
    Reason reason = REASON_NONE;
    End end;

    end_talk(&end);
    g_assert_cmpint(
        resume_stream_text(end.stream, (const guint8 *)"c stopping", 10, end.now, &reason), ==,
        RESUME_CLOSED);
    g_assert_cmpint(reason, ==, REASON_STOPPING);
    end_end(&end);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resume-stream/order", test_order);
    g_test_add_func("/resume-stream/again", test_again);
    g_test_add_func("/resume-stream/first", test_first);
    g_test_add_func("/resume-stream/replay", test_replay);
    g_test_add_func("/resume-stream/forgotten", test_forgotten);
    g_test_add_func("/resume-stream/keep-first", test_keep_first);
    g_test_add_func("/resume-stream/end-of-peer", test_end_of_peer);
    g_test_add_func("/resume-stream/blocked", test_blocked);
    g_test_add_func("/resume-stream/ahead", test_ahead);
    g_test_add_func("/resume-stream/give-back", test_give_back);
    g_test_add_func("/resume-stream/give-back-bound", test_give_back_bound);
    g_test_add_func("/resume-stream/idle", test_idle);
    g_test_add_func("/resume-stream/contradictions", test_contradictions);
    g_test_add_func("/resume-stream/too-early", test_too_early);
    g_test_add_func("/resume-stream/data-before-our-word", test_data_before_our_word);
    g_test_add_func("/resume-stream/data-bounds", test_data_bounds);
    g_test_add_func("/resume-stream/begin-bounds", test_begin_bounds);
    g_test_add_func("/resume-stream/reason", test_reason);
    return g_test_run();
}
