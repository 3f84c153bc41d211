/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for the completion (common/cli/complete.h) that the running hub knows. */
#pragma once

#include "common/cli/program.h"

/* Calls FUNC for each word that is possible there, as far as the caller may ask the hub. Does not
 * wait for the hub longer than somebody at the keyboard would. TRUE: file names are wanted. */
gboolean words_offer(const WordsWanted *wanted, WordFunc func, void *data);
