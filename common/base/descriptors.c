/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/descriptors.h"

#include <sys/resource.h>

gboolean
descriptors_are_scarce(int fd)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return FALSE;
    return (rlim_t)fd >= limit.rlim_cur - limit.rlim_cur / 10;
}
