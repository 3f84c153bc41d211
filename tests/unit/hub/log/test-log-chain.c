/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verifier: what was done to records is found, at its line; what a killed hub and retention
 * leave is none. */
#include "hub/log/chain.h"

#include "log-fixture.h"

#define FILES 3

typedef struct {
    LogFault fault;
    guint64 file, line;
} Found;

typedef struct {
    LogChain chain;
    GArray *found;
    gboolean unfinished;
} Verdict;

static void
on_fault(LogFault fault, guint64 file, guint64 line, void *data)
{
    g_array_append_val((GArray *)data, ((Found){fault, file, line}));
}

static void
verdict_clear(Verdict *verdict)
{
    g_array_unref(verdict->found);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verdict, verdict_clear)

/* FILE of COUNT texts is number FILE + 1; NULL: it is not there. */
static Verdict
verify(const GString *const *files, guint count)
{
    Verdict verdict = {.found = g_array_new(FALSE, FALSE, sizeof(Found))};
    guint64 before = 0;
    gboolean ended = TRUE;

    verdict.chain = log_chain_begin(on_fault, verdict.found);
    for (guint i = 0; i < count; i++) {
        const char *at = files[i] ? files[i]->str : NULL, *end = at ? at + files[i]->len : NULL;

        if (!at)
            continue;
        log_chain_next_file(&verdict.chain, before);
        before = i + 1;
        for (guint64 line = 1; at < end; line++) {
            const char *newline = memchr(at, '\n', (gsize)(end - at));

            ended = newline != NULL;
            (void)log_chain_take(&verdict.chain, i + 1, line, at,
                                 (gsize)((ended ? newline : end) - at), ended);
            at = ended ? newline + 1 : end;
        }
    }
    verdict.unfinished = log_chain_finish(&verdict.chain, ended);
    return verdict;
}

static GString *files[FILES];

/* Three files: a start, changes, a line that was cut off and the start after it, something lost. */
static void
set_up(void)
{
    char head[LOG_HASH_LEN + 1] = LOG_HASH_NONE;

    for (guint i = 0; i < FILES; i++)
        files[i] = g_string_new(NULL);
    fixture_start(files[0], head, FALSE);
    fixture_add(files[0], head, "device.add", "Registry", ",\"by\":\"anna\",\"what\":\"gw-7\"");
    fixture_add(files[0], head, "reload", "Hub", ",\"by\":\"uid:0\"");
    fixture_file(files[1], head, 1);
    fixture_add(files[1], head, "lost", "Hub", ",\"count\":12,\"since\":\"" FIXTURE_TIME "\"");
    fixture_add(files[1], head, "end", "DeviceStreams", ",\"user\":\"bob\"");
    fixture_start(files[1], head, FALSE);
    fixture_file(files[2], head, 2);
    fixture_add(files[2], head, "reload", "Hub", ",\"by\":\"uid:0\"");
    g_string_append(files[2], "{\"time\":\"2026-11-30T18:4\n");
    fixture_start(files[2], head, TRUE);
    fixture_add(files[2], head, "stop", "Hub", ",\"by\":\"\"");
}

static void
tear_down(void)
{
    for (guint i = 0; i < FILES; i++)
        if (files[i])
            g_string_free(files[i], TRUE);
}

static Verdict
verify_all(void)
{
    return verify((const GString *const *)files, FILES);
}

static void
test_whole(void)
{
    set_up();
    {
        g_auto(Verdict) verdict = verify_all();

        g_assert_cmpuint(verdict.found->len, ==, 0);
        g_assert_cmpuint(verdict.chain.records, ==, 11);
        g_assert_cmpuint(verdict.chain.starts, ==, 3);
        g_assert_cmpuint(verdict.chain.lost, ==, 12);
        g_assert_cmpuint(verdict.chain.torn, ==, 1);
        g_assert_false(verdict.chain.gone);
        g_assert_false(verdict.unfinished);
    }
    tear_down();
}

/* The line of the byte AT, from 1. */
static guint64
line_of(const GString *text, gsize at)
{
    guint64 line = 1;

    for (gsize i = 0; i < at; i++)
        line += text->str[i] == '\n' ? 1 : 0;
    return line;
}

/* The line that was cut off has no hash: what stands in it was never a record. */
static gboolean
is_torn_line(guint file, guint64 line)
{
    return file == 2 && line == 3;
}

static void
test_every_byte(void)
{
    static const char flips[] = {0x01, 0x20, (char)0x80, '\n'};
    guint changed = 0;

    set_up();
    for (guint file = 0; file < FILES; file++)
        for (gsize at = 0; at < files[file]->len * G_N_ELEMENTS(flips); at++) {
            char *byte = &files[file]->str[at / G_N_ELEMENTS(flips)], old = *byte;
            char flip = flips[at % G_N_ELEMENTS(flips)];
            guint64 line = line_of(files[file], at / G_N_ELEMENTS(flips));

            if (is_torn_line(file, line) && old != '\n')
                continue;
            *byte = flip == '\n' && old != '\n' ? '\n' : (char)(old ^ flip);
            {
                g_auto(Verdict) verdict = verify_all();
                const Found *first = &g_array_index(verdict.found, Found, 0);

                g_assert_cmpuint(verdict.found->len, >=, 1);
                g_assert_cmpuint(first->file, ==, file + 1);
                /* a start that is broken says nothing of the line before it */
                g_assert_cmpuint(first->line, >=, line - (file == 2 && line == 4 ? 1 : 0));
                g_assert_cmpuint(first->line, <=, line + 1);
            }
            *byte = old;
            changed++;
        }
    tear_down();
    g_test_message("%u changes", changed);
    g_assert_cmpuint(changed, >, 8000);
}

/* Takes line LINE, from 1, of FILE out; caller frees. */
static char *
take_out(GString *file, guint line)
{
    g_auto(GStrv) lines = g_strsplit(file->str, "\n", -1);
    char *taken = g_strconcat(lines[line - 1], "\n", NULL);

    g_string_truncate(file, 0);
    for (guint i = 0; lines[i + 1]; i++)
        if (i + 1 != line)
            g_string_append_printf(file, "%s\n", lines[i]);
    return taken;
}

/* Before line LINE of FILE, from 1. */
static void
put_in(GString *file, guint line, const char *text)
{
    const char *at = file->str;

    for (guint i = 1; i < line; i++)
        at = strchr(at, '\n') + 1;
    g_string_insert(file, at - file->str, text);
}

static void
expect(LogFault fault, guint64 file, guint64 line, guint most)
{
    g_auto(Verdict) verdict = verify_all();
    const Found *first = &g_array_index(verdict.found, Found, 0);

    g_assert_cmpuint(verdict.found->len, >=, 1);
    g_assert_cmpuint(verdict.found->len, <=, most);
    g_assert_cmpuint(verdict.found->len, ==, verdict.chain.faults);
    g_assert_cmpint(first->fault, ==, fault);
    g_assert_cmpuint(first->file, ==, file);
    g_assert_cmpuint(first->line, ==, line);
}

/* Which line is taken out of which file, and what is found. The last line of all is another test.
 */
static void
test_line_removed(void)
{
    static const struct {
        guint file, line;
        Found found;
    } cells[] = {
        {0, 1, {LOG_FAULT_MISSING, 1, 1}}, {0, 2, {LOG_FAULT_CHANGED, 1, 2}},
        {0, 3, {LOG_FAULT_MISSING, 2, 1}}, {1, 1, {LOG_FAULT_CHANGED, 2, 1}},
        {1, 2, {LOG_FAULT_CHANGED, 2, 2}}, {1, 3, {LOG_FAULT_MISSING, 2, 3}},
        {1, 4, {LOG_FAULT_MISSING, 3, 1}}, {2, 2, {LOG_FAULT_MISSING, 3, 3}},
        {2, 3, {LOG_FAULT_MISSING, 3, 3}}, {2, 4, {LOG_FAULT_TORN, 3, 3}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cells); i++) {
        g_autofree char *taken = NULL;

        set_up();
        taken = take_out(files[cells[i].file], cells[i].line);
        expect(cells[i].found.fault, cells[i].found.file, cells[i].found.line, 1);
        tear_down();
    }
}

static void
test_swapped(void)
{
    g_autofree char *taken = NULL;

    set_up();
    taken = take_out(files[1], 2);
    put_in(files[1], 3, taken);
    expect(LOG_FAULT_CHANGED, 2, 2, 3);
    tear_down();
}

static void
test_inserted(void)
{
    g_autoptr(GString) line = g_string_new(NULL);
    char head[LOG_HASH_LEN + 1] = LOG_HASH_NONE;

    set_up();
    fixture_add(line, head, "device.add", "Registry", ",\"what\":\"evil\"");
    put_in(files[0], 3, line->str); /* a good hash, of another chain */
    expect(LOG_FAULT_CHANGED, 1, 3, 2);
    tear_down();

    set_up();
    g_string_truncate(line, 0);
    memcpy(head, strstr(files[0]->str, ",\"hash\":\"") + strlen(",\"hash\":\""), LOG_HASH_LEN);
    fixture_add(line, head, "device.add", "Registry", ",\"what\":\"evil\"");
    put_in(files[0], 2, line->str); /* it follows; what follows it does not */
    expect(LOG_FAULT_CHANGED, 1, 3, 1);
    tear_down();

    set_up();
    memcpy(head, LOG_HASH_NONE, sizeof head);
    g_string_truncate(line, 0);
    fixture_start(line, head, FALSE);
    put_in(files[1], 3, line->str); /* a beginning in the middle */
    expect(LOG_FAULT_MISSING, 2, 3, 2);
    tear_down();
}

static void
test_file_removed(void)
{
    set_up();
    g_string_free(g_steal_pointer(&files[1]), TRUE);
    expect(LOG_FAULT_FILE, 3, 1, 1);
    tear_down();

    set_up();
    g_string_free(g_steal_pointer(&files[0]), TRUE); /* as retention does */
    {
        g_auto(Verdict) verdict = verify_all();

        g_assert_cmpuint(verdict.found->len, ==, 0);
        g_assert_true(verdict.chain.gone);
    }
    tear_down();
}

/* The oldest file that is kept, with something in place of what it begins with. */
static void
expect_begin(const GString *text, gboolean fine, guint64 line)
{
    g_autoptr(GString) none = g_string_new(NULL);
    const GString *const both[] = {none, text};
    g_auto(Verdict) verdict = verify(both, 2);

    g_assert_cmpuint(verdict.found->len, ==, fine ? 0 : 1);
    g_assert_true(verdict.chain.gone == fine);
    if (fine)
        return;
    g_assert_cmpint(g_array_index(verdict.found, Found, 0).fault, ==, LOG_FAULT_MISSING);
    g_assert_cmpuint(g_array_index(verdict.found, Found, 0).file, ==, 2);
    g_assert_cmpuint(g_array_index(verdict.found, Found, 0).line, ==, line);
}

/* A file that was begun anew begins with a start that names the file before. Any other start stands
 * behind records of its file: these were cut off. */
static void
test_begun_anew(void)
{
    static const struct {
        gboolean numbered, torn, line_before, fine;
    } cells[] = {
        {TRUE, FALSE, FALSE, TRUE},
        {TRUE, TRUE, TRUE, TRUE},
        {FALSE, FALSE, FALSE, FALSE},
        {FALSE, TRUE, TRUE, FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cells); i++) {
        g_autoptr(GString) text = g_string_new(cells[i].line_before ? "{\"time\n" : "");
        char head[LOG_HASH_LEN + 1];
        guint64 line = cells[i].line_before ? 2 : 1;

        memset(head, 'a', LOG_HASH_LEN);
        head[LOG_HASH_LEN] = '\0';
        if (cells[i].numbered)
            fixture_start_file(text, head, cells[i].torn, 1);
        else
            fixture_start(text, head, cells[i].torn);
        expect_begin(text, cells[i].fine, line);
    }
}

/* The oldest file is cut up to a later start, or to any other record of it. */
static void
test_begin_cut(void)
{
    for (guint gone = 1; gone <= 3; gone++) {
        set_up();
        g_string_free(g_steal_pointer(&files[0]), TRUE);
        for (guint i = 0; i < gone; i++)
            g_free(take_out(files[1], 1));
        expect(LOG_FAULT_MISSING, 2, 1, 1);
        tear_down();
    }
}

static void
test_cut(void)
{
    g_autofree char *taken = NULL;

    set_up();
    taken = take_out(files[2], 5); /* only a hash that is kept elsewhere tells it */
    {
        g_auto(Verdict) verdict = verify_all();

        g_assert_cmpuint(verdict.found->len, ==, 0);
        g_assert_null(strstr(taken, verdict.chain.head));
    }
    tear_down();

    set_up();
    g_string_truncate(files[2], files[2]->len - 1);
    for (gsize len = files[2]->len, least = len - 20; len > least; len--) {
        g_string_truncate(files[2], len);
        {
            g_auto(Verdict) verdict = verify_all();

            g_assert_cmpuint(verdict.found->len, ==, 0);
            g_assert_true(verdict.unfinished);
        }
    }
    tear_down();
}

/* A line that was cut off is fine before the start that says so, in the same file or the next. */
static void
test_torn(void)
{
    static const char part[] = "{\"time\":\"2026";

    set_up();
    put_in(files[1], 2, "{\"time\":\"2026\n");
    expect(LOG_FAULT_TORN, 2, 2, 1);
    tear_down();

    set_up();
    put_in(files[2], 3, "{\"time\"\n"); /* one, not two */
    expect(LOG_FAULT_TORN, 3, 3, 1);
    tear_down();

    set_up();
    put_in(files[1], 4, "{\"time\"\n"); /* before a start that knows nothing of it */
    expect(LOG_FAULT_TORN, 2, 4, 1);
    tear_down();

    set_up();
    g_string_append(files[0], part); /* before the first record of the next file */
    expect(LOG_FAULT_TORN, 1, 4, 1);
    tear_down();

    set_up();
    g_string_append(files[2], "{\"time\"\n"); /* at the very end, but it has a line end */
    expect(LOG_FAULT_TORN, 3, 6, 1);
    tear_down();
}

static void
test_too_long(void)
{
    g_autofree char *junk = g_strnfill(LOG_LINE_MAX, 'x');
    GString *text = g_string_new(NULL);
    char head[LOG_HASH_LEN + 1] = LOG_HASH_NONE;
    const GString *const one[] = {text};
    g_autofree char *more = NULL;
    gsize bare;

    fixture_start(text, head, FALSE);
    bare = text->len;
    fixture_add(text, head, "reload", "Hub", ",\"detail\":\"\"");
    bare = text->len - bare;
    g_string_truncate(text, 0);
    memcpy(head, LOG_HASH_NONE, sizeof head);
    fixture_start(text, head, FALSE);
    more = g_strdup_printf(",\"detail\":\"%.*s\"", (int)(LOG_LINE_MAX - bare), junk);
    fixture_add(text, head, "reload", "Hub", more);
    {
        g_auto(Verdict) verdict = verify(one, 1);

        g_assert_cmpuint(verdict.found->len, ==, 0); /* as long as a line may be */
        g_assert_cmpuint(verdict.chain.records, ==, 2);
    }
    g_free(more);
    more = g_strdup_printf(",\"detail\":\"%.*s\"", (int)(LOG_LINE_MAX - bare + 1), junk);
    fixture_add(text, head, "reload", "Hub", more);
    {
        g_auto(Verdict) verdict = verify(one, 1);

        g_assert_cmpuint(verdict.found->len, ==, 1);
        g_assert_cmpint(g_array_index(verdict.found, Found, 0).fault, ==, LOG_FAULT_NO_RECORD);
        g_assert_cmpuint(g_array_index(verdict.found, Found, 0).line, ==, 3);
    }
    g_string_free(text, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log-chain/whole", test_whole);
    g_test_add_func("/log-chain/every-byte", test_every_byte);
    g_test_add_func("/log-chain/line-removed", test_line_removed);
    g_test_add_func("/log-chain/swapped", test_swapped);
    g_test_add_func("/log-chain/inserted", test_inserted);
    g_test_add_func("/log-chain/file-removed", test_file_removed);
    g_test_add_func("/log-chain/begun-anew", test_begun_anew);
    g_test_add_func("/log-chain/begin-cut", test_begin_cut);
    g_test_add_func("/log-chain/cut", test_cut);
    g_test_add_func("/log-chain/torn", test_torn);
    g_test_add_func("/log-chain/too-long", test_too_long);
    return g_test_run();
}
