/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Policy */
#include "common/bus-names.h"
#include "daemon/bus-error.h"
#include "daemon/bus-object.h"
#include "daemon/bus-options.h"

#include <string.h>

static AcceptPolicy *
bus_policy_of(BusItem *item)
{
    return app_policy(bus_server_app(item->server));
}

static int
bus_policy_append_pair(sd_bus_message *message, const char *key, const char *value)
{
    if (value == NULL || *value == '\0')
        return 0;
    return sd_bus_message_append(message, "{sv}", key, "s", value);
}

/* What a rule, the default or a test decides: "accept" or "reject". */
static const char *
bus_policy_verdict(gboolean accept)
{
    return accept ? "accept" : "reject";
}

static int
bus_policy_append_rule(sd_bus_message *message, const AcceptRule *rule)
{
    int r;

    r = sd_bus_message_open_container(message, 'r', "ta{sv}");
    if (r >= 0)
        r = sd_bus_message_append(message, "t", (uint64_t)rule->id);
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "{sv}");
    if (r >= 0)
        r = bus_policy_append_pair(message, "hub", rule->hub);
    if (r >= 0)
        r = bus_policy_append_pair(message, "stream", rule->stream);
    if (r >= 0)
        r = bus_policy_append_pair(message, "initiator", rule->initiator);
    if (r >= 0)
        r = bus_policy_append_pair(message, "verdict", accept_kind_verdict(rule->kind));
    if (r >= 0 && rule->kind != ACCEPT_REJECT)
        r = bus_policy_append_pair(message, "target", rule->target);
    if (r >= 0 && rule->kind == ACCEPT_REJECT)
        r = bus_policy_append_pair(message, "reason", rule->reject_text);
    if (r >= 0)
        r = bus_policy_append_pair(message, "source", rule->source != NULL ? "config" : "bus");
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    return r;
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
        r = bus_policy_append_rule(reply, accept_policy_get(policy, i));
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

static int
bus_policy_add(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    AcceptRule rule = {0};
    const char *verdict = NULL;
    guint32 position = 0, id;
    gboolean accept;
    BusOption options[] = {
        {"hub", 's', &rule.hub},
        {"stream", 's', &rule.stream},
        {"initiator", 's', &rule.initiator},
        {"verdict", 's', &verdict},
        {"target", 's', &rule.target},
        {"reason", 's', &rule.reject_text},
        {"position", 'u', &position},
    };
    int r, index;

    r = bus_options_read(message, options, G_N_ELEMENTS(options), error);
    if (r < 0)
        return r;
    r = bus_policy_read_verdict(verdict, &accept, error);
    if (r < 0)
        return r;
    rule.kind = accept ? ACCEPT_TARGET : ACCEPT_REJECT;
    if (accept ? rule.reject_text != NULL : rule.target != NULL)
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "'target' goes with the verdict 'accept', 'reason' with 'reject'");
    index = options[6].given ? (int)MIN(position, ACCEPT_RULES_MAX) : -1;
    if (!app_add_rule(bus_server_app(((BusItem *)data)->server), &rule, index, &id, &failure))
        return bus_error_set(error, failure);
    return sd_bus_reply_method_return(message, "t", (uint64_t)id);
}

/* Ids travel as `t`; what does not fit is the id of no rule. */
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
    g_autoptr(GError) failure = NULL;
    uint64_t id;
    int r;

    r = sd_bus_message_read(message, "t", &id);
    if (r >= 0)
        r = bus_policy_check_id(id, error);
    if (r < 0)
        return r;
    if (!app_remove_rule(bus_server_app(((BusItem *)data)->server), (guint32)id, &failure))
        return bus_error_set(error, failure);
    return sd_bus_reply_method_return(message, NULL);
}

static int
bus_policy_move(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    uint64_t id;
    uint32_t position;
    int r;

    r = sd_bus_message_read(message, "tu", &id, &position);
    if (r >= 0)
        r = bus_policy_check_id(id, error);
    if (r < 0)
        return r;
    if (!app_move_rule(bus_server_app(((BusItem *)data)->server), (guint32)id,
                       (int)MIN(position, ACCEPT_RULES_MAX), &failure))
        return bus_error_set(error, failure);
    return sd_bus_reply_method_return(message, NULL);
}

static int
bus_policy_set_default(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    const char *verdict, *reason = NULL;
    BusOption options[] = {{"reason", 's', &reason}};
    gboolean accept;
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
    if (!app_set_default(bus_server_app(((BusItem *)data)->server), accept, reason, &failure))
        return bus_error_set(error, failure);
    return sd_bus_reply_method_return(message, NULL);
}

static int
bus_policy_reply_verdict(sd_bus_message *message, const AcceptVerdict *verdict)
{
    g_autoptr(sd_bus_message) reply = NULL;
    int r;

    r = sd_bus_message_new_method_return(message, &reply);
    if (r >= 0)
        r = sd_bus_message_append(reply, "st", accept_kind_verdict(verdict->kind),
                                  (uint64_t)verdict->rule);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
    if (r >= 0 && verdict->target)
        r = bus_policy_append_pair(reply, "target", verdict->target);
    if (r >= 0 && verdict->kind == ACCEPT_REJECT)
        r = bus_policy_append_pair(reply, "reason", verdict->reject_text);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_send(reply);
}

static int
bus_policy_test(sd_bus_message *message, void *data, sd_bus_error *error)
{
    AcceptRequest asked = {.at = g_get_real_time()};
    BusOption options[] = {
        {"hub", 's', &asked.hub},
        {"initiator", 's', &asked.initiator},
    };
    AcceptVerdict verdict;
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
    verdict = accept_policy_test(bus_policy_of(data), &asked, NULL, NULL);
    return bus_policy_reply_verdict(message, &verdict);
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
BUS_GETTER(bus_policy_get_revision, App, "t", bus_server_policy_revision(server))

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
