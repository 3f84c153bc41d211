/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/file.h"

#include "common/base/error.h"
#include "common/base/file.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

struct ConfigFile {
    GPtrArray *sections; /* ConfigSection */
    GPtrArray *problems; /* char * */
    guint untold;        /* number of problems beyond CONFIG_PROBLEMS_MAX */
};

static void
entry_free(void *data)
{
    ConfigEntry *entry = data;

    g_free(entry->key);
    g_free(entry->value);
    g_free(entry->place.file);
    g_free(entry);
}

static void
section_free(void *data)
{
    ConfigSection *section = data;

    g_free(section->name);
    g_free(section->place.file);
    g_ptr_array_unref(section->entries);
    g_free(section);
}

ConfigFile *
config_file_new(void)
{
    ConfigFile *config = g_new0(ConfigFile, 1);

    config->sections = g_ptr_array_new_with_free_func(section_free);
    config->problems = g_ptr_array_new_with_free_func(g_free);
    return config;
}

void
config_file_free(ConfigFile *config)
{
    if (!config)
        return;
    g_ptr_array_unref(config->sections);
    g_ptr_array_unref(config->problems);
    g_free(config);
}

void
config_file_problem(ConfigFile *config, const ConfigPlace *place, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    if (config->problems->len >= CONFIG_PROBLEMS_MAX) {
        config->untold++;
        return;
    }
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(config->problems,
                    place->line ? g_strdup_printf("%s:%u: %s", place->file, place->line, text)
                                : g_strdup_printf("%s: %s", place->file, text));
}

gboolean
config_file_check(const ConfigFile *config, GError **error)
{
    g_autoptr(GString) all = g_string_new(NULL);

    if (config->problems->len == 0)
        return TRUE;
    for (guint i = 0; i < config->problems->len; i++)
        g_string_append_printf(all, "%s%s", i > 0 ? "\n" : "",
                               (const char *)config->problems->pdata[i]);
    if (config->untold > 0)
        g_string_append_printf(all, "\nand %u more", config->untold);
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, all->str);
    return FALSE;
}

static ConfigSection *
config_enter(ConfigFile *config, const ConfigPlace *place, const char *name)
{
    ConfigSection *section;

    for (guint i = 0; i < config->sections->len; i++) {
        section = config->sections->pdata[i];
        if (strcmp(section->name, name) == 0)
            return section;
    }
    if (config->sections->len >= CONFIG_SECTIONS_MAX) {
        config_file_problem(config, place, "there are more than %d sections", CONFIG_SECTIONS_MAX);
        return NULL;
    }
    section = g_new0(ConfigSection, 1);
    section->name = g_strdup(name);
    section->place = (ConfigPlace){g_strdup(place->file), place->line};
    section->entries = g_ptr_array_new_with_free_func(entry_free);
    g_ptr_array_add(config->sections, section);
    return section;
}

static ConfigEntry *
section_entry(const ConfigSection *section, const char *key)
{
    for (guint i = 0; i < section->entries->len; i++) {
        ConfigEntry *entry = section->entries->pdata[i];

        if (strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

/* A key that comes twice in one file is a mistake; in another file it is an override. */
static void
config_set(ConfigFile *config, ConfigSection *section, const ConfigPlace *place, const char *key,
           const char *value)
{
    ConfigEntry *entry = section_entry(section, key);

    if (entry && strcmp(entry->place.file, place->file) == 0) {
        config_file_problem(config, place, "%s was given in line %u already", key,
                            entry->place.line);
        return;
    }
    if (!entry && section->entries->len >= CONFIG_ENTRIES_MAX) {
        config_file_problem(config, place, "there are more than %d settings in [%s]",
                            CONFIG_ENTRIES_MAX, section->name);
        return;
    }
    if (!entry) {
        entry = g_new0(ConfigEntry, 1);
        entry->key = g_strdup(key);
        g_ptr_array_add(section->entries, entry);
    }
    g_free(entry->value);
    g_free(entry->place.file);
    entry->value = g_strdup(value);
    entry->place = (ConfigPlace){g_strdup(place->file), place->line};
}

/* Modifies LINE. */
static void
config_take_setting(ConfigFile *config, ConfigSection *section, const ConfigPlace *place,
                    char *line)
{
    char *equals = strchr(line, '=');

    if (!equals) {
        config_file_problem(config, place, "neither a [section] nor a Key=value");
        return;
    }
    *equals = '\0';
    g_strchomp(line);
    if (*line == '\0')
        config_file_problem(config, place, "there is nothing before the =");
    else
        config_set(config, section, place, line, g_strstrip(equals + 1));
}

/* Modifies LINE. Returns the section that the next lines belong to. */
static ConfigSection *
config_take_line(ConfigFile *config, ConfigSection *section, gboolean *sections,
                 const ConfigPlace *place, char *line)
{
    gsize len;

    g_strstrip(line);
    len = strlen(line);
    if (len == 0 || *line == '#' || *line == ';')
        return section;
    if (*line == '[') {
        *sections = TRUE;
        if (len > 2 && line[len - 1] == ']') {
            line[len - 1] = '\0';
            return config_enter(config, place, g_strstrip(line + 1));
        }
        config_file_problem(config, place, "a section is [NAME]");
        return NULL;
    }
    if (section)
        config_take_setting(config, section, place, line);
    else if (!*sections)
        config_file_problem(config, place, "a setting stands in a section, and there is none yet");
    return section;
}

void
config_file_add(ConfigFile *config, const char *name, const char *text, gsize len)
{
    ConfigPlace place = {.file = (char *)name};
    g_autofree char *copy = NULL;
    g_auto(GStrv) lines = NULL;
    ConfigSection *section = NULL;
    gboolean sections = FALSE;

    if (len > CONFIG_FILE_MAX) {
        config_file_problem(config, &place, "it is larger than %zu bytes", CONFIG_FILE_MAX);
        return;
    }
    if (!g_utf8_validate(text, (gssize)len, NULL)) {
        config_file_problem(config, &place, "it is not UTF-8 text");
        return;
    }
    copy = g_strndup(text, len);
    lines = g_strsplit(copy, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        place.line = i + 1;
        section = config_take_line(config, section, &sections, &place, lines[i]);
    }
}

gboolean
config_file_load(ConfigFile *config, const char *path, gboolean required)
{
    const ConfigPlace place = {.file = (char *)path};
    g_autoptr(GError) error = NULL;
    gsize len = 0;
    int fd = file_open(path, &error);
    g_autofree char *text = fd < 0 ? NULL : file_read_fd(fd, CONFIG_FILE_MAX, &len, &error);

    if (fd >= 0)
        close(fd);
    if (text) {
        config_file_add(config, path, text, len);
        return TRUE;
    }
    if (required || error->code != STREAMD_ERROR_NOT_FOUND)
        config_file_problem(config, &place, "%s", error->message);
    return FALSE;
}

guint
config_file_size(const ConfigFile *config)
{
    return config->sections->len;
}

const ConfigSection *
config_file_section(const ConfigFile *config, guint index)
{
    return config->sections->pdata[index];
}

const ConfigEntry *
config_section_find(const ConfigSection *section, const char *key)
{
    const ConfigEntry *entry = section_entry(section, key);

    return entry && *entry->value ? entry : NULL;
}

const char *
config_section_value(const ConfigSection *section, const char *key)
{
    const ConfigEntry *entry = config_section_find(section, key);

    return entry ? entry->value : NULL;
}
