/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/proxy-header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define LINE_MAX_V1 107 /* with CR LF */
#define FIELDS 4        /* of version 1: two addresses and two ports */

#define HEAD_V2 16
#define BODY_MAX (PROXY_HEADER_MAX - HEAD_V2)
#define COMMAND_LOCAL 0x20
#define COMMAND_PROXY 0x21
#define UNSPECIFIED 0x00
#define TCP_4 0x11
#define TCP_6 0x21
#define UNIX_STREAM 0x31
#define TCP_4_LEN 12 /* source, destination, two ports */
#define TCP_6_LEN 36
#define UNIX_LEN 216

static const char begin_v1[] = "PROXY ";
static const guint8 begin_v2[] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                  0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static ProxyHeaderResult
header_bad(const char **ret_fault, const char *fault)
{
    *ret_fault = fault;
    return PROXY_HEADER_BAD;
}

static void
header_name_4(ProxyHeader *header, const void *address, guint16 port)
{
    char text[INET_ADDRSTRLEN] = "";

    inet_ntop(AF_INET, address, text, sizeof text);
    g_snprintf(header->peer, sizeof header->peer, "%s:%u", text, port);
}

static void
header_name_6(ProxyHeader *header, const void *bytes, guint16 port)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN] = "";

    memcpy(&address, bytes, sizeof address);
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
        header_name_4(header, address.s6_addr + 12, port);
        return;
    }
    inet_ntop(AF_INET6, &address, text, sizeof text);
    g_snprintf(header->peer, sizeof header->peer, "[%s]:%u", text, port);
}

/* Exactly COUNT words with one space between them. */
static gboolean
words_split(char *text, char **words, guint count)
{
    for (guint i = 0; i < count; i++) {
        char *space = strchr(text, ' ');

        if ((space != NULL) != (i + 1 < count))
            return FALSE;
        words[i] = text;
        if (space) {
            *space = '\0';
            text = space + 1;
        }
        if (!*words[i])
            return FALSE;
    }
    return TRUE;
}

static gboolean
port_parse(const char *text, guint16 *ret)
{
    guint64 port = 0;

    if (strlen(text) > 5 || text[strspn(text, "0123456789")] || (text[0] == '0' && text[1]) ||
        !g_ascii_string_to_unsigned(text, 10, 0, 65535, &port, NULL))
        return FALSE;
    *ret = (guint16)port;
    return TRUE;
}

/* "192.0.2.7 198.51.100.1 5123 443"; TEXT is changed. */
static gboolean
addresses_parse(char *text, gboolean six, ProxyHeader *header)
{
    int family = six ? AF_INET6 : AF_INET;
    char *words[FIELDS];
    guint8 source[16], destination[16];
    guint16 port, other;

    if (!words_split(text, words, FIELDS) || inet_pton(family, words[0], source) != 1 ||
        inet_pton(family, words[1], destination) != 1 || !port_parse(words[2], &port) ||
        !port_parse(words[3], &other))
        return FALSE;
    if (six)
        header_name_6(header, source, port);
    else
        header_name_4(header, source, port);
    return TRUE;
}

static ProxyHeaderResult
parse_v1(const guint8 *bytes, gsize len, ProxyHeader *header, const char **ret_fault)
{
    const guint8 *lf = memchr(bytes, '\n', MIN(len, LINE_MAX_V1));
    char line[LINE_MAX_V1 + 1] = "";
    char *rest = line + strlen(begin_v1);
    gboolean good;

    if (!lf)
        return len < LINE_MAX_V1 ? PROXY_HEADER_MORE
                                 : header_bad(ret_fault, "a line of more than 107 bytes");
    header->len = (gsize)(lf - bytes) + 1;
    if (lf[-1] != '\r' || memchr(bytes, '\0', header->len))
        return header_bad(ret_fault, "a line that does not end in CR LF, or has a NUL");
    memcpy(line, bytes, header->len - 2);
    if (strcmp(rest, "UNKNOWN") == 0 || g_str_has_prefix(rest, "UNKNOWN "))
        return PROXY_HEADER_OK;
    good = (g_str_has_prefix(rest, "TCP4 ") && addresses_parse(rest + 5, FALSE, header)) ||
           (g_str_has_prefix(rest, "TCP6 ") && addresses_parse(rest + 5, TRUE, header));
    return good ? PROXY_HEADER_OK
                : header_bad(ret_fault, "not TCP4 or TCP6 with two addresses and two ports");
}

static guint16
number_at(const guint8 *bytes)
{
    return (guint16)(bytes[0] << 8 | bytes[1]);
}

/* The addresses of a PROXY command; LEN bytes follow the head, and all of them are here. */
static ProxyHeaderResult
parse_addresses(guint8 family, const guint8 *body, gsize len, ProxyHeader *header,
                const char **ret_fault)
{
    gsize least = family == TCP_4         ? TCP_4_LEN
                  : family == TCP_6       ? TCP_6_LEN
                  : family == UNIX_STREAM ? UNIX_LEN
                                          : 0;

    if (least == 0 && family != UNSPECIFIED)
        return header_bad(ret_fault, "neither TCP nor a Unix socket");
    if (len < least)
        return header_bad(ret_fault, "too short for its addresses");
    if (family == TCP_4)
        header_name_4(header, body, number_at(body + 8));
    else if (family == TCP_6)
        header_name_6(header, body, number_at(body + 32));
    return PROXY_HEADER_OK;
}

static ProxyHeaderResult
parse_v2(const guint8 *bytes, gsize len, ProxyHeader *header, const char **ret_fault)
{
    gsize body;

    if (len > 12 && bytes[12] != COMMAND_LOCAL && bytes[12] != COMMAND_PROXY)
        return header_bad(ret_fault, "an unknown version or command");
    if (len < HEAD_V2)
        return PROXY_HEADER_MORE;
    body = number_at(bytes + 14);
    if (body > BODY_MAX)
        return header_bad(ret_fault, "more than 536 bytes");
    if (len < HEAD_V2 + body)
        return PROXY_HEADER_MORE;
    header->len = HEAD_V2 + body;
    return bytes[12] == COMMAND_LOCAL
               ? PROXY_HEADER_OK
               : parse_addresses(bytes[13], bytes + HEAD_V2, body, header, ret_fault);
}

ProxyHeaderResult
proxy_header_parse(const guint8 *bytes, gsize len, ProxyHeader *ret_header, const char **ret_fault)
{
    ProxyHeader header = {0};
    ProxyHeaderResult result;

    if (len == 0)
        return PROXY_HEADER_MORE;
    if (memcmp(bytes, begin_v1, MIN(len, strlen(begin_v1))) == 0)
        result =
            len < strlen(begin_v1) ? PROXY_HEADER_MORE : parse_v1(bytes, len, &header, ret_fault);
    else if (memcmp(bytes, begin_v2, MIN(len, sizeof begin_v2)) == 0)
        result =
            len < sizeof begin_v2 ? PROXY_HEADER_MORE : parse_v2(bytes, len, &header, ret_fault);
    else
        result = header_bad(ret_fault, "no PROXY protocol header");
    if (result == PROXY_HEADER_OK)
        *ret_header = header;
    return result;
}
