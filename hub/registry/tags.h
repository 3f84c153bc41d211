/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tags: labels "key=value" that an operator gives a device (docs/wire-protocol.md, section 6).
 *
 * A list of them never changes and may be shared between threads. NULL is an empty list. */
#pragma once

#include <glib.h>

typedef struct RegistryTags RegistryTags;

#define REGISTRY_TAGS_MAX 50     /* of one device */
#define REGISTRY_TAG_MAX 256     /* bytes of "key=value" */
#define REGISTRY_COMMENT_MAX 256 /* bytes of a device's comment */

/* A key has 1 to 64 letters, digits and any of . _ -; a value is UTF-8 without control characters
 * and may be empty. On failure *ret_why is one English sentence, which the caller frees. */
gboolean registry_tag_is_valid(const char *tag, char **ret_why);

/* TAGS: NULL-terminated; when a key comes twice, the last tag counts. NULL with *ret_why set: one
 * of them is not valid, or there are too many. An empty list is NULL as well, with *ret_why
 * NULL. */
RegistryTags *registry_tags_new(const char *const *tags, char **ret_why);

/* TEXT as stored: sorted by key, joined by newlines. Tags that are not valid are left out. */
RegistryTags *registry_tags_parse(const char *text);
char *registry_tags_format(const RegistryTags *tags);

/* BASE with the tags of CHANGES ("key=value") set, and then the keys in REMOVED taken out; each may
 * be NULL. Result as registry_tags_new. */
RegistryTags *registry_tags_edit(const RegistryTags *base, const char *const *changes,
                                 const char *const *removed, char **ret_why);

/* Sorted by key, NULL-terminated; valid as long as the list. */
const char *const *registry_tags_list(const RegistryTags *tags);

/* The value of KEY, or NULL. */
const char *registry_tags_get(const RegistryTags *tags, const char *key);

RegistryTags *registry_tags_ref(const RegistryTags *tags);
void registry_tags_unref(RegistryTags *tags);

/* One English sentence that says what is wrong with COMMENT, or NULL. */
const char *registry_comment_fault(const char *comment);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegistryTags, registry_tags_unref)
