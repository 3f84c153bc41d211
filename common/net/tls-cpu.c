/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/tls-cpu.h"

#if defined(__x86_64__) || defined(__i386__)
gboolean
tls_cpu_has_aes(void)
{
    return __builtin_cpu_supports("aes") != 0;
}
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

gboolean
tls_cpu_has_aes(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
}
#elif defined(__arm__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

gboolean
tls_cpu_has_aes(void)
{
    return (getauxval(AT_HWCAP2) & HWCAP2_AES) != 0;
}
#else
gboolean
tls_cpu_has_aes(void)
{
    return FALSE;
}
#endif
