/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/introspect.h"

#include "common/base/nearest.h"
#include "common/bus/names.h"
#include "daemon/bus/access.h"
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

/* A node on the way to the objects: it has only what every object has. */
static gboolean
introspect_is_above(const char *path)
{
    gsize length = strlen(path);

    if (strcmp(path, "/") == 0)
        return TRUE;
    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++)
        if (strncmp((*kind)->prefix, path, length) == 0 &&
            ((*kind)->prefix[length] == '/' || (*kind)->prefix[length] == '\0'))
            return TRUE;
    return FALSE;
}

/* The interfaces of the object at PATH; empty: there can be none. */
static GPtrArray *
introspect_interfaces(const char *path)
{
    GPtrArray *found = g_ptr_array_new();

    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++)
        if (introspect_is_at(*kind, path))
            g_ptr_array_add(found, (gpointer)(*kind)->interface);
    if (strcmp(path, BUS_PATH_LOG) == 0)
        g_ptr_array_add(found, BUS_LOG);
    if (found->len == 0 && !introspect_is_above(path))
        return found;
    if (strcmp(path, BUS_ROOT) == 0)
        g_ptr_array_add(found, BUS_OBJECT_MANAGER);
    g_ptr_array_add(found, BUS_PROPERTIES);
    g_ptr_array_add(found, BUS_INTROSPECTABLE);
    g_ptr_array_add(found, BUS_PEER);
    return found;
}

static gboolean
introspect_has(GPtrArray *interfaces, const char *interface)
{
    return g_ptr_array_find_with_equal_func(interfaces, interface, g_str_equal, NULL);
}

/* What is said after the name that nobody knows. MEANT NULL: nothing is near. */
static char *
introspect_hint(const char *before, const char *meant)
{
    return meant != NULL ? g_strdup_printf("; did you mean %s%s?", before, meant) : g_strdup("");
}

static int
introspect_no_object(const char *path, sd_bus_error *error)
{
    g_autofree char *hint = NULL, *word = NULL, *meant = NULL;
    const char *near = NULL, *rest = "";
    guint distance = 0;

    if (g_str_has_prefix(path, BUS_ROOT "/")) {
        word = g_strdup(path + strlen(BUS_ROOT "/"));
        rest = strchr(path + strlen(BUS_ROOT "/"), '/');
        word[strcspn(word, "/")] = '\0';
        for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++)
            if ((*kind)->list != NULL)
                nearest_consider(word, (*kind)->prefix + strlen(BUS_ROOT "/"), &near, &distance);
        meant = near != NULL ? g_strconcat(near, rest != NULL ? rest : "", NULL) : NULL;
        hint = introspect_hint(BUS_ROOT "/", meant);
    } else {
        hint = introspect_hint("", BUS_ROOT);
    }
    return sd_bus_error_setf(error, SD_BUS_ERROR_UNKNOWN_OBJECT, "there is no object %s%s", path,
                             hint);
}

/* Where else INTERFACE is; NULL: nowhere. */
static const BusKind *
introspect_kind_of(const char *interface)
{
    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++)
        if (strcmp((*kind)->interface, interface) == 0)
            return *kind;
    return NULL;
}

static int
introspect_no_interface(const char *path, GPtrArray *interfaces, const char *interface,
                        sd_bus_error *error)
{
    const BusKind *elsewhere = introspect_kind_of(interface);
    g_autofree char *hint = NULL;
    const char *near = NULL;
    guint distance = 0;

    for (guint i = 0; elsewhere == NULL && i < interfaces->len; i++)
        nearest_consider(interface, g_ptr_array_index(interfaces, i), &near, &distance);
    if (elsewhere != NULL)
        hint = g_strdup_printf("; it is at %s%s", elsewhere->prefix,
                               elsewhere->list != NULL ? "/NAME" : "");
    else
        hint = introspect_hint("", near);
    return sd_bus_error_setf(error, SD_BUS_ERROR_UNKNOWN_INTERFACE,
                             "the object %s has no interface %s%s", path, interface, hint);
}

/* INTERFACE NULL, which D-Bus allows: it has to be said here, as it decides who may call. */
static int
introspect_no_method(GPtrArray *interfaces, const char *interface, const char *member,
                     sd_bus_error *error)
{
    guint count, distance = 0;
    const BusAccess *rows = bus_access_rows(&count);
    g_autofree char *hint = NULL;
    const char *near = NULL;

    for (guint i = 0; i < count; i++) {
        if (interface != NULL && strcmp(rows[i].interface, interface) == 0)
            nearest_consider(member, rows[i].member, &near, &distance);
        if (interface == NULL && strcmp(rows[i].member, member) == 0 &&
            introspect_has(interfaces, rows[i].interface))
            near = rows[i].interface;
    }
    hint = introspect_hint("", near);
    if (interface == NULL)
        return sd_bus_error_setf(error, SD_BUS_ERROR_UNKNOWN_METHOD,
                                 "the call of %s names no interface%s", member, hint);
    return sd_bus_error_setf(error, SD_BUS_ERROR_UNKNOWN_METHOD, "%s has no method %s%s", interface,
                             member, hint);
}

static int
introspect_check_property(const char *interface, const char *property, sd_bus_error *error)
{
    const BusKind *kind = introspect_kind_of(interface);
    g_autofree char *hint = NULL;
    const char *near = NULL;
    guint distance = 0;

    for (const sd_bus_vtable *row = kind != NULL ? kind->vtable : NULL;
         row != NULL && row->type != _SD_BUS_VTABLE_END; row++) {
        if (row->type != _SD_BUS_VTABLE_PROPERTY)
            continue;
        if (strcmp(row->x.property.member, property) == 0)
            return 0;
        nearest_consider(property, row->x.property.member, &near, &distance);
    }
    hint = introspect_hint("", near);
    return sd_bus_error_setf(error, SD_BUS_ERROR_UNKNOWN_PROPERTY, "%s has no property %s%s",
                             interface, property, hint);
}

/* Get, Set and GetAll name an interface, and two of them a property. Wrong types are left to
 * sd-bus, and so is what the log has. */
static int
introspect_check_properties(sd_bus_message *call, GPtrArray *interfaces, sd_bus_error *error)
{
    gboolean all = strcmp(sd_bus_message_get_member(call), "GetAll") == 0;
    const char *interface, *property = NULL;
    int r;

    if (!g_str_has_prefix(sd_bus_message_get_signature(call, 1), all ? "s" : "ss"))
        return 0;
    r = sd_bus_message_read(call, "s", &interface);
    if (r >= 0 && !all)
        r = sd_bus_message_read(call, "s", &property);
    if (r >= 0 && *interface != '\0' && !introspect_has(interfaces, interface))
        r = introspect_no_interface(sd_bus_message_get_path(call), interfaces, interface, error);
    else if (r >= 0 && property != NULL && *interface != '\0' && strcmp(interface, BUS_LOG) != 0)
        r = introspect_check_property(interface, property, error);
    return r < 0 ? r : sd_bus_message_rewind(call, 1);
}

int
bus_introspect_check(sd_bus_message *call, sd_bus_error *error)
{
    const char *interface = sd_bus_message_get_interface(call);
    const char *member = sd_bus_message_get_member(call);
    const char *path = sd_bus_message_get_path(call);
    g_autoptr(GPtrArray) interfaces = introspect_interfaces(path);

    if (interfaces->len == 0 && !g_str_has_prefix(path, BUS_ROOT) && interface != NULL &&
        introspect_kind_of(interface) == NULL && bus_access_find(interface, member) != NULL)
        return 0; /* sd-bus answers these anywhere */
    if (interfaces->len == 0)
        return introspect_no_object(path, error);
    if (interface == NULL)
        return introspect_no_method(interfaces, NULL, member, error);
    if (!introspect_has(interfaces, interface))
        return introspect_no_interface(path, interfaces, interface, error);
    if (bus_access_find(interface, member) == NULL)
        return introspect_no_method(interfaces, interface, member, error);
    if (strcmp(interface, BUS_PROPERTIES) == 0)
        return introspect_check_properties(call, interfaces, error);
    return 0;
}
