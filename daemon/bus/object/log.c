/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/object/log.h"

#include "common/bus/names.h"
#include "daemon/bus/caller.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct BusLog {
    BusContext *context;
    Journal *journal;
    sd_bus_slot *slot;
};

/* Reading is checked here, too: not everybody may read even the level of the log. */
static int
bus_log_admit(const BusLog *log, sd_bus *bus, sd_bus_error *error)
{
    sd_bus_message *call = sd_bus_get_current_message(bus);
    const Caller *caller = call ? callers_find(log->context->callers, call) : NULL;

    if (caller && (caller_uid(caller) == 0 || caller_uid(caller) == getuid()))
        return 0;
    return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                            "only root and the user of streamd see and set its log");
}

static int
bus_log_get(sd_bus *bus, const char *path, const char *interface, const char *property,
            sd_bus_message *reply, void *data, sd_bus_error *error)
{
    const BusLog *log = data;
    const char *value = journal_identifier(log->journal);
    int r = bus_log_admit(log, bus, error);

    if (r < 0)
        return r;
    if (strcmp(property, "LogLevel") == 0)
        value = journal_level_name(journal_level(log->journal));
    else if (strcmp(property, "LogTarget") == 0)
        value = journal_target(log->journal);
    return sd_bus_message_append(reply, "s", value);
}

static int
bus_log_set_level(sd_bus *bus, const char *path, const char *interface, const char *property,
                  sd_bus_message *value, void *data, sd_bus_error *error)
{
    BusLog *log = data;
    const char *name;
    int level;
    int r = bus_log_admit(log, bus, error);

    if (r < 0)
        bus_context_record(log->context, sd_bus_get_current_message(bus), EVENT_CHANGE_DENIED,
                           &(EventData){.detail = BUS_LOG ".LogLevel"});
    if (r >= 0)
        r = sd_bus_message_read(value, "s", &name);
    if (r < 0)
        return r;
    level = journal_level_from_name(name);
    if (level < 0)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "a level is one of emerg, alert, crit, err, warning, notice, info "
                                "and debug");
    bus_context_record(log->context, sd_bus_get_current_message(bus), EVENT_LOG_LEVEL_CHANGED,
                       &(EventData){.before = journal_level_name(journal_level(log->journal)),
                                    .after = name});
    journal_set_level(log->journal, level);
    return 0;
}

/* UNPRIVILEGED, because otherwise sd-bus checks capabilities of the caller; we check its UID. */
static const sd_bus_vtable bus_log_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", bus_log_get, bus_log_set_level, 0,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("LogTarget", "s", bus_log_get, 0, 0),
    SD_BUS_PROPERTY("SyslogIdentifier", "s", bus_log_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END,
};

BusLog *
bus_log_new(BusContext *context, Journal *journal)
{
    BusLog *log = g_new0(BusLog, 1);
    int r;

    log->context = context;
    log->journal = journal;
    r = sd_bus_add_object_vtable(context->bus, &log->slot, BUS_PATH_LOG, BUS_LOG, bus_log_vtable,
                                 log);
    if (r < 0)
        g_error("Cannot register an object: %s", g_strerror(-r));
    return log;
}

void
bus_log_free(BusLog *log)
{
    if (log == NULL)
        return;
    sd_bus_slot_unref(log->slot);
    g_free(log);
}
