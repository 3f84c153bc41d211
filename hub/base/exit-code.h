/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit codes of streamhub and streamhubd. Any thread.
 *
 * 0 done, 1 any other failure, 2 wrong usage or malformed input, 3 no hub can be reached, 4 not
 * found, 5 denied, 6 there already, 7 a limit is reached, 8 not done in time. */
#pragma once

#include <glib.h>

/* The code for a program that ends because of ERROR; never 0. */
int exit_code_of(const GError *error);
