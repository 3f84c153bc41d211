/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's relay between two ends whose stream survives its legs (docs/wire-protocol.md, section
 * 8a): words pass whole and in their place, and are no free channel. */
#include "tests/unit/common/net/peer-fixture.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define ALL (CAP_HALF_CLOSE | CAP_REASON | CAP_RESUME)
#define MIB (1024 * 1024)
#define LONGEST "w 9223372036854775807 9223372036854775807"

static void
expect_frame(int fd, guint8 opcode, const void *payload, gsize len)
{
    guint8 got[256], first = 0;
    gsize n = peer_receive(fd, &first, got, sizeof got);

    g_assert_cmphex(first, ==, PEER_FIN | opcode);
    g_assert_cmpuint(n, ==, len);
    g_assert_cmpint(memcmp(got, payload, len), ==, 0);
}

static void
expect_text(int fd, const char *text)
{
    expect_frame(fd, PEER_TEXT, text, strlen(text));
}

static void
send_text(int fd, const char *text)
{
    peer_send(fd, PEER_FIN | PEER_TEXT, text, strlen(text));
}

static void
expect_close(int fd, guint16 code, const char *text)
{
    guint8 payload[128] = {(guint8)(code >> 8), (guint8)code};
    gsize len = strlen(text);

    memcpy(payload + 2, text, len);
    expect_frame(fd, PEER_CLOSE, payload, len + 2);
}

/* What a frame is without its place in a message: data come joined or cut as the relay reads. */
static char *
read_trace(int fd, gsize len)
{
    GString *trace = g_string_new(NULL);
    gsize seen = 0;

    while (seen < len) {
        guint8 got[4096], first = 0;
        gsize n = peer_receive(fd, &first, got, sizeof got);
        gboolean text = first == (PEER_FIN | PEER_TEXT);

        g_string_append(trace, text ? "[" : "");
        g_string_append_len(trace, (const char *)got, (gssize)n);
        g_string_append(trace, text ? "]" : "");
        seen += n;
    }
    return g_string_free(trace, FALSE);
}

/* Cut at every byte, in both directions. */
static void
test_every_cut(void)
{
    static const char expected[] = "[r 0 32768][w 3 262144]abcdef[w 4 262148][e 6]g[" LONGEST "]";
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    gsize len = strlen(expected) - 2 * 5;

    peer_append(bytes, PEER_FIN | PEER_TEXT, "r 0 32768", 9);
    peer_append(bytes, PEER_FIN | PEER_TEXT, "w 3 262144", 10);
    peer_append(bytes, PEER_BINARY, "abc", 3);
    peer_append(bytes, PEER_FIN | PEER_PONG, "unasked", 7);
    peer_append(bytes, PEER_FIN, "def", 3);
    peer_append(bytes, PEER_FIN | PEER_TEXT, "w 4 262148", 10);
    peer_append(bytes, PEER_FIN | PEER_TEXT, "e 6", 3);
    peer_append(bytes, PEER_FIN | PEER_BINARY, "g", 1);
    peer_append(bytes, PEER_FIN | PEER_TEXT, LONGEST, strlen(LONGEST));
    for (gsize cut = 0; cut < bytes->len; cut++) {
        g_autoptr(Stand) stand = stand_new_hub(ALL, NULL);
        int from = cut % 2 ? stand->target : stand->peer;
        int to = cut % 2 ? stand->peer : stand->target;

        chain_write_all(from, bytes->data, cut);
        if (cut > 0) /* the first part has been looked at by then */
            g_usleep(500);
        chain_write_all(from, bytes->data + cut, bytes->len - cut);
        g_autofree char *trace = read_trace(to, len);
        g_assert_cmpstr(trace, ==, expected);
    }
}

/* Many of them among data, more than the kernel takes at once, toward a reader that begins late. */
typedef struct {
    int fd;
    guint rounds;
} Writer;

static void *
write_rounds(void *data)
{
    const Writer *writer = data;
    g_autofree guint8 *bytes = g_malloc(20000);

    for (guint i = 0; i < writer->rounds; i++) {
        g_autofree char *word = g_strdup_printf("w %u %u", i, i + 7);

        peer_fill(bytes, (guint64)i * 20000, 20000);
        peer_send(writer->fd, PEER_FIN | PEER_BINARY, bytes, 20000);
        send_text(writer->fd, word);
    }
    return NULL;
}

static void
expect_rounds(int fd, guint rounds)
{
    g_autofree guint8 *got = g_malloc(70000);
    guint64 at = 0;

    for (guint i = 0; i < rounds;) {
        guint8 first = 0;
        gsize n = peer_receive(fd, &first, got, 70000);

        if (first == (PEER_FIN | PEER_TEXT)) {
            g_autofree char *word = g_strdup_printf("w %u %u", i, i + 7);

            g_assert_cmpuint(n, ==, strlen(word));
            g_assert_cmpint(memcmp(got, word, n), ==, 0);
            g_assert_cmpuint(at, ==, (guint64)(i + 1) * 20000);
            i++;
            continue;
        }
        for (gsize j = 0; j < n; j++)
            g_assert_cmpuint(got[j], ==, peer_byte(at + j));
        at += n;
    }
}

static void
test_behind_a_slow_reader(void)
{
    g_autoptr(Stand) stand = stand_new_hub(ALL, NULL);
    Writer writer = {stand->peer, 1500};
    GThread *thread = g_thread_new("peer", write_rounds, &writer);

    stand_wait_full(stand);
    expect_rounds(stand->target, writer.rounds);
    g_thread_join(thread);
}

static void
check_liar(guint8 first, const char *text, gsize len)
{
    g_autoptr(Stand) stand = stand_new_hub(ALL, NULL);

    send_text(stand->peer, "r 0 32768");
    expect_text(stand->target, "r 0 32768");
    peer_send(stand->peer, first, text, len);
    expect_close(stand->peer, 1008, "protocol");
    expect_close(stand->target, 1002, "protocol");
    g_assert_cmpint(stand_wait(stand), ==, REASON_PROTOCOL);
}

static void
test_bad_words(void)
{
    static const char *const bad[] = {
        "x 1", "w 1",   "w 1 2 3", "w 01 2", "e -1", "r", "W 1 2", "w 1 9223372036854775808",
        "c ",  "c Cut",
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        check_liar(PEER_FIN | PEER_TEXT, bad[i], strlen(bad[i]));
    check_liar(PEER_FIN | PEER_TEXT,
               "c aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 65);
    check_liar(PEER_FIN | PEER_BINARY, NULL, 0);
}

/* The WebSocket's own rules: text that is empty, cut up, or longer than a control frame. */
static void
test_bad_frames(void)
{
    static const guint8 code[] = {0x03, 0xea};
    g_autofree char *longer = g_strnfill(126, 'c');

    for (guint i = 0; i < 3; i++) {
        g_autoptr(Stand) stand = stand_new_hub(ALL, NULL);

        peer_send(stand->peer, (guint8)(i == 1 ? PEER_TEXT : PEER_FIN | PEER_TEXT), longer,
                  i == 0   ? 0
                  : i == 1 ? 5
                           : 126);
        expect_frame(stand->peer, PEER_CLOSE, code, sizeof code);
        g_assert_cmpint(stand_wait(stand), ==, REASON_PROTOCOL);
    }
}

/* Without the capability text is data, whatever it says. */
static void
test_text_of_others(void)
{
    g_autoptr(Stand) stand = stand_new_hub(CAP_HALF_CLOSE | CAP_REASON, NULL);

    send_text(stand->peer, "w 1 2");
    expect_frame(stand->target, PEER_BINARY, "w 1 2", 5);
    g_assert_cmpuint(atomic_load(&stand->hop.meter.bytes[1]), ==, 5);
}

/* Words within the allowance are not counted, and are no end of idleness. */
static void
test_words_are_not_data(void)
{
    const RelayTimes times = {.quiet = RELAY_QUIET,
                              .dead = RELAY_DEAD,
                              .limits = {.idle = 600 * G_TIME_SPAN_MILLISECOND}};
    g_autoptr(Stand) stand = stand_new_hub(ALL, &times);
    gint64 begun = g_get_monotonic_time();
    guint8 first, got[64];

    send_text(stand->peer, "r 0 32768");
    send_text(stand->target, "r 0 32768");
    expect_text(stand->target, "r 0 32768");
    expect_text(stand->peer, "r 0 32768");
    for (guint i = 0; i < 20; i++) {
        send_text(stand->peer, "w 1 2");
        if (peer_receive(stand->target, &first, got, sizeof got) != 5)
            break;
        g_usleep(50 * 1000);
    }
    g_assert_cmpint(stand_wait(stand), ==, REASON_IDLE);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 5 * G_TIME_SPAN_SECOND);
    g_assert_cmpuint(atomic_load(&stand->hop.meter.bytes[0]), ==, 0);
    g_assert_cmpuint(atomic_load(&stand->hop.meter.bytes[1]), ==, 0);
}

static void *
read_all(void *data)
{
    static char block[65536];

    while (recv(GPOINTER_TO_INT(data), block, sizeof block, 0) > 0)
        ;
    return NULL;
}

/* Says WORDS long words. Returns how many bytes of text that were. */
static guint64
say(Stand *stand, guint words)
{
    for (guint i = 0; i < words; i++)
        send_text(stand->peer, LONGEST);
    return words * strlen(LONGEST);
}

/* A limit of 1 MiB is reached by words as by data, but for what is free of charge. */
static void
test_told_as_text(void)
{
    const RelayTimes times = {.quiet = RELAY_QUIET, .dead = RELAY_DEAD, .limits = {.bytes = MIB}};
    const guint enough = MIB / strlen(LONGEST);
    g_autoptr(Stand) stand = stand_new_hub(ALL, &times);
    GThread *reader = g_thread_new("target", read_all, GINT_TO_POINTER(stand->target));
    gint64 begun = g_get_monotonic_time();
    guint64 said = say(stand, enough), counted, unpaid;

    stand_wait_full(stand);
    counted = atomic_load(&stand->hop.meter.bytes[1]);
    unpaid = 1024 + (guint64)(g_get_monotonic_time() - begun) * 1024 / G_TIME_SPAN_SECOND;
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
    g_assert_cmpuint(counted, <=, said - 1024);
    g_assert_cmpuint(counted, >=, said - unpaid);
    (void)say(stand, (guint)((MIB - counted) / strlen(LONGEST)) + 200);
    g_assert_cmpint(stand_wait(stand), ==, REASON_BYTE_LIMIT);
    g_assert_cmpuint(atomic_load(&stand->hop.meter.bytes[1]), ==, MIB);
    shutdown(stand->target, SHUT_RDWR);
    g_thread_join(reader);
}

/* A leg that is lost: the other end knows at once, also when it has not taken what came before. */
static void
test_lost_leg(void)
{
    const RelayTimes times = {.quiet = RELAY_QUIET, .dead = RELAY_DEAD, .wait = G_TIME_SPAN_HOUR};
    g_autoptr(Stand) stand = stand_new_hub(ALL, &times);
    Writer writer = {stand->peer, 1};

    (void)write_rounds(&writer);
    expect_rounds(stand->target, 1);
    stand_reset(&stand->peer);
    expect_close(stand->target, 1011, "cut");
    g_assert_cmpint(stand_wait(stand), ==, REASON_CUT);
}

static void *
write_until_gone(void *data)
{
    static const char block[65536];

    while (send(GPOINTER_TO_INT(data), block, sizeof block, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

/* Its bytes stand still because the other one reads nothing. */
static void
test_lost_behind_bytes(void)
{
    const RelayTimes times = {.quiet = RELAY_QUIET, .dead = RELAY_DEAD, .wait = G_TIME_SPAN_HOUR};
    g_autoptr(Stand) stand = stand_new_hub(ALL, &times);
    guint8 head[] = {0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}; /* 4 GiB follow */
    GThread *thread;
    gint64 begun;

    chain_write_all(stand->peer, head, sizeof head);
    thread = g_thread_new("peer", write_until_gone, GINT_TO_POINTER(stand->peer));
    stand_wait_full(stand);
    begun = g_get_monotonic_time();
    const struct linger hard = {1, 0};
    setsockopt(stand->peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    shutdown(stand->peer, SHUT_RDWR);
    g_thread_join(thread);
    stand_reset(&stand->peer);
    g_assert_cmpint(stand_wait(stand), ==, REASON_CUT);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 5 * G_TIME_SPAN_SECOND);
}

/* Whole frames until the relay takes no more, because the target reads nothing. */
static void
send_until_full(Stand *stand)
{
    g_autofree guint8 *bytes = g_malloc0(60000);
    guint64 sent = 0;
    guint looks = 0;

    while (looks < 100) {
        peer_send(stand->peer, PEER_FIN | PEER_BINARY, bytes, 60000);
        sent += 60000;
        for (looks = 0; looks < 100 && atomic_load(&stand->hop.meter.bytes[1]) < sent; looks++)
            g_usleep(1000);
    }
}

/* Its own end lies in the kernel, behind data for which the other one has no room: it counts, and
 * not the cut that followed it. */
static void
test_closed_behind_bytes(gconstpointer data)
{
    static const guint8 code[] = {0x03, 0xf0, 't', 'i', 'm', 'e', '-', 'l', 'i', 'm', 'i', 't'};
    const gboolean said = GPOINTER_TO_INT(data);
    const Reason reason = said ? REASON_TIME_LIMIT : REASON_CUT;
    const RelayTimes times = {.quiet = RELAY_QUIET, .dead = RELAY_DEAD, .wait = G_TIME_SPAN_HOUR};
    g_autoptr(Stand) stand = stand_new_hub(ALL, &times);
    g_autofree guint8 *got = g_malloc(70000);
    guint8 first = 0;
    int left = 1;

    send_until_full(stand);
    if (said)
        peer_send(stand->peer, PEER_FIN | PEER_CLOSE, code, sizeof code);
    while (ioctl(stand->peer, SIOCOUTQ, &left) == 0 && left > 0)
        g_usleep(1000);
    stand_reset(&stand->peer);
    while (first != (PEER_FIN | PEER_CLOSE))
        (void)peer_receive(stand->target, &first, got, 70000);
    g_assert_cmpuint((guint)got[0] << 8 | got[1], ==, said ? 1008 : 1011);
    g_assert_cmpint(
        strncmp((const char *)got + 2, reason_code(reason), strlen(reason_code(reason))), ==, 0);
    g_assert_cmpint(stand_wait(stand), ==, reason);
}

/* `c` and the close behind it arrive in order. */
static void
test_close_behind_words(void)
{
    static const guint8 code[] = {0x03, 0xf0, 'b', 'y', 't', 'e', '-', 'l', 'i', 'm', 'i', 't'};
    g_autoptr(Stand) stand = stand_new_hub(ALL, NULL);

    send_text(stand->peer, "c byte-limit");
    peer_send(stand->peer, PEER_FIN | PEER_CLOSE, code, sizeof code);
    expect_text(stand->target, "c byte-limit");
    expect_close(stand->target, 1008, "byte-limit");
    g_assert_cmpint(stand_wait(stand), ==, REASON_BYTE_LIMIT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay-words/every-cut", test_every_cut);
    g_test_add_func("/relay-words/slow-reader", test_behind_a_slow_reader);
    g_test_add_func("/relay-words/bad-words", test_bad_words);
    g_test_add_func("/relay-words/bad-frames", test_bad_frames);
    g_test_add_func("/relay-words/text-of-others", test_text_of_others);
    g_test_add_func("/relay-words/not-data", test_words_are_not_data);
    g_test_add_func("/relay-words/told-as-text", test_told_as_text);
    g_test_add_func("/relay-words/lost-leg", test_lost_leg);
    g_test_add_func("/relay-words/lost-behind-bytes", test_lost_behind_bytes);
    g_test_add_data_func("/relay-words/closed-behind-bytes", GINT_TO_POINTER(TRUE),
                         test_closed_behind_bytes);
    g_test_add_data_func("/relay-words/gone-behind-bytes", GINT_TO_POINTER(FALSE),
                         test_closed_behind_bytes);
    g_test_add_func("/relay-words/close-behind-words", test_close_behind_words);
    return g_test_run();
}
