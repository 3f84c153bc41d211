/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule text: a rule of the accept policy in words. Pure. */
#pragma once

#include <glib.h>

/* Which streams it is about: "streams named ssh, from alice, through the hub office". RULE: a{sv}.
 * Caller frees, here and below. */
char *rule_text_when(GVariant *rule);

/* What becomes of them: "accepted, to the service ssh". VERDICT: that of the rule, or the
 * default. */
char *rule_text_outcome(const char *verdict, GVariant *rule);

/* Its limits: "at most 3 at once, 10 minutes each"; "" without any. */
char *rule_text_limits(GVariant *rule);
