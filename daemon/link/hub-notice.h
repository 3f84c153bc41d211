/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the hub of a device tells it about itself (common/extension/notice.h): a table of the kinds
 * that streamd knows, and what each does. Main thread. */
#pragma once

#include "daemon/link/hub-private.h"

/* Does nothing for a kind that is not known, or whose members are wrong. */
void hub_take_notice(Hub *hub, const Notice *notice);
