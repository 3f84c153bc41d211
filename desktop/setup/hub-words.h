/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hub words: how a hub is, why, and what helps. Pure. */
#pragma once

#include "desktop/base/item.h"

/* "Connected for 3 min". Caller frees. */
char *hub_words_state(Item *hub);

/* Who we are there: "this machine is the device gw-1". Caller frees. */
char *hub_words_role(Item *hub);

/* What helps when it is not connected; "": it is, or it is not to be. */
const char *hub_words_cure(Item *hub);

/* What is to be known of its authority that will follow another one; "": nothing. */
const char *hub_words_authority(Item *hub);
