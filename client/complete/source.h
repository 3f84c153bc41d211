/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source of words for completion (common/cli/complete.h) that streamd knows. */
#pragma once

#include "common/cli/program.h"

/* Calls FUNC for each word that could stand there. Does not start streamd, and waits for it only as
 * long as a user who types would. TRUE: complete file names. */
gboolean source_words(const WordsWanted *wanted, WordFunc func, void *data);
