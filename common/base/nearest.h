/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nearest: which word somebody meant who mistyped one. Pure. */
#pragma once

#include <glib.h>

/* How many letters to insert, remove, change or swap with a neighbour to make B from A. Counts
 * bytes, and looks at 64 of each text at most. */
guint nearest_distance(const char *a, const char *b);

/* Keeps in *RET_BEST the candidate nearest to WORD, if it is near enough. *RET_BEST is NULL at
 * first; *RET_DISTANCE is its distance. */
void nearest_consider(const char *word, const char *candidate, const char **ret_best,
                      guint *ret_distance);
