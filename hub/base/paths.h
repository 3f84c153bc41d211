/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths: the value of a setting that names files: absolute paths with commas between them. Pure;
 * any thread. */
#pragma once

#include <glib.h>

#define PATHS_MAX 16 /* in one setting */
#define PATHS_WANT "absolute paths with commas between them, at most 16"

gboolean paths_are_good(const char *text);
char **paths_split(const char *text); /* of a good one; NULL: none, which is empty */
