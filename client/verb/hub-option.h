/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a hub, as AddHub and Update take them. */
#pragma once

#include "client/cli/secret-input.h"
#include "common/cli/cli.h"

/* Adds those of CLI that are no secrets. A value that is given empty is passed on empty. */
gboolean hub_option_add(const Cli *cli, GVariantBuilder *builder, GError **error);

/* FALSE when both FILE, which is to give a KIND, and the proxy's credentials are to be read from
 * standard input: it is there once. */
gboolean
hub_option_check_input(const Cli *cli, const SecretKind *kind, const char *file, GError **error);

/* --proxy, --no-proxy, and the credentials: *RET_FD is their source, to be closed after the call,
 * or -1. */
gboolean
hub_option_add_proxy(const Cli *cli, GVariantBuilder *builder, int *ret_fd, GError **error);
