/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of the accept policy, for people. */
#pragma once

#include <glib.h>

/* What a rule, a test or the default (an a{sv} that may be empty) comes to: "accept to ssh",
 * "reject: not today", "ask, then to ssh". Caller frees. */
char *policy_text_outcome(const char *verdict, GVariant *details);

/* The same of the default, whose verdict and reason are properties of the policy. Caller frees. */
char *policy_text_default(GVariant *policy);

/* The condition of that key, as a column's title or a cell says it: "stream". */
const char *policy_text_condition(const char *key);

/* "mon-fri 08:00-18:00"; "" for always. Caller frees. */
char *policy_text_when(GVariant *rule);
