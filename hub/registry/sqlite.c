/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/sqlite.h"

#include "common/base/error.h"
#include "hub/registry/job.h"
#include "hub/registry/sqlite-db.h"
#include "hub/registry/sqlite-file.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#define TRY_AGAIN G_TIME_SPAN_SECOND /* between tries, when the disk took no change */

typedef struct {
    RegistryBackend backend;
    char *path;
    RegistrySqliteDb *db; /* NULL: it cannot be opened just now */
    char *reason;         /* why it is read-only; NULL: it is not */
    gboolean held;        /* the operator wants no changes */
    gint64 tried;         /* when it was opened last, monotonic µs */
    gint64 changed;       /* since when the log has more than the file; 0: it does not */
    Queue *jobs;          /* the thread receives */
    pthread_t thread;
    atomic_bool stopping;
    gboolean stopped; /* the thread's */
} RegistrySqlite;

char *
registry_storage_message(const char *path, const char *reason)
{
    return g_strdup_printf("the disk takes no change of the registry: %s (%s)", reason, path);
}

static gboolean
sqlite_open(RegistrySqlite *self, RegistrySqliteOpen how, GError **error)
{
    sqlite3 *db =
        registry_sqlite_file_open(self->path, how | REGISTRY_SQLITE_UPGRADE, &self->reason, error);

    self->tried = g_get_monotonic_time();
    self->changed = self->tried; /* a killed hub may have left changes in the log */
    self->db = db ? registry_sqlite_db_new(db, self->path, error) : NULL;
    return self->db != NULL;
}

/* The disk took no change, but may have room by now: opens the file again. The old connection is
 * closed first: two of one process would release each other's locks. */
static void
sqlite_open_again(RegistrySqlite *self)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&self->db, registry_sqlite_db_free);
    g_clear_pointer(&self->reason, g_free);
    if (!sqlite_open(self, 0, &error))
        self->reason = g_strdup(error->message);
    else if (!self->reason)
        g_message("%s: the disk takes changes again", self->path);
}

static RegistryCode
sqlite_run(RegistrySqlite *self, RegistryJob *job)
{
    gboolean writes = job->writes;
    RegistryCode code;

    if (job->kind == REGISTRY_HOLD) {
        self->held = job->held;
        return REGISTRY_OK;
    }
    if (self->held && writes) {
        job->message = g_strdup("the hub takes no changes before it is moved; try again");
        return REGISTRY_BUSY;
    }
    if ((!self->db || (self->reason && writes)) &&
        g_get_monotonic_time() - self->tried >= TRY_AGAIN)
        sqlite_open_again(self);
    if (!self->db || (self->reason && writes)) {
        job->message = registry_storage_message(self->path, self->reason);
        return writes ? REGISTRY_STORAGE : REGISTRY_FAILED;
    }
    code = registry_sqlite_db_run(self->db, job);
    if (writes && code == REGISTRY_OK && !self->changed)
        self->changed = g_get_monotonic_time();
    return code;
}

static void
job_on_work(Message *message)
{
    RegistryJob *job = CONTAINER_OF(message, RegistryJob, work);
    RegistrySqlite *self = job->backend;
    RegistryCode code;

    if (atomic_load(&self->stopping))
        code = REGISTRY_CLOSED;
    else if (g_get_monotonic_time() - job->submitted > REGISTRY_SQLITE_PATIENCE)
        code = REGISTRY_BUSY;
    else
        code = sqlite_run(self, job);
    registry_job_finish(job, code, g_steal_pointer(&job->message));
}

static void
sqlite_submit(RegistryBackend *backend, RegistryJob *job)
{
    RegistrySqlite *self = (RegistrySqlite *)backend;

    job->backend = self;
    job->writes = registry_sqlite_db_writes(job->kind);
    job->work.func = job_on_work;
    (void)queue_post(self->jobs, &job->work);
}

/* ms until the log is to be folded; -1: nothing waits in it. */
static int
fold_wait(const RegistrySqlite *self)
{
    gint64 due = self->changed + REGISTRY_SQLITE_FOLD - g_get_monotonic_time();

    if (!self->changed || !self->db || self->reason)
        return -1;
    return (int)(MAX(due, 0) / G_TIME_SPAN_MILLISECOND) + 1;
}

/* A log that cannot be folded now is tried again after the same time. */
static void
fold_if_due(RegistrySqlite *self)
{
    gint64 now = g_get_monotonic_time();

    if (self->changed && self->db && !self->reason && now - self->changed >= REGISTRY_SQLITE_FOLD)
        self->changed = registry_sqlite_db_fold(self->db) ? 0 : now;
}

static void *
sqlite_thread(void *data)
{
    RegistrySqlite *self = data;
    struct pollfd wait = {.fd = queue_fd(self->jobs), .events = POLLIN};

    while (!self->stopped) {
        (void)poll(&wait, 1, fold_wait(self));
        (void)queue_run(self->jobs);
        fold_if_due(self);
    }
    return NULL;
}

static void
sqlite_on_stop(void *data)
{
    ((RegistrySqlite *)data)->stopped = TRUE;
}

/* Closing the last connection brings the log into the file. */
static void
sqlite_close(RegistrySqlite *self)
{
    registry_sqlite_db_free(self->db);
    g_free(self->reason);
    g_free(self->path);
    g_free(self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegistrySqlite, sqlite_close)

static void
sqlite_free(RegistryBackend *backend)
{
    RegistrySqlite *self = (RegistrySqlite *)backend;

    atomic_store(&self->stopping, TRUE);
    queue_call(self->jobs, sqlite_on_stop, self); /* after the jobs that are still queued */
    (void)pthread_join(self->thread, NULL);
    queue_free(self->jobs);
    sqlite_close(self);
}

/* The new thread blocks all signals: the main thread handles them. */
static gboolean
sqlite_start(RegistrySqlite *self, GError **error)
{
    sigset_t all, before;
    int result;

    self->jobs = queue_new();
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&self->thread, NULL, sqlite_thread, self);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result == 0) {
        (void)pthread_setname_np(self->thread, "registry");
        return TRUE;
    }
    queue_free(self->jobs);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "a thread for the registry: %s",
                g_strerror(result));
    return FALSE;
}

Registry *
registry_sqlite_open(const char *path, GError **error)
{
    g_autoptr(RegistrySqlite) self = g_new0(RegistrySqlite, 1);
    g_autofree char *trouble = NULL;
    Registry *registry;

    self->backend = (RegistryBackend){sqlite_submit, sqlite_free};
    self->path = g_strdup(path);
    if (!sqlite_open(self, REGISTRY_SQLITE_CHECK, error))
        return NULL;
    trouble = self->reason ? registry_storage_message(path, self->reason) : NULL;
    if (self->reason)
        g_warning("%s: the disk takes no changes, and what is there is served: %s", path,
                  self->reason);
    if (!sqlite_start(self, error))
        return NULL;
    registry = registry_new(&g_steal_pointer(&self)->backend);
    if (trouble)
        registry_set_trouble(registry, trouble);
    return registry;
}
