/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/json-guard.h"
#include "hub/edge/error.h"

#include <json-glib/json-glib.h>
#include <string.h>

static const RestError errors[] = {
    REST_ARGUMENT_INVALID, REST_UNAUTHORIZED_ACCESS,
    REST_UNAUTHORIZED,     REST_FORBIDDEN,
    REST_QUOTA_EXCEEDED,   REST_DEVICE_NOT_FOUND,
    REST_MODULE_NOT_FOUND, REST_DEVICE_NOT_ONLINE,
    REST_DEVICE_CLOSED,    REST_TOO_LARGE,
    REST_THROTTLED,        REST_SERVER_ERROR,
    REST_UNAVAILABLE,      REST_TIMED_OUT,
    REST_BULK_FAILED,      REST_NO_METHOD,
    REST_DEVICE_EXISTS,    REST_MODULE_EXISTS,
    REST_CHANGED,          REST_URI_TOO_LONG,
    REST_NO_EXPECTATION,   REST_NO_UPGRADE,
    REST_HEAD_TOO_LARGE,   REST_NOT_IMPLEMENTED,
    REST_HTTP_VERSION,     REST_STORAGE,
};

static JsonObject *
parse(JsonParser *parser, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(json_guard_check(text, strlen(text), NULL, NULL), ==, JSON_GUARD_OK);
    json_parser_load_from_data(parser, text, -1, &error);
    g_assert_no_error(error);
    return json_node_get_object(json_parser_get_root(parser));
}

/* docs/wire-protocol.md, section 3: JSON in a string of JSON. */
static void
check_body(RestError error, const char *text, const char *tracking)
{
    g_autofree char *body =
        rest_error_body(error, text, tracking, G_GINT64_CONSTANT(1600000000000000));
    g_autoptr(JsonParser) outer_parser = json_parser_new();
    g_autoptr(JsonParser) inner_parser = json_parser_new();
    JsonObject *outer = parse(outer_parser, body);
    JsonObject *inner = parse(inner_parser, json_object_get_string_member(outer, "Message"));

    g_assert_cmpuint(json_object_get_size(outer), ==, 2);
    g_assert_cmpstr(json_object_get_string_member(outer, "ExceptionMessage"), ==, "");
    g_assert_cmpint(json_object_get_int_member(inner, "errorCode"), ==, error);
    g_assert_cmpstr(json_object_get_string_member(inner, "message"), ==,
                    text ? text : rest_error_text(error));
    g_assert_cmpstr(json_object_get_string_member(inner, "trackingId"), ==, tracking);
    g_assert_cmpstr(json_object_get_string_member(inner, "timestampUtc"), ==,
                    "2020-09-13T12:26:40Z");
}

static void
test_bodies(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(errors); i++)
        check_body(errors[i], NULL, "0123");
    check_body(REST_ARGUMENT_INVALID, "a \"quoted\" \\ word,\n\ttwo lines\x01", "\"\\");
    check_body(REST_ARGUMENT_INVALID, "", "");
}

static void
test_rows(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(errors); i++) {
        g_assert_cmpuint(rest_error_status(errors[i]), ==, (guint)errors[i] / 1000);
        for (guint j = 0; j < i; j++)
            g_assert_cmpstr(rest_error_name(errors[i]), !=, rest_error_name(errors[j]));
    }
    g_assert_cmpstr(rest_error_name(REST_DEVICE_NOT_ONLINE), ==, "DeviceNotOnline");
    g_assert_cmpstr(rest_error_name(REST_DEVICE_CLOSED), ==, "DeviceConnectionClosedRemotely");
    g_assert_cmpuint(rest_error_status((RestError)999999), ==, 500);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rest-error/bodies", test_bodies);
    g_test_add_func("/rest-error/rows", test_rows);
    return g_test_run();
}
