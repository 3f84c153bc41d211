/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the words come from that streamd knows, for the completion (common/cli/complete.h). */
#pragma once

#include "common/cli/program.h"

/* Calls FUNC for each word that could stand there. Does not start streamd, and waits for it no
 * longer than somebody does who types. TRUE: names of files are wanted. */
gboolean source_words(const WordsWanted *wanted, WordFunc func, void *data);
