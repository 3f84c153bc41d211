/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A certificate for localhost and 127.0.0.1 in a temporary folder, and contexts that use it. */
#pragma once

#include "common/net/tls-context.h"

/* The folder's path. The caller passes it to tls_fixture_remove, which frees it. */
char *tls_fixture_new(TlsContext **ret_server, TlsContext **ret_client);
char *tls_fixture_new_named(const char *const *names, TlsContext **ret_server,
                            TlsContext **ret_client); /* for these names and 127.0.0.1 */
void tls_fixture_remove(char *folder);
