/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of a Bus, shared by bus.c and bus/agent.c alone. */
#pragma once

#include "client/bus/bus.h"
#include "common/bus/util.h"

struct Bus {
    sd_bus *bus;
    GQueue events;  /* Pending: what came and was not looked at yet */
    int signals;    /* signalfd; -1 before bus_listen */
    GString *input; /* what of a line has come; NULL: nobody reads */
    gboolean ask;   /* somebody may have to be asked, and may be */
    gboolean quiet; /* bus_open_quietly */
    BusWaitingFunc waiting;
    void *waiting_data;
    gint64 waiting_since;
    guint waiting_told; /* seconds, while in bus_wait */
};

/* Copies and references what EVENT points to. */
void bus_push(Bus *bus, const BusEvent *event);

/* Standard input can be read. */
void bus_read_input(Bus *bus);
