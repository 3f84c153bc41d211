/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the hub reads from its disk, and the clock that judges it. */
#include "common/base/error.h"
#include "hub/admin/identity.h"
#include "hub/admin/init.h"
#include "hub/base/state.h"
#include "hub/base/address.h"
#include "hub/doctor/steps.h"
#include "hub/registry/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#define ROOM_LEAST ((guint64)64 * 1024 * 1024)
#define SKEW_S 120 /* of what was written later than now */
#define DAY_S (24 * 60 * 60)

/* Without the folder there is nothing to look at. TRUE: the check is over. */
static gboolean
skip_without_folder(const Doctor *doctor, DoctorCheck *check)
{
    if (!doctor->state_dir)
        doctor_skip(check, _("the state folder is not known"));
    else if (doctor->missing)
        doctor_skip(check, _("an earlier step failed"));
    return !doctor->state_dir || doctor->missing;
}

static char *
state_file(const Doctor *doctor, const char *name)
{
    return g_build_filename(doctor->state_dir, name, NULL);
}

void
doctor_settings(Doctor *doctor, DoctorCheck *check)
{
    g_autoptr(GError) error = NULL;

    doctor->settings = doctor->config ? settings_load(doctor->config, &error) : settings_new();
    if (doctor->settings)
        doctor_good(check, g_strdup(doctor->config ? doctor->config : _("the defaults")));
    else
        doctor_fail(check, "settings", g_strdup(error->message));
}

/* 0, or why a file cannot be made in the folder. */
static int
try_to_write(const char *folder)
{
    g_autofree char *path = g_strdup_printf("%s/.doctor-%d", folder, (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), number = errno;

    if (fd < 0)
        return number;
    number = write(fd, "?", 1) == 1 && fsync(fd) == 0 ? 0 : errno;
    close(fd);
    (void)unlink(path);
    return number;
}

static void
disk_fail(Doctor *doctor, DoctorCheck *check, int number)
{
    const char *folder = doctor->state_dir;
    const char *cause = number == ENOENT || number == ENOTDIR  ? "state-missing"
                        : number == ENOSPC || number == EDQUOT ? "disk-full"
                        : number == EACCES || number == EPERM  ? "state-rights"
                                                               : "disk-read-only";

    doctor->missing = number == ENOENT || number == ENOTDIR;
    doctor_fail(check, cause, g_strdup_printf("%s: %s", folder, g_strerror(number)));
}

void
doctor_disk(Doctor *doctor, DoctorCheck *check)
{
    const char *folder = doctor->state_dir;
    g_autoptr(GError) unfinished = NULL;
    g_autofree char *room = NULL;
    struct statvfs disk;
    guint64 left;
    int number;

    if (skip_without_folder(doctor, check))
        return;
    number = statvfs(folder, &disk) < 0 ? errno : try_to_write(folder);
    if (number != 0) {
        disk_fail(doctor, check, number);
        return;
    }
    if (!init_check_finished(folder, &unfinished)) {
        doctor_fail(check, "state-unfinished", g_strdup(unfinished->message));
        return;
    }
    left = (guint64)disk.f_bavail * disk.f_frsize;
    room = g_format_size_full(left, G_FORMAT_SIZE_IEC_UNITS);
    if (left < ROOM_LEAST || (disk.f_files > 0 && disk.f_favail < 16))
        doctor_fail(check, "disk-full", g_strdup_printf(_("%s: only %s are free"), folder, room));
    else
        doctor_good(check, g_strdup_printf(_("%s: %s are free"), folder, room));
}

static void
registry_fail(DoctorCheck *check, const GError *error)
{
    const char *cause = g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_DENIED)
                            ? "registry-rights"
                        : error->domain == G_FILE_ERROR      ? "state-missing"
                        : strstr(error->message, "version ") ? "registry-newer"
                                                             : "registry-damaged";

    doctor_fail(check, cause, g_strdup(error->message));
}

void
doctor_registry(Doctor *doctor, DoctorCheck *check)
{
    g_autofree char *path = doctor->state_dir ? state_file(doctor, STATE_REGISTRY) : NULL;
    g_autofree char *size = NULL, *reason = NULL;
    g_autoptr(GError) error = NULL;
    gboolean older = FALSE;
    struct stat info;

    if (skip_without_folder(doctor, check))
        return;
    if (!registry_sqlite_examine(path, &older, &reason, &error)) {
        registry_fail(check, error);
        return;
    }
    size = g_format_size_full(stat(path, &info) == 0 ? (guint64)info.st_size : 0,
                              G_FORMAT_SIZE_IEC_UNITS);
    if (reason)
        doctor_fail(check, "disk-read-only", g_strdup_printf("%s: %s", path, reason));
    else if (older)
        doctor_limit(check, "registry-older",
                     g_strdup_printf(_("%s is of an older version"), path));
    else
        doctor_good(check, g_strdup_printf(_("whole, %s"), size));
}

/* Seconds by which something of the hub's is from later than now. */
static gint64
clock_is_behind(const Doctor *doctor)
{
    static const char *const files[] = {STATE_REGISTRY, STATE_SERVER_CERT, STATE_CA_CERT};
    gint64 now = g_get_real_time() / G_USEC_PER_SEC, latest = now;

    for (guint i = 0; doctor->state_dir && i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = state_file(doctor, files[i]);
        struct stat info;

        if (stat(path, &info) == 0)
            latest = MAX(latest, (gint64)info.st_mtime);
    }
    return latest - now;
}

void
doctor_clock(Doctor *doctor, DoctorCheck *check)
{
    struct timex kernel = {.modes = 0};
    gint64 behind = clock_is_behind(doctor);
    int state = adjtimex(&kernel);

    if (behind > SKEW_S)
        doctor_fail(check, "clock-behind",
                    g_strdup_printf(_("the clock is behind: files of the hub are %lld s younger"),
                                    (long long)behind));
    else if (state == TIME_ERROR || (kernel.status & STA_UNSYNC))
        doctor_limit(check, "clock-free", g_strdup(_("nothing keeps the clock in step")));
    else
        doctor_good(check, g_strdup(_("it is kept in step")));
}

/* What clients call a hub that does not run. */
static void
take_name(Doctor *doctor)
{
    const char *public = doctor->settings ? doctor->settings->public_address : NULL;

    doctor->port = public ? address_port(public, 443) : 443;
    if (public)
        doctor->name = address_host(public);
    else
        doctor->name = g_strdup(certificate_pair_names(doctor->pair)[0]);
}

static void
certificate_judge(Doctor *doctor, DoctorCheck *check)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    gint64 days = (certificate_pair_end(doctor->pair) - now) / DAY_S;
    const char *const names[] = {doctor->name, NULL};
    g_autoptr(GDateTime) end = g_date_time_new_from_unix_local(certificate_pair_end(doctor->pair));
    g_autofree char *date = end ? g_date_time_format(end, "%F") : g_strdup("?");
    g_autoptr(GError) error = NULL;

    if (!certificate_pair_check(doctor->pair, names, now, &error))
        doctor_fail(check, "certificate", g_strdup(error->message));
    else if (days < IDENTITY_WARN_DAYS)
        doctor_limit(check, "certificate-soon",
                     g_strdup_printf(_("it ends in %lld days, on %s"), (long long)days, date));
    else
        doctor_good(check, g_strdup_printf(_("for %s, good until %s"), doctor->name, date));
}

void
doctor_certificate(Doctor *doctor, DoctorCheck *check)
{
    g_autoptr(GError) error = NULL;

    if (skip_without_folder(doctor, check))
        return;
    doctor->pair = certificate_pair_open(doctor->state_dir, &error);
    if (!doctor->pair) {
        doctor_fail(check, "certificate", g_strdup(error->message));
        return;
    }
    if (!doctor->name)
        take_name(doctor);
    if (doctor->name)
        certificate_judge(doctor, check);
    else
        doctor_fail(check, "certificate", g_strdup(_("it has no name")));
}
