/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties: one object with all of them, for people or as JSON. */
#pragma once

#include "client/bus/bus.h"
#include "common/cli/cli.h"

/* Prints an object's a{sv}. */
void show_properties(const Cli *cli, GVariant *properties);

/* What a property is called for people, translated; its own name when it is not known. */
const char *show_label(const char *property);

/* A value as people read it, by the name of its property: sizes, times, users, yes and no. Caller
 * frees; "" for what says nothing. */
char *show_value(const char *property, GVariant *value);
