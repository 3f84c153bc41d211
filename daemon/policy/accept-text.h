/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accept text: rules and limits in words, for the records of who changed them. Untranslated; not
 * bounded or escaped. Pure. The caller frees. */
#pragma once

#include "daemon/policy/accept-policy.h"

/* "rule 7: stream=ssh initiator=ops, accept to ssh, max-streams=2". */
char *accept_rule_text(const AcceptRule *rule);

/* "reject", "reject: TEXT" or "accept". */
char *accept_default_text(const AcceptPolicy *policy);

/* " max-streams=2 idle-timeout=60s"; "" without limits. */
char *limits_text(const Limits *limits);

/* Position of a rule, from 0; -1: there is none. */
int accept_policy_position(const AcceptPolicy *policy, guint32 id);
