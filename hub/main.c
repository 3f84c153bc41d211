/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/cli.h"

#include <locale.h>
#include <signal.h>

int
main(int argc, char **argv)
{
    (void)setlocale(LC_ALL, "");
    (void)signal(SIGPIPE, SIG_IGN);
    return cli_run(argc, argv);
}
