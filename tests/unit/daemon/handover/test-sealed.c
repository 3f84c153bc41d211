/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that a process leaves to the next one. */
#include "common/base/error.h"
#include "daemon/handover/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOEXEC_SEAL 0x0008U /* MFD_NOEXEC_SEAL, which not every header has */

static void
fill(guint8 *out, gsize size, const void *data)
{
    memcpy(out, data, size);
}

static int
make(const char *text)
{
    g_autoptr(GError) error = NULL;
    int fd = -1;
    gboolean ok = sealed_make(strlen(text), fill, text, &fd, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    return fd;
}

static void
test_there_and_back(void)
{
    const int fd = make("state");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = sealed_read(fd, 5, &error);

    g_assert_no_error(error);
    close(fd); /* the mapping stays */
    g_assert_cmpuint(g_bytes_get_size(bytes), ==, 5);
    g_assert_true(memcmp(g_bytes_get_data(bytes, NULL), "state", 5) == 0);
    g_assert_true(fcntl(fd, F_GETFD) < 0);
}

static void
test_cannot_change(void)
{
    const int fd = make("state");

    g_assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    g_assert_cmpint(pwrite(fd, "x", 1, 0), ==, -1);
    g_assert_cmpint(ftruncate(fd, 1), ==, -1);
    g_assert_cmpint(ftruncate(fd, 100), ==, -1);
    g_assert_true(mmap(NULL, 5, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    close(fd);
}

/* It cannot be run, where the kernel is new enough: some systems refuse any other memory. */
static void
test_cannot_run(void)
{
    const int fd = make("state");
    const int bare = memfd_create("x", MFD_CLOEXEC | NOEXEC_SEAL);
    struct stat status;

    g_assert_no_errno(fstat(fd, &status));
    g_assert_cmpuint(status.st_mode & 0111, ==, bare >= 0 ? 0 : 0111);
    if (bare >= 0) {
        g_assert_cmpint(fchmod(fd, 0700), ==, -1);
        close(bare);
    }
    close(fd);
}

static void
test_nothing(void)
{
    g_autoptr(GError) error = NULL;
    int fd = -1;

    g_assert_false(sealed_make(0, fill, "", &fd, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_assert_cmpint(fd, ==, -1);
}

static void
refused(int fd, gsize most)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(sealed_read(fd, most, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    close(fd);
}

static void
test_refused(void)
{
    int fds[2], open_memory = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    refused(make("state"), 4);
    g_assert_cmpint(ftruncate(open_memory, 10), ==, 0);
    refused(open_memory, 100);
    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    refused(fds[0], 100);
    close(fds[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sealed/there-and-back", test_there_and_back);
    g_test_add_func("/sealed/cannot-change", test_cannot_change);
    g_test_add_func("/sealed/cannot-run", test_cannot_run);
    g_test_add_func("/sealed/refused", test_refused);
    g_test_add_func("/sealed/nothing", test_nothing);
    return g_test_run();
}
