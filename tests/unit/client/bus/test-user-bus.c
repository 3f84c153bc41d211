/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bus of a user: what the environment says × what is there. */
#include "client/bus/user-bus.h"

#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    char *run;  /* in place of /run/user */
    char *mine; /* the runtime folder of this user there */
    char *path; /* of the socket */
} Place;

static void
place_open(Place *place)
{
    place->run = g_dir_make_tmp("user-bus-XXXXXX", NULL);
    g_assert_nonnull(place->run);
    place->mine = g_strdup_printf("%s/%u", place->run, (guint)getuid());
    place->path = g_build_filename(place->mine, "bus", NULL);
    g_assert_cmpint(g_mkdir(place->mine, 0700), ==, 0);
}

static void
place_close(Place *place)
{
    (void)g_unlink(place->path);
    g_assert_cmpint(g_rmdir(place->mine), ==, 0);
    g_assert_cmpint(g_rmdir(place->run), ==, 0);
    g_free(place->path);
    g_free(place->mine);
    g_free(place->run);
}

static void
place_listen(const Place *place)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(g_strlcpy(address.sun_path, place->path, sizeof(address.sun_path)), <,
                     sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
    (void)close(fd);
}

/* FOUND: whether the socket is found by what the hints say. %s in them is RUN, %u another user. */
static void
look(const Place *place, const char *address, const char *folder, gboolean found)
{
    const guint mine = (guint)getuid(), other = mine + 1;
    g_autofree char *theirs = g_strdup_printf("unix:path=%s/%u/bus", place->run, other);
    g_autofree char *theirs_more = g_strconcat(theirs, ",guid=00", NULL);
    g_autofree char *own = g_strdup_printf("unix:path=%s/%u/bus", place->run, mine);
    g_autofree char *their_folder = g_strdup_printf("%s/%u", place->run, other);
    const UserBusHints hints = {
        .address = g_strcmp0(address, "theirs") == 0    ? theirs
                   : g_strcmp0(address, "theirs+") == 0 ? theirs_more
                   : g_strcmp0(address, "own") == 0     ? own
                                                        : address,
        .folder = g_strcmp0(folder, "theirs") == 0 ? their_folder
                  : g_strcmp0(folder, "own") == 0  ? place->mine
                                                   : folder,
    };
    g_autofree char *at = user_bus_find(place->run, getuid(), &hints);

    if (g_strcmp0(at, found ? own : NULL) != 0)
        g_error("address %s, folder %s: found %s", hints.address, hints.folder, at);
}

static void
test_hints(void)
{
    static const struct {
        const char *address, *folder;
        gboolean found;
    } rows[] = {
        {NULL, NULL, TRUE},
        {"", "", TRUE},
        {NULL, "theirs", TRUE},
        {"", "theirs", TRUE},
        {"theirs", "theirs", TRUE},
        {"theirs", "own", TRUE},
        {"theirs+", NULL, TRUE},
        {NULL, "own", FALSE},
        {NULL, "/tmp/mine", FALSE},
        {"own", NULL, FALSE},
        {"own", "theirs", FALSE},
        {"unix:path=/nowhere", NULL, FALSE},
        {"unix:abstract=/tmp/x", "theirs", FALSE},
        {"tcp:host=localhost,port=1", NULL, FALSE},
    };
    Place place;

    place_open(&place);
    place_listen(&place);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        look(&place, rows[i].address, rows[i].folder, rows[i].found);
    place_close(&place);
}

/* Nothing, a file, and a link to a socket are no bus; nor is one of another user. */
static void
test_there(void)
{
    g_autofree char *socket_path = NULL, *at = NULL;
    const UserBusHints none = {NULL, NULL};
    Place place;

    place_open(&place);
    look(&place, NULL, NULL, FALSE);
    g_assert_true(g_file_set_contents(place.path, "", 0, NULL));
    look(&place, NULL, NULL, FALSE);
    g_assert_cmpint(g_unlink(place.path), ==, 0);
    place_listen(&place);
    look(&place, NULL, NULL, TRUE);
    at = user_bus_find(place.run, getuid() + 1, &none);
    g_assert_null(at);
    socket_path = g_strconcat(place.run, "/socket", NULL);
    g_assert_cmpint(g_rename(place.path, socket_path), ==, 0);
    g_assert_cmpint(symlink(socket_path, place.path), ==, 0);
    look(&place, NULL, NULL, FALSE);
    g_assert_cmpint(g_unlink(socket_path), ==, 0);
    place_close(&place);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/user-bus/hints", test_hints);
    g_test_add_func("/user-bus/there", test_there);
    return g_test_run();
}
