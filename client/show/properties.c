/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/properties.h"

#include "common/cli/output.h"
#include "common/cli/words.h"
#include "common/codec/quantity.h"

#include <glib/gi18n.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

typedef enum {
    SHOW_PLAIN,
    SHOW_TIME,
    SHOW_SIZE,
    SHOW_USER,
    SHOW_STATE,
    SHOW_CODE, /* of common/cli/words.h */
    SHOW_NOT_ZERO,
    SHOW_SIZE_NOT_ZERO,
    SHOW_LIMIT_SIZE,
    SHOW_LIMIT_TIME
} ShowKind;

/* In the order of printing. Properties that are not here follow, under their name on the bus. */
static const struct {
    const char *property;
    const char *label;
    ShowKind kind;
} rows[] = {
    {"Id", N_("ID"), SHOW_PLAIN},
    {"Name", N_("Name"), SHOW_PLAIN},
    {"State", N_("State"), SHOW_STATE},
    {"Since", N_("Since"), SHOW_TIME},
    {"Role", N_("Role"), SHOW_CODE},
    {"HostName", N_("Host"), SHOW_PLAIN},
    {"Identity", N_("Identity"), SHOW_PLAIN},
    {"Transport", N_("Transport"), SHOW_PLAIN},
    {"Proxy", N_("Proxy"), SHOW_PLAIN},
    {"CaFile", N_("Trusted certificates"), SHOW_PLAIN},
    {"CertificateFile", N_("Certificate"), SHOW_PLAIN},
    {"KeyFile", N_("Key"), SHOW_PLAIN},
    {"CertificateExpires", N_("Certificate ends"), SHOW_TIME},
    {"CertificateError", N_("Certificate not used"), SHOW_PLAIN},
    {"Address", N_("Address"), SHOW_PLAIN},
    {"Hub", N_("Hub"), SHOW_PLAIN},
    {"DeviceId", N_("Device"), SHOW_PLAIN},
    {"StreamName", N_("Stream"), SHOW_PLAIN},
    {"Initiator", N_("Initiator"), SHOW_PLAIN},
    {"InitiatorAddress", N_("From"), SHOW_PLAIN},
    {"Target", N_("Target"), SHOW_PLAIN},
    {"Tunnel", N_("Tunnel"), SHOW_NOT_ZERO},
    {"ListenAddress", N_("Listens on"), SHOW_PLAIN},
    {"Persistent", N_("In the background"), SHOW_PLAIN},
    {"Shared", N_("Shared"), SHOW_PLAIN},
    {"OwnerUid", N_("User"), SHOW_USER},
    {"Streams", N_("Streams"), SHOW_PLAIN},
    {"Accepted", N_("Connections so far"), SHOW_PLAIN},
    {"StreamsOpened", N_("Streams opened"), SHOW_PLAIN},
    {"StreamsRejected", N_("Streams not opened"), SHOW_PLAIN},
    {"BytesIn", N_("In"), SHOW_SIZE},
    {"BytesOut", N_("Out"), SHOW_SIZE},
    {"Reconnects", N_("Reconnects"), SHOW_PLAIN},
    {"TakenOver", N_("Taken over by another machine"), SHOW_TIME},
    {"TakeOvers", N_("Take-overs"), SHOW_NOT_ZERO},
    {"StreamingEndpoints", N_("Streaming endpoints"), SHOW_PLAIN},
    {"NextAuthority", N_("Next authority"), SHOW_PLAIN},
    {"NextAuthorityTime", N_("Alone from"), SHOW_TIME},
    {"NextAddress", N_("Next address"), SHOW_PLAIN},
    {"RequestedAt", N_("Requested"), SHOW_TIME},
    {"OpenedAt", N_("Opened"), SHOW_TIME},
    {"SuspendedSince", N_("Suspended"), SHOW_TIME},
    {"SuspendReason", N_("Connection lost"), SHOW_CODE},
    {"Unconfirmed", N_("Not confirmed"), SHOW_SIZE_NOT_ZERO},
    {"Resumes", N_("Went on"), SHOW_NOT_ZERO},
    {"Resumable", N_("Survives a lost connection"), SHOW_PLAIN},
    {"ClosedAt", N_("Ended"), SHOW_TIME},
    {"CloseReason", N_("Reason"), SHOW_CODE},
    {"CloseText", N_("How it ended"), SHOW_PLAIN},
    {"Resume", N_("Streams survive"), SHOW_PLAIN},
    {"ResumeTime", N_("At most"), SHOW_LIMIT_TIME},
    {"LastError", N_("Last error"), SHOW_PLAIN},
    {"MaxStreams", N_("Streams at once"), SHOW_NOT_ZERO},
    {"MaxRate", N_("New streams a minute"), SHOW_NOT_ZERO},
    {"MaxBytes", N_("Bytes of a stream"), SHOW_LIMIT_SIZE},
    {"MaxDuration", N_("Duration of a stream"), SHOW_LIMIT_TIME},
    {"IdleTimeout", N_("Closed when idle for"), SHOW_LIMIT_TIME},
    {"StallTimeout", N_("Closed when stalled for"), SHOW_LIMIT_TIME},
    {"Source", N_("Set by"), SHOW_PLAIN},
    {"DefaultVerdict", N_("Default"), SHOW_PLAIN},
    {"DefaultReason", N_("Default reason"), SHOW_PLAIN},
    {"Revision", N_("Revision"), SHOW_PLAIN},
};

/* "2026-11-21 14:30:05, 3 min ago"; "" for 0. */
static char *
show_time(guint64 time)
{
    g_autoptr(GDateTime) utc = NULL;
    g_autoptr(GDateTime) local = NULL;
    g_autofree char *text = NULL, *age = NULL;

    if (time == 0)
        return g_strdup("");
    utc = g_date_time_new_from_unix_utc((gint64)(time / G_USEC_PER_SEC));
    local = utc != NULL ? g_date_time_to_local(utc) : NULL;
    if (local == NULL)
        return g_strdup("");
    text = g_date_time_format(local, "%Y-%m-%d %H:%M:%S");
    age = output_age(time);
    /* TRANSLATORS: a date and time, and how long ago that is: "2026-11-21 14:30:05, 3 min ago" */
    return g_strdup_printf(_("%s, %s ago"), text, age);
}

static char *
show_user(guint64 uid)
{
    const struct passwd *user = getpwuid((uid_t)uid);

    if (user == NULL)
        return g_strdup_printf("%" G_GUINT64_FORMAT, uid);
    return g_strdup_printf("%s (%" G_GUINT64_FORMAT ")", user->pw_name, uid);
}

static guint64
show_number(GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
        return g_variant_get_uint64(value);
    return g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32) ? g_variant_get_uint32(value) : 0;
}

static char *
show_plain(GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return g_variant_dup_string(value, NULL);
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return g_strdup(g_variant_get_boolean(value) ? _("yes") : _("no"));
    if (g_variant_is_container(value) && g_variant_n_children(value) == 0)
        return g_strdup("");
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY)) {
        g_autofree const char **texts = g_variant_get_strv(value, NULL);

        return g_strjoinv(", ", (char **)texts);
    }
    return g_variant_print(value, FALSE);
}

static ShowKind
show_kind(const char *property)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].property, property) == 0)
            return rows[i].kind;
    return g_str_has_suffix(property, "At") ? SHOW_TIME : SHOW_PLAIN;
}

char *
show_value(const char *property, GVariant *value)
{
    switch (show_kind(property)) {
    case SHOW_TIME:
        return show_time(show_number(value));
    case SHOW_SIZE:
        return output_size(show_number(value));
    case SHOW_USER:
        return show_user(show_number(value));
    case SHOW_SIZE_NOT_ZERO:
        return show_number(value) == 0 ? g_strdup("") : output_size(show_number(value));
    case SHOW_NOT_ZERO:
        return show_number(value) == 0 ? g_strdup("") : show_plain(value);
    case SHOW_LIMIT_SIZE:
        return show_number(value) == 0 ? g_strdup("") : quantity_format_size(show_number(value));
    case SHOW_LIMIT_TIME:
        return show_number(value) == 0 ? g_strdup("") : quantity_format_time(show_number(value));
    case SHOW_PLAIN:
    case SHOW_STATE:
    case SHOW_CODE:
        break;
    }
    return show_plain(value);
}

const char *
show_label(const char *property)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].property, property) == 0)
            return _(rows[i].label);
    return property;
}

static void
show_add(Table *table, const char *label, const char *property, GVariant *value)
{
    g_autofree char *text = show_value(property, value);

    if (*text == '\0')
        return;
    table_addf(table, "%s:", label);
    if (show_kind(property) == SHOW_STATE)
        output_add_state(table, text, words_of_code(text));
    else
        table_add(table, show_kind(property) == SHOW_CODE ? words_of_code(text) : text);
}

static gboolean
show_has_label(const char *property)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].property, property) == 0)
            return TRUE;
    return FALSE;
}

/* Prints what a newer streamd has and this program does not know. */
static void
show_add_others(Table *table, GVariant *properties)
{
    const char *name;
    GVariant *value = NULL; /* the loop frees it */
    GVariantIter iter;

    g_variant_iter_init(&iter, properties);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &value))
        if (!show_has_label(name))
            show_add(table, name, name, value);
}

static void
show_print(const Cli *cli, GVariant *properties)
{
    g_autoptr(Table) table = table_new("", "", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(properties, rows[i].property, NULL);

        if (value != NULL)
            show_add(table, _(rows[i].label), rows[i].property, value);
    }
    show_add_others(table, properties);
    output_rows(cli, table);
}

void
show_properties(const Cli *cli, GVariant *properties)
{
    if (cli->given[OPTION_JSON])
        output_json(properties, FALSE);
    else
        show_print(cli, properties);
}
