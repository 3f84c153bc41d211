/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command line of streamhubd, which `streamhub serve` executes with the same options. Main thread.
 */
#pragma once

/* Runs what ARGV says, which is left as it is; the exit code (base/exit-code.h). */
int serve_options_run(int argc, char **argv);
