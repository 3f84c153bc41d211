/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spark: the last minute of a stream's rate as a small curve. Main thread. */
#pragma once

#include "desktop/base/item.h"

#include <gtk/gtk.h>

/* Updates itself from ITEM. */
GtkWidget *spark_new(Item *item);
