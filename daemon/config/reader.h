/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings reader: reads the keys of a GKeyFile one by one, and finds keys that are not expected.
 *
 * Errors are STREAMD_ERROR_INVALID and name file, section and key: "/etc/x.conf: [hub a] mqtt-port:
 * ...". The first error stays; after it the getters return nothing. Pure. */
#pragma once

#include <glib.h>

typedef struct {
    const char *path;
    GKeyFile *file;
    const char *group;
    GError *error; /* the first one, or NULL */
} SettingsReader;

/* The calls that follow read this section. */
void settings_reader_enter(SettingsReader *reader, const char *group);

/* The section may have only these keys. NULL-terminated. */
void settings_reader_expect(SettingsReader *reader, const char *const *keys);

/* NULL when there is none. Caller frees. */
char *settings_reader_text(SettingsReader *reader, const char *key, gboolean required);
gint64 settings_reader_number(SettingsReader *reader, const char *key, gint64 min, gint64 max,
                              gint64 fallback);
gboolean settings_reader_boolean(SettingsReader *reader, const char *key, gboolean fallback);

/* The index in CHOICES (NULL-terminated), or FALLBACK when there is no such key. */
int settings_reader_choice(SettingsReader *reader, const char *key, const char *const *choices,
                           int fallback);

/* KEY NULL: the error is about the section as a whole. */
void settings_reader_fail(SettingsReader *reader, const char *key, const char *text);

/* "hub a" with KIND "hub": "a"; NULL when the section is of another kind or has no name. */
const char *settings_section_name(const char *group, const char *kind);
