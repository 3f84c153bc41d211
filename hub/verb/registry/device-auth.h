/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of `device add` and `device set` that say how a device proves who it is. */
#pragma once

#include "common/cli/cli.h"
#include "hub/registry/device-auth.h"

/* --thumbprint, --certificate, --ca and --keys. */
gboolean verb_has_auth(const Cli *cli);

/* FALSE with ERROR set: one of them is malformed, or they do not go together. */
gboolean verb_read_auth(const Cli *cli, RegistryAuth *ret, GError **error);
