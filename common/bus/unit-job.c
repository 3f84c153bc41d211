/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/bus/unit-job.h"

#include "common/bus/util.h"

#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define PROPERTIES "org.freedesktop.DBus.Properties"

/* One call after the other: the unit, its job, the type of that, what is kept for the unit. */
struct UnitJob {
    sd_bus *bus;
    sd_bus_slot *slot; /* of the call under way */
    gint64 deadline;   /* monotonic µs */
    char *unit;        /* its path; NULL: not known yet */
    UnitJobKind kind;  /* found before the last call */
    UnitJobTold told;
    void *data;
};

static void
job_tell(UnitJob *job, UnitJobKind kind, guint store)
{
    UnitJobTold told = job->told;

    job->told = NULL;
    if (told)
        told(kind, store, job->data);
}

/* MESSAGE is freed. */
static int
job_send(UnitJob *job, sd_bus_message *message, sd_bus_message_handler_t answered)
{
    const gint64 left = job->deadline - g_get_monotonic_time();
    int r = sd_bus_message_set_auto_start(message, FALSE);

    job->slot = sd_bus_slot_unref(job->slot);
    if (r >= 0)
        r = sd_bus_call_async(job->bus, &job->slot, message, answered, job, (guint64)MAX(left, 1));
    sd_bus_message_unref(message);
    return r;
}

static int
job_get(UnitJob *job, const char *path, const char *interface, const char *property,
        sd_bus_message_handler_t answered)
{
    sd_bus_message *message;
    int r = sd_bus_message_new_method_call(job->bus, &message, MANAGER, path, PROPERTIES, "Get");

    if (r < 0)
        return r;
    r = sd_bus_message_append(message, "ss", interface, property);
    if (r < 0) {
        sd_bus_message_unref(message);
        return r;
    }
    return job_send(job, message, answered);
}

static int
job_on_store(sd_bus_message *reply, void *data, sd_bus_error *error G_GNUC_UNUSED)
{
    UnitJob *job = data;
    guint32 store;

    if (sd_bus_message_is_method_error(reply, NULL) ||
        sd_bus_message_read(reply, "v", "u", &store) < 0)
        store = UNIT_JOB_STORE_UNKNOWN;
    job_tell(job, job->kind, store);
    return 0;
}

static void
job_goes_on(UnitJob *job, UnitJobKind kind)
{
    job->kind = kind;
    if (job_get(job, job->unit, MANAGER ".Service", "FileDescriptorStoreMax", job_on_store) < 0)
        job_tell(job, kind, UNIT_JOB_STORE_UNKNOWN);
}

static int
job_on_type(sd_bus_message *reply, void *data, sd_bus_error *error G_GNUC_UNUSED)
{
    const char *type;

    if (sd_bus_message_is_method_error(reply, NULL) ||
        sd_bus_message_read(reply, "v", "s", &type) < 0)
        job_tell(data, UNIT_JOB_UNKNOWN, UNIT_JOB_STORE_UNKNOWN);
    else if (g_str_equal(type, "stop"))
        job_tell(data, UNIT_JOB_STOP, UNIT_JOB_STORE_UNKNOWN);
    else
        job_goes_on(data, UNIT_JOB_OTHER);
    return 0;
}

static int
job_on_job(sd_bus_message *reply, void *data, sd_bus_error *error G_GNUC_UNUSED)
{
    UnitJob *job = data;
    const char *path;
    guint32 id;

    if (sd_bus_message_is_method_error(reply, NULL) ||
        sd_bus_message_read(reply, "v", "(uo)", &id, &path) < 0)
        job_tell(job, UNIT_JOB_UNKNOWN, UNIT_JOB_STORE_UNKNOWN);
    else if (id == 0)
        job_goes_on(job, UNIT_JOB_NONE);
    else if (job_get(job, path, MANAGER ".Job", "JobType", job_on_type) < 0)
        job_tell(job, UNIT_JOB_UNKNOWN, UNIT_JOB_STORE_UNKNOWN);
    return 0;
}

static int
job_on_unit(sd_bus_message *reply, void *data, sd_bus_error *error G_GNUC_UNUSED)
{
    UnitJob *job = data;
    const char *path;

    if (!sd_bus_message_is_method_error(reply, NULL) &&
        sd_bus_message_read(reply, "o", &path) >= 0) {
        job->unit = g_strdup(path);
        if (job_get(job, job->unit, MANAGER ".Unit", "Job", job_on_job) >= 0)
            return 0;
    }
    job_tell(job, UNIT_JOB_UNKNOWN, UNIT_JOB_STORE_UNKNOWN);
    return 0;
}

/* PID 0 is whoever asks. */
static int
job_ask_unit(UnitJob *job)
{
    sd_bus_message *message;
    int r = sd_bus_message_new_method_call(job->bus, &message, MANAGER, MANAGER_PATH,
                                           MANAGER ".Manager", "GetUnitByPID");

    if (r < 0)
        return r;
    r = sd_bus_message_append(message, "u", (guint32)0);
    if (r < 0) {
        sd_bus_message_unref(message);
        return r;
    }
    return job_send(job, message, job_on_unit);
}

UnitJob *
unit_job_ask(sd_bus *bus, gint64 limit, UnitJobTold told, void *data)
{
    g_autoptr(UnitJob) job = g_new0(UnitJob, 1);

    job->bus = sd_bus_ref(bus);
    job->deadline = g_get_monotonic_time() + limit;
    job->told = told;
    job->data = data;
    return job_ask_unit(job) >= 0 ? g_steal_pointer(&job) : NULL;
}

void
unit_job_free(UnitJob *job)
{
    if (!job)
        return;
    sd_bus_slot_unref(job->slot);
    sd_bus_unref(job->bus);
    g_free(job->unit);
    g_free(job);
}
