/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/metrics/process.h"

#include "common/base/descriptors.h"
#include "common/metrics/text.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* In the order of `metrics`. */
enum { CPU, RESIDENT, SPACE, USED, MOST, START };

static const Metric metrics[] = {
    {"process_cpu_seconds", METRIC_COUNTER, "seconds", "Processor time that the process has used"},
    {"process_resident_memory_bytes", METRIC_GAUGE, "bytes", "Memory that is in use"},
    {"process_virtual_memory_bytes", METRIC_GAUGE, "bytes", "Address space that is in use"},
    {"process_open_fds", METRIC_GAUGE, NULL, "Descriptors in use, about"},
    {"process_max_fds", METRIC_GAUGE, NULL, "Descriptors that the process may have"},
    {"process_start_time_seconds", METRIC_GAUGE, "seconds", "When the process started"},
};

static gint64
cpu_time(void)
{
    struct timespec time = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * G_TIME_SPAN_SECOND + time.tv_nsec / 1000;
}

/* Not from the disk: the kernel makes this file. */
static void
read_memory(guint64 *ret_space, guint64 *ret_resident)
{
    unsigned long all = 0, some = 0;
    guint64 page = (guint64)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "re");

    if (file && fscanf(file, "%lu %lu", &all, &some) != 2)
        all = some = 0;
    if (file)
        (void)fclose(file);
    *ret_space = all * page;
    *ret_resident = some * page;
}

static void
append(GString *out, const char *program, guint which, guint64 value, gboolean us)
{
    g_autofree char *name = g_strdup_printf("%s_%s", program, metrics[which].name);
    Metric metric = metrics[which];

    metric.name = name;
    metrics_family(out, &metric);
    if (us)
        metrics_seconds(out, &metric, NULL, (gint64)value);
    else
        metrics_number(out, &metric, NULL, value);
}

void
metrics_process(GString *out, const char *program, gint64 started)
{
    struct rlimit limit = {0};
    guint64 all, some;

    append(out, program, CPU, (guint64)cpu_time(), TRUE);
    read_memory(&all, &some);
    append(out, program, RESIDENT, some, FALSE);
    append(out, program, SPACE, all, FALSE);
    append(out, program, USED, descriptors_used(), FALSE);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        append(out, program, MOST, limit.rlim_cur, FALSE);
    append(out, program, START, (guint64)started, TRUE);
}
