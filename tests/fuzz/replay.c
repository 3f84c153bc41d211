/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Corpus replay: runs a fuzz target over every file of the given folders, without an engine. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static guint
replay_file(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize size = 0;

    if (!g_file_get_contents(path, &bytes, &size, NULL))
        g_error("%s cannot be read", path);
    /* An exact copy on the heap, so that a read one byte past the input is seen. */
    g_autofree uint8_t *exact = g_memdup2(bytes, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    return 1;
}

static guint
replay_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint count = 0;

    if (!dir)
        return replay_file(path);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        count += replay_file(child);
    }
    return count;
}

int
main(int argc, char **argv)
{
    guint count = 0;

    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    g_print("%u inputs\n", count);
    /* An empty corpus would be a test that cannot fail. */
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
