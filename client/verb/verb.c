/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb/verb.h"

#include "client/show/properties.h"
#include "common/cli/output.h"

#include <unistd.h>

#define WAIT_DEFAULT 60 /* seconds; the most that the hub waits */
#define WAIT_MAX 60
#define TIMEOUT_DEFAULT 20
#define TIMEOUT_MAX 60
#define CALL_MARGIN 15 /* for TLS, DNS and the bus, on top of the time for the device */

/* Root without a session, as under sudo, has no streamd of its own. */
gboolean
verb_is_for_system(const Cli *cli)
{
    return cli->given[OPTION_SYSTEM] ||
           (!cli->given[OPTION_USER] && geteuid() == 0 &&
            g_getenv("DBUS_SESSION_BUS_ADDRESS") == NULL && g_getenv("XDG_RUNTIME_DIR") == NULL);
}

Bus *
verb_open_bus(const Cli *cli, GError **error)
{
    return bus_open(verb_is_for_system(cli), !cli->given[OPTION_NO_ASK_PASSWORD], error);
}

Bus *
verb_open_bus_to_look(const Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);

    if (bus == NULL)
        return NULL;
    if (!cli->given[OPTION_ALL])
        (void)bus_watch(bus, FALSE, NULL); /* if refused, only one's own are shown */
    else if (!bus_watch(bus, TRUE, error))
        return NULL;
    return g_steal_pointer(&bus);
}

ExitCode
verb_code(GError *const *error)
{
    return *error != NULL && (*error)->domain == EXIT_ERROR ? (ExitCode)(*error)->code
                                                            : EXIT_CODE_OTHER;
}

ExitCode
verb_missing(const char *key, const char *missing, GError **error)
{
    g_autofree char *quoted = g_strdup_printf("'%s'", key);
    g_autofree char *text = output_fill(missing, quoted);

    if (verb_code(error) != EXIT_CODE_NOT_FOUND)
        return verb_code(error);
    g_clear_error(error);
    return cli_fail(error, EXIT_CODE_NOT_FOUND, "%s", text);
}

ExitCode
verb_call_object(const Cli *cli, const char *prefix, const char *interface, const char *key,
                 const char *member, const char *missing, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) reply = NULL;
    g_autofree char *path = NULL;

    if (bus == NULL)
        return verb_code(error);
    path = bus_path(prefix, key);
    reply = bus_call(bus, path, interface, member, NULL, 0, error);
    if (reply != NULL)
        return EXIT_CODE_OK;
    return verb_missing(key, missing, error);
}

ExitCode
verb_show_object(const Cli *cli, const char *prefix, const char *interface, const char *key,
                 const char *missing, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus_to_look(cli, error);
    g_autoptr(GVariant) properties = NULL;
    g_autofree char *path = NULL;

    if (bus == NULL)
        return verb_code(error);
    path = bus_path(prefix, key);
    properties = bus_properties(bus, path, interface, error);
    if (properties == NULL)
        return verb_missing(key, missing, error);
    show_properties(cli, properties);
    return EXIT_CODE_OK;
}

GVariant *
verb_objects_variant(GPtrArray *objects)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < objects->len; i++)
        g_variant_builder_add_value(&builder,
                                    ((BusObject *)g_ptr_array_index(objects, i))->properties);
    return g_variant_builder_end(&builder);
}

void
verb_add_string(GVariantBuilder *builder, const char *key, const char *value)
{
    if (value != NULL)
        g_variant_builder_add(builder, "{sv}", key, g_variant_new_string(value));
}

gboolean
verb_add_times(const Cli *cli, GVariantBuilder *builder, gint64 *ret_limit, GError **error)
{
    guint64 wait = cli->given[OPTION_WAIT] ? WAIT_DEFAULT : 0, timeout = TIMEOUT_DEFAULT;

    if (cli->values[OPTION_WAIT] != NULL &&
        !cli_number(cli, OPTION_WAIT, 0, WAIT_MAX, &wait, error))
        return FALSE;
    if (!cli_number(cli, OPTION_TIMEOUT, 1, TIMEOUT_MAX, &timeout, error))
        return FALSE;
    if (wait > 0)
        g_variant_builder_add(builder, "{sv}", "wait",
                              g_variant_new_uint64(wait * G_TIME_SPAN_SECOND));
    if (cli->given[OPTION_TIMEOUT])
        g_variant_builder_add(builder, "{sv}", "timeout",
                              g_variant_new_uint64(timeout * G_TIME_SPAN_SECOND));
    *ret_limit = (gint64)(wait + timeout + CALL_MARGIN) * G_TIME_SPAN_SECOND;
    return TRUE;
}

void
verb_add_resume(const Cli *cli, GVariantBuilder *builder)
{
    if (cli->given[OPTION_NO_RESUME])
        g_variant_builder_add(builder, "{sv}", "resume", g_variant_new_boolean(FALSE));
}
