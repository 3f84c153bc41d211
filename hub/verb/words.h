/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the words come from that the running hub knows, for the completion (common/cli/complete.h).
 */
#pragma once

#include "common/cli/program.h"

/* Calls FUNC for each word that could stand there, as far as the caller may ask the hub. Waits for
 * it no longer than somebody does who types. TRUE: names of files are wanted. */
gboolean words_offer(const WordsWanted *wanted, WordFunc func, void *data);
