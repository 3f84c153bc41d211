/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/reader.h"

#include "common/base/error.h"

#include <string.h>

void
settings_reader_enter(SettingsReader *reader, const char *group)
{
    reader->group = group;
}

void
settings_reader_fail(SettingsReader *reader, const char *key, const char *text)
{
    if (reader->error)
        return;
    reader->error = key ? g_error_new(STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: [%s] %s: %s",
                                      reader->path, reader->group, key, text)
                        : g_error_new(STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: [%s]: %s",
                                      reader->path, reader->group, text);
}

void
settings_reader_expect(SettingsReader *reader, const char *const *keys)
{
    g_auto(GStrv) present = g_key_file_get_keys(reader->file, reader->group, NULL, NULL);

    for (guint i = 0; present && present[i]; i++)
        if (!g_strv_contains(keys, present[i]))
            settings_reader_fail(reader, present[i], "there is no such setting");
}

char *
settings_reader_text(SettingsReader *reader, const char *key, gboolean required)
{
    g_autoptr(GError) error = NULL;
    char *value = g_key_file_get_string(reader->file, reader->group, key, &error);

    if (!value && !g_error_matches(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND))
        settings_reader_fail(reader, key, error->message);
    else if (required && (!value || !*value))
        settings_reader_fail(reader, key, "it is missing");
    return value;
}

gint64
settings_reader_number(SettingsReader *reader, const char *key, gint64 min, gint64 max,
                       gint64 fallback)
{
    g_autofree char *text = settings_reader_text(reader, key, FALSE);
    g_autoptr(GError) error = NULL;
    gint64 value = fallback;

    if (text && !g_ascii_string_to_signed(text, 10, min, max, &value, &error))
        settings_reader_fail(reader, key, error->message);
    return value;
}

gboolean
settings_reader_boolean(SettingsReader *reader, const char *key, gboolean fallback)
{
    static const char *const choices[] = {"no", "yes", "false", "true", NULL};

    return settings_reader_choice(reader, key, choices, fallback ? 1 : 0) % 2 == 1;
}

int
settings_reader_choice(SettingsReader *reader, const char *key, const char *const *choices,
                       int fallback)
{
    g_autofree char *text = settings_reader_text(reader, key, FALSE);
    g_autofree char *all = NULL;
    g_autofree char *message = NULL;

    for (int i = 0; text && choices[i]; i++)
        if (strcmp(text, choices[i]) == 0)
            return i;
    if (!text)
        return fallback;
    all = g_strjoinv(", ", (char **)choices);
    message = g_strdup_printf("\"%s\" is none of: %s", text, all);
    settings_reader_fail(reader, key, message);
    return fallback;
}

const char *
settings_section_name(const char *group, const char *kind)
{
    gsize len = strlen(kind);

    if (strncmp(group, kind, len) != 0 || group[len] != ' ' || group[len + 1] == '\0')
        return NULL;
    return group + len + 1;
}
