/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of who changed what wait for a name, in order, and not for long; a user database that
 * does not answer holds up nothing. */
#include "daemon/record/changes.h"
#include "daemon/record/user-names.h"

#include <errno.h>
#include <pwd.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define STUCK 4242 /* a user whom the database never finds out about, while `held` is set */

static atomic_bool held;
static atomic_uint asked;
static GString *told;

/* In the place of the system's: what is asked of a directory in the network may take long. */
int
getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size, struct passwd **ret)
{
    atomic_fetch_add(&asked, 1);
    while (uid == STUCK && atomic_load(&held))
        g_usleep(1000);
    *ret = NULL;
    if (uid == 7) /* nobody has it */
        return 0;
    if (size < 2048) /* a long entry */
        return ERANGE;
    g_snprintf(buffer, size, "user-%u", (unsigned)uid);
    *entry = (struct passwd){.pw_name = buffer, .pw_uid = uid};
    *ret = entry;
    return 0;
}

static GLogWriterOutput
remember(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    for (gsize i = 0; i < n; i++)
        if (strcmp(fields[i].key, "STREAMD_USER") == 0 || strcmp(fields[i].key, "STREAMD_NEW") == 0)
            g_string_append_printf(told, "%s ", (const char *)fields[i].value);
    g_string_append(told, "| ");
    return G_LOG_WRITER_HANDLED;
}

static void
add(Changes *changes, guint32 uid, const char *what)
{
    g_autoptr(Author) author = author_new(uid, 1, ":1.1", "/x");

    changes_add(changes, EVENT_POLICY_CHANGED, author, &(EventData){.after = what});
}

/* Until LEFT records wait. */
static void
run(const Changes *changes, guint left)
{
    gint64 until = g_get_monotonic_time() + 20 * G_TIME_SPAN_SECOND;

    while (changes_waiting(changes) > left) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        (void)g_main_context_iteration(NULL, FALSE);
        g_usleep(500);
    }
}

static void
set_up(void)
{
    told = g_string_new(NULL);
    atomic_store(&held, FALSE);
    atomic_store(&asked, 0);
}

static void
assert_told(const char *text)
{
    g_assert_cmpstr(told->str, ==, text);
    (void)g_string_free(told, TRUE);
}

static void
test_names(void)
{
    g_autoptr(Changes) changes = changes_new();

    set_up();
    add(changes, 1000, "a");
    add(changes, 1001, "b");
    add(changes, 7, "c");
    add(changes, 1000, "d");
    run(changes, 0);
    g_assert_cmpuint(atomic_load(&asked), ==, 5); /* a longer buffer for each that there is */
    add(changes, 1001, "e");
    g_assert_cmpuint(changes_waiting(changes), ==, 0); /* it is remembered */
    changes_add(changes, EVENT_CONFIG_RELOADED, NULL, &(EventData){.after = "f"});
    assert_told("user-1000 a | user-1001 b | c | user-1000 d | user-1001 e | f | ");
}

/* The record is there after a second, without the name; the next are not held up for longer, and
 * keep their order. */
static void
test_stuck(void)
{
    g_autoptr(Changes) changes = changes_new();
    gint64 begun = g_get_monotonic_time();

    set_up();
    atomic_store(&held, TRUE);
    add(changes, STUCK, "a");
    add(changes, 1000, "b");
    g_assert_cmpint(g_get_monotonic_time() - begun, <, CHANGES_WAIT / 2);
    g_assert_cmpuint(changes_waiting(changes), ==, 2);
    run(changes, 0);
    g_assert_cmpint(g_get_monotonic_time() - begun, >=, CHANGES_WAIT);
    assert_told("a | b | ");
    atomic_store(&held, FALSE);
}

/* One more than may wait: the oldest goes. */
static void
test_bounded(void)
{
    g_autoptr(Changes) changes = changes_new();

    set_up();
    atomic_store(&held, TRUE);
    for (guint i = 0; i < CHANGES_MAX; i++)
        add(changes, STUCK, "a");
    g_assert_cmpuint(changes_waiting(changes), ==, CHANGES_MAX);
    g_assert_cmpstr(told->str, ==, "");
    add(changes, STUCK, "b");
    g_assert_cmpuint(changes_waiting(changes), ==, CHANGES_MAX);
    assert_told("a | ");
    told = g_string_new(NULL);
    g_clear_pointer(&changes, changes_free); /* at once, though the database is asked */
    g_assert_true(g_str_has_suffix(told->str, "a | b | "));
    (void)g_string_free(told, TRUE);
    atomic_store(&held, FALSE);
    g_usleep(20000);
}

static void
found(void *data)
{
    (*(guint *)data)++;
}

/* Questions that may wait, and one too many; names that are remembered, and one too many. */
static void
test_questions(void)
{
    guint answers = 0;
    g_autoptr(UserNames) names = user_names_new(found, &answers);
    const char *name;

    set_up();
    atomic_store(&held, TRUE);
    g_assert_false(user_names_find(names, STUCK, &name));
    for (guint32 uid = 1; uid <= USER_NAMES_ASKED_MAX; uid++)
        g_assert_false(user_names_find(names, 10000 + uid, &name));
    atomic_store(&held, FALSE);
    while (answers < USER_NAMES_ASKED_MAX)
        (void)g_main_context_iteration(NULL, TRUE);
    g_assert_true(user_names_find(names, 10000 + USER_NAMES_ASKED_MAX - 1, &name));
    g_assert_cmpstr(name, ==, "user-10063");
    g_assert_false(user_names_find(names, 10000 + USER_NAMES_ASKED_MAX, &name));
    for (guint32 uid = 0; uid < USER_NAMES_MAX; uid++)
        while (!user_names_find(names, 20000 + uid, &name))
            (void)g_main_context_iteration(NULL, TRUE);
    g_assert_false(user_names_find(names, STUCK, &name));
    assert_told("");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_writer_func(remember, NULL, NULL);
    g_test_add_func("/changes/names", test_names);
    g_test_add_func("/changes/stuck", test_stuck);
    g_test_add_func("/changes/bounded", test_bounded);
    g_test_add_func("/changes/questions", test_questions);
    return g_test_run();
}
