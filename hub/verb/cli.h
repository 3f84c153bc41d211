/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command line of streamhub: the table of its verbs. One thread. */
#pragma once

/* Runs what ARGV says and returns the exit code. LOCALE_DIR: where the translations are. */
int cli_run(const char *locale_dir, int argc, char **argv);
