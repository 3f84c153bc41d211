/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/exit-code.h"

#include "common/base/error.h"

static const struct {
    int error; /* StreamdError */
    int exit;
} exit_codes[] = {
    {STREAMD_ERROR_INVALID, 2},   {STREAMD_ERROR_UNREACHABLE, 3}, {STREAMD_ERROR_NOT_FOUND, 4},
    {STREAMD_ERROR_DENIED, 5},    {STREAMD_ERROR_EXISTS, 6},      {STREAMD_ERROR_LIMIT, 7},
    {STREAMD_ERROR_TIMED_OUT, 8},
};

int
exit_code_of(const GError *error)
{
    if (error->domain == G_OPTION_ERROR)
        return 2;
    for (gsize i = 0; i < G_N_ELEMENTS(exit_codes) && error->domain == STREAMD_ERROR; i++)
        if (exit_codes[i].error == error->code)
            return exit_codes[i].exit;
    return g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_EXIST) ? 6 : 1;
}
