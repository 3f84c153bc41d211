/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/device-row.h"

#include "common/base/secret.h"
#include "common/codec/base64.h"
#include "common/codec/json-guard.h"
#include "hub/registry/job.h"

#include <string.h>

/* What is read has passed json_guard_check: its grammar is right. */
typedef struct {
    const char *at;
    DeviceRow *row;
    char *why;
} RowReader;

static gboolean
row_refuse(RowReader *reader, char *why)
{
    if (reader->why)
        g_free(why);
    else
        reader->why = why;
    return FALSE;
}

static void
reader_skip(RowReader *reader)
{
    while (*reader->at && strchr(" \t\r\n", *reader->at))
        reader->at++;
}

/* The next character that is no space, which is taken if it is WANTED. */
static gboolean
reader_take(RowReader *reader, char wanted)
{
    reader_skip(reader);
    if (*reader->at != wanted)
        return FALSE;
    reader->at++;
    return TRUE;
}

static guint
hex_at(const char *text)
{
    guint value = 0;

    for (guint i = 0; i < 4; i++)
        value = value << 4 | (guint)g_ascii_xdigit_value(text[i]);
    return value;
}

/* Behind "\u". */
static gunichar
read_unicode(RowReader *reader)
{
    gunichar value = hex_at(reader->at);

    reader->at += 4;
    if (value < 0xd800 || value > 0xdbff)
        return value;
    value = 0x10000 + ((value - 0xd800) << 10) + (hex_at(reader->at + 2) - 0xdc00);
    reader->at += 6;
    return value;
}

/* Behind the backslash. */
static void
read_escape(RowReader *reader, GString *out)
{
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = *reader->at++;

    if (c == 'u')
        g_string_append_unichar(out, read_unicode(reader));
    else
        g_string_append_c(out, meant[strchr(names, c) - names]);
}

/* A string, which may be a key: free it with secret_free. NULL: something else comes. */
static char *
read_text(RowReader *reader)
{
    GString *out;

    if (!reader_take(reader, '"'))
        return NULL;
    /* Room for all of it, so that no copy is left behind when it grows. */
    out = g_string_sized_new(strlen(reader->at) + 1);
    while (*reader->at != '"') {
        char c = *reader->at++;

        if (c == '\\')
            read_escape(reader, out);
        else
            g_string_append_c(out, c);
    }
    reader->at++;
    return g_string_free(out, FALSE);
}

static char *
want_text(RowReader *reader, const char *name)
{
    char *text = read_text(reader);

    if (!text)
        (void)row_refuse(reader, g_strdup_printf("\"%s\" must be text in quotes", name));
    return text;
}

typedef gboolean (*MemberRead)(RowReader *reader, const char *name, gpointer data);

/* An object; WHAT names it. */
static gboolean
read_object(RowReader *reader, const char *what, MemberRead read, gpointer data)
{
    if (!reader_take(reader, '{'))
        return row_refuse(reader, g_strdup_printf("%s must be an object, {...}", what));
    if (reader_take(reader, '}'))
        return TRUE;
    do {
        g_autofree char *name = read_text(reader);

        (void)reader_take(reader, ':');
        if (!read(reader, name, data))
            return FALSE;
    } while (reader_take(reader, ','));
    (void)reader_take(reader, '}');
    return TRUE;
}

static gboolean
read_tag(RowReader *reader, const char *name, gpointer data)
{
    g_autofree char *value = want_text(reader, name), *tag = NULL;

    if (value)
        tag = g_strconcat(name, "=", value, NULL);
    if (tag)
        g_strv_builder_add(data, tag);
    return tag != NULL;
}

static gboolean
read_tags(RowReader *reader)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) tags = NULL;
    char *why = NULL;

    if (!read_object(reader, "\"tags\"", read_tag, builder))
        return FALSE;
    tags = g_strv_builder_end(builder);
    reader->row->device->tags = registry_tags_new((const char *const *)tags, &why);
    reader->row->fields |= DEVICE_ROW_TAGS;
    return !why || row_refuse(reader, why);
}

static gboolean
read_key(RowReader *reader, const char *name, gpointer data G_GNUC_UNUSED)
{
    RegistryDevice *device = reader->row->device;
    gboolean primary = strcmp(name, "primary") == 0;
    RegistryKey *key = primary ? &device->primary : &device->secondary;
    g_auto(SecretText) text = NULL;

    if (!primary && strcmp(name, "secondary") != 0)
        return row_refuse(reader, g_strdup("\"keys\" has \"primary\" and \"secondary\""));
    text = want_text(reader, name);
    if (!text)
        return FALSE;
    reader->row->fields |= primary ? DEVICE_ROW_PRIMARY : DEVICE_ROW_SECONDARY;
    if (base64_decode(text, strlen(text), key->bytes, sizeof key->bytes, &key->len) &&
        key->len >= REGISTRY_KEY_MIN)
        return TRUE;
    return row_refuse(reader, g_strdup_printf("the %s key must be Base64 of %d to %d bytes", name,
                                              REGISTRY_KEY_MIN, REGISTRY_KEY_MAX));
}

static gboolean
read_status(RowReader *reader)
{
    g_autofree char *status = want_text(reader, "status");

    if (!status)
        return FALSE;
    reader->row->fields |= DEVICE_ROW_STATUS;
    reader->row->device->enabled = strcmp(status, "enabled") == 0;
    return reader->row->device->enabled || strcmp(status, "disabled") == 0 ||
           row_refuse(reader, g_strdup("\"status\" is \"enabled\" or \"disabled\""));
}

static gboolean
read_comment(RowReader *reader)
{
    g_autofree char *comment = want_text(reader, "comment");
    const char *fault = comment ? registry_comment_fault(comment) : NULL;

    if (fault)
        return row_refuse(reader, g_strdup(fault));
    reader->row->fields |= DEVICE_ROW_COMMENT;
    if (comment && *comment)
        reader->row->device->comment = g_steal_pointer(&comment);
    return !reader->why;
}

static gboolean
read_auth(RowReader *reader)
{
    RegistryAuth *auth = &reader->row->device->auth;
    g_autofree char *text = want_text(reader, "auth");

    if (!text)
        return FALSE;
    reader->row->fields |= DEVICE_ROW_AUTH;
    if (registry_auth_parse(text, auth) && !registry_auth_fault(auth))
        return TRUE;
    return row_refuse(reader,
                      g_strdup("\"auth\" is \"sas\", \"certificateAuthority\", or "
                               "\"selfSigned\" with two thumbprints behind it, - for none"));
}

static gboolean
read_member(RowReader *reader, const char *name, gpointer data G_GNUC_UNUSED)
{
    RegistryDevice *device = reader->row->device;

    if (strcmp(name, "id") == 0)
        return (device->id = want_text(reader, name)) != NULL;
    if (strcmp(name, "module") == 0)
        return (device->module = want_text(reader, name)) != NULL;
    if (strcmp(name, "status") == 0)
        return read_status(reader);
    if (strcmp(name, "comment") == 0)
        return read_comment(reader);
    if (strcmp(name, "tags") == 0)
        return read_tags(reader);
    if (strcmp(name, "auth") == 0)
        return read_auth(reader);
    if (strcmp(name, "keys") == 0)
        return read_object(reader, "\"keys\"", read_key, NULL);
    return row_refuse(reader, g_strdup("there are \"id\", \"module\", \"status\", \"tags\", "
                                       "\"comment\", \"auth\" and \"keys\", and nothing else"));
}

static gboolean
check_names(RowReader *reader)
{
    const RegistryDevice *device = reader->row->device;

    if (!device->id)
        return row_refuse(reader, g_strdup("\"id\" is missing"));
    if (!registry_device_names_are_valid(device->id, device->module))
        return row_refuse(reader, g_strdup("\"id\" and \"module\" are 1 to 128 of letters, "
                                           "digits, '.', '_', ':', '-'"));
    if (device->module && (device->comment || device->tags))
        return row_refuse(reader, g_strdup("a module has the tags of its device, and no comment"));
    return TRUE;
}

DeviceRow *
device_row_parse(const char *text, gsize len, char **ret_why)
{
    JsonGuardResult guard =
        len > DEVICE_ROW_MAX ? JSON_GUARD_TOO_LARGE : json_guard_check(text, len, NULL, NULL);
    g_auto(SecretText) copy = guard == JSON_GUARD_OK ? g_strndup(text, len) : NULL;
    g_autoptr(DeviceRow) row = g_new0(DeviceRow, 1);
    RowReader reader = {copy, row, NULL};

    row->device = registry_device_named(NULL, NULL);
    row->device->enabled = TRUE;
    if (!copy) {
        *ret_why = g_strdup_printf("not JSON: %s", json_guard_text(guard));
        return NULL;
    }
    if (read_object(&reader, "a line", read_member, NULL) && check_names(&reader))
        return g_steal_pointer(&row);
    *ret_why = reader.why;
    return NULL;
}

void
device_row_free(DeviceRow *row)
{
    if (!row)
        return;
    registry_device_free(row->device);
    g_free(row->why);
    g_free(row);
}

char *
device_row_fields_text(DeviceRowFields fields)
{
    static const struct {
        DeviceRowFields fields;
        const char *name;
    } names[] = {{DEVICE_ROW_STATUS, "status"},
                 {DEVICE_ROW_TAGS, "tags"},
                 {DEVICE_ROW_COMMENT, "comment"},
                 {DEVICE_ROW_AUTH, "auth"},
                 {DEVICE_ROW_KEYS, "keys"}};
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) words = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (fields & names[i].fields)
            g_strv_builder_add(builder, names[i].name);
    words = g_strv_builder_end(builder);
    return g_strjoinv(", ", words);
}

static void
append_text(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        if ((guchar)*text < ' ')
            g_string_append_printf(out, "\\u%04x", (guint)(guchar)*text);
        else
            g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

static void
append_member(GString *out, const char *before, const char *name, const char *value)
{
    g_string_append_printf(out, "%s\"%s\":", before, name);
    append_text(out, value);
}

static void
append_key(GString *out, const char *before, const char *name, const RegistryKey *key)
{
    g_auto(SecretText) text = g_base64_encode(key->bytes, key->len);

    append_member(out, before, name, text);
}

static void
append_tags(GString *out, const RegistryTags *tags)
{
    const char *const *list = registry_tags_list(tags);

    if (!*list)
        return;
    g_string_append(out, ",\"tags\":{");
    for (guint i = 0; list[i]; i++) {
        g_autofree char *key = g_strndup(list[i], strcspn(list[i], "="));

        append_member(out, i > 0 ? "," : "", key, list[i] + strlen(key) + 1);
    }
    g_string_append_c(out, '}');
}

void
device_row_append(GString *out, const RegistryDevice *device, gboolean keys)
{
    append_member(out, "{", "id", device->id);
    if (device->module)
        append_member(out, ",", "module", device->module);
    append_member(out, ",", "status", device->enabled ? "enabled" : "disabled");
    if (!device->module)
        append_tags(out, device->tags);
    if (device->comment)
        append_member(out, ",", "comment", device->comment);
    if (device->auth.kind != REGISTRY_AUTH_KEYS) {
        g_autofree char *auth = registry_auth_format(&device->auth);

        append_member(out, ",", "auth", auth);
    }
    if (keys) {
        append_key(out, ",\"keys\":{", "primary", &device->primary);
        append_key(out, ",", "secondary", &device->secondary);
        g_string_append_c(out, '}');
    }
    g_string_append(out, "}\n");
}

RegistryImport *
registry_import_new(gboolean update, gboolean dry_run)
{
    RegistryImport *import = g_new0(RegistryImport, 1);

    import->rows = g_ptr_array_new_with_free_func((GDestroyNotify)device_row_free);
    import->update = update;
    import->dry_run = dry_run;
    return import;
}

void
registry_import_free(RegistryImport *import)
{
    if (!import)
        return;
    g_ptr_array_unref(import->rows);
    g_free(import);
}
