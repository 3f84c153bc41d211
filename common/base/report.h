/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Report: how something says what it consists of, to whoever makes D-Bus values or JSON of it.
 * Names are as in the dictionaries of D-Bus: "gives-up-in". A name is NULL in an outermost object.
 */
#pragma once

#include <glib.h>

typedef struct {
    void (*begin)(const char *name, void *data); /* an object, until END */
    void (*end)(void *data);
    void (*number)(const char *name, guint64 value, void *data);
    void (*boolean)(const char *name, gboolean value, void *data);
    void (*text)(const char *name, const char *value, void *data);
    void *data;
} Report;
