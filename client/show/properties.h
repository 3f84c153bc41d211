/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties: shows one object with all of them, as text or as JSON. */
#pragma once

#include "client/bus/bus.h"
#include "common/cli/cli.h"

/* Prints an object's a{sv}. */
void show_properties(const Cli *cli, GVariant *properties);

/* The label of a property, translated; its own name when it is unknown. */
const char *show_label(const char *property);

/* A value as text, by the name of its property: sizes, times, users, yes and no. Caller frees; ""
 * when there is nothing to say. */
char *show_value(const char *property, GVariant *value);
