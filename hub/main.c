/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/cli.h"

#include <signal.h>

int
main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    return cli_run(LOCALE_DIR, argc, argv);
}
