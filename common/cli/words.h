/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words: what the codes of streamd and of the hub mean, in the language of whoever reads them. On
 * the bus, in JSON and in the journal they stay as they are. Any thread. */
#pragma once

#include "common/base/error.h"

/* A state, role, source or reason as a word, such as "connected" or "device". What is not known
 * here stays as it is: it may be of a newer streamd. Borrowed from CODE or static. */
const char *words_of_code(const char *code);

/* Why a stream ended: REASON is a code of common/base/reason.h, TEXT is what streamd says of it, in
 * English, and may be empty. Caller frees. */
char *words_of_reason(const char *reason, const char *text);

/* An error of streamd: TEXT is its English message. Where there is a translation, the kind of the
 * error is said in front of the message. Caller frees. */
char *words_of_error(StreamdError code, const char *text);
