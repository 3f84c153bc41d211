/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/scope.h"

#include "common/base/glob.h"

#include <string.h>

typedef gboolean (*ValueCheck)(const char *value, char **ret_why);

/* A glob over the letters of device ids and stream names. */
static gboolean
pattern_is_valid(const char *value, char **ret_why)
{
    gsize len = strlen(value);
    gsize good = strspn(value, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._~:*?");

    if (len >= 1 && len <= REGISTRY_SCOPE_PATTERN_MAX && good == len)
        return TRUE;
    *ret_why = g_strdup_printf("a pattern has 1 to %d letters, digits and any of - . _ ~ : * ?",
                               REGISTRY_SCOPE_PATTERN_MAX);
    return FALSE;
}

static gboolean
list_is_valid(char *const *list, ValueCheck check, char **ret_why)
{
    if (list && g_strv_length((char **)list) > REGISTRY_SCOPE_VALUES_MAX) {
        *ret_why = g_strdup_printf("at most %d values of a kind", REGISTRY_SCOPE_VALUES_MAX);
        return FALSE;
    }
    for (; list && *list; list++)
        if (!check(*list, ret_why))
            return FALSE;
    return TRUE;
}

static char **
list_copy(char *const *list)
{
    return list && *list ? g_strdupv((char **)list) : NULL;
}

static gboolean
scope_is_empty(const RegistryScope *scope)
{
    return !registry_scope_is_narrow(scope) && !scope->streams && scope->expires == 0 &&
           scope->streams_max == 0 && scope->opens_per_minute == 0 && scope->bytes_per_day == 0;
}

RegistryScope *
registry_scope_edit(const RegistryScope *base, const RegistryScope *changes,
                    RegistryScopeKinds kinds, char **ret_why)
{
    static const RegistryScope none;
    g_autoptr(RegistryScope) scope = g_new0(RegistryScope, 1);
    const RegistryScope *old = base ? base : &none;
    const RegistryScope *wanted = changes ? changes : &none;

#define PICK(kind, field) ((kinds & REGISTRY_SCOPE_##kind) ? wanted : old)->field
    *ret_why = NULL;
    atomic_init(&scope->refs, 1);
    scope->devices = list_copy(PICK(DEVICES, devices));
    scope->tags = list_copy(PICK(TAGS, tags));
    scope->streams = list_copy(PICK(STREAMS, streams));
    scope->expires = PICK(EXPIRES, expires);
    scope->streams_max = PICK(STREAMS_MAX, streams_max);
    scope->opens_per_minute = PICK(OPENS, opens_per_minute);
    scope->bytes_per_day = PICK(BYTES, bytes_per_day);
#undef PICK
    if (!list_is_valid(scope->devices, pattern_is_valid, ret_why) ||
        !list_is_valid(scope->tags, registry_tag_is_valid, ret_why) ||
        !list_is_valid(scope->streams, pattern_is_valid, ret_why) || scope_is_empty(scope))
        return NULL;
    return g_steal_pointer(&scope);
}

static void
format_list(GString *text, const char *kind, char *const *list)
{
    for (; list && *list; list++)
        g_string_append_printf(text, "%s %s\n", kind, *list);
}

static void
format_number(GString *text, const char *kind, guint64 number)
{
    if (number > 0)
        g_string_append_printf(text, "%s %" G_GUINT64_FORMAT "\n", kind, number);
}

char *
registry_scope_format(const RegistryScope *scope)
{
    GString *text = g_string_new(NULL);

    if (scope) {
        format_list(text, "devices", scope->devices);
        format_list(text, "tag", scope->tags);
        format_list(text, "streams", scope->streams);
        format_number(text, "expires", (guint64)scope->expires);
        format_number(text, "streams-max", scope->streams_max);
        format_number(text, "opens-per-minute", scope->opens_per_minute);
        format_number(text, "bytes-per-day", scope->bytes_per_day);
    }
    return g_string_free(text, FALSE);
}

/* A scope that is being parsed; its lists still grow. */
typedef struct {
    GStrvBuilder *devices, *tags, *streams;
    RegistryScope numbers;
} ScopeReader;

static gboolean
read_number(const char *text, guint64 most, guint64 *ret)
{
    return g_ascii_string_to_unsigned(text, 10, 1, most, ret, NULL);
}

static gboolean
reader_take(ScopeReader *reader, const char *kind, const char *value)
{
    guint64 number = 0;

    if (strcmp(kind, "devices") == 0)
        g_strv_builder_add(reader->devices, value);
    else if (strcmp(kind, "tag") == 0)
        g_strv_builder_add(reader->tags, value);
    else if (strcmp(kind, "streams") == 0)
        g_strv_builder_add(reader->streams, value);
    else if (strcmp(kind, "expires") == 0 && read_number(value, G_MAXINT64, &number))
        reader->numbers.expires = (gint64)number;
    else if (strcmp(kind, "streams-max") == 0 && read_number(value, G_MAXUINT, &number))
        reader->numbers.streams_max = (guint)number;
    else if (strcmp(kind, "opens-per-minute") == 0 && read_number(value, G_MAXUINT, &number))
        reader->numbers.opens_per_minute = (guint)number;
    else if (strcmp(kind, "bytes-per-day") == 0 && read_number(value, G_MAXUINT64, &number))
        reader->numbers.bytes_per_day = number;
    else
        return FALSE;
    return TRUE;
}

static gboolean
reader_read(ScopeReader *reader, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        char *space = strchr(*line, ' ');

        if (!**line && !line[1])
            return TRUE;
        if (!space)
            return FALSE;
        *space = '\0';
        if (!reader_take(reader, *line, space + 1))
            return FALSE;
    }
    return TRUE;
}

gboolean
registry_scope_parse(const char *text, RegistryScope **ret_scope)
{
    g_autoptr(GStrvBuilder) devices = g_strv_builder_new();
    g_autoptr(GStrvBuilder) tags = g_strv_builder_new();
    g_autoptr(GStrvBuilder) streams = g_strv_builder_new();
    ScopeReader reader = {devices, tags, streams, {0}};
    g_auto(GStrv) device_list = NULL;
    g_auto(GStrv) tag_list = NULL;
    g_auto(GStrv) stream_list = NULL;
    g_autofree char *why = NULL;
    RegistryScope *scope;

    if (!reader_read(&reader, text))
        return FALSE;
    reader.numbers.devices = device_list = g_strv_builder_end(devices);
    reader.numbers.tags = tag_list = g_strv_builder_end(tags);
    reader.numbers.streams = stream_list = g_strv_builder_end(streams);
    scope = registry_scope_edit(NULL, &reader.numbers, (RegistryScopeKinds)~0u, &why);
    if (why)
        return FALSE;
    *ret_scope = scope;
    return TRUE;
}

/* Whether NAME matches one of PATTERNS; NULL matches every name. */
static gboolean
patterns_fit(char *const *patterns, const char *name)
{
    if (!patterns)
        return TRUE;
    for (; *patterns; patterns++)
        if (glob_match(*patterns, name))
            return TRUE;
    return FALSE;
}

static gboolean
same_key(const char *one, const char *other)
{
    gsize len = strcspn(one, "=");

    return strcspn(other, "=") == len && memcmp(one, other, len) == 0;
}

/* Whether the device has one of the scope's tags with the key of WANTED. */
static gboolean
key_fits(char *const *list, const char *wanted, const RegistryTags *tags)
{
    g_autofree char *key = g_strndup(wanted, strcspn(wanted, "="));
    const char *value = registry_tags_get(tags, key);

    for (; value && *list; list++)
        if (same_key(*list, wanted) && strcmp(strchr(*list, '=') + 1, value) == 0)
            return TRUE;
    return FALSE;
}

gboolean
registry_scope_has_device(const RegistryScope *scope, const char *id, const RegistryTags *tags)
{
    if (!scope)
        return TRUE;
    if (!patterns_fit(scope->devices, id))
        return FALSE;
    for (char *const *tag = scope->tags; tag && *tag; tag++)
        if (!key_fits(scope->tags, *tag, tags))
            return FALSE;
    return TRUE;
}

gboolean
registry_scope_has_stream(const RegistryScope *scope, const char *name)
{
    return !scope || patterns_fit(scope->streams, name);
}

gboolean
registry_scope_has_expired(const RegistryScope *scope, gint64 now)
{
    return scope && scope->expires > 0 && now >= scope->expires;
}

gboolean
registry_scope_is_narrow(const RegistryScope *scope)
{
    return scope && (scope->devices || scope->tags);
}

RegistryScope *
registry_scope_ref(const RegistryScope *scope)
{
    RegistryScope *self = (RegistryScope *)(guintptr)scope;

    if (self)
        (void)atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed);
    return self;
}

void
registry_scope_unref(RegistryScope *scope)
{
    if (!scope || atomic_fetch_sub_explicit(&scope->refs, 1, memory_order_acq_rel) > 1)
        return;
    g_strfreev(scope->devices);
    g_strfreev(scope->tags);
    g_strfreev(scope->streams);
    g_free(scope);
}
