/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _DEFAULT_SOURCE /* rpmatch */
#include "client/cli/question.h"

#include "common/base/table.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_MAX 64

gboolean
question_may_ask(const Cli *cli)
{
    return !cli->given[OPTION_JSON] && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

gboolean
question_ask(const char *text)
{
    g_autofree char *shown = table_escape(text);
    char line[ANSWER_MAX];
    int answer = -1;

    while (answer < 0) {
        (void)printf("%s %s ", shown, _("[y/n]"));
        (void)fflush(stdout);
        if (fgets(line, sizeof(line), stdin) == NULL) {
            (void)putchar('\n');
            return FALSE;
        }
        answer = rpmatch(line);
    }
    return answer > 0;
}
