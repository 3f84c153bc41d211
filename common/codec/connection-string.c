/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/connection-string.h"

#include "common/base/pasted.h"
#include "common/base/secret.h"
#include "common/base/slice.h"
#include "common/codec/device-id.h"
#include "common/codec/sas-token.h"

/* The shortest key in use has 16 bytes, so 22 characters before its padding. A name that a message
 * may show is shorter, so that a pasted key is never shown. */
#define SHOWN_NAME_MAX 21

enum {
    PART_HOST,
    PART_DEVICE,
    PART_MODULE,
    PART_POLICY,
    PART_KEY,
    PART_X509,
    PART_GATEWAY,
    PART_COUNT,
};

static const char *const part_names[PART_COUNT] = {
    [PART_HOST] = "HostName",           [PART_DEVICE] = "DeviceId",
    [PART_MODULE] = "ModuleId",         [PART_POLICY] = "SharedAccessKeyName",
    [PART_KEY] = "SharedAccessKey",     [PART_X509] = "x509",
    [PART_GATEWAY] = "GatewayHostName",
};

/* The values as written. ptr is NULL for an absent part. */
typedef struct {
    Slice values[PART_COUNT];
} Parts;

G_GNUC_PRINTF(2, 3)
static gboolean
fail(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "The connection string %s", text);
    return FALSE;
}

static gboolean
has(const Parts *parts, guint part)
{
    return parts->values[part].ptr != NULL;
}

static gboolean
fail_unknown(Slice name, guint number, GError **error)
{
    static const char known[] = "HostName, DeviceId, ModuleId, SharedAccessKeyName, "
                                "SharedAccessKey, x509 and GatewayHostName";

    for (gsize i = 0; i < name.len; i++)
        if (!g_ascii_isalpha(name.ptr[i]) && !g_ascii_isdigit(name.ptr[i]))
            return fail(error, "has a malformed name in part %u; known are %s", number, known);
    if (name.len == 0 || name.len > SHOWN_NAME_MAX)
        return fail(error, "has an unknown name in part %u; known are %s", number, known);
    return fail(error, "has the unknown part \"%.*s\"; known are %s", (int)name.len, name.ptr,
                known);
}

static Slice
trim(Slice text)
{
    while (text.len > 0 && g_ascii_isspace(text.ptr[0]))
        text = (Slice){text.ptr + 1, text.len - 1};
    while (text.len > 0 && g_ascii_isspace(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* `number` counts from 1. It names a part whose text must not be shown. */
static gboolean
part_add(Parts *parts, Slice text, guint number, GError **error)
{
    const char *equals = text.len > 0 ? memchr(text.ptr, '=', text.len) : NULL;
    Slice name = {text.ptr, equals ? (gsize)(equals - text.ptr) : 0};
    Slice value = {equals ? equals + 1 : NULL, equals ? text.len - name.len - 1 : 0};

    name = trim(name);
    value = trim(value);
    if (!equals)
        return fail(error, "has no = in part %u; parts are Name=Value with ; between", number);
    for (guint i = 0; i < PART_COUNT; i++) {
        if (!slice_equal(name, part_names[i]))
            continue;
        if (has(parts, i))
            return fail(error, "has %s twice; each part may be there once", part_names[i]);
        if (value.len == 0)
            return fail(error, "has an empty %s; leave it out or give it a value", part_names[i]);
        parts->values[i] = value;
        return TRUE;
    }
    return fail_unknown(name, number, error);
}

static gboolean
parts_split(Slice text, Parts *parts, GError **error)
{
    gsize start = 0;
    guint number = 1;

    for (gsize i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ';')
            continue;
        /* The empty text behind the last `;` is not a part. */
        if (i == text.len && start == i && i > 0)
            break;
        if (!part_add(parts, (Slice){text.ptr + start, i - start}, number++, error))
            return FALSE;
        start = i + 1;
    }
    return TRUE;
}

/* Checks which parts may stand together. */
static gboolean
forms_check(const Parts *parts, GError **error)
{
    if (!has(parts, PART_HOST))
        return fail(error, "has no HostName; it begins like HostName=hub.example;");
    if (has(parts, PART_DEVICE) == has(parts, PART_POLICY))
        return fail(error, "needs either DeviceId, for a device, or SharedAccessKeyName, for a "
                           "service");
    if (has(parts, PART_MODULE) && !has(parts, PART_DEVICE))
        return fail(error, "has a ModuleId without a DeviceId");
    if (has(parts, PART_X509) && has(parts, PART_POLICY))
        return fail(error, "has x509 with SharedAccessKeyName; a user needs SharedAccessKey");
    if (has(parts, PART_KEY) == has(parts, PART_X509))
        return fail(error, "needs either SharedAccessKey or x509=true");
    return TRUE;
}

static gboolean
values_check(const Parts *parts, GError **error)
{
    g_auto(SasKey) key = {0};

    for (guint i = PART_DEVICE; i <= PART_POLICY; i++)
        if (has(parts, i) &&
            !device_id_is_valid(parts->values[i].ptr, (gssize)parts->values[i].len))
            return fail(error, "has a malformed %s; right are 1 to %d letters, digits, and . _ : -",
                        part_names[i], DEVICE_ID_MAX);
    if (has(parts, PART_X509) && !slice_equal(parts->values[PART_X509], "true"))
        return fail(error, "has a value of x509 other than true");
    if (has(parts, PART_KEY) &&
        !sas_key_decode(&key, parts->values[PART_KEY].ptr, parts->values[PART_KEY].len))
        return fail(error, "has a SharedAccessKey that is not base64 of 1 to %d bytes",
                    SAS_KEY_MAX);
    return TRUE;
}

static gboolean
port_parse(Slice text, guint16 *ret)
{
    guint port = 0;

    if (text.len == 0 || text.len > 5 || text.ptr[0] == '0')
        return FALSE;
    for (gsize i = 0; i < text.len; i++) {
        if (!g_ascii_isdigit(text.ptr[i]))
            return FALSE;
        port = port * 10 + (guint)(text.ptr[i] - '0');
    }
    if (port > G_MAXUINT16)
        return FALSE;
    *ret = (guint16)port;
    return TRUE;
}

static gboolean
host_is_valid(Slice host)
{
    for (gsize i = 0; i < host.len; i++)
        if (!g_ascii_isalnum(host.ptr[i]) && host.ptr[i] != '.' && host.ptr[i] != '-' &&
            host.ptr[i] != '_')
            return FALSE;
    return host.len > 0 && host.len <= CONNECTION_STRING_HOST_MAX;
}

/* Splits HOST[:PORT]. The output of an absent part does not change. */
static gboolean
host_parse(const Parts *parts, guint part, char **ret_host, guint16 *ret_port, GError **error)
{
    Slice host = parts->values[part];
    const char *colon;

    if (!has(parts, part))
        return TRUE;
    if (memchr(host.ptr, '/', host.len))
        return fail(error, "has a URL as %s; right is the name alone, as hub.example",
                    part_names[part]);
    if (host.ptr[0] == '[' || g_strstr_len(host.ptr, (gssize)host.len, "::"))
        return fail(error,
                    "has an IPv6 address as %s; right is the hub's name, or its IPv4 address",
                    part_names[part]);
    colon = memchr(host.ptr, ':', host.len);
    if (colon) {
        Slice port = {colon + 1, host.len - (gsize)(colon - host.ptr) - 1};

        host.len = (gsize)(colon - host.ptr);
        if (!port_parse(port, ret_port))
            return fail(error, "has a malformed port in %s; right is NAME or NAME:1..65535",
                        part_names[part]);
    }
    if (!host_is_valid(host))
        return fail(error, "has a malformed %s; right is a DNS name or an IPv4 address",
                    part_names[part]);
    *ret_host = slice_dup(host);
    return TRUE;
}

static char *
value_dup(const Parts *parts, guint part)
{
    return has(parts, part) ? slice_dup(parts->values[part]) : NULL;
}

/* A long line that was broken in two, with the blanks around the break: one line again. */
static void
join_lines(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (*from != '\n') {
            *to++ = *from;
            continue;
        }
        while (to > text && g_ascii_isspace(to[-1]))
            to--;
        while (g_ascii_isspace(from[1]))
            from++;
    }
    *to = '\0';
}

static ConnectionString *
parse_line(const char *line, GError **error)
{
    g_autoptr(ConnectionString) out = g_new0(ConnectionString, 1);
    Parts parts = {0};

    out->port = CONNECTION_STRING_PORT;
    out->gateway_port = CONNECTION_STRING_PORT;
    if (!parts_split(slice_of(line), &parts, error) || !forms_check(&parts, error) ||
        !values_check(&parts, error) ||
        !host_parse(&parts, PART_HOST, &out->host, &out->port, error) ||
        !host_parse(&parts, PART_GATEWAY, &out->gateway, &out->gateway_port, error))
        return NULL;
    out->device_id = value_dup(&parts, PART_DEVICE);
    out->module_id = value_dup(&parts, PART_MODULE);
    out->policy = value_dup(&parts, PART_POLICY);
    out->key = value_dup(&parts, PART_KEY);
    out->x509 = has(&parts, PART_X509);
    return g_steal_pointer(&out);
}

ConnectionString *
connection_string_parse(const char *text, gssize len, GError **error)
{
    Slice given = trim((Slice){text, len < 0 ? strlen(text) : (gsize)len});
    g_auto(SecretText) line = NULL;

    if (given.len > CONNECTION_STRING_MAX) {
        (void)fail(error, "is longer than %d bytes", CONNECTION_STRING_MAX);
        return NULL;
    }
    line = pasted_clean(given.ptr, given.len, "The connection string", error);
    if (!line)
        return NULL;
    join_lines(line);
    return parse_line(line, error);
}

/* ";Name=value[:port]", or "" for an absent part. */
static char *
part_format(guint part, const char *value, guint16 port)
{
    const char *mark = part == PART_HOST ? "" : ";";

    if (!value)
        return g_strdup("");
    if (port != CONNECTION_STRING_PORT)
        return g_strdup_printf("%s%s=%s:%u", mark, part_names[part], value, port);
    return g_strconcat(mark, part_names[part], "=", value, NULL);
}

char *
connection_string_format(const ConnectionString *parts)
{
    const guint16 plain = CONNECTION_STRING_PORT;
    g_autofree char *host = part_format(PART_HOST, parts->host, parts->port);
    g_autofree char *device = part_format(PART_DEVICE, parts->device_id, plain);
    g_autofree char *module = part_format(PART_MODULE, parts->module_id, plain);
    g_autofree char *policy = part_format(PART_POLICY, parts->policy, plain);
    g_auto(SecretText) key = part_format(PART_KEY, parts->key, plain);
    g_autofree char *gateway = part_format(PART_GATEWAY, parts->gateway, parts->gateway_port);

    /* One allocation of the right size, so that no copy of the key is left in memory. */
    return g_strconcat(host, device, module, policy, key, parts->x509 ? ";x509=true" : "", gateway,
                       NULL);
}

void
connection_string_free(ConnectionString *parts)
{
    if (!parts)
        return;
    g_free(parts->host);
    g_free(parts->device_id);
    g_free(parts->module_id);
    g_free(parts->policy);
    secret_free(parts->key);
    g_free(parts->gateway);
    g_free(parts);
}
