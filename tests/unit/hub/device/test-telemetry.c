/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done with telemetry by each rule, and how often the log hears of it. The linker replaces
 * the log and the facts of devices. */
#include "hub/device/telemetry.h"

#include "common/log/events.h"

#define BEGIN (1000 * G_TIME_SPAN_SECOND)

static guint told, messages;
static gsize bytes;

void __wrap_event_log(EventKind kind, const EventData *data);
void __wrap_sightings_message(Sightings *sightings, const char *client_id, gsize len);

void
__wrap_event_log(EventKind kind, const EventData *data)
{
    g_assert_cmpint(kind, ==, EVENT_TELEMETRY_DROPPED);
    g_assert_nonnull(data->device);
    told++;
}

void
__wrap_sightings_message(Sightings *sightings, const char *client_id, gsize len)
{
    messages++;
    bytes += len;
}

typedef struct {
    Settings *settings;
    Telemetry *telemetry;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->settings = settings_new();
    f->telemetry = telemetry_new(f->settings, NULL);
    told = messages = 0;
    bytes = 0;
}

static void
teardown(Fixture *f, gconstpointer data)
{
    telemetry_free(f->telemetry);
    settings_free(f->settings);
}

/* Once a day for each device and module, to the µs, and counted each time. */
static void
test_drop(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 1000; i++)
        g_assert_null(telemetry_take(f->telemetry, "dev1", 3, BEGIN + i));
    g_assert_cmpuint(told, ==, 1);
    g_assert_null(telemetry_take(f->telemetry, "dev1/m", 3, BEGIN + 1000));
    g_assert_cmpuint(told, ==, 2);
    g_assert_null(telemetry_take(f->telemetry, "dev1", 3, BEGIN + G_TIME_SPAN_DAY - 1));
    g_assert_cmpuint(told, ==, 2);
    g_assert_null(telemetry_take(f->telemetry, "dev1", 3, BEGIN + G_TIME_SPAN_DAY));
    g_assert_cmpuint(told, ==, 3);
    g_assert_cmpuint(messages, ==, 1003);
    g_assert_cmpuint(bytes, ==, 3009);
}

static void
test_refuse(Fixture *f, gconstpointer data)
{
    f->settings->telemetry = TELEMETRY_REFUSE;
    g_assert_cmpstr(telemetry_take(f->telemetry, "dev1", 3, BEGIN), ==,
                    "it sends telemetry, which this hub refuses");
    g_assert_cmpuint(told, ==, 0);
    g_assert_cmpuint(messages, ==, 0);
}

/* So many are remembered and no more; those that are silent for a day are forgotten. */
static void
test_bounded(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i <= TELEMETRY_TOLD_MAX; i++) {
        g_autofree char *id = g_strdup_printf("dev%u", i);

        (void)telemetry_take(f->telemetry, id, 3, BEGIN + i);
        g_assert_cmpuint(telemetry_known(f->telemetry), ==, MIN(i + 1, TELEMETRY_TOLD_MAX));
    }
    for (guint i = 0; i <= TELEMETRY_TOLD_MAX / 4; i++)
        (void)telemetry_take(f->telemetry, "dev1", 3, BEGIN + 2 * G_TIME_SPAN_DAY);
    g_assert_cmpuint(telemetry_known(f->telemetry), ==, 1);
}

#define ADD(path, func) g_test_add("/telemetry/" path, Fixture, NULL, setup, func, teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("drop", test_drop);
    ADD("refuse", test_refuse);
    ADD("bounded", test_bounded);
    return g_test_run();
}
