/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Config keys: the one table of the keys of streamd.conf. The reader checks files against it, and a
 * test compares it with the manual page streamd.conf(5). Pure. */
#pragma once

#include "daemon/config/file.h"

typedef enum {
    CONFIG_TEXT,
    CONFIG_PATH,   /* absolute */
    CONFIG_NUMBER, /* an integer, LEAST to MOST */
    CONFIG_TIME,   /* common/codec/quantity.h; in µs */
    CONFIG_SIZE,   /* common/codec/quantity.h; in bytes */
    CONFIG_CHOICE, /* one of CHOICES */
} ConfigKind;

typedef struct {
    const char *section; /* the first word in the brackets */
    const char *key;
    ConfigKind kind;
    guint64 least, most, fallback; /* CONFIG_NUMBER, CONFIG_TIME, CONFIG_SIZE */
    const char *const *choices;    /* CONFIG_CHOICE: NULL-terminated; the first is the default */
} ConfigKey;

extern const char *const config_verdicts[];   /* reject, accept, ask */
extern const char *const config_defaults[];   /* reject, accept */
extern const char *const config_transports[]; /* as HubTransport */
extern const char *const config_resumes[];    /* yes, no */

guint config_keys_size(void);
const ConfigKey *config_key(guint index);

/* Reports every unknown section and key, and every invalid value. */
void config_keys_check(ConfigFile *config);

/* The checked value, or the default. For a choice: its index. */
guint config_keys_number(const ConfigSection *section, const char *key);
guint64 config_keys_quantity(const ConfigSection *section, const char *key); /* TIME or SIZE */
guint config_keys_choice(const ConfigSection *section, const char *key);

/* "hub a" with KIND "hub": "a"; NULL when the section is of another kind or has no name. */
const char *config_section_name(const ConfigSection *section, const char *kind);
