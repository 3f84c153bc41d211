/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/context.h"

#include <unistd.h>

gboolean
bus_context_is_privileged(const BusContext *context, const Caller *caller)
{
    uid_t uid = caller_uid(caller);

    return !context->options.ask_everybody && (uid == 0 || uid == getuid());
}

Author *
bus_context_author(BusContext *context, sd_bus_message *message, const char *object)
{
    const Caller *caller = callers_find(context->callers, message);

    return author_new(caller_uid(caller), caller_pid(caller), caller_name(caller),
                      object != NULL ? object : sd_bus_message_get_path(message));
}

void
bus_context_record(BusContext *context, sd_bus_message *message, EventKind kind,
                   const EventData *data)
{
    g_autoptr(Author) author = bus_context_author(context, message, NULL);

    app_record_by(context->app, kind, author, data);
}
