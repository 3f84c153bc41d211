/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/handover/fd-store.h"

#include "common/base/error.h"

#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

guint
fd_store_room(void)
{
    const char *text = g_getenv(FD_STORE_VARIABLE);
    guint64 room = 0;

    if (!text || !g_getenv("NOTIFY_SOCKET") ||
        !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, &room, NULL))
        return 0;
    return (guint)MIN(room, FD_STORE_MOST);
}

gboolean
fd_store_name_is_valid(const char *name)
{
    gsize len = strlen(name);

    if (len == 0 || len > FD_STORE_NAME_MAX)
        return FALSE;
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isgraph(name[i]) || name[i] == ':')
            return FALSE;
    return TRUE;
}

/* R: as sd_notify(3) returns it; 0 means that nobody listens. */
static gboolean
store_said(int r, const char *what, GError **error)
{
    if (r > 0)
        return TRUE;
    g_set_error(error, STREAMD_ERROR,
                r == -ETIMEDOUT ? STREAMD_ERROR_TIMED_OUT : STREAMD_ERROR_FAILED, "cannot %s: %s",
                what, r < 0 ? g_strerror(-r) : "no service manager");
    return FALSE;
}

gboolean
fd_store_push(const char *name, const int *fds, guint count, GError **error)
{
    g_autofree char *text = g_strdup_printf("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);

    g_return_val_if_fail(fd_store_name_is_valid(name), FALSE);
    for (guint at = 0; at < count; at += FD_STORE_MESSAGE_MAX) {
        const guint part = MIN(count - at, FD_STORE_MESSAGE_MAX);
        const int r = sd_pid_notify_with_fds(0, 0, text, fds + at, part);

        if (!store_said(r, "store a descriptor", error))
            return FALSE;
    }
    return TRUE;
}

gboolean
fd_store_remove(const char *name, GError **error)
{
    return store_said(sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name), "remove a descriptor",
                      error);
}

gboolean
fd_store_sync(GError **error)
{
    return store_said(sd_notify_barrier(0, FD_STORE_BARRIER), "wait for the service manager",
                      error);
}

static void
store_item_clear(gpointer data)
{
    FdStoreItem *item = data;

    if (item->fd >= 0)
        close(item->fd);
    g_free(item->name);
}

/* sd_listen_fds_with_names() sets CLOEXEC, and gives a name for each, whatever was said. */
GArray *
fd_store_take(void)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(FdStoreItem));
    char **names = NULL;
    const int count = sd_listen_fds_with_names(1, &names);

    g_array_set_clear_func(items, store_item_clear);
    for (int i = 0; i < count; i++) {
        const FdStoreItem item = {g_strdup(names[i]), SD_LISTEN_FDS_START + i};

        g_array_append_val(items, item);
        free(names[i]);
    }
    free(names);
    return items;
}
