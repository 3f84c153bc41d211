/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Program: the file that this process was started from. Any thread. */
#pragma once

#include <glib.h>

/* It is gone, or another one has its place, as after an upgrade: what runs is the old program. */
gboolean program_is_replaced(void);
