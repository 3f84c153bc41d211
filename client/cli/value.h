/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of options that are more than a text or a number. */
#pragma once

#include "common/cli/cli.h"

/* A time ("30s", "2h"), in µs. RET does not change when the option is absent. */
gboolean value_time(const Cli *cli, Option option, guint64 *ret, GError **error);

/* "yes" or "no". RET does not change when the option is absent. */
gboolean value_yes_no(const Cli *cli, Option option, gboolean *ret, GError **error);
