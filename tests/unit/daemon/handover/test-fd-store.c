/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that the service manager keeps over a restart. */
#include "manager-fixture.h"

#include "common/base/error.h"
#include "daemon/handover/fd-store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
sync_store(void)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = fd_store_sync(&error);

    g_assert_no_error(error);
    g_assert_true(ok);
}

static void
push(const char *name, const int *fds, guint count)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = fd_store_push(name, fds, count, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
}

static void
test_room(void)
{
    g_autoptr(Manager) manager = NULL;

    g_assert_cmpuint(fd_store_room(), ==, 0);
    manager = manager_new(640);
    g_assert_cmpuint(fd_store_room(), ==, 640);
    g_setenv(FD_STORE_VARIABLE, "1000", TRUE);
    g_assert_cmpuint(fd_store_room(), ==, FD_STORE_MOST);
    g_setenv(FD_STORE_VARIABLE, "1001", TRUE);
    g_assert_cmpuint(fd_store_room(), ==, FD_STORE_MOST);
    g_setenv(FD_STORE_VARIABLE, "64 ", TRUE);
    g_assert_cmpuint(fd_store_room(), ==, 0);
    g_setenv(FD_STORE_VARIABLE, "64", TRUE);
    g_unsetenv("NOTIFY_SOCKET");
    g_assert_cmpuint(fd_store_room(), ==, 0);
}

static void
test_names(void)
{
    g_autofree char *most = g_strnfill(FD_STORE_NAME_MAX, 'a');
    g_autofree char *beyond = g_strnfill(FD_STORE_NAME_MAX + 1, 'a');

    g_assert_true(fd_store_name_is_valid("s-18446744073709551615"));
    g_assert_true(fd_store_name_is_valid(most));
    g_assert_false(fd_store_name_is_valid(beyond));
    g_assert_false(fd_store_name_is_valid(""));
    g_assert_false(fd_store_name_is_valid("a:b"));
    g_assert_false(fd_store_name_is_valid("a b"));
    g_assert_false(fd_store_name_is_valid("a\nb"));
    g_assert_false(fd_store_name_is_valid("\303\244"));
}

static void
test_nobody(void)
{
    g_autoptr(GError) error = NULL;
    const int fd = STDERR_FILENO;

    g_assert_false(fd_store_push("state", &fd, 1, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED);
    g_assert_false(fd_store_remove("state", NULL));
    g_assert_false(fd_store_sync(NULL));
}

/* COUNT descriptors of one name, in as few messages as they fit in. */
static void
check_count(guint count, guint messages)
{
    g_autoptr(Manager) manager = manager_new(640);
    g_autofree int *fds = g_new(int, count);

    for (guint i = 0; i < count; i++)
        fds[i] = STDERR_FILENO;
    push("l-1", fds, count);
    sync_store();
    g_assert_cmpuint(manager_kept_as(manager, "l-1"), ==, count);
    g_assert_cmpuint(manager_messages(manager), ==, messages);
    g_assert_cmpuint(manager_polled(manager), ==, 0);
}

static void
test_messages(void)
{
    check_count(1, 1);
    check_count(FD_STORE_MESSAGE_MAX, 1);
    check_count(FD_STORE_MESSAGE_MAX + 1, 2);
    check_count(2 * FD_STORE_MESSAGE_MAX, 2);
}

static void
test_remove(void)
{
    g_autoptr(Manager) manager = manager_new(2);
    const int fds[] = {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO};

    push("one", fds, 1);
    push("two", fds, 2); /* one too many, which is dropped without a word */
    sync_store();
    g_assert_cmpuint(manager_kept(manager), ==, 2);
    g_assert_true(fd_store_remove("one", NULL));
    sync_store();
    g_assert_cmpuint(manager_kept(manager), ==, 1);
    g_assert_cmpuint(manager_kept_as(manager, "two"), ==, 1);
}

static const FdStoreItem *
find_item(GArray *items, const char *name)
{
    for (guint i = 0; i < items->len; i++)
        if (g_str_equal(g_array_index(items, FdStoreItem, i).name, name))
            return &g_array_index(items, FdStoreItem, i);
    return NULL;
}

/* The successor: finds each by its name, with what came meanwhile, and not to be inherited. */
static int
successor(void *data G_GNUC_UNUSED)
{
    g_autoptr(GArray) items = fd_store_take();
    g_autoptr(GArray) again = fd_store_take();

    if (items->len != 300 || again->len != 0 || g_getenv("LISTEN_FDS"))
        return 1;
    for (guint i = 0; i < items->len; i++) {
        g_autofree char *name = g_strdup_printf("s-%u", i);
        const FdStoreItem *item = find_item(items, name);
        char text[16] = "";

        if (!item || read(item->fd, text, sizeof text - 1) <= 0)
            return 2;
        if (!g_str_equal(text, name) || !(fcntl(item->fd, F_GETFD) & FD_CLOEXEC))
            return 3;
    }
    return 0;
}

static void
test_take(void)
{
    g_autoptr(Manager) manager = manager_new(640);
    int fds[300][2];

    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        g_autofree char *name = g_strdup_printf("s-%u", i);

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds[i]), ==, 0);
        push(name, &fds[i][0], 1);
        close(fds[i][0]);
        g_assert_cmpint(write(fds[i][1], name, strlen(name)), ==, (ssize_t)strlen(name));
    }
    sync_store();
    g_assert_cmpint(manager_start(manager, successor, NULL), ==, 0);
    g_assert_cmpuint(manager_kept(manager), ==, 300); /* until it is told to let go */
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i][1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fd-store/room", test_room);
    g_test_add_func("/fd-store/names", test_names);
    g_test_add_func("/fd-store/nobody", test_nobody);
    g_test_add_func("/fd-store/messages", test_messages);
    g_test_add_func("/fd-store/remove", test_remove);
    g_test_add_func("/fd-store/take", test_take);
    return g_test_run();
}
