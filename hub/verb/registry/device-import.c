/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub device import: lines of JSON go to the hub in batches, each of which is stored as a
 * whole or not at all. Run again after a break, it passes over what is there already. */
#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/cli/output.h"
#include "hub/cli/json.h"
#include "hub/registry/device-row.h"
#include "hub/verb/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_ROWS 250
#define BATCH_BYTES ((gsize)56 * 1024) /* the hub takes 64 KiB, and 500 rows */
#define TOLD_MAX 20                    /* lines that are not taken, one by one */
#define TRIES 20                       /* while the hub says that it is busy */
#define PAUSE (250 * G_TIME_SPAN_MILLISECOND)
#define PROGRESS_EVERY (200 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    const Cli *cli;
    AdminClient *client;
    const char *name; /* of the file, in messages */
    int fd;
    goffset size, done; /* bytes; size 0: not known */
    char *path;         /* of the request */
    char *buffer;       /* DEVICE_ROW_MAX and more; wiped */
    gsize len, at;
    gboolean ended;
    unsigned long long line; /* of the file, the last one that was read */
    GString *batch;
    unsigned long long lines[BATCH_ROWS]; /* where the rows of the batch stand */
    guint rows;
    char *last; /* the id of its last row */
    unsigned long long added, updated, unchanged, refused;
    gint64 shown; /* when the progress was */
    gboolean terminal;
} Import;

#define BUFFER (2 * DEVICE_ROW_MAX)

static void
import_clear(Import *import)
{
    if (import->buffer)
        explicit_bzero(import->buffer, BUFFER);
    g_free(import->buffer);
    if (import->batch) {
        explicit_bzero(import->batch->str, import->batch->allocated_len);
        g_string_free(import->batch, TRUE);
    }
    if (import->fd > STDIN_FILENO)
        close(import->fd);
    g_free(import->path);
    g_free(import->last);
    admin_client_free(import->client);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Import, import_clear)

static void
progress_show(Import *import, gboolean over)
{
    gint64 now = g_get_monotonic_time();
    int percent = import->size > 0 ? (int)(import->done * 100 / import->size) : 0;

    if (!import->terminal || (!over && now - import->shown < PROGRESS_EVERY))
        return;
    import->shown = now;
    (void)fputs("\r\033[K", stderr);
    if (!over)
        (void)fprintf(stderr, _("%llu lines, %d %%"), import->line, percent);
}

static void
tell_refused(Import *import, unsigned long long line, const char *message)
{
    if (import->refused++ >= TOLD_MAX)
        return;
    progress_show(import, TRUE);
    (void)fprintf(stderr, "%s:%llu: %s\n", import->name, line, message);
}

static void
take_answer(Import *import, JsonNode *answer)
{
    JsonArray *refused = verb_json_array(answer, "refused");

    import->added += (unsigned long long)verb_json_number(answer, "added");
    import->updated += (unsigned long long)verb_json_number(answer, "updated");
    import->unchanged += (unsigned long long)verb_json_number(answer, "unchanged");
    for (guint i = 0; refused != NULL && i < json_array_get_length(refused); i++) {
        JsonNode *item = json_array_get_element(refused, i);
        gint64 row = verb_json_number(item, "line");

        if (row >= 0 && row < import->rows)
            tell_refused(import, import->lines[row], verb_json_text(item, "message"));
    }
}

/* Nothing of the batch was stored when this fails. */
static gboolean
batch_send(Import *import, GError **error)
{
    g_autoptr(JsonNode) answer = NULL;

    for (guint i = 0; import->rows > 0 && answer == NULL; i++) {
        g_autoptr(GError) failure = NULL;

        answer = admin_client_post_lines(import->client, import->path, import->batch, &failure);
        if (answer != NULL)
            break;
        if (i == TRIES || !g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_BUSY)) {
            g_propagate_prefixed_error(
                error, g_steal_pointer(&failure),
                _("%s:%llu: stopped before this line, and the same call goes on "
                  "from there: "),
                import->name, import->lines[0]);
            return FALSE;
        }
        g_usleep(PAUSE);
    }
    if (answer != NULL)
        take_answer(import, answer);
    explicit_bzero(import->batch->str, import->batch->len);
    g_string_truncate(import->batch, 0);
    import->rows = 0;
    progress_show(import, FALSE);
    return TRUE;
}

/* A batch ends before a device, not between it and its modules, as far as that goes: a dry run does
 * not see what was in the batch before. */
static gboolean
batch_is_full(const Import *import, const DeviceRow *row, gsize len)
{
    gboolean begins = g_strcmp0(import->last, row->device->id) != 0;

    return import->rows == BATCH_ROWS || import->batch->len + len + 1 > BATCH_BYTES ||
           (begins && import->rows >= BATCH_ROWS - REGISTRY_MODULES_MAX - 1);
}

static gboolean
line_take(Import *import, const char *line, gsize len, GError **error)
{
    g_autofree char *why = NULL;
    g_autoptr(DeviceRow) row = len > 0 ? device_row_parse(line, len, &why) : NULL;

    if (why != NULL)
        tell_refused(import, import->line, why);
    if (row == NULL)
        return TRUE;
    if (batch_is_full(import, row, len) && !batch_send(import, error))
        return FALSE;
    import->lines[import->rows++] = import->line;
    g_string_append_len(import->batch, line, (gssize)len);
    g_string_append_c(import->batch, '\n');
    g_free(import->last);
    import->last = g_strdup(row->device->id);
    return TRUE;
}

/* More bytes behind those that are there. FALSE with ERROR set. */
static gboolean
buffer_fill(Import *import, GError **error)
{
    ssize_t n;

    memmove(import->buffer, import->buffer + import->at, import->len - import->at);
    import->len -= import->at;
    import->at = 0;
    do
        n = read(import->fd, import->buffer + import->len, BUFFER - import->len);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        cli_fail(error, EXIT_CODE_OTHER, "%s: %s", import->name, g_strerror(errno));
        return FALSE;
    }
    import->ended = n == 0;
    import->len += (gsize)n;
    import->done += n;
    return TRUE;
}

/* Every whole line of the buffer; at the end of the file also one without an end. */
static gboolean
buffer_take_lines(Import *import, GError **error)
{
    while (import->at < import->len) {
        const char *line = import->buffer + import->at;
        const char *end = memchr(line, '\n', import->len - import->at);
        gsize len = end != NULL ? (gsize)(end - line) : import->len - import->at;

        if (end == NULL && !import->ended && len <= DEVICE_ROW_MAX)
            return TRUE;
        import->line++;
        if (end == NULL && !import->ended) {
            cli_fail(error, EXIT_CODE_USAGE,
                     _("%s:%llu: a line of more than %zu bytes: want a line of "
                       "JSON for each device, as 'device export' writes them"),
                     import->name, import->line, DEVICE_ROW_MAX);
            return FALSE;
        }
        import->at = MIN(import->at + len + 1, import->len);
        if (!line_take(import, line, len > 0 && line[len - 1] == '\r' ? len - 1 : len, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
import_run(Import *import, GError **error)
{
    gboolean ok = TRUE;

    while (ok && !import->ended)
        ok = buffer_fill(import, error) && buffer_take_lines(import, error);
    ok = ok && batch_send(import, error);
    progress_show(import, TRUE);
    return ok;
}

static gboolean
import_open(Import *import, GError **error)
{
    struct stat info;

    import->client = verb_connect(import->cli);
    import->path =
        g_strconcat("/v1/import?x=1", import->cli->given[OPTION_UPDATE] ? "&update=yes" : "",
                    import->cli->given[OPTION_DRY_RUN] ? "&dryRun=yes" : "", NULL);
    import->buffer = g_malloc(BUFFER);
    import->batch = g_string_sized_new(BATCH_BYTES + DEVICE_ROW_MAX);
    import->terminal = isatty(STDERR_FILENO) == 1;
    if (strcmp(import->name, "-") != 0)
        import->fd = open(import->name, O_RDONLY | O_CLOEXEC);
    if (import->fd < 0) {
        cli_fail(error, EXIT_CODE_NOT_FOUND, "%s: %s", import->name, g_strerror(errno));
        return FALSE;
    }
    if (fstat(import->fd, &info) == 0 && S_ISREG(info.st_mode))
        import->size = info.st_size;
    return TRUE;
}

static void
print_json(const Import *import)
{
    const struct {
        const char *name;
        unsigned long long count;
    } members[] = {{"added", import->added},
                   {"updated", import->updated},
                   {"unchanged", import->unchanged},
                   {"refused", import->refused}};
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autoptr(JsonObject) object = json_object_new();

    for (guint i = 0; i < G_N_ELEMENTS(members); i++)
        json_object_set_int_member(object, members[i].name, (gint64)members[i].count);
    json_node_set_object(node, object);
    output_json_node(node, FALSE);
}

static void
print_counts(const Import *import)
{
    gboolean dry_run = import->cli->given[OPTION_DRY_RUN];

    if (import->cli->given[OPTION_JSON])
        print_json(import);
    else if (dry_run)
        (void)printf(_("Would be added: %llu, updated: %llu, unchanged: %llu, not taken: %llu\n"),
                     import->added, import->updated, import->unchanged, import->refused);
    else
        (void)printf(_("Added: %llu, updated: %llu, unchanged: %llu, not taken: %llu\n"),
                     import->added, import->updated, import->unchanged, import->refused);
}

ExitCode
verb_device_import(Cli *cli, GError **error)
{
    g_auto(Import) import = {.cli = cli, .name = cli->words[0], .fd = STDIN_FILENO};
    gboolean ok = import_open(&import, error) && import_run(&import, error);

    if (import.refused > TOLD_MAX)
        (void)fprintf(stderr, _("%s: and %llu more\n"), import.name, import.refused - TOLD_MAX);
    if (ok || import.added + import.updated + import.unchanged > 0)
        print_counts(&import);
    if (ok && import.refused > 0)
        return cli_fail(error, EXIT_CODE_OTHER, _("%llu lines of %s were not taken"),
                        import.refused, import.name);
    return verb_end(ok, error);
}
