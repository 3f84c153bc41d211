/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/store-rule.h"

#define RESUME_TIME_KEY "resume-time-usec"

static const char *const verdicts[] = {"reject", "accept", "ask", NULL};

/* The key of a time ends with its unit. */
static char *
limit_key(const LimitRow *row)
{
    return g_strconcat(row->key, row->unit == LIMIT_UNIT_TIME ? "-usec" : "", NULL);
}

static Limits
read_limits(SettingsReader *reader)
{
    Limits limits = {0};

    for (guint i = 0; i < LIMIT_LAST; i++) {
        const LimitRow *row = limit_row((Limit)i);
        g_autofree char *key = limit_key(row);

        limits.of[i] =
            (guint64)settings_reader_number(reader, key, (gint64)row->least, (gint64)row->most, 0);
    }
    return limits;
}

static void
put_limits(GKeyFile *file, const char *group, const Limits *limits)
{
    for (guint i = 0; i < LIMIT_LAST; i++) {
        g_autofree char *key = limit_key(limit_row((Limit)i));

        if (limits->of[i] > 0)
            g_key_file_set_uint64(file, group, key, limits->of[i]);
    }
}

static gint64
read_resume_time(SettingsReader *reader)
{
    return settings_reader_number(reader, RESUME_TIME_KEY, ACCEPT_NO_RESUME, ACCEPT_RESUME_TIME_MAX,
                                  0);
}

static AcceptKind
read_kind(SettingsReader *reader, const char *handler)
{
    switch (settings_reader_choice(reader, "verdict", verdicts, 0)) {
    case 1:
        return handler ? ACCEPT_HANDLER : ACCEPT_TARGET;
    case 2:
        return ACCEPT_ASK;
    default:
        return ACCEPT_REJECT;
    }
}

void
store_read_rule(SettingsReader *reader, const char *id, StoreState *state)
{
    g_autofree char *hub = settings_reader_text(reader, "hub", FALSE);
    g_autofree char *stream = settings_reader_text(reader, "stream", FALSE);
    g_autofree char *initiator = settings_reader_text(reader, "initiator", FALSE);
    g_autofree char *address = settings_reader_text(reader, "address", FALSE);
    g_autofree char *weekdays = settings_reader_text(reader, "weekdays", FALSE);
    g_autofree char *time = settings_reader_text(reader, "time", FALSE);
    g_autofree char *target = settings_reader_text(reader, "target", FALSE);
    g_autofree char *handler = settings_reader_text(reader, "handler", FALSE);
    g_autofree char *reason = settings_reader_text(reader, "reason", FALSE);
    const AcceptRule rule = {
        .id = (guint32)g_ascii_strtoull(id, NULL, 10),
        .hub = hub,
        .stream = stream,
        .initiator = initiator,
        .address = address,
        .weekdays = weekdays,
        .time = time,
        .kind = read_kind(reader, handler),
        .target = target,
        .handler = handler,
        .handler_uid = (guint32)settings_reader_number(reader, "handler-uid", 0, G_MAXUINT32, 0),
        .ask_timeout =
            settings_reader_number(reader, "ask-timeout-usec", 0, ACCEPT_ASK_TIMEOUT_MAX, 0),
        .reject_text = reason,
        .limits = read_limits(reader),
        .resume_time = read_resume_time(reader),
    };

    if (!reader->error)
        store_state_add_rule(state, &rule);
}

void
store_read_target(SettingsReader *reader, const char *name, StoreState *state)
{
    g_autofree char *address = settings_reader_text(reader, "address", TRUE);
    const TargetSettings target = {.name = name, .address = address, .limits = read_limits(reader)};

    if (!reader->error)
        store_state_add_target(state, &target);
}

static void
set_text(GKeyFile *file, const char *group, const char *key, const char *value)
{
    if (value && *value)
        g_key_file_set_string(file, group, key, value);
}

void
store_put_rule(GKeyFile *file, const AcceptRule *rule)
{
    g_autofree char *group = g_strdup_printf("rule %u", rule->id);

    g_key_file_set_string(file, group, "verdict", accept_kind_verdict(rule->kind));
    set_text(file, group, "hub", rule->hub);
    set_text(file, group, "stream", rule->stream);
    set_text(file, group, "initiator", rule->initiator);
    set_text(file, group, "address", rule->address);
    set_text(file, group, "weekdays", rule->weekdays);
    set_text(file, group, "time", rule->time);
    set_text(file, group, "target", rule->target);
    set_text(file, group, "handler", rule->handler);
    set_text(file, group, "reason", rule->reject_text);
    if (rule->kind == ACCEPT_HANDLER)
        g_key_file_set_uint64(file, group, "handler-uid", rule->handler_uid);
    if (rule->ask_timeout > 0)
        g_key_file_set_int64(file, group, "ask-timeout-usec", rule->ask_timeout);
    put_limits(file, group, &rule->limits);
    if (rule->resume_time != 0)
        g_key_file_set_int64(file, group, RESUME_TIME_KEY, rule->resume_time);
}

void
store_put_target(GKeyFile *file, const TargetSettings *target)
{
    g_autofree char *group = g_strdup_printf("target %s", target->name);

    g_key_file_set_string(file, group, "address", target->address);
    put_limits(file, group, &target->limits);
}
