/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhubd: the hub itself, the process that faces the network. It is a program of its own, so
 * that it loads no library that only the verbs of `streamhub` need. */
#include "hub/admin/serve-options.h"

#include <locale.h>
#include <signal.h>

int
main(int argc, char **argv)
{
    (void)setlocale(LC_ALL, "");
    (void)signal(SIGPIPE, SIG_IGN);
    return serve_options_run(argc, argv);
}
