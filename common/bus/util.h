/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sd-bus types for g_autoptr and g_auto. */
#pragma once

#include <glib.h>
#include <systemd/sd-bus.h>

/* Sends what is queued, closes and drops the reference. NULL is fine. */
static inline void
bus_util_close(sd_bus *bus)
{
    sd_bus_flush_close_unref(bus);
}

/* As GDestroyNotify. */
static inline void
bus_util_free_message(gpointer message)
{
    sd_bus_message_unref(message);
}

static inline void
bus_util_free_slot(gpointer slot)
{
    sd_bus_slot_unref(slot);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus, bus_util_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_message, sd_bus_message_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_slot, sd_bus_slot_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_creds, sd_bus_creds_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(sd_bus_error, sd_bus_error_free)
