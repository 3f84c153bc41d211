/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/bus/variant.h"

#include <fcntl.h>
#include <string.h>

static int bus_variant_append_value(sd_bus_message *message, GVariant *value);

static int
bus_variant_append_members(sd_bus_message *message, GVariant *container)
{
    int r = 0;

    for (gsize i = 0; r >= 0 && i < g_variant_n_children(container); i++) {
        g_autoptr(GVariant) member = g_variant_get_child_value(container, i);

        r = bus_variant_append_value(message, member);
    }
    return r;
}

/* For a container sd-bus needs its kind and the signature of what is inside. */
static int
bus_variant_append_container(sd_bus_message *message, GVariant *value, char kind)
{
    g_autofree char *contents = NULL;
    const char *type = g_variant_get_type_string(value);
    int r;

    if (kind == 'v') {
        g_autoptr(GVariant) inner = g_variant_get_variant(value);

        contents = g_strdup(g_variant_get_type_string(inner));
    } else if (kind == 'a') {
        contents = g_strdup(type + 1);
    } else {
        contents = g_strndup(type + 1, strlen(type) - 2);
    }
    r = sd_bus_message_open_container(message, kind, contents);
    if (r >= 0)
        r = bus_variant_append_members(message, value);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int
bus_variant_append_value(sd_bus_message *message, GVariant *value)
{
    const char *type = g_variant_get_type_string(value);
    gint32 handle;
    int flag;

    switch (*type) {
    case 's':
    case 'o':
    case 'g':
        return sd_bus_message_append_basic(message, *type, g_variant_get_string(value, NULL));
    case 'b':
        flag = g_variant_get_boolean(value);
        return sd_bus_message_append_basic(message, 'b', &flag);
    case 'h':
        handle = g_variant_get_handle(value);
        return sd_bus_message_append_basic(message, 'h', &handle);
    case 'a':
        return bus_variant_append_container(message, value, 'a');
    case '(':
        return bus_variant_append_container(message, value, 'r');
    case '{':
        return bus_variant_append_container(message, value, 'e');
    case 'v':
        return bus_variant_append_container(message, value, 'v');
    default: /* fixed size: the serialized form is the number itself */
        return sd_bus_message_append_basic(message, *type, g_variant_get_data(value));
    }
}

int
bus_variant_append(sd_bus_message *message, GVariant *tuple)
{
    return bus_variant_append_members(message, tuple);
}

static GVariant *bus_variant_read_value(sd_bus_message *message);

static GVariant *
bus_variant_read_basic(sd_bus_message *message, char type)
{
    union {
        guint8 y;
        gint16 n;
        guint16 q;
        gint32 i;
        guint32 u;
        gint64 x;
        guint64 t;
        double d;
        int b;
        const char *s;
    } value = {0};

    if (sd_bus_message_read_basic(message, type, &value) < 0)
        return NULL;
    switch (type) {
    case 's':
        return g_variant_new_string(value.s);
    case 'o':
        return g_variant_new_object_path(value.s);
    case 'g':
        return g_variant_new_signature(value.s);
    case 'b':
        return g_variant_new_boolean(value.b);
    case 'h':
        return g_variant_new_handle(fcntl(value.i, F_DUPFD_CLOEXEC, 3));
    case 'y':
        return g_variant_new_byte(value.y);
    case 'n':
        return g_variant_new_int16(value.n);
    case 'q':
        return g_variant_new_uint16(value.q);
    case 'i':
        return g_variant_new_int32(value.i);
    case 'u':
        return g_variant_new_uint32(value.u);
    case 'x':
        return g_variant_new_int64(value.x);
    case 't':
        return g_variant_new_uint64(value.t);
    case 'd':
        return g_variant_new_double(value.d);
    default:
        return NULL;
    }
}

/* Adds every member up to the end of the container in which MESSAGE is. */
static gboolean
bus_variant_read_members(sd_bus_message *message, GVariantBuilder *builder)
{
    while (sd_bus_message_at_end(message, 0) == 0) {
        GVariant *member = bus_variant_read_value(message);

        if (member == NULL)
            return FALSE;
        g_variant_builder_add_value(builder, member);
    }
    return TRUE;
}

static GVariant *
bus_variant_read_container(sd_bus_message *message, char type, const char *contents)
{
    const char *form = type == 'a' ? "a%s" : type == 'r' ? "(%s)" : type == 'e' ? "{%s}" : "v";
    g_autoptr(GString) signature = g_string_new(NULL);
    g_auto(GVariantBuilder) builder;

    for (const char *p = form; *p != '\0'; p++) {
        if (*p != '%') {
            g_string_append_c(signature, *p);
            continue;
        }
        g_string_append(signature, contents);
        p++;
    }
    g_variant_builder_init(&builder, G_VARIANT_TYPE(signature->str));
    if (sd_bus_message_enter_container(message, type, contents) < 0 ||
        !bus_variant_read_members(message, &builder) || sd_bus_message_exit_container(message) < 0)
        return NULL;
    return g_variant_builder_end(&builder);
}

static GVariant *
bus_variant_read_value(sd_bus_message *message)
{
    const char *contents;
    char type;

    if (sd_bus_message_peek_type(message, &type, &contents) <= 0)
        return NULL;
    if (contents == NULL)
        return bus_variant_read_basic(message, type);
    return bus_variant_read_container(message, type, contents);
}

GVariant *
bus_variant_read(sd_bus_message *message)
{
    g_auto(GVariantBuilder) builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_TUPLE);
    if (!bus_variant_read_members(message, &builder))
        return NULL;
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}
