/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub device export: the registry's devices as lines of JSON, page by page. */
#include "common/base/secret.h"
#include "common/cli/output.h"
#include "common/codec/percent.h"
#include "hub/base/private-file.h"
#include "hub/registry/device-row.h"
#include "hub/verb/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where the lines go: standard output, or a file that gets its name when it is whole. */
typedef struct {
    const char *file; /* NULL: standard output */
    char *unfinished;
    int fd;
} Target;

static void
target_clear(Target *target)
{
    if (target->fd >= 0)
        close(target->fd);
    if (target->unfinished)
        (void)unlink(target->unfinished);
    g_free(target->unfinished);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

static gboolean
fail_exists(const char *file, GError **error)
{
    cli_fail(error, EXIT_CODE_EXISTS, _("%s is there already: move it away, or name another"),
             file);
    return FALSE;
}

static gboolean
target_open(Target *target, GError **error)
{
    if (!target->file)
        return TRUE;
    if (g_file_test(target->file, G_FILE_TEST_EXISTS))
        return fail_exists(target->file, error);
    target->unfinished = g_strdup_printf("%s.%d", target->file, (int)getpid());
    target->fd = open(target->unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return target->fd >= 0 || file_error_set(target->unfinished, errno, error);
}

static gboolean
target_write(Target *target, const char *text, GError **error)
{
    if (!target->file)
        return output_write(text, error);
    for (gsize len = strlen(text); len > 0;) {
        ssize_t n = write(target->fd, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_error_set(target->unfinished, errno, error);
        text += n;
        len -= (gsize)n;
    }
    return TRUE;
}

static gboolean
target_finish(Target *target, GError **error)
{
    if (!target->file)
        return TRUE;
    if (fsync(target->fd) < 0)
        return file_error_set(target->unfinished, errno, error);
    if (link(target->unfinished, target->file) < 0)
        return errno == EEXIST ? fail_exists(target->file, error)
                               : file_error_set(target->file, errno, error);
    return TRUE;
}

static char *
ask_page(const Cli *cli, AdminClient *client, const RegistryDevice *after, GError **error)
{
    g_autoptr(GString) path = g_string_new("/v1/export?keys=");

    g_string_append(path, cli->given[OPTION_KEYS] ? "yes" : "no");
    if (after) {
        g_string_append(path, "&after=");
        percent_append(path, PERCENT_SEGMENT, after->id, -1);
    }
    if (after && after->module) {
        g_string_append(path, "&afterModule=");
        percent_append(path, PERCENT_SEGMENT, after->module, -1);
    }
    return admin_client_get_secret(client, path->str, error);
}

/* The last line of a page that is not empty; COUNT is raised by its lines. */
static DeviceRow *
page_end(const char *page, unsigned long long *count, GError **error)
{
    const char *line = page;
    g_autofree char *why = NULL;
    DeviceRow *row;

    for (const char *end = page; (end = strchr(end, '\n')) != NULL; end++) {
        (*count)++;
        if (end[1])
            line = end + 1;
    }
    row = device_row_parse(line, strcspn(line, "\n"), &why);
    if (!row)
        cli_fail(error, EXIT_CODE_PROTOCOL, _("the hub's list makes no sense: %s"), why);
    return row;
}

static gboolean
export_all(const Cli *cli, Target *target, unsigned long long *count, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(DeviceRow) last = NULL;

    for (;;) {
        g_auto(SecretText) page = ask_page(cli, client, last ? last->device : NULL, error);

        if (!page || (*page && !target_write(target, page, error)))
            return FALSE;
        if (!*page)
            return TRUE;
        device_row_free(last);
        last = page_end(page, count, error);
        if (!last)
            return FALSE;
    }
}

ExitCode
verb_device_export(Cli *cli, GError **error)
{
    const char *word = cli->count > 0 ? cli->words[0] : NULL;
    gboolean named = word && strcmp(word, "-") != 0;
    g_auto(Target) target = {.file = named ? word : NULL, .fd = -1};
    unsigned long long count = 0;

    if (cli->given[OPTION_KEYS] && !word && isatty(STDOUT_FILENO) == 1)
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("device export: keys are not shown on a terminal: name a FILE, or - if "
                          "it is meant"));
    if (!target_open(&target, error) || !export_all(cli, &target, &count, error) ||
        !target_finish(&target, error))
        return verb_end(FALSE, error);
    if (cli->given[OPTION_KEYS])
        (void)fprintf(stderr, _("streamhub: there are keys in it: whoever reads it is any of these "
                                "devices\n"));
    if (named)
        (void)printf(_("Wrote %s: %llu devices and modules\n"), word, count);
    return EXIT_CODE_OK;
}
