/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/base/settings.h"

#include <gio/gio.h>
#include <string.h>

#define GROUP "streamd-desktop"
#define KEY_RECENT "recent"
#define KEY_ANSWERS "answer-requests"
#define KEY_BACKGROUND "background"

struct Settings {
    char *path;
    GKeyFile *file;
    GPtrArray *recent;      /* of Recent */
    gboolean saving, again; /* again: something has changed since */
};

static void
recent_free(Recent *recent)
{
    g_free(recent->hub);
    g_free(recent->device);
    g_free(recent->stream);
    g_free(recent);
}

static Recent *
recent_new(const char *hub, const char *device, const char *stream)
{
    Recent *recent = g_new0(Recent, 1);

    recent->hub = g_strdup(hub);
    recent->device = g_strdup(device);
    recent->stream = g_strdup(stream);
    return recent;
}

/* "hub<TAB>device<TAB>stream"; none of these names can contain a tab. */
static void
settings_read_recent(Settings *settings)
{
    g_auto(GStrv) lines = g_key_file_get_string_list(settings->file, GROUP, KEY_RECENT, NULL, NULL);

    for (guint i = 0; lines != NULL && lines[i] != NULL && i < SETTINGS_RECENT_MAX; i++) {
        g_auto(GStrv) fields = g_strsplit(lines[i], "\t", 3);

        if (g_strv_length(fields) == 3 && g_utf8_validate(lines[i], -1, NULL))
            g_ptr_array_add(settings->recent, recent_new(fields[0], fields[1], fields[2]));
    }
}

Settings *
settings_new(const char *file)
{
    Settings *settings = g_new0(Settings, 1);

    settings->path = file != NULL
                         ? g_strdup(file)
                         : g_build_filename(g_get_user_config_dir(), "streamd-desktop.conf", NULL);
    settings->file = g_key_file_new();
    settings->recent = g_ptr_array_new_with_free_func((GDestroyNotify)recent_free);
    (void)g_key_file_load_from_file(settings->file, settings->path, G_KEY_FILE_NONE, NULL);
    settings_read_recent(settings);
    return settings;
}

void
settings_free(Settings *settings)
{
    if (settings == NULL)
        return;
    while (settings->saving)
        (void)g_main_context_iteration(NULL, TRUE);
    g_free(settings->path);
    g_key_file_unref(settings->file);
    g_ptr_array_unref(settings->recent);
    g_free(settings);
}

/* One text, on its way into the file by a thread. */
typedef struct {
    char *path, *text;
    gsize length;
} Saving;

static void
saving_free(Saving *saving)
{
    g_free(saving->path);
    g_free(saving->text);
    g_free(saving);
}

/* Whole, or not at all: also a new file is never there without its text. */
static void
saving_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Saving *saving = data;
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents_full(saving->path, saving->text, (gssize)saving->length,
                                  G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
        g_debug("settings were not kept: %s", error->message);
    g_task_return_boolean(task, TRUE);
}

static void settings_write(Settings *settings);

static void
settings_on_saved(GObject *source, GAsyncResult *result, void *data)
{
    Settings *settings = data;
    const gboolean again = settings->again;

    settings->saving = settings->again = FALSE;
    if (again)
        settings_write(settings);
}

/* One after the other: the last one is what stays. */
static void
settings_write(Settings *settings)
{
    g_autoptr(GTask) task = NULL;
    Saving *saving;

    settings->again = settings->saving;
    if (settings->saving)
        return;
    settings->saving = TRUE;
    saving = g_new0(Saving, 1);
    saving->path = g_strdup(settings->path);
    saving->text = g_key_file_to_data(settings->file, &saving->length, NULL);
    task = g_task_new(NULL, NULL, settings_on_saved, settings);
    g_task_set_task_data(task, saving, (GDestroyNotify)saving_free);
    g_task_run_in_thread(task, saving_run);
}

static void
settings_save(Settings *settings)
{
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();
    g_auto(GStrv) list = NULL;

    for (guint i = 0; i < settings->recent->len; i++) {
        const Recent *recent = g_ptr_array_index(settings->recent, i);
        g_autofree char *line = g_strjoin("\t", recent->hub, recent->device, recent->stream, NULL);

        g_strv_builder_add(lines, line);
    }
    list = g_strv_builder_end(lines);
    g_key_file_set_string_list(settings->file, GROUP, KEY_RECENT, (const char *const *)list,
                               g_strv_length(list));
    settings_write(settings);
}

const Recent *
settings_recent(Settings *settings, guint i)
{
    return i < settings->recent->len ? g_ptr_array_index(settings->recent, i) : NULL;
}

void
settings_use(Settings *settings, const char *hub, const char *device, const char *stream)
{
    for (guint i = 0; i < settings->recent->len; i++) {
        const Recent *recent = g_ptr_array_index(settings->recent, i);

        if (g_str_equal(recent->hub, hub) && g_str_equal(recent->device, device) &&
            g_str_equal(recent->stream, stream)) {
            (void)g_ptr_array_remove_index(settings->recent, i);
            break;
        }
    }
    g_ptr_array_insert(settings->recent, 0, recent_new(hub, device, stream));
    if (settings->recent->len > SETTINGS_RECENT_MAX)
        (void)g_ptr_array_remove_index(settings->recent, SETTINGS_RECENT_MAX);
    settings_save(settings);
}

void
settings_forget(Settings *settings, const char *hub, const char *device)
{
    for (guint i = settings->recent->len; i-- > 0;) {
        const Recent *recent = g_ptr_array_index(settings->recent, i);

        if (g_str_equal(recent->hub, hub) && g_str_equal(recent->device, device))
            (void)g_ptr_array_remove_index(settings->recent, i);
    }
    settings_save(settings);
}

gboolean
settings_answers(Settings *settings)
{
    g_autoptr(GError) error = NULL;
    gboolean answers = g_key_file_get_boolean(settings->file, GROUP, KEY_ANSWERS, &error);

    return error != NULL || answers;
}

void
settings_set_answers(Settings *settings, gboolean answers)
{
    g_key_file_set_boolean(settings->file, GROUP, KEY_ANSWERS, answers);
    settings_save(settings);
}

gboolean
settings_background(Settings *settings)
{
    return g_key_file_get_boolean(settings->file, GROUP, KEY_BACKGROUND, NULL);
}

void
settings_set_background(Settings *settings, gboolean background)
{
    g_key_file_set_boolean(settings->file, GROUP, KEY_BACKGROUND, background);
    settings_save(settings);
}
