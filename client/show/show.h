/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Show: one object with all of its properties, for people or as JSON. */
#pragma once

#include "client/bus/bus.h"
#include "client/cli/cli.h"

/* Prints the object of KEY; when there is none, MISSING (a format with one %s, translated) says
 * so. */
ExitCode show_object(const Cli *cli, const char *prefix, const char *interface, const char *key,
                     const char *missing, GError **error);

/* What a property is called for people, translated; its own name when it is not known. */
const char *show_label(const char *property);

/* A value as people read it, by the name of its property: sizes, times, users, yes and no. Caller
 * frees; "" for what says nothing. */
char *show_value(const char *property, GVariant *value);
