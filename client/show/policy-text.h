/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of the accept policy, for people. */
#pragma once

#include <glib.h>

/* What a rule, a test or the default (an a{sv} that may be empty) does: "accept to ssh", "reject:
 * not today", "ask, then to ssh". Caller frees. */
char *policy_text_outcome(const char *verdict, GVariant *details);

/* The same for the default, whose verdict and reason are properties of the policy. Caller frees. */
char *policy_text_default(GVariant *policy);

/* The condition with this key as a column title or a cell: "stream". */
const char *policy_text_condition(const char *key);

/* "mon-fri 08:00-18:00"; "" for always. Caller frees. */
char *policy_text_when(GVariant *rule);
