/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Policy */
#include "common/bus/names.h"
#include "daemon/bus/call.h"
#include "daemon/bus/caller.h"
#include "daemon/bus/error.h"
#include "daemon/bus/kind.h"
#include "daemon/bus/limits.h"
#include "daemon/bus/object/rule.h"

#include <string.h>

/* The largest time that GDateTime can represent, in µs since the epoch. */
#define POLICY_AT_MAX (G_GUINT64_CONSTANT(253402300799) * G_USEC_PER_SEC)

static AcceptPolicy *
bus_policy_of(BusItem *item)
{
    return app_policy(item->context->app);
}

static const char *
bus_policy_verdict(gboolean accept)
{
    return accept ? "accept" : "reject";
}

static int
bus_policy_list(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(sd_bus_message) reply = NULL;
    const AcceptPolicy *policy = bus_policy_of(data);
    int r;

    r = sd_bus_message_new_method_return(message, &reply);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(ta{sv})");
    for (guint i = 0; r >= 0 && i < accept_policy_size(policy); i++)
        r = bus_rule_append(reply, accept_policy_get(policy, i));
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_send(reply);
}

static int
bus_policy_read_verdict(const char *verdict, gboolean *ret_accept, sd_bus_error *error)
{
    if (g_strcmp0(verdict, "accept") != 0 && g_strcmp0(verdict, "reject") != 0)
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "a verdict is 'accept' or 'reject', not '%.64s'",
                              verdict != NULL ? verdict : "");
    *ret_accept = strcmp(verdict, "accept") == 0;
    return 0;
}

static void
bus_policy_added(gpointer object, const GError *error, void *data)
{
    const AcceptRule *rule = object;
    BusCall *call = data;

    if (error != NULL) {
        bus_call_fail(call, error);
        return;
    }
    (void)sd_bus_reply_method_return(bus_call_message(call), "t", (uint64_t)rule->id);
    bus_call_end(call);
}

static int
bus_policy_add(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    const Caller *caller = callers_find(context->callers, message);
    g_autoptr(GError) failure = NULL;
    AppChange *change;
    AcceptRule rule;
    int r, position;
    BusCall *call;

    r = bus_rule_read(message, caller_uid(caller), &rule, &position, error);
    if (r < 0)
        return r;
    call = bus_call_begin(context, message, error);
    if (call == NULL)
        return -EBUSY;
    change = app_add_rule(context->app, &rule, position, bus_policy_added, call, &failure);
    return bus_call_await(call, change, failure);
}

/* Ids are `t` on the bus; one that is too large is the id of no rule. */
static int
bus_policy_check_id(uint64_t id, sd_bus_error *error)
{
    if (id <= G_MAXUINT32)
        return 0;
    return bus_error_setf(error, STREAMD_ERROR_NOT_FOUND, "there is no rule %" PRIu64, id);
}

static int
bus_policy_remove(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    g_autoptr(GError) failure = NULL;
    AppChange *change;
    BusCall *call;
    uint64_t id;
    int r;

    r = sd_bus_message_read(message, "t", &id);
    if (r >= 0)
        r = bus_policy_check_id(id, error);
    if (r < 0)
        return r;
    call = bus_call_begin(context, message, error);
    if (call == NULL)
        return -EBUSY;
    change = app_remove_rule(context->app, (guint32)id, bus_call_changed, call, &failure);
    return bus_call_await(call, change, failure);
}

static int
bus_policy_move(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    g_autoptr(GError) failure = NULL;
    AppChange *change;
    BusCall *call;
    uint64_t id;
    uint32_t position;
    int r;

    r = sd_bus_message_read(message, "tu", &id, &position);
    if (r >= 0)
        r = bus_policy_check_id(id, error);
    if (r < 0)
        return r;
    call = bus_call_begin(context, message, error);
    if (call == NULL)
        return -EBUSY;
    change = app_move_rule(context->app, (guint32)id, (int)MIN(position, ACCEPT_RULES_MAX),
                           bus_call_changed, call, &failure);
    return bus_call_await(call, change, failure);
}

static int
bus_policy_set_default(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    g_autoptr(GError) failure = NULL;
    AppChange *change;
    BusCall *call;
    const char *verdict, *reason = NULL;
    BusOption options[] = {{"reason", 's', &reason}};
    gboolean accept = FALSE;
    int r;

    r = sd_bus_message_read(message, "s", &verdict);
    if (r >= 0)
        r = bus_options_read(message, options, G_N_ELEMENTS(options), error);
    if (r >= 0)
        r = bus_policy_read_verdict(verdict, &accept, error);
    if (r < 0)
        return r;
    if (accept && reason != NULL)
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "'reason' goes with the verdict 'reject'");
    call = bus_call_begin(context, message, error);
    if (call == NULL)
        return -EBUSY;
    change = app_set_default(context->app, accept, reason, bus_call_changed, call, &failure);
    return bus_call_await(call, change, failure);
}

/* The outcome of a test, and why the rules before the deciding one did not match. */
typedef struct {
    AcceptVerdict verdict;
    AcceptMismatch why[ACCEPT_RULES_MAX];
    guint tried;
} Tested;

static int
bus_policy_open_pair(sd_bus_message *message, const char *key, const char *type)
{
    int r;

    r = sd_bus_message_open_container(message, 'e', "sv");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", key);
    return r < 0 ? r : sd_bus_message_open_container(message, 'v', type);
}

static int
bus_policy_close_pair(sd_bus_message *message)
{
    int r = sd_bus_message_close_container(message);

    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int
bus_policy_append_why(sd_bus_message *message, const AcceptPolicy *policy, const Tested *tested)
{
    g_autofree const char **why = g_new0(const char *, tested->tried + 1);
    g_autofree uint64_t *ids = g_new0(uint64_t, tested->tried + 1);
    int r;

    for (guint i = 0; i < tested->tried; i++) {
        why[i] = accept_mismatch_key(tested->why[i]);
        ids[i] = accept_policy_get(policy, i)->id;
    }
    r = bus_policy_open_pair(message, "why", "as");
    if (r >= 0)
        r = sd_bus_message_append_strv(message, (char **)why);
    if (r >= 0)
        r = bus_policy_close_pair(message);
    if (r >= 0)
        r = bus_policy_open_pair(message, "tried", "at");
    if (r >= 0)
        r = sd_bus_message_append_array(message, 't', ids, tested->tried * sizeof *ids);
    return r < 0 ? r : bus_policy_close_pair(message);
}

static int
bus_policy_append_details(sd_bus_message *message, const AcceptVerdict *verdict)
{
    int r;

    r = bus_rule_append_text(message, "target", verdict->target);
    if (r >= 0)
        r = bus_rule_append_text(message, "handler", verdict->handler);
    if (r >= 0 && verdict->kind == ACCEPT_HANDLER)
        r = sd_bus_message_append(message, "{sv}", "handler-uid", "u", verdict->handler_uid);
    if (r >= 0)
        r = bus_rule_append_text(message, "reason", verdict->reject_text);
    return r < 0 ? r : bus_limits_append(message, &verdict->limits);
}

/* A rule may name a target that was removed, and then the stream is refused all the same. Who is
 * asked may choose another. Returns the text, which the caller frees. */
static char *
bus_policy_miss_target(BusItem *item, AcceptVerdict *verdict)
{
    char *text;

    if (verdict->kind != ACCEPT_TARGET ||
        app_find_target(item->context->app, verdict->target) != NULL)
        return NULL;
    text = g_strdup_printf("there is no target '%s'", verdict->target);
    verdict->kind = ACCEPT_REJECT;
    verdict->reject_text = text;
    return text;
}

static int
bus_policy_reply_tested(sd_bus_message *message, const AcceptPolicy *policy, const Tested *tested)
{
    const AcceptVerdict *verdict = &tested->verdict;
    g_autoptr(sd_bus_message) reply = NULL;
    int r;

    r = sd_bus_message_new_method_return(message, &reply);
    if (r >= 0)
        r = sd_bus_message_append(reply, "st", accept_kind_verdict(verdict->kind),
                                  (uint64_t)verdict->rule);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
    if (r >= 0)
        r = bus_policy_append_details(reply, verdict);
    if (r >= 0)
        r = bus_policy_append_why(reply, policy, tested);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_send(reply);
}

static int
bus_policy_test(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const AcceptPolicy *policy = bus_policy_of(data);
    AcceptRequest asked = {0};
    guint64 at = (guint64)g_get_real_time();
    BusOption options[] = {
        {"hub", 's', &asked.hub},
        {"initiator", 's', &asked.initiator},
        {"address", 's', &asked.address},
        {"at", 't', &at},
    };
    g_autofree char *missing = NULL;
    Tested tested;
    int r;

    r = sd_bus_message_read(message, "s", &asked.stream);
    if (r >= 0)
        r = bus_options_check_string("the stream's name", asked.stream, error);
    if (r >= 0)
        r = bus_options_read(message, options, G_N_ELEMENTS(options), error);
    if (r < 0)
        return r;
    if (*asked.stream == '\0')
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "the stream's name is empty");
    if (at > POLICY_AT_MAX)
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "the time is after the year 9999");
    asked.at = (gint64)at;
    tested.verdict = accept_policy_test(policy, &asked, tested.why, &tested.tried);
    missing = bus_policy_miss_target(data, &tested.verdict);
    return bus_policy_reply_tested(message, policy, &tested);
}

static int
bus_policy_get_reason(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const char *reason = NULL;
    gboolean accept = accept_policy_default(bus_policy_of(userdata), &reason);

    return bus_object_append_text(reply, accept || reason == NULL ? "" : reason);
}

BUS_GETTER(bus_policy_get_verdict, App, "s",
           bus_policy_verdict(accept_policy_default(app_policy(object), NULL)))
BUS_GETTER(bus_policy_get_revision, App, "t", context->policy_revision)

static const sd_bus_vtable bus_policy_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ta{sv})", rules),
                            bus_policy_list, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Add", SD_BUS_ARGS("a{sv}", rule), SD_BUS_RESULT("t", id),
                            bus_policy_add, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("t", id), SD_BUS_NO_RESULT, bus_policy_remove,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Move", SD_BUS_ARGS("t", id, "u", position), SD_BUS_NO_RESULT,
                            bus_policy_move, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("SetDefault", SD_BUS_ARGS("s", verdict, "a{sv}", options),
                            SD_BUS_NO_RESULT, bus_policy_set_default, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Test", SD_BUS_ARGS("s", stream, "a{sv}", request),
                            SD_BUS_RESULT("s", verdict, "t", rule, "a{sv}", details),
                            bus_policy_test, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("DefaultVerdict", "s", bus_policy_get_verdict, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("DefaultReason", "s", bus_policy_get_reason, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Revision", "t", bus_policy_get_revision, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END,
};

const BusKind bus_policy_kind = {
    .interface = BUS_POLICY,
    .vtable = bus_policy_vtable,
    .prefix = BUS_ROOT,
};
