/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of events, and systemd/streamd.catalog against it. */
#include "common/log/events.h"

#include <string.h>

static char *catalog;

static void
test_rows(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (EventKind kind = 0; kind < EVENT_LAST; kind++) {
        const char *id = event_message_id(kind);

        g_assert_nonnull(event_name(kind));
        g_assert_cmpuint(strlen(id), ==, 32);
        g_assert_cmpuint(strspn(id, "0123456789abcdef"), ==, 32);
        g_assert_true(g_hash_table_add(seen, (gpointer)id));
    }
}

/* What the text says is also a field, and every field is one that there is. */
static void
test_fields(void)
{
    for (EventKind kind = 0; kind < EVENT_LAST; kind++) {
        g_auto(GStrv) fields = g_strsplit(event_fields(kind), " ", -1);
        g_auto(GStrv) parts = g_strsplit(event_text(kind), "{", -1);

        for (char **field = fields; *field; field++)
            g_assert_true(event_field_is_known(*field));
        for (char **part = parts + 1; parts[0] && *part; part++) {
            g_autofree char *name = g_strndup(*part, strcspn(*part, "|}"));

            g_assert_true(g_strv_contains((const char *const *)fields, name));
        }
    }
}

static void
test_catalog(void)
{
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents(catalog, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "-- "))
            g_assert_true(g_hash_table_add(ids, g_strdup(*line + 3)));
    g_assert_cmpuint(g_hash_table_size(ids), ==, EVENT_LAST);
    for (EventKind kind = 0; kind < EVENT_LAST; kind++)
        g_assert_true(g_hash_table_contains(ids, event_message_id(kind)));
}

/* An entry is a subject, who defines it, a blank line and words; it names fields of its event. */
static void
test_entries(void)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(catalog, &text, NULL, NULL));
    for (EventKind kind = 0; kind < EVENT_LAST; kind++) {
        g_autofree char *head = g_strdup_printf("-- %s\nSubject: ", event_message_id(kind));
        g_auto(GStrv) fields = g_strsplit(event_fields(kind), " ", -1);
        g_autofree char *entry = NULL;
        g_auto(GStrv) parts = NULL;
        const char *at = strstr(text, head);

        g_assert_nonnull(at);
        entry = g_strndup(at, strstr(at, "\n-- ") ? (gsize)(strstr(at, "\n-- ") - at) : strlen(at));
        g_assert_nonnull(strstr(entry, "\nDefined-By: streamd\n\n"));
        parts = g_strsplit(entry, "@", -1);
        for (guint i = 1; i < g_strv_length(parts); i += 2) {
            g_assert_true(g_str_has_prefix(parts[i], "STREAMD_"));
            g_assert_true(g_strv_contains((const char *const *)fields, parts[i] + 8));
        }
    }
}

static char *told; /* the fields of the last record, a line each */

static GLogWriterOutput
remember(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    GString *out = g_string_new(NULL);

    for (gsize i = 0; i < n; i++)
        g_string_append_printf(out, "%s=%s\n", fields[i].key, (const char *)fields[i].value);
    g_free(told);
    told = g_string_free(out, FALSE);
    return G_LOG_WRITER_HANDLED;
}

static void
test_record(void)
{
    event_log(EVENT_STREAM_ACCEPTED, &(EventData){.hub = "office",
                                                  .device = "gw-1",
                                                  .stream = "ssh\nPRIORITY=0",
                                                  .stream_id = "f00d",
                                                  .stream_number = 7,
                                                  .target = "ssh",
                                                  .rule = "rule 3"});
    g_assert_nonnull(strstr(told, "MESSAGE=Stream 7: ssh\\x0aPRIORITY=0 from - (-) at hub office is "
                                  "accepted by rule 3, to target ssh\n"));
    g_assert_nonnull(strstr(told, "\nPRIORITY=6\n"));
    g_assert_nonnull(strstr(told, "\nSTREAMD_STREAM=ssh\\x0aPRIORITY=0\n"));
    g_assert_nonnull(strstr(told, "\nSTREAMD_RULE=rule 3\n"));
    g_assert_nonnull(strstr(told, "\nSTREAMD_CLASS=stream\n"));
    g_assert_nonnull(strstr(told, "\nSTREAMD_STREAM_ID=f00d\n"));
    g_assert_nonnull(strstr(told, "\nSTREAMD_STREAM_NUMBER=7\n"));
    g_assert_null(strstr(told, "STREAMD_INITIATOR"));
    g_assert_null(strstr(told, EVENT_BOUNDED_FIELD));
    g_clear_pointer(&told, g_free);
    event_log(EVENT_REFUSALS_SUMMED, &(EventData){.detail = "some", .count = 7, .bounded = TRUE});
    g_assert_nonnull(strstr(told, "MESSAGE=Whoever else is refused, some\n"));
    g_assert_nonnull(strstr(told, "\nSTREAMD_COUNT=7\n"));
    g_assert_nonnull(strstr(told, "\n" EVENT_BOUNDED_FIELD "=1\n"));
    g_clear_pointer(&told, g_free);
}

/* Who changed what, and what is not known of him. */
static void
test_who(void)
{
    EventData data = {.uid = 1000, .user = "alice", .caller_pid = 42, .bus_name = ":1.7"};

    data.object = "/io/streamd/Streamd1";
    data.before = "default: reject";
    data.after = "default: accept\nPRIORITY=0";
    event_log(EVENT_POLICY_CHANGED, &data);
    g_assert_nonnull(strstr(told, "MESSAGE=The accept policy was changed by alice (UID 1000): "
                                  "default: accept\\x0aPRIORITY=0 (before: default: reject)\n"));
    g_assert_nonnull(strstr(told, "\nSTREAMD_CLASS=change\n"));
    g_assert_nonnull(strstr(told, "\nSTREAMD_UID=1000\nSTREAMD_USER=alice\nSTREAMD_CALLER_PID=42\n"
                                  "STREAMD_BUS_NAME=:1.7\nSTREAMD_OBJECT=/io/streamd/Streamd1\n"
                                  "STREAMD_OLD=default: reject\nSTREAMD_NEW=default: "
                                  "accept\\x0aPRIORITY=0\n"));
    data.uid = EVENT_NO_UID;
    data.user = NULL;
    data.caller_pid = 0;
    event_log(EVENT_CONFIG_RELOADED, &data);
    g_assert_nonnull(strstr(told, "MESSAGE=Configuration reloaded by - (UID -): "));
    g_assert_null(strstr(told, "STREAMD_UID"));
    g_assert_null(strstr(told, "STREAMD_USER"));
    g_assert_null(strstr(told, "STREAMD_CALLER_PID"));
    g_clear_pointer(&told, g_free);
}

/* Every event with everything as long as can be is still one line that a pipe takes whole. */
static void
test_longest(void)
{
    g_autofree char *longest = g_strnfill(5000, 'x');
    const EventData data = {
        .hub = longest,         .device = longest,    .stream = longest,
        .stream_id = longest,   .initiator = longest, .target = longest,
        .peer = longest,        .address = longest,   .reason = longest,
        .rule = longest,        .detail = longest,    .user = longest,
        .bus_name = longest,    .object = longest,    .before = longest,
        .after = longest,       .tunnel = G_MAXUINT64, .stream_number = G_MAXUINT64,
        .caller_pid = G_MAXUINT64, .attempts = G_MAXUINT64, .bytes_in = G_MAXUINT64,
        .bytes_out = G_MAXUINT64, .duration = G_MAXUINT64, .uid = G_MAXUINT32 - 1,
    };

    for (EventKind kind = 0; kind < EVENT_LAST; kind++) {
        event_log(kind, &data);
        g_assert_cmpuint(strcspn(told, "\n"), <, 4000);
    }
    g_clear_pointer(&told, g_free);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    catalog = argv[1];
    g_log_set_writer_func(remember, NULL, NULL);
    g_test_add_func("/events/rows", test_rows);
    g_test_add_func("/events/fields", test_fields);
    g_test_add_func("/events/catalog", test_catalog);
    g_test_add_func("/events/entries", test_entries);
    g_test_add_func("/events/record", test_record);
    g_test_add_func("/events/who", test_who);
    g_test_add_func("/events/longest", test_longest);
    return g_test_run();
}
