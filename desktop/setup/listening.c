/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/setup/listening.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

#define STATE_LISTEN 0x0A
#define HEX_WORD 8 /* digits of 32 bits */

static const ListeningService services[] = {
    {22, "ssh", N_("Terminal and files (ssh)")}, {80, "web", N_("Web page")},
    {443, "https", N_("Web page (https)")},      {3389, "rdp", N_("Remote desktop (RDP)")},
    {5900, "vnc", N_("Remote desktop (VNC)")},   {8080, "web-8080", N_("Web page at port 8080")},
};

static void
listening_free(Listening *listening)
{
    g_free(listening->address);
    g_free(listening);
}

static const ListeningService *
service_at(guint port)
{
    for (guint i = 0; i < G_N_ELEMENTS(services); i++) {
        if (services[i].port == port)
            return &services[i];
    }
    return NULL;
}

/* "0100007F" is 127.0.0.1: the kernel prints each 32 bits of an address as a number of its own. */
static GInetAddress *
address_parse(const char *hex)
{
    const gsize digits = strlen(hex);
    guint32 words[4] = {0};

    if (digits != HEX_WORD && digits != HEX_WORD * G_N_ELEMENTS(words))
        return NULL;
    for (gsize i = 0; i < digits / HEX_WORD; i++) {
        g_autofree char *word = g_strndup(hex + i * HEX_WORD, HEX_WORD);

        words[i] = (guint32)g_ascii_strtoull(word, NULL, 16);
    }
    return g_inet_address_new_from_bytes(
        (const guint8 *)words, digits == HEX_WORD ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
}

/* Where streamd reaches it. What listens everywhere is reached on the loopback. */
static char *
address_target(GInetAddress *address, guint port)
{
    const gboolean ipv6 = g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6;
    g_autofree char *text = g_inet_address_get_is_any(address)
                                ? g_strdup(ipv6 ? "::1" : "127.0.0.1")
                                : g_inet_address_to_string(address);

    return g_strdup_printf(ipv6 ? "tcp:[%s]:%u" : "tcp:%s:%u", text, port);
}

/* One line: "  0: 0100007F:1F90 00000000:0000 0A ...". NULL: nothing of ours listens there. */
static Listening *
line_parse(const char *line)
{
    g_auto(GStrv) words = NULL, place = NULL;
    g_autofree char *plain = g_strstrip(g_strdup(line));
    g_autoptr(GInetAddress) address = NULL;
    const ListeningService *service;
    Listening *listening;

    words = g_strsplit(plain, " ", 5);
    if (g_strv_length(words) < 4 || g_ascii_strtoull(words[3], NULL, 16) != STATE_LISTEN)
        return NULL;
    place = g_strsplit(words[1], ":", 2);
    if (g_strv_length(place) != 2)
        return NULL;
    service = service_at((guint)g_ascii_strtoull(place[1], NULL, 16));
    address = service == NULL ? NULL : address_parse(place[0]);
    if (address == NULL)
        return NULL;
    listening = g_new0(Listening, 1);
    listening->service = service;
    listening->address = address_target(address, service->port);
    return listening;
}

/* The first address of a service is kept. */
static void
listening_take(GPtrArray *found, Listening *listening)
{
    for (guint i = 0; i < found->len; i++) {
        const Listening *other = g_ptr_array_index(found, i);

        if (other->service == listening->service) {
            listening_free(listening);
            return;
        }
    }
    g_ptr_array_add(found, listening);
}

static void
listening_read(GPtrArray *found, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        Listening *listening = line_parse(lines[i]);

        if (listening != NULL)
            listening_take(found, listening);
    }
}

static int
listening_compare(gconstpointer a, gconstpointer b)
{
    const Listening *const *m = a, *const *n = b;

    return (int)(*m)->service->port - (int)(*n)->service->port;
}

GPtrArray *
listening_find(const char *tcp, const char *tcp6)
{
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)listening_free);

    listening_read(found, tcp);
    listening_read(found, tcp6);
    g_ptr_array_sort(found, listening_compare);
    return found;
}

/* The kernel makes the texts as they are read, which takes a while where there are many sockets. */
static void
look_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    g_autofree char *tcp = NULL, *tcp6 = NULL;

    (void)g_file_get_contents("/proc/net/tcp", &tcp, NULL, NULL);
    (void)g_file_get_contents("/proc/net/tcp6", &tcp6, NULL, NULL);
    g_task_return_pointer(task, listening_find(tcp == NULL ? "" : tcp, tcp6 == NULL ? "" : tcp6),
                          (GDestroyNotify)g_ptr_array_unref);
}

void
listening_look(GCancellable *cancellable, GAsyncReadyCallback done, gpointer data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, done, data);

    g_task_run_in_thread(task, look_run);
}

GPtrArray *
listening_look_finish(GAsyncResult *result)
{
    return g_task_propagate_pointer(G_TASK(result), NULL);
}
