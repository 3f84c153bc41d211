/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/introspect.h"

#include "common/bus/names.h"
#include "daemon/bus/kind.h"

#include <string.h>

#define DOCTYPE                                                                                    \
    "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"           \
    "  \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"

/* The interfaces of every object, which sd-bus answers, and on the root bus/objects.c. */
#define STANDARD_INTERFACES                                                                        \
    "  <interface name=\"org.freedesktop.DBus.Peer\">\n"                                           \
    "    <method name=\"Ping\"/>\n"                                                                \
    "    <method name=\"GetMachineId\">\n"                                                         \
    "      <arg name=\"machine_uuid\" type=\"s\" direction=\"out\"/>\n"                            \
    "    </method>\n"                                                                              \
    "  </interface>\n"                                                                             \
    "  <interface name=\"org.freedesktop.DBus.Introspectable\">\n"                                 \
    "    <method name=\"Introspect\">\n"                                                           \
    "      <arg name=\"xml_data\" type=\"s\" direction=\"out\"/>\n"                                \
    "    </method>\n"                                                                              \
    "  </interface>\n"                                                                             \
    "  <interface name=\"org.freedesktop.DBus.Properties\">\n"                                     \
    "    <method name=\"Get\">\n"                                                                  \
    "      <arg name=\"interface_name\" type=\"s\" direction=\"in\"/>\n"                           \
    "      <arg name=\"property_name\" type=\"s\" direction=\"in\"/>\n"                            \
    "      <arg name=\"value\" type=\"v\" direction=\"out\"/>\n"                                   \
    "    </method>\n"                                                                              \
    "    <method name=\"GetAll\">\n"                                                               \
    "      <arg name=\"interface_name\" type=\"s\" direction=\"in\"/>\n"                           \
    "      <arg name=\"props\" type=\"a{sv}\" direction=\"out\"/>\n"                               \
    "    </method>\n"                                                                              \
    "    <method name=\"Set\">\n"                                                                  \
    "      <arg name=\"interface_name\" type=\"s\" direction=\"in\"/>\n"                           \
    "      <arg name=\"property_name\" type=\"s\" direction=\"in\"/>\n"                            \
    "      <arg name=\"value\" type=\"v\" direction=\"in\"/>\n"                                    \
    "    </method>\n"                                                                              \
    "    <signal name=\"PropertiesChanged\">\n"                                                    \
    "      <arg name=\"interface_name\" type=\"s\"/>\n"                                            \
    "      <arg name=\"changed_properties\" type=\"a{sv}\"/>\n"                                    \
    "      <arg name=\"invalidated_properties\" type=\"as\"/>\n"                                   \
    "    </signal>\n"                                                                              \
    "  </interface>\n"

#define OBJECT_MANAGER_INTERFACE                                                                   \
    "  <interface name=\"org.freedesktop.DBus.ObjectManager\">\n"                                  \
    "    <method name=\"GetManagedObjects\">\n"                                                    \
    "      <arg name=\"object_paths_interfaces_and_properties\" type=\"a{oa{sa{sv}}}\" "           \
    "direction=\"out\"/>\n"                                                                        \
    "    </method>\n"                                                                              \
    "    <signal name=\"InterfacesAdded\">\n"                                                      \
    "      <arg name=\"object_path\" type=\"o\"/>\n"                                               \
    "      <arg name=\"interfaces_and_properties\" type=\"a{sa{sv}}\"/>\n"                         \
    "    </signal>\n"                                                                              \
    "    <signal name=\"InterfacesRemoved\">\n"                                                    \
    "      <arg name=\"object_path\" type=\"o\"/>\n"                                               \
    "      <arg name=\"interfaces\" type=\"as\"/>\n"                                               \
    "    </signal>\n"                                                                              \
    "  </interface>\n"

/* The length of the first complete type of a valid signature. */
static gsize
introspect_type_length(const char *signature)
{
    gsize at = strspn(signature, "a");
    guint depth = 0;

    do {
        if (signature[at] == '(' || signature[at] == '{')
            depth++;
        if (signature[at] == ')' || signature[at] == '}')
            depth--;
        at++;
    } while (depth > 0);
    return at;
}

/* Appends the arguments of one direction; returns where the names of the others begin. */
static const char *
introspect_arguments(GString *xml, const char *signature, const char *names, const char *direction)
{
    while (*signature != '\0') {
        gsize length = introspect_type_length(signature);

        g_string_append_printf(xml, "      <arg name=\"%s\" type=\"%.*s\" direction=\"%s\"/>\n",
                               names, (int)length, signature, direction);
        signature += length;
        names += strlen(names) + 1;
    }
    return names;
}

static void
introspect_method(GString *xml, const sd_bus_vtable *row)
{
    /* SD_BUS_NO_ARGS and SD_BUS_NO_RESULT are NULL. */
    const char *in = row->x.method.signature != NULL ? row->x.method.signature : "";
    const char *out = row->x.method.result != NULL ? row->x.method.result : "";
    const char *names = row->x.method.names;

    g_string_append_printf(xml, "    <method name=\"%s\"", row->x.method.member);
    if (*in == '\0' && *out == '\0') {
        g_string_append(xml, "/>\n");
        return;
    }
    g_string_append(xml, ">\n");
    names = introspect_arguments(xml, in, names, "in");
    (void)introspect_arguments(xml, out, names, "out");
    g_string_append(xml, "    </method>\n");
}

static void
introspect_property(GString *xml, const sd_bus_vtable *row)
{
    const char *emits = "false";

    if (row->flags & SD_BUS_VTABLE_PROPERTY_CONST)
        emits = "const";
    if (row->flags & SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
        emits = "true";
    g_string_append_printf(
        xml,
        "    <property name=\"%s\" type=\"%s\" access=\"read\">\n"
        "      <annotation name=\"org.freedesktop.DBus.Property.EmitsChangedSignal\" "
        "value=\"%s\"/>\n"
        "    </property>\n",
        row->x.property.member, row->x.property.signature, emits);
}

static void
introspect_kind(GString *xml, const BusKind *kind)
{
    g_string_append_printf(xml, "  <interface name=\"%s\">\n", kind->interface);
    for (const sd_bus_vtable *row = kind->vtable; row->type != _SD_BUS_VTABLE_END; row++) {
        if (row->type == _SD_BUS_VTABLE_METHOD)
            introspect_method(xml, row);
        if (row->type == _SD_BUS_VTABLE_PROPERTY)
            introspect_property(xml, row);
    }
    g_string_append(xml, "  </interface>\n");
}

static gboolean
introspect_is_at(const BusKind *kind, const char *path)
{
    gsize length = strlen(kind->prefix);

    if (kind->list == NULL)
        return strcmp(kind->prefix, path) == 0;
    return strncmp(kind->prefix, path, length) == 0 && path[length] == '/' &&
           path[length + 1] != '\0' && strchr(path + length + 1, '/') == NULL;
}

char *
bus_introspect(const char *path)
{
    gboolean root = strcmp(path, BUS_ROOT) == 0, found = FALSE;
    g_autoptr(GString) xml = g_string_new(DOCTYPE "<node>\n" STANDARD_INTERFACES);

    if (root)
        g_string_append(xml, OBJECT_MANAGER_INTERFACE);
    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++) {
        if (introspect_is_at(*kind, path)) {
            introspect_kind(xml, *kind);
            found = TRUE;
        } else if (root) {
            g_string_append_printf(xml, "  <node name=\"%s\"/>\n",
                                   (*kind)->prefix + strlen(BUS_ROOT "/"));
        }
    }
    g_string_append(xml, "</node>\n");
    return found ? g_strdup(xml->str) : NULL;
}
