/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Config file: sections, keys and values as the configuration has them, each with file and line.
 *
 *   # or ; begins a comment line; [section]; Key=value, blanks around both dropped; no escapes
 *
 * Several files make one configuration. A key in a later file replaces the earlier value, and an
 * empty value removes it. Problems are collected and reported together, so that all of them can be
 * fixed at once. Only config_file_load does I/O. One thread at a time. */
#pragma once

#include <glib.h>

#define CONFIG_FILE_MAX ((gsize)1024 * 1024) /* bytes of one file */
#define CONFIG_SECTIONS_MAX 1024
#define CONFIG_ENTRIES_MAX 64  /* keys of one section */
#define CONFIG_PROBLEMS_MAX 50 /* that are listed; further ones are only counted */

typedef struct {
    char *file;
    guint line; /* from 1; 0: the file as a whole */
} ConfigPlace;

typedef struct {
    char *key, *value;
    ConfigPlace place;
} ConfigEntry;

typedef struct {
    char *name; /* the text in the brackets */
    ConfigPlace place;
    GPtrArray *entries; /* ConfigEntry */
} ConfigSection;

typedef struct ConfigFile ConfigFile;

ConfigFile *config_file_new(void);
void config_file_free(ConfigFile *config); /* NULL is fine */

/* Reads one more file. FALSE: it cannot be read. That is a problem, unless the file does not exist
 * and is not REQUIRED. */
gboolean config_file_load(ConfigFile *config, const char *path, gboolean required);

/* The same from text; NAME is the file's name in messages. */
void config_file_add(ConfigFile *config, const char *name, const char *text, gsize len);

/* Sections, in the order in which they first appeared. */
guint config_file_size(const ConfigFile *config);
const ConfigSection *config_file_section(const ConfigFile *config, guint index);

/* NULL when it is missing or empty. */
const ConfigEntry *config_section_find(const ConfigSection *section, const char *key);
const char *config_section_value(const ConfigSection *section, const char *key);

/* Adds the problem "FILE:LINE: TEXT". */
void config_file_problem(ConfigFile *config, const ConfigPlace *place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* TRUE when there are no problems; else STREAMD_ERROR_INVALID with all of them, a line each. */
gboolean config_file_check(const ConfigFile *config, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfigFile, config_file_free)
