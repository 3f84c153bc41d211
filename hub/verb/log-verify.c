/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub log verify */
#include "common/cli/output.h"
#include "hub/log/chain.h"
#include "hub/log/cursor.h"
#include "hub/log/filter.h"
#include "hub/verb/log-heads.h"
#include "hub/verb/verb.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#define FAULTS_SHOWN 100

typedef struct {
    LogChain chain;
    LogHeads *heads;
    guint64 files, faults;
    gboolean unfinished; /* the last line */
    gboolean asked;      /* whether hashes are there that were kept elsewhere */
    JsonBuilder *json;   /* inside of "faults"; NULL: they are printed */
} Verdict;

static void
verdict_clear(Verdict *verdict)
{
    log_heads_free(verdict->heads);
    g_clear_object(&verdict->json);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verdict, verdict_clear)

static const char *
fault_text(LogFault fault)
{
    switch (fault) {
    case LOG_FAULT_CHANGED:
        return _("this record was changed, or records before it are missing");
    case LOG_FAULT_MISSING:
        return _("records before this one are missing");
    case LOG_FAULT_FILE:
        return _("a file before this one is missing");
    case LOG_FAULT_TORN:
        return _("this line is no record, and no start of the hub says that one was cut off");
    case LOG_FAULT_NO_RECORD:
        return _("this line is no record");
    case LOG_FAULT_HEAD:
    default:
        return _("there is no record with this hash: the end was cut off, or the records are "
                 "others");
    }
}

static void
add_text(JsonBuilder *json, const char *name, const char *text)
{
    json_builder_set_member_name(json, name);
    json_builder_add_string_value(json, text);
}

static void
add_number(JsonBuilder *json, const char *name, guint64 number)
{
    json_builder_set_member_name(json, name);
    json_builder_add_int_value(json, (gint64)number);
}

/* FILE is NULL where a fault has no place. */
static void
tell_fault(Verdict *verdict, LogFault fault, const char *file, guint64 line, const char *hash)
{
    if (++verdict->faults > FAULTS_SHOWN)
        return;
    if (verdict->json == NULL) {
        if (file != NULL)
            (void)printf("%s:%" G_GUINT64_FORMAT ": %s\n", file, line, fault_text(fault));
        else
            (void)printf("%s: %s\n", hash, fault_text(fault));
        return;
    }
    json_builder_begin_object(verdict->json);
    if (file != NULL) {
        add_text(verdict->json, "file", file);
        add_number(verdict->json, "line", line);
    } else {
        add_text(verdict->json, "hash", hash);
    }
    add_text(verdict->json, "fault", log_fault_name(fault));
    add_text(verdict->json, "message", fault_text(fault));
    json_builder_end_object(verdict->json);
}

static void
on_fault(LogFault fault, guint64 file, guint64 line, void *data)
{
    g_autofree char *name = log_file_name(file);

    tell_fault(data, fault, name, line, NULL);
}

static void
on_missing_head(const char *hash, void *data)
{
    tell_fault(data, LOG_FAULT_HEAD, NULL, 0, hash);
}

static gboolean
take_heads(const Cli *cli, const char *folder, LogHeads *heads, GError **error)
{
    const char *const *given = cli_list(cli, OPTION_HEAD);

    for (guint i = 0; given && given[i]; i++) {
        g_autofree char *hash = g_ascii_strdown(given[i], -1);

        if (!log_hash_is_valid(hash, strlen(hash))) {
            cli_fail(error, EXIT_CODE_USAGE,
                     _("--head %.80s: want the 64 hexadecimal digits that 'log verify' prints"),
                     given[i]);
            return FALSE;
        }
        log_heads_add(heads, hash);
    }
    return !cli->given[OPTION_JOURNAL] ||
           log_heads_add_journal(heads, folder, cli->values[OPTION_JOURNAL], error);
}

static void
take_line(Verdict *verdict, LogCursor *cursor, const LogLine *line, gboolean ended)
{
    gint64 time;
    LogRecord record;

    if (line->line == 1) {
        verdict->files++;
        log_chain_next_file(&verdict->chain, log_cursor_before(cursor));
    }
    if (!log_chain_take(&verdict->chain, line->file, line->line, line->text, line->len, ended))
        return;
    log_heads_see(verdict->heads, verdict->chain.head);
    if (verdict->chain.records == 1 && verdict->chain.gone &&
        log_record_parse(line->text, line->len, &record)) {
        g_autofree char *text = slice_dup(record.time);

        if (log_time_parse(text, &time))
            log_heads_begin(verdict->heads, time);
    }
}

static gboolean
read_all(Verdict *verdict, LogCursor *cursor, GError **error)
{
    for (;;) {
        LogLine line;
        LogStep step = log_cursor_next(cursor, &line, error);
        const char *rest = NULL;
        LogFile file;
        gsize len;

        if (step == LOG_STEP_FAILED)
            return FALSE;
        if (step != LOG_STEP_END) {
            take_line(verdict, cursor, &line, step == LOG_STEP_LINE);
            continue;
        }
        len = log_cursor_rest(cursor, &rest);
        if (len > 0 && log_cursor_opened(cursor, &file))
            (void)log_chain_take(&verdict->chain, file.number, log_cursor_line(cursor) + 1, rest,
                                 len, FALSE);
        verdict->unfinished = log_chain_finish(&verdict->chain, len == 0);
        return TRUE;
    }
}

static void
print_json(Verdict *verdict)
{
    g_autoptr(JsonNode) root = NULL;
    JsonBuilder *json = verdict->json;

    json_builder_end_array(json);
    json_builder_set_member_name(json, "whole");
    json_builder_add_boolean_value(json, verdict->faults == 0);
    add_number(json, "fault_count", verdict->faults);
    add_number(json, "records", verdict->chain.records);
    add_number(json, "files", verdict->files);
    add_number(json, "starts", verdict->chain.starts);
    add_number(json, "lost", verdict->chain.lost);
    add_number(json, "torn", verdict->chain.torn);
    json_builder_set_member_name(json, "from_the_beginning");
    json_builder_add_boolean_value(json, !verdict->chain.gone);
    json_builder_set_member_name(json, "unfinished");
    json_builder_add_boolean_value(json, verdict->unfinished);
    add_number(json, "heads", log_heads_count(verdict->heads));
    add_text(json, "head", verdict->chain.head);
    json_builder_end_object(json);
    root = json_builder_get_root(json);
    output_json_node(root, FALSE);
}

static void
print_text(const Verdict *verdict)
{
    const LogChain *chain = &verdict->chain;

    if (verdict->faults > FAULTS_SHOWN)
        (void)printf(_("... and %llu more\n"),
                     (unsigned long long)(verdict->faults - FAULTS_SHOWN));
    if (chain->gone)
        (void)printf(_("The records begin after files that are not kept any more.\n"));
    if (chain->lost > 0)
        (void)printf(_("Lost before they were written, because the disk took nothing: %llu\n"),
                     (unsigned long long)chain->lost);
    if (chain->torn > 0)
        (void)printf(_("Cut off when the hub was killed, and marked: %llu\n"),
                     (unsigned long long)chain->torn);
    if (verdict->unfinished)
        (void)printf(_("The last line is not finished: it is being written, or the hub was "
                       "killed.\n"));
    if (verdict->asked) /* 0: the journal has none, and has proved nothing */
        (void)printf(_("Hashes to be found: %u\n"), log_heads_count(verdict->heads));
    (void)printf(_("%s: %llu records, %llu starts of the hub, %llu files\nHead: %s\n"),
                 verdict->faults == 0 ? _("Whole") : _("Not whole"),
                 (unsigned long long)chain->records, (unsigned long long)chain->starts,
                 (unsigned long long)verdict->files, chain->head);
}

static ExitCode
conclude(Verdict *verdict, const char *folder, GError **error)
{
    if (verdict->json)
        print_json(verdict);
    else
        print_text(verdict);
    if (!output_flush(error))
        return verb_end(FALSE, error);
    if (verdict->faults == 0)
        return EXIT_CODE_OK;
    return cli_fail(error, EXIT_CODE_OTHER,
                    ngettext("the records in %s are not whole: %llu fault",
                             "the records in %s are not whole: %llu faults",
                             (gulong)verdict->faults),
                    folder, (unsigned long long)verdict->faults);
}

ExitCode
verb_log_verify(Cli *cli, GError **error)
{
    g_autofree char *folder = verb_records_folder(cli, error);
    g_autoptr(LogCursor) cursor = folder ? log_cursor_new(folder) : NULL;
    g_auto(Verdict) verdict = {.heads = log_heads_new()};

    if (!folder)
        return verb_end(FALSE, error);
    if (!take_heads(cli, folder, verdict.heads, error))
        return verb_end(FALSE, error);
    verdict.asked = cli->given[OPTION_HEAD] || cli->given[OPTION_JOURNAL];
    verdict.chain = log_chain_begin(on_fault, &verdict);
    if (cli->given[OPTION_JSON]) {
        verdict.json = json_builder_new();
        json_builder_begin_object(verdict.json);
        json_builder_set_member_name(verdict.json, "faults");
        json_builder_begin_array(verdict.json);
    }
    if (!read_all(&verdict, cursor, error))
        return verb_records_end(folder, error);
    if (verdict.files == 0)
        log_files_fail(folder, ENOENT, error);
    if (verdict.files == 0)
        return verb_records_end(folder, error);
    log_heads_missing(verdict.heads, on_missing_head, &verdict);
    return conclude(&verdict, folder, error);
}
