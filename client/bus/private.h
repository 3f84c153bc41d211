/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of a Bus. Only bus.c, agent.c and look.c use it. */
#pragma once

#include "client/bus/bus.h"
#include "common/bus/util.h"

struct Bus {
    sd_bus *bus;
    GQueue events;  /* Pending: events that came and were not handled yet */
    int signals;    /* signalfd; -1 before bus_listen */
    GString *input; /* the part of a line that has come; NULL: standard input is not read */
    gboolean ask;   /* the user may have to be asked for a password, and may be */
    gboolean quiet; /* bus_open_quietly */
    BusWaitingFunc waiting;
    void *waiting_data;
    gint64 waiting_since;
    guint waiting_told; /* seconds, while in bus_wait */
};

/* Copies and references what EVENT points to. */
void bus_push(Bus *bus, const BusEvent *event);

/* Call it when standard input is readable. */
void bus_read_input(Bus *bus);

/* Takes a signal of streamd, as events. DATA: the Bus. */
int bus_on_signal(sd_bus_message *message, void *data, sd_bus_error *error);

/* Calls FUNC for each event that has come. FALSE: FUNC said so. */
gboolean bus_deliver(Bus *bus, BusEventFunc func, void *data);
