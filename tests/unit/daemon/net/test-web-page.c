/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers that come from something on the way to a hub, and what people are told of them. */
#include "daemon/net/web-page.h"

#include <string.h>

#define HTML "Content-Type: text/html; charset=utf-8\r\n"

static const struct {
    const char *head;
    const char *says;  /* NULL: a hub may have said it */
    const char * not ; /* NULL: nothing else to check */
} rows[] = {
    {"200 OK\r\n" HTML, "web page", NULL},
    {"200 OK\r\nContent-Type: TEXT/HTML\r\n", "web page", NULL},
    {"200 OK\r\nContent-Type: application/json\r\n", NULL, NULL},
    {"200 OK\r\nContent-Type: text/htm\r\n", NULL, NULL},
    {"200 OK\r\n", NULL, NULL},
    {"101 Switching Protocols\r\n", NULL, NULL},
    {"302 Found\r\nLocation: https://portal.example/login?x=y\r\n", "to portal.example (HTTP",
     "login"},
    {"307 x\r\nLocation: http://10.0.0.1:8080/\r\n", "to 10.0.0.1 (HTTP status 307)", "8080"},
    {"302 x\r\nLocation: https://hub.example@evil.example/\r\n", "to another page", "evil"},
    {"302 x\r\nLocation: https://\r\n", "to another page", NULL},
    {"302 x\r\nLocation: /login\r\n", "to another page", "login"},
    {"302 x\r\nLocation: https://a\x1b[1m.example/\r\n", NULL, NULL}, /* refused before */
    {"302 x\r\n", "to another page", NULL},
    {"399 x\r\n", "399", NULL},
    {"404 x\r\n" HTML, "not a hub (HTTP status 404", NULL},
    {"403 x\r\n" HTML "iothub-errorcode: IotHubUnauthorized\r\n", NULL, NULL},
    {"404 x\r\n", NULL, NULL},
    {"502 x\r\n" HTML, NULL, NULL}, /* a proxy in front of a hub that is away */
    {"500 x\r\n" HTML, NULL, NULL},
    {"499 x\r\n" HTML, "not a hub", NULL},
};

static void
test_rows(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *head = g_strconcat("HTTP/1.1 ", rows[i].head, "\r\n", NULL);
        g_autofree char *text = NULL;
        HttpResponse response;
        HttpRefusal refusal;

        if (http_response_parse(head, strlen(head), &response, &refusal) != HTTP_HEAD_OK) {
            g_assert_null(rows[i].says);
            continue;
        }
        text = web_page_text(&response);
        g_test_message("%s -> %s", rows[i].head, text ? text : "a hub");
        g_assert_cmpint(text != NULL, ==, rows[i].says != NULL);
        if (rows[i].says)
            g_assert_nonnull(strstr(text, rows[i].says));
        if (rows[i].not )
            g_assert_null(strstr(text, rows[i].not ));
    }
}

/* A host of 80 bytes is shown, one byte more is not. */
static void
test_long_host(void)
{
    for (gsize len = 80; len <= 81; len++) {
        g_autofree char *host = g_strnfill(len, 'h');
        g_autofree char *head =
            g_strconcat("HTTP/1.1 302 x\r\nLocation: https://", host, "\r\n\r\n", NULL);
        g_autofree char *text = NULL;
        HttpResponse response;
        HttpRefusal refusal;

        g_assert_cmpint(http_response_parse(head, strlen(head), &response, &refusal), ==,
                        HTTP_HEAD_OK);
        text = web_page_text(&response);
        g_assert_cmpint(strstr(text, host) != NULL, ==, len == 80);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/web-page/rows", test_rows);
    g_test_add_func("/web-page/long-host", test_long_host);
    return g_test_run();
}
