/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/context.h"

#include <unistd.h>

gboolean
bus_context_is_privileged(const BusContext *context, const Caller *caller)
{
    uid_t uid = caller_uid(caller);

    return !context->options.ask_everybody && (uid == 0 || uid == getuid());
}
