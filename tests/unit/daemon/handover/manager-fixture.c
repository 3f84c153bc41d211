/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-fixture.h"

#include "daemon/handover/fd-store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its thread reads the socket; who asks holds the lock. */
struct Manager {
    char *folder, *path;
    int socket, stop[2];
    guint most, messages, polled;
    GArray *items; /* FdStoreItem */
    pthread_mutex_t lock;
    pthread_t thread;
};

static void
item_clear(gpointer data)
{
    FdStoreItem *item = data;

    close(item->fd);
    g_free(item->name);
}

static const char *
value_of(char **lines, const char *key)
{
    for (guint i = 0; lines[i]; i++)
        if (g_str_has_prefix(lines[i], key))
            return lines[i] + strlen(key);
    return NULL;
}

static void
manager_remove(Manager *manager, const char *name)
{
    for (guint i = manager->items->len; i > 0; i--)
        if (g_str_equal(g_array_index(manager->items, FdStoreItem, i - 1).name, name))
            g_array_remove_index(manager->items, i - 1);
}

static void
manager_store(Manager *manager, const char *name, const int *fds, guint count)
{
    for (guint i = 0; i < count; i++) {
        const FdStoreItem item = {g_strdup(name), fds[i]};

        if (manager->items->len < manager->most) {
            g_array_append_val(manager->items, item);
        } else {
            g_free(item.name);
            close(item.fd);
        }
    }
}

static void
manager_heard(Manager *manager, const char *text, const int *fds, guint count)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const char *name = value_of(lines, "FDNAME=");

    pthread_mutex_lock(&manager->lock);
    if (value_of(lines, "FDSTORE=1")) {
        manager->messages++;
        manager->polled += g_strcmp0(value_of(lines, "FDPOLL="), "0") != 0;
        manager_store(manager, name ? name : "stored", fds, count);
    } else {
        if (value_of(lines, "FDSTOREREMOVE=1"))
            manager_remove(manager, name ? name : "stored");
        for (guint i = 0; i < count; i++) /* of BARRIER=1: its end is the answer */
            close(fds[i]);
    }
    pthread_mutex_unlock(&manager->lock);
}

static void
manager_receive(Manager *manager)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int) * FD_STORE_MESSAGE_MAX)];
    } control;
    char text[4096] = "";
    struct iovec data = {text, sizeof text - 1};
    struct msghdr message = {
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    const ssize_t len = recvmsg(manager->socket, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    int fds[FD_STORE_MESSAGE_MAX];
    guint count = 0;

    g_assert_cmpint(len, >=, 0);
    g_assert_cmpint(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC), ==, 0);
    if (head && head->cmsg_type == SCM_RIGHTS) {
        count = (guint)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(head), count * sizeof(int));
    }
    manager_heard(manager, text, fds, count);
}

static void *
manager_run(void *data)
{
    Manager *manager = data;
    GPollFD polled[] = {{manager->socket, G_IO_IN, 0}, {manager->stop[0], G_IO_IN | G_IO_HUP, 0}};

    while (g_poll(polled, 2, -1) > 0 && polled[1].revents == 0)
        manager_receive(manager);
    return NULL;
}

Manager *
manager_new(guint most)
{
    Manager *manager = g_new0(Manager, 1);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autofree char *text = g_strdup_printf("%u", most);

    manager->most = most;
    manager->folder = g_dir_make_tmp("manager-XXXXXX", NULL);
    manager->path = g_build_filename(manager->folder, "notify", NULL);
    manager->items = g_array_new(FALSE, FALSE, sizeof(FdStoreItem));
    g_array_set_clear_func(manager->items, item_clear);
    manager->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, manager->path, sizeof address.sun_path);
    g_assert_cmpint(bind(manager->socket, (const struct sockaddr *)&address, sizeof address), ==,
                    0);
    g_assert_cmpint(pipe2(manager->stop, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pthread_mutex_init(&manager->lock, NULL), ==, 0);
    g_setenv("NOTIFY_SOCKET", manager->path, TRUE);
    g_setenv(FD_STORE_VARIABLE, text, TRUE);
    g_assert_cmpint(pthread_create(&manager->thread, NULL, manager_run, manager), ==, 0);
    return manager;
}

void
manager_free(Manager *manager)
{
    close(manager->stop[1]);
    pthread_join(manager->thread, NULL);
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv(FD_STORE_VARIABLE);
    close(manager->stop[0]);
    close(manager->socket);
    g_array_unref(manager->items);
    pthread_mutex_destroy(&manager->lock);
    (void)g_unlink(manager->path);
    (void)g_rmdir(manager->folder);
    g_free(manager->path);
    g_free(manager->folder);
    g_free(manager);
}

guint
manager_kept_as(Manager *manager, const char *name)
{
    guint count = 0;

    pthread_mutex_lock(&manager->lock);
    for (guint i = 0; i < manager->items->len; i++)
        count += !name || g_str_equal(g_array_index(manager->items, FdStoreItem, i).name, name);
    pthread_mutex_unlock(&manager->lock);
    return count;
}

guint
manager_kept(Manager *manager)
{
    return manager_kept_as(manager, NULL);
}

GArray *
manager_take(Manager *manager)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(FdStoreItem));

    g_array_set_clear_func(items, item_clear);
    pthread_mutex_lock(&manager->lock);
    for (guint i = 0; i < manager->items->len; i++) {
        const FdStoreItem *kept = &g_array_index(manager->items, FdStoreItem, i);
        const FdStoreItem item = {g_strdup(kept->name), fcntl(kept->fd, F_DUPFD_CLOEXEC, 0)};

        g_array_append_val(items, item);
    }
    pthread_mutex_unlock(&manager->lock);
    return items;
}

guint
manager_messages(Manager *manager)
{
    guint count;

    pthread_mutex_lock(&manager->lock);
    count = manager->messages;
    pthread_mutex_unlock(&manager->lock);
    return count;
}

guint
manager_polled(Manager *manager)
{
    guint count;

    pthread_mutex_lock(&manager->lock);
    count = manager->polled;
    pthread_mutex_unlock(&manager->lock);
    return count;
}

/* In the child. From above: what lies in the way of the numbers from 3 on is moved first. The last
 * one that was stored comes first, as it does from systemd. */
static void
manager_hand_out(const Manager *manager)
{
    const int count = (int)manager->items->len;
    g_autoptr(GString) names = g_string_new(NULL);
    g_autofree char *number = g_strdup_printf("%d", count);
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_autofree int *high = g_new(int, count + 1);

    for (int i = 0; i < count; i++) {
        const FdStoreItem *item = &g_array_index(manager->items, FdStoreItem, count - 1 - i);

        high[i] = fcntl(item->fd, F_DUPFD_CLOEXEC, 2048);
        g_assert_cmpint(high[i], >=, 2048);
        g_string_append_printf(names, "%s%s", i > 0 ? ":" : "", item->name);
    }
    for (int i = 0; i < count; i++)
        g_assert_cmpint(dup2(high[i], 3 + i), ==, 3 + i);
    g_setenv("LISTEN_FDS", number, TRUE);
    g_setenv("LISTEN_PID", pid, TRUE);
    g_setenv("LISTEN_FDNAMES", names->str, TRUE);
}

int
manager_start(Manager *manager, int (*child)(void *data), void *data)
{
    int status = -1;
    pid_t pid;

    pthread_mutex_lock(&manager->lock); /* its thread holds nothing while this forks */
    pid = fork();
    if (pid == 0) {
        manager_hand_out(manager);
        _exit(child(data));
    }
    pthread_mutex_unlock(&manager->lock);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
