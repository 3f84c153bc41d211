/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the processor does in hardware. Any thread. */
#pragma once

#include <glib.h>

/* AES instructions: without them ChaCha20 is the faster cipher. */
gboolean tls_cpu_has_aes(void);
