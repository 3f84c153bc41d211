/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/extension/client-type.h"

#include <string.h>

#define CAPS_PART "(caps="
#define INSTANCE_PART "(instance="

static void
instance_read(const char *text, char ret_instance[INSTANCE_LEN + 1])
{
    const char *part = strstr(text, INSTANCE_PART);

    if (!part)
        return;
    part += strlen(INSTANCE_PART);
    for (gsize i = 0; i < INSTANCE_LEN; i++)
        if (!g_ascii_isdigit(part[i]) && (part[i] < 'a' || part[i] > 'f'))
            return;
    if (part[INSTANCE_LEN] != ')')
        return;
    memcpy(ret_instance, part, INSTANCE_LEN);
    ret_instance[INSTANCE_LEN] = '\0';
}

/* What is before the parts, up to CLIENT_NAME_MAX bytes. */
static char *
name_read(const char *text)
{
    const char *caps = strstr(text, CAPS_PART), *instance = strstr(text, INSTANCE_PART);
    gsize len = strlen(text);
    g_autofree char *name = NULL;

    len = MIN(len, caps ? (gsize)(caps - text) : len);
    len = MIN(len, instance ? (gsize)(instance - text) : len);
    name = g_strndup(text, MIN(len, CLIENT_NAME_MAX));
    for (char *c = name; *c; c++)
        if (!g_ascii_isprint(*c))
            *c = '?';
    g_strstrip(name);
    return *name ? g_steal_pointer(&name) : NULL;
}

void
client_type_parse(const char *text, ClientType *ret)
{
    *ret = (ClientType){0};
    if (!text)
        return;
    ret->caps = caps_from_client_type(text);
    ret->name = name_read(text);
    instance_read(text, ret->instance);
}

void
client_type_clear(ClientType *type)
{
    g_clear_pointer(&type->name, g_free);
}

/* The instance is in a part of its own: a hub that does not know it finds the capabilities. */
char *
client_type_format(const char *version, Caps caps, const char *instance)
{
    g_autofree char *names = caps_format(caps, ',');
    g_autofree char *type = g_strdup_printf("streamd/%s " CAPS_PART "%s)", version, names);

    return instance ? g_strdup_printf("%s " INSTANCE_PART "%s)", type, instance)
                    : g_steal_pointer(&type);
}

void
instance_make(char ret_instance[INSTANCE_LEN + 1])
{
    (void)g_snprintf(ret_instance, INSTANCE_LEN + 1, "%08x%08x", g_random_int(), g_random_int());
}
