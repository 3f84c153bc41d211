/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nearest: what somebody may have meant who mistyped a word. Pure. */
#pragma once

#include <glib.h>

/* How many letters have to be inserted, removed, changed or swapped with their neighbour to make B
 * of A. Bytes; more than 64 of a text are not looked at. */
guint nearest_distance(const char *a, const char *b);

/* Keeps in *RET_BEST the candidate that is nearest to WORD and near enough to be meant; begins
 * with NULL. *RET_DISTANCE is the distance of *RET_BEST. */
void nearest_consider(const char *word, const char *candidate, const char **ret_best,
                      guint *ret_distance);
