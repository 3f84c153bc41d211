/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/record.h"

#include "common/base/escape.h"

#include <string.h>
#include <time.h>

void
record_time(gint64 time, char ret[RECORD_TIME_SIZE])
{
    time_t seconds = (time_t)(time / G_USEC_PER_SEC);
    struct tm parts = {0};
    char date[24] = "";

    (void)gmtime_r(&seconds, &parts);
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)g_snprintf(ret, RECORD_TIME_SIZE, "%s.%03dZ", date, (int)(time % G_USEC_PER_SEC / 1000));
}

/* TEXT is printable, as escape_append leaves it. */
static void
append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (gsize len; *text; text += len) {
        len = strcspn(text, "\"\\");
        g_string_append_len(out, text, (gssize)len);
        if (text[len]) {
            g_string_append_c(out, '\\');
            g_string_append_c(out, text[len++]);
        }
    }
    g_string_append_c(out, '"');
}

static void
append_name(GString *out, const char *name)
{
    g_string_append_printf(out, "%s\"%s\":", out->str[out->len - 1] == '{' ? "" : ",", name);
}

static void
append_bounded(GString *out, const char *name, const char *text, gsize max)
{
    g_autofree char *safe = escape_text(text, max);

    append_name(out, name);
    append_quoted(out, safe);
}

static void
append_text(GString *out, const char *name, const char *text)
{
    append_bounded(out, name, text, RECORD_TEXT_MAX);
}

static void
append_number(GString *out, const char *name, guint64 number)
{
    append_name(out, name);
    g_string_append_printf(out, "%" G_GUINT64_FORMAT, number);
}

static void
append_word(GString *out, const char *name, const char *text)
{
    append_bounded(out, name, text, RECORD_WORD_MAX);
}

/* IoT Hub writes numbers as texts. */
static void
append_number_text(GString *out, const char *name, guint64 number)
{
    append_name(out, name);
    g_string_append_printf(out, "\"%" G_GUINT64_FORMAT "\"", number);
}

static GString *
record_begin(gint64 time, const char *operation, const char *category)
{
    GString *out = g_string_sized_new(1024);
    char text[RECORD_TIME_SIZE];

    record_time(time, text);
    g_string_append_c(out, '{');
    append_text(out, "time", text);
    append_word(out, "operationName", operation);
    append_text(out, "category", category);
    return out;
}

static void
append_resource(GString *out, const RecordStream *stream)
{
    g_autofree char *resource = g_strconcat("/streamhub/", stream->hub, NULL);

    append_text(out, "resourceId", resource);
}

static void
append_device(GString *properties, const RecordStream *stream)
{
    append_text(properties, "deviceId", stream->device);
    append_text(properties, "moduleId", stream->module);
}

/* PROPERTIES is taken: JSON in a text. */
static void
append_properties(GString *out, GString *properties)
{
    g_string_append_c(properties, '}');
    append_name(out, "properties");
    append_quoted(out, properties->str);
    g_string_free(properties, TRUE);
}

static void
append_who(GString *out, const RecordStream *stream)
{
    append_word(out, "streamId", stream->id);
    append_text(out, "user", stream->user);
    append_word(out, "address", stream->address);
    if (stream->resumes)
        append_word(out, "resumes", stream->resumes);
}

char *
record_invoke(gint64 time, const RecordInvoke *invoke)
{
    GString *out = record_begin(time, "invoke", "DeviceStreams");
    GString *properties = g_string_new("{");
    g_autofree char *code = g_strdup_printf("%06u", invoke->code);

    append_resource(out, &invoke->stream);
    append_text(out, "resultType", invoke->code ? code : "Success");
    append_word(out, "resultDescription", invoke->code ? invoke->code_name : NULL);
    append_text(out, "level", invoke->code ? "Error" : "Information");
    append_number_text(out, "durationMs", (guint64)MAX(invoke->duration, 0) / 1000);
    append_device(properties, &invoke->stream);
    append_word(properties, "sdkVersion", invoke->version);
    append_number_text(properties, "requestSize", invoke->request_size);
    append_number_text(properties, "responseSize", invoke->response_size);
    append_name(properties, "statusCode");
    g_string_append(properties, "null");
    append_text(properties, "requestName", invoke->stream.name);
    append_text(properties, "direction", "c2d");
    append_properties(out, properties);
    append_text(out, "location", NULL);
    append_who(out, &invoke->stream);
    append_word(out, "reason", invoke->reason);
    return g_string_free(out, FALSE);
}

char *
record_end(gint64 time, const RecordEnd *end)
{
    GString *out = record_begin(time, "end", "DeviceStreams");
    GString *properties = g_string_new("{");

    append_resource(out, &end->stream);
    append_text(out, "level", end->orderly ? "Information" : "Error");
    append_number_text(out, "durationMs", (guint64)MAX(end->duration, 0) / 1000);
    append_device(properties, &end->stream);
    append_text(properties, "requestName", end->stream.name);
    append_text(properties, "direction", "c2d");
    append_properties(out, properties);
    append_who(out, &end->stream);
    append_word(out, "deviceAddress", end->device_address);
    append_number(out, "bytesToDevice", end->to_device);
    append_number(out, "bytesToService", end->to_service);
    append_word(out, "reason", end->reason);
    append_bounded(out, "detail", end->detail, RECORD_DETAIL_MAX);
    append_text(out, "rule", end->rule);
    if (end->target)
        append_text(out, "target", end->target);
    if (end->paused) {
        append_number(out, "pauseMs", end->pause);
        append_number(out, "replayed", end->replayed);
    }
    return g_string_free(out, FALSE);
}

char *
record_change(gint64 time, const RecordChange *change)
{
    GString *out = record_begin(time, change->operation, change->of_hub ? "Hub" : "Registry");

    append_text(out, "by", change->by);
    if (!change->of_hub) {
        append_word(out, "address", change->address);
        append_text(out, "what", change->what);
    }
    append_bounded(out, "detail", change->detail, RECORD_DETAIL_MAX);
    return g_string_free(out, FALSE);
}

char *
record_start(gint64 time, const char *version, const char *previous, gboolean torn, guint64 number)
{
    GString *out = record_begin(time, "start", "Hub");

    append_text(out, "version", version);
    append_text(out, "previous", previous);
    append_name(out, "torn");
    g_string_append(out, torn ? "true" : "false");
    if (number > 0)
        append_number(out, "number", number);
    return g_string_free(out, FALSE);
}

char *
record_file(gint64 time, const char *previous, guint64 number)
{
    GString *out = record_begin(time, "file", "Hub");

    append_text(out, "previous", previous);
    append_number(out, "number", number);
    return g_string_free(out, FALSE);
}

char *
record_lost(gint64 time, guint64 count, gint64 since)
{
    GString *out = record_begin(time, "lost", "Hub");
    char text[RECORD_TIME_SIZE];

    record_time(since, text);
    append_number(out, "count", count);
    append_text(out, "since", text);
    return g_string_free(out, FALSE);
}
