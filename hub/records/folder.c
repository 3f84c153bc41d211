/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/folder.h"

#include <glib/gstdio.h>
#include <string.h>

#define PREFIX "records-"
#define SUFFIX ".jsonl"
#define DIGITS 10

char *
records_folder_current(const char *folder)
{
    return g_build_filename(folder, RECORDS_CURRENT, NULL);
}

char *
records_folder_numbered(const char *folder, guint64 number)
{
    return g_strdup_printf("%s/" PREFIX "%0*" G_GUINT64_FORMAT SUFFIX, folder, DIGITS, number);
}

/* 0: NAME is none of a numbered file. */
static guint64
number_of(const char *name)
{
    g_autofree char *digits = NULL;
    guint64 number = 0;

    if (!g_str_has_prefix(name, PREFIX) || !g_str_has_suffix(name, SUFFIX))
        return 0;
    digits = g_strndup(name + strlen(PREFIX), strlen(name) - strlen(PREFIX) - strlen(SUFFIX));
    if (strlen(digits) < DIGITS ||
        !g_ascii_string_to_unsigned(digits, 10, 1, G_MAXUINT64 - 1, &number, NULL))
        return 0;
    return number;
}

static gint
compare_numbers(gconstpointer a, gconstpointer b)
{
    const guint64 *one = a, *other = b;

    return *one < *other ? -1 : *one > *other;
}

/* The numbers of the files, rising. NULL: the folder cannot be read. */
static GArray *
folder_numbers(const char *folder, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    GArray *numbers;
    const char *name;

    if (!dir)
        return NULL;
    numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
    while ((name = g_dir_read_name(dir)) != NULL) {
        guint64 number = number_of(name);

        if (number > 0)
            g_array_append_val(numbers, number);
    }
    g_array_sort(numbers, compare_numbers);
    return numbers;
}

gboolean
records_folder_last(const char *folder, guint64 *ret, GError **error)
{
    g_autoptr(GArray) numbers = folder_numbers(folder, error);

    if (!numbers)
        return FALSE;
    *ret = numbers->len > 0 ? g_array_index(numbers, guint64, numbers->len - 1) : 0;
    return TRUE;
}

void
records_folder_trim(const char *folder, guint keep)
{
    g_autoptr(GArray) numbers = folder_numbers(folder, NULL);

    for (guint i = 0; numbers && i + keep < numbers->len; i++) {
        g_autofree char *path = records_folder_numbered(folder, g_array_index(numbers, guint64, i));

        (void)g_unlink(path);
    }
}
