/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/tags.h"

#include <stdatomic.h>
#include <string.h>

#define KEY_MAX 64

/* Never changed once it is made. */
struct RegistryTags {
    atomic_uint refs;
    char **list; /* sorted by key */
};

static gsize
key_length(const char *tag)
{
    return strcspn(tag, "=");
}

static gboolean
key_is_valid(const char *key, gsize len)
{
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(key[i]) && !strchr("._-", key[i]))
            return FALSE;
    return len >= 1 && len <= KEY_MAX;
}

/* No control characters: text in a list must not move the cursor of a terminal. */
static gboolean
text_is_printable(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return FALSE;
    for (; *text; text = g_utf8_next_char(text))
        if (g_unichar_iscntrl(g_utf8_get_char(text)))
            return FALSE;
    return TRUE;
}

gboolean
registry_tag_is_valid(const char *tag, char **ret_why)
{
    gsize key = key_length(tag);
    const char *why = NULL;

    if (strlen(tag) > REGISTRY_TAG_MAX)
        why = "a tag has at most 256 bytes";
    else if (!tag[key])
        why = "a tag is KEY=VALUE";
    else if (!key_is_valid(tag, key))
        why = "a key has 1 to 64 letters, digits and any of . _ -";
    else if (!text_is_printable(tag + key + 1))
        why = "a value is text in UTF-8, without control characters";
    if (!why)
        return TRUE;
    if (ret_why)
        *ret_why = g_strdup(why);
    return FALSE;
}

const char *
registry_comment_fault(const char *comment)
{
    if (strlen(comment) > REGISTRY_COMMENT_MAX)
        return "a comment has at most 256 bytes";
    return text_is_printable(comment) ? NULL
                                      : "a comment is text in UTF-8, without control characters";
}

static int
tag_compare(const char *a, gsize a_len, const char *b, gsize b_len)
{
    int order = memcmp(a, b, MIN(a_len, b_len));

    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int
tag_order(gconstpointer a, gconstpointer b)
{
    const char *one = *(const char *const *)a, *other = *(const char *const *)b;

    return tag_compare(one, key_length(one), other, key_length(other));
}

static gint
tags_find(const GPtrArray *tags, const char *key, gsize len)
{
    for (guint i = 0; i < tags->len; i++)
        if (tag_compare(tags->pdata[i], key_length(tags->pdata[i]), key, len) == 0)
            return (gint)i;
    return -1;
}

static void
tags_put(GPtrArray *tags, const char *tag)
{
    gint at = tags_find(tags, tag, key_length(tag));

    if (at >= 0)
        g_ptr_array_remove_index_fast(tags, (guint)at);
    g_ptr_array_add(tags, g_strdup(tag));
}

/* Takes TAGS. */
static RegistryTags *
tags_take(GPtrArray *tags)
{
    RegistryTags *self;

    if (tags->len == 0) {
        g_ptr_array_unref(tags);
        return NULL;
    }
    self = g_new0(RegistryTags, 1);
    atomic_init(&self->refs, 1);
    g_ptr_array_sort(tags, tag_order);
    g_ptr_array_add(tags, NULL);
    self->list = (char **)g_ptr_array_free(tags, FALSE);
    return self;
}

RegistryTags *
registry_tags_edit(const RegistryTags *base, const char *const *changes, const char *const *removed,
                   char **ret_why)
{
    g_autoptr(GPtrArray) tags = g_ptr_array_new_with_free_func(g_free);

    *ret_why = NULL;
    for (const char *const *tag = registry_tags_list(base); *tag; tag++)
        g_ptr_array_add(tags, g_strdup(*tag));
    for (; changes && *changes; changes++) {
        if (!registry_tag_is_valid(*changes, ret_why))
            return NULL;
        tags_put(tags, *changes);
    }
    for (; removed && *removed; removed++) {
        gint at = tags_find(tags, *removed, strlen(*removed));

        if (at >= 0)
            g_ptr_array_remove_index_fast(tags, (guint)at);
    }
    if (tags->len > REGISTRY_TAGS_MAX) {
        *ret_why = g_strdup_printf("a device has at most %d tags", REGISTRY_TAGS_MAX);
        return NULL;
    }
    return tags_take(g_steal_pointer(&tags));
}

RegistryTags *
registry_tags_new(const char *const *tags, char **ret_why)
{
    return registry_tags_edit(NULL, tags, NULL, ret_why);
}

RegistryTags *
registry_tags_parse(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", REGISTRY_TAGS_MAX + 1);
    GPtrArray *tags = g_ptr_array_new_with_free_func(g_free);

    for (char **line = lines; *line && tags->len < REGISTRY_TAGS_MAX; line++)
        if (registry_tag_is_valid(*line, NULL))
            tags_put(tags, *line);
    return tags_take(tags);
}

char *
registry_tags_format(const RegistryTags *tags)
{
    return tags ? g_strjoinv("\n", tags->list) : g_strdup("");
}

const char *const *
registry_tags_list(const RegistryTags *tags)
{
    static const char *const none[] = {NULL};

    return tags ? (const char *const *)tags->list : none;
}

const char *
registry_tags_get(const RegistryTags *tags, const char *key)
{
    gsize len = strlen(key);

    for (const char *const *tag = registry_tags_list(tags); *tag; tag++)
        if (tag_compare(*tag, key_length(*tag), key, len) == 0)
            return *tag + len + 1;
    return NULL;
}

RegistryTags *
registry_tags_ref(const RegistryTags *tags)
{
    RegistryTags *self = (RegistryTags *)(guintptr)tags;

    if (self)
        (void)atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed);
    return self;
}

void
registry_tags_unref(RegistryTags *tags)
{
    if (!tags || atomic_fetch_sub_explicit(&tags->refs, 1, memory_order_acq_rel) > 1)
        return;
    g_strfreev(tags->list);
    g_free(tags);
}
