/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command line of streamhubd, which `streamhub serve` executes with the same options. Main thread.
 */
#pragma once

/* Runs what ARGV says and does not change it. Returns the exit code (base/exit-code.h). */
int serve_options_run(int argc, char **argv);
