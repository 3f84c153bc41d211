/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files hub/admin/certificate*.c alone. */
#pragma once

#include <glib.h>
#include <gnutls/x509.h>

/* As certificate_names, for a certificate in memory. */
char **certificate_names_in(gnutls_x509_crt_t certificate);
