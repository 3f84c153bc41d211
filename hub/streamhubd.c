/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhubd: the hub itself, the process that faces the network. Apart from `streamhub`, so that
 * it maps no library of the verbs. */
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
