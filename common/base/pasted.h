/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pasted text: what people made of a text on its way from one machine to another. Editors put a
 * mark in front of it, mail programs quote its lines, chats and shells leave quotes around it.
 * Pure; any thread. */
#pragma once

#include "common/base/error.h"

/* The text without a byte order mark, without "> " in front of all its lines, without one pair of
 * quotes around the whole, without blanks and line ends around it, and with "\n" as line end. The
 * caller frees it, with secret_free if it may hold a key. NULL with STREAMD_ERROR_INVALID: it is
 * UTF-16, or holds a NUL. The message shows nothing of it. WHAT begins the message: "The connection
 * string". */
char *pasted_clean(const char *text, gsize len, const char *what, GError **error);
