/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watchdog: tells systemd that the main loop and every reactor turn. Main thread. */
#pragma once

#include "common/reactor.h"

typedef struct Watchdog Watchdog;

/* NULL when the service manager wants none (WATCHDOG_USEC). REACTORS outlives it. */
Watchdog *watchdog_new(ReactorPool *reactors);
void watchdog_free(Watchdog *watchdog); /* NULL is fine */
