/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/hidden.h"

#include "common/cli/output.h"

gboolean
show_is_hidden(Bus *bus, const char *property)
{
    g_autoptr(GVariant) manager = bus_properties(bus, BUS_ROOT, BUS_MANAGER, NULL);

    return manager != NULL && bus_boolean(manager, property);
}

void
show_hidden(Bus *bus, const char *property, const char *text)
{
    if (show_is_hidden(bus, property))
        output_note(text);
}
