/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/admission.h"

#include "common/bus/names.h"
#include "daemon/bus/access.h"
#include "daemon/bus/bouncer.h"
#include "daemon/bus/context.h"
#include "daemon/bus/error.h"
#include "daemon/bus/introspect.h"
#include "daemon/bus/kind.h"
#include "daemon/bus/quota.h"
#include "daemon/policy/user-list.h"

#include <string.h>
#include <unistd.h>

/* What polkit is told appears in a dialogue and in an administrator's rules. */
#define DETAIL_MAX 256

/* FALSE for text that could make a dialogue show something other than what is asked for. */
static gboolean
detail_is_plain(const char *text)
{
    if (strlen(text) > DETAIL_MAX)
        return FALSE;
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);

        if (c != ' ' && (!g_unichar_isgraph(c) || g_unichar_isspace(c)))
            return FALSE;
    }
    return TRUE;
}

static int
details_add(GStrvBuilder *details, const char *name, const char *value, sd_bus_error *error)
{
    if (*value == '\0')
        return 0;
    if (!detail_is_plain(value))
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "the %s is longer than %d bytes, or not printable", name, DETAIL_MAX);
    g_strv_builder_add(details, name);
    g_strv_builder_add(details, value);
    return 0;
}

/* What is opened has its names checked before polkit is asked. */
static int
admission_check_names(sd_bus_message *message, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    const char *hub, *device, *stream;
    int r = sd_bus_message_read(message, "sss", &hub, &device, &stream);

    if (r >= 0)
        r = sd_bus_message_rewind(message, 1);
    if (r >= 0 && !app_check_names(device, stream, &failure))
        r = bus_error_set(error, failure);
    return r;
}

/* The hub of that name; NAME may be empty when there is only one. NULL: there is none, and the call
 * itself will fail with that error. */
static Hub *
admission_hub(BusContext *context, const char *name)
{
    return app_resolve_hub(context->app, name, HUB_ROLE_SERVICE, NULL);
}

static int
admission_read_details(BusContext *context, const BusAccess *access, sd_bus_message *message,
                       GStrvBuilder *details, sd_bus_error *error)
{
    g_autofree char *prefix = NULL;
    g_autofree char *key = NULL;
    int r = 0;

    for (guint i = 0; r >= 0 && access->details[i] != NULL; i++) {
        const char *value;
        const Hub *hub = NULL;

        r = sd_bus_message_read(message, "s", &value);
        if (r >= 0 && access->opens && i == 0)
            hub = admission_hub(context, value);
        if (r >= 0)
            r = details_add(details, access->details[i], hub != NULL ? hub_name(hub) : value,
                            error);
    }
    if (r < 0 || access->object == NULL)
        return r;
    prefix = g_strconcat(BUS_ROOT "/", access->object, NULL);
    r = sd_bus_path_decode(sd_bus_message_get_path(message), prefix, &key);
    return r > 0 ? details_add(details, access->object, key, error) : r;
}

/* Whether a call has the arguments of its method. If not, polkit is not asked. */
static gboolean
admission_has_arguments(const BusAccess *access, sd_bus_message *message)
{
    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++) {
        if (strcmp((*kind)->interface, access->interface) != 0)
            continue;
        for (const sd_bus_vtable *row = (*kind)->vtable; row->type != _SD_BUS_VTABLE_END; row++)
            if (row->type == _SD_BUS_VTABLE_METHOD &&
                strcmp(row->x.method.member, access->member) == 0)
                return sd_bus_message_has_signature(message, row->x.method.signature) > 0;
    }
    return FALSE;
}

static gboolean
admission_in_group(gid_t group, const void *caller)
{
    return caller_in_group(caller, group);
}

/* The user list of a hub decides for whom polkit is asked at all. After that polkit decides. */
static int
admission_check_users(BusContext *context, const Caller *caller, sd_bus_message *message,
                      sd_bus_error *error)
{
    const char *name;
    const Hub *hub;
    int r;

    r = sd_bus_message_read(message, "s", &name);
    if (r >= 0)
        r = sd_bus_message_rewind(message, 1);
    if (r < 0)
        return r;
    hub = admission_hub(context, name);
    if (hub == NULL || *hub_allowed_users(hub) == '\0' ||
        user_list_has(hub_allowed_users(hub), caller_uid(caller), admission_in_group, caller))
        return 0;
    return bus_error_setf(error, STREAMD_ERROR_DENIED,
                          "user %u is not among the allowed users of the hub \"%s\"",
                          (unsigned)caller_uid(caller), hub_name(hub));
}

/* Whether CALLER owns the stream or tunnel. An object that does not exist belongs to nobody. */
static gboolean
admission_is_owner(BusContext *context, const Caller *caller, sd_bus_message *message)
{
    const char *path = sd_bus_message_get_path(message);
    App *app = context->app;
    const Stream *stream = NULL;
    const Tunnel *tunnel = NULL;
    const char *key = strrchr(path, '/');
    guint64 id;

    if (key == NULL || !g_ascii_string_to_unsigned(key + 1, 10, 1, G_MAXUINT64, &id, NULL))
        return FALSE;
    if (g_str_has_prefix(path, BUS_PATH_STREAM "/"))
        stream = app_find_stream(app, id);
    else if (g_str_has_prefix(path, BUS_PATH_TUNNEL "/"))
        tunnel = app_find_tunnel(app, id);
    return (stream != NULL && stream_owner_uid(stream) == caller_uid(caller)) ||
           (tunnel != NULL && tunnel_owner_uid(tunnel) == caller_uid(caller));
}

/* All details, and the question in which they are put, which polkit takes as two details more. The
 * action's own message is for a call that lacks one, for example the hub when nobody knows which:
 * polkit would show "$(hub)" there. Caller frees. */
static char **
admission_end_details(const BusAccess *access, GStrvBuilder *details)
{
    g_auto(GStrv) known = g_strv_builder_end(details);
    const guint all =
        g_strv_length((char **)(guintptr)access->details) + (access->object != NULL ? 1 : 0);
    const gboolean names_hub = known[0] != NULL && strcmp(known[0], "hub") == 0;
    const char *question =
        names_hub && g_strv_length(known) == 2 * all ? bus_access_question(access->action) : NULL;

    g_strv_builder_addv(details, (const char **)known);
    if (question != NULL)
        g_strv_builder_add_many(details, "polkit.message", question, "polkit.gettext_domain",
                                "streamd", NULL);
    return g_strv_builder_end(details);
}

static int
admission_ask(BusContext *context, Caller *caller, const BusAccess *access, sd_bus_message *message,
              sd_bus_error *error)
{
    g_autoptr(GStrvBuilder) details = g_strv_builder_new();
    g_auto(GStrv) list = NULL;
    int r;

    if (!admission_has_arguments(access, message))
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "%s does not take arguments of the types '%s'", access->member,
                                 sd_bus_message_get_signature(message, 1));
    r = access->opens ? admission_check_users(context, caller, message, error) : 0;
    if (r >= 0 && access->opens && access->details[1] != NULL)
        r = admission_check_names(message, error);
    if (r >= 0)
        r = admission_read_details(context, access, message, details, error);
    if (r < 0)
        return r;
    list = admission_end_details(access, details);
    return bouncer_check(context->bouncer, caller, message, access->action,
                         (const char *const *)list, error);
}

/* Counts a call when it comes, not again when polkit has answered. Root and streamd itself have no
 * limit. */
static gboolean
admission_is_too_fast(BusContext *context, const Caller *caller, sd_bus_message *message)
{
    uid_t uid = caller_uid(caller);

    return uid != 0 && uid != getuid() && !bouncer_knows(context->bouncer, message) &&
           !quotas_take_call(context->quotas, uid, g_get_monotonic_time());
}

static int
admission_check(BusContext *context, Caller *caller, sd_bus_message *message,
                const BusAccess *access, sd_bus_error *error)
{
    int r;

    if (!context->options.system && caller_uid(caller) != getuid())
        return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED,
                                 "this streamd serves processes of user %u only",
                                 (unsigned)getuid());
    if (admission_is_too_fast(context, caller, message))
        return bus_error_setf(
            error, STREAMD_ERROR_LIMIT, "user %u makes more than %d calls a second (%d at once)",
            (unsigned)caller_uid(caller), QUOTA_CALLS_PER_SECOND, QUOTA_CALLS_BURST);
    r = bus_introspect_check(message, error);
    if (r < 0)
        return r;
    if (access == NULL) /* the default of the table, should anything ever get past that */
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "this may not be called");
    if (!context->options.system || *access->action == '\0' ||
        bus_context_is_privileged(context, caller) ||
        (access->owner && admission_is_owner(context, caller, message)))
        return 0;
    return admission_ask(context, caller, access, message, error);
}

/* Not what was wrong or too much: only what the caller has no right to. */
static gboolean
admission_is_denial(const sd_bus_error *error)
{
    return sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_AUTH_FAILED) ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

static void
admission_record(BusContext *context, sd_bus_message *message, const BusAccess *access)
{
    g_autofree char *what = g_strdup_printf("%s.%s", access->interface, access->member);

    bus_context_record(context, message, EVENT_CHANGE_DENIED, &(EventData){.detail = what});
}

int
bus_admission_check(Caller *caller, sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = data;
    const BusAccess *access =
        bus_access_find(sd_bus_message_get_interface(message), sd_bus_message_get_member(message));
    int r = admission_check(context, caller, message, access, error);

    if (access != NULL && access->changes && r >= 0)
        app_expect_record(context->app, caller_uid(caller));
    else if (access != NULL && access->changes && admission_is_denial(error))
        admission_record(context, message, access);
    return r;
}
