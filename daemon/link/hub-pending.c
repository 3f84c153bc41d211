/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/hub-pending.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/extension/statement.h"
#include "daemon/link/hub-struct.h"
#include "daemon/net/http-exchange.h"

#include <string.h>

#define LOOK_S 3600

static gint64
now_seconds(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

HubPending
hub_pending_copy(const HubPending *pending)
{
    HubPending copy = *pending;

    copy.next_ca = g_strdup(pending->next_ca);
    copy.next_host = g_strdup(pending->next_host);
    return copy;
}

void
hub_pending_clear(HubPending *pending)
{
    g_free((char *)(guintptr)pending->next_ca);
    g_free((char *)(guintptr)pending->next_host);
    *pending = (HubPending){0};
}

gboolean
hub_pending_is_ripe(const HubPending *pending, gint64 now)
{
    return pending->next_ca && pending->next_proved && now - pending->next_since >= HUB_PENDING_S;
}

static void
set_next(Hub *hub, TlsNext *next)
{
    tls_next_unref(hub->next);
    hub->next = next ? tls_next_ref(next) : NULL;
    if (hub->tls)
        tls_context_set_next(hub->tls, next);
    if (hub->mqtt_tls)
        tls_context_set_next(hub->mqtt_tls, next);
    if (hub->own)
        own_certificate_set_next(hub->own, next);
}

/* The url of a leg may name the next address as well. */
static void
set_hosts(Hub *hub)
{
    g_autofree char *next = hub->pending.next_host
                                ? g_strdup_printf("%s,%s:%u", hub->stream_globs,
                                                  hub->pending.next_host, hub->pending.next_port)
                                : NULL;
    StreamHosts *former = hub->stream_hosts;

    g_free(hub->next_address);
    hub->next_address = hub->pending.next_host
                            ? http_authority(hub->pending.next_host, hub->pending.next_port)
                            : NULL;
    if (next && !stream_hosts_check(next, NULL))
        g_clear_pointer(&next, g_free);
    hub->stream_hosts = stream_hosts_new(hub->parts, next ? next : hub->stream_globs);
    if (hub->streams)
        device_streams_set_hosts(hub->streams, hub->stream_hosts);
    stream_hosts_unref(former);
}

static gboolean
on_look(gpointer data)
{
    hub_look_at_pending(data);
    return G_SOURCE_CONTINUE;
}

static void
set_known(Hub *hub)
{
    hub->known[STATEMENT_AUTHORITY] = hub->pending.authority_serial;
    hub->known[STATEMENT_ADDRESS] = hub->pending.address_serial;
}

/* Puts what is in hub->pending in force. */
static void
enforce(Hub *hub)
{
    g_autoptr(TlsNext) next =
        hub->pending.next_ca ? tls_next_new(hub->pending.next_ca, FALSE, NULL) : NULL;

    set_next(hub, next);
    set_known(hub);
    set_hosts(hub);
    if (next && !hub->look)
        hub->look = g_timeout_add_seconds(LOOK_S, on_look, hub);
    if (!next)
        g_clear_handle_id(&hub->look, g_source_remove);
}

gboolean
hub_init_pending(Hub *hub, const HubPending *pending, GError **error)
{
    g_autoptr(TlsNext) next =
        pending->next_ca ? tls_next_new(pending->next_ca, FALSE, error) : NULL;

    if (pending->next_ca && !next)
        return FALSE;
    hub->pending = hub_pending_copy(pending);
    enforce(hub);
    return TRUE;
}

void
hub_free_pending(Hub *hub)
{
    g_clear_handle_id(&hub->look, g_source_remove);
    tls_next_unref(hub->next);
    hub_pending_clear(&hub->pending);
    g_free(hub->next_address);
    if (hub->saving)
        hub_pending_clear(hub->saving);
    g_free(hub->saving);
    g_free(hub->saving_ca);
    for (gsize i = 0; i < G_N_ELEMENTS(hub->later); i++)
        g_free(hub->later[i]);
}

/* Takes PENDING, and with CA an authority in the place of the present one. */
static void
save(Hub *hub, HubPending pending, const char *ca)
{
    hub->saving = g_new(HubPending, 1);
    *hub->saving = pending;
    hub->saving_ca = g_strdup(ca);
    hub->context.keep(hub, hub->context.data);
}

/* Says that the statements up to these serials are kept. A service says so in its next request. */
static void
acknowledge(Hub *hub, StatementKind kind, guint64 serial)
{
    g_autofree char *topic = statement_ack_format(kind, serial);

    if (hub->link && serial > 0)
        (void)device_link_publish(hub->link, topic);
}

/* The authority that the hub is trusted by is what an invitation gave, so it is ours to change. */
static gboolean
is_ours(const Hub *hub)
{
    return hub->ca && !hub->source;
}

/* By the authority that is trusted now, wherever it comes from but the system's list: a statement
 * of one of those that everybody trusts would prove nothing. */
static gboolean
is_signed(const Hub *hub, const Statement *statement, const char *text)
{
    g_autofree char *file =
        !hub->ca && hub->ca_file ? file_read(hub->ca_file, FILE_PEM_MAX, NULL, NULL) : NULL;
    const char *ca = hub->ca ? hub->ca : file;

    return ca && tls_signed_by(ca, text, statement->signed_len, statement->signature,
                               statement->signature_len);
}

static void
ignore(const Hub *hub, const char *why)
{
    g_debug("hub %s: a statement was ignored: %s", hub->name, why);
}

/* A configuration is told about a next authority, and is never changed. */
static void
note_file(Hub *hub, const Statement *statement)
{
    if (statement->serial <= hub->told_serial || statement->kind != STATEMENT_AUTHORITY)
        return;
    hub->told_serial = statement->serial;
    g_warning(
        "The authority of hub %s tells of the one that comes after it. What is trusted for the "
        "hub comes from %s, which is never changed here: get the new certificate from the hub's "
        "administrator",
        hub->name, hub->ca_file ? hub->ca_file : hub->source);
    hub->context.noted(hub, hub->context.data);
}

static void
keep_authority(Hub *hub, const Statement *statement)
{
    g_autoptr(GError) error = NULL;
    HubPending next = hub_pending_copy(&hub->pending);
    char *pem = tls_authority_check(statement->root, statement->root_len, now_seconds(), &error);

    if (!pem) {
        hub_pending_clear(&next);
        ignore(hub, error->message);
        return;
    }
    g_free((char *)(guintptr)next.next_ca);
    next.next_ca = pem;
    next.authority_serial = statement->serial;
    next.next_since = now_seconds();
    next.next_proved = FALSE;
    save(hub, next, NULL);
}

static void
keep_address(Hub *hub, const Statement *statement)
{
    HubPending next = hub_pending_copy(&hub->pending);

    g_free((char *)(guintptr)next.next_host);
    next.next_host = g_strdup(statement->host);
    next.next_port = statement->port;
    next.address_serial = statement->serial;
    save(hub, next, NULL);
}

static void
take(Hub *hub, const Statement *statement, const char *text)
{
    gboolean authority = statement->kind == STATEMENT_AUTHORITY;
    guint64 known = authority ? hub->pending.authority_serial : hub->pending.address_serial;

    if (statement->serial < known)
        ignore(hub, "it is older than the one that is kept");
    else if (!statement_is_for(statement, hub_host_name(hub)))
        ignore(hub, "it is about another hub");
    else if (statement->serial == known) /* once more: it may have been signed by the former one */
        acknowledge(hub, statement->kind, known);
    else if (!is_signed(hub, statement, text))
        ignore(hub, "the authority that is trusted has not signed it");
    else if (!is_ours(hub))
        note_file(hub, statement);
    else if (authority)
        keep_authority(hub, statement);
    else
        keep_address(hub, statement);
}

void
hub_take_statement(Hub *hub, const char *text, gsize len)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Statement) statement = statement_parse(text, len, &error);

    if (!statement) {
        ignore(hub, error->message);
    } else if (hub->saving) {
        g_free(hub->later[statement->kind]);
        hub->later[statement->kind] = g_strndup(text, len);
    } else {
        take(hub, statement, text);
    }
}

static void
accept(Hub *hub)
{
    HubPending next = hub_pending_copy(&hub->pending);
    char *ca = (char *)(guintptr)g_steal_pointer(&next.next_ca);

    next.next_since = 0;
    next.next_proved = FALSE;
    save(hub, next, ca);
    g_free(ca);
}

void
hub_look_at_pending(Hub *hub)
{
    HubPending next;

    if (!hub->pending.next_ca || hub->saving)
        return;
    if (hub_pending_is_ripe(&hub->pending, now_seconds())) {
        accept(hub);
    } else if (!hub->pending.next_proved && hub->next && tls_next_has_verified(hub->next)) {
        next = hub_pending_copy(&hub->pending);
        next.next_proved = TRUE;
        save(hub, next, NULL);
    }
}

gboolean
hub_accept_ca(Hub *hub, GError **error)
{
    const char *text = NULL;

    if (hub->told_serial > 0)
        text = "what is trusted for this hub comes from a CA file or the configuration: change it "
               "there";
    else if (!hub->pending.next_ca)
        text = "the hub has told of no next authority";
    else if (hub->saving)
        text = "a change of the hub is being saved: try again";
    if (text) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_BUSY, text);
        return FALSE;
    }
    accept(hub);
    return TRUE;
}

/* The present authority is no longer trusted: the contexts still have it, and go without it. */
static void
replace_ca(Hub *hub)
{
    g_autoptr(TlsNext) alone = tls_next_new(hub->saving_ca, TRUE, NULL);

    g_free(hub->ca);
    hub->ca = g_steal_pointer(&hub->saving_ca);
    set_next(hub, alone);
    g_clear_handle_id(&hub->look, g_source_remove);
    g_message("Hub %s: its next authority is trusted alone from now on", hub->name);
}

/* What came while something was being saved. */
static void
take_later(Hub *hub)
{
    for (gsize i = 0; i < G_N_ELEMENTS(hub->later) && !hub->saving; i++) {
        g_autofree char *text = g_steal_pointer(&hub->later[i]);

        if (text)
            hub_take_statement(hub, text, strlen(text));
    }
}

static void
put_in_force(Hub *hub)
{
    HubPending former = hub->pending;
    gboolean next = hub->saving->next_ca && g_strcmp0(hub->saving->next_ca, former.next_ca) != 0;
    gboolean address = hub->saving->address_serial != former.address_serial;

    hub->pending = *hub->saving;
    g_clear_pointer(&hub->saving, g_free);
    set_known(hub);
    if (hub->saving_ca) {
        replace_ca(hub);
    } else if (next || address) {
        gboolean alone = hub->next && tls_next_is_alone(hub->next) && !next;

        if (alone) /* an address alone leaves the trust as it is */
            set_hosts(hub);
        else
            enforce(hub);
    }
    if (next) {
        g_message("Hub %s: its authority has told of the next one, which is trusted beside it",
                  hub->name);
        acknowledge(hub, STATEMENT_AUTHORITY, hub->pending.authority_serial);
    }
    if (address) {
        g_message("Hub %s: it will be found at %s, port %u", hub->name, hub->pending.next_host,
                  hub->pending.next_port);
        acknowledge(hub, STATEMENT_ADDRESS, hub->pending.address_serial);
    }
    hub_pending_clear(&former);
    hub->context.noted(hub, hub->context.data);
}

void
hub_kept(Hub *hub, const GError *error)
{
    if (!hub->saving)
        return;
    if (!error) {
        put_in_force(hub);
    } else {
        g_warning("Hub %s: what its authority has told is not in force: %s", hub->name,
                  error->message);
        hub_pending_clear(hub->saving);
        g_clear_pointer(&hub->saving, g_free);
        g_clear_pointer(&hub->saving_ca, g_free);
    }
    take_later(hub);
}

/* After a failure the other address has its turn, and so on. */
void
hub_try_elsewhere(Hub *hub)
{
    if (!hub->pending.next_host)
        return;
    hub->elsewhere = !hub->elsewhere;
    if (hub->link) {
        const DeviceSessionOptions options = hub_session_options(hub);

        device_link_set_way(hub->link, options.host, options.port);
    }
}

const char *
hub_authority_state(const Hub *hub)
{
    return hub->told_serial > 0 ? "file" : hub->pending.next_ca ? "pending" : "";
}

gint64
hub_authority_until(const Hub *hub)
{
    return hub->pending.next_ca ? hub->pending.next_since + HUB_PENDING_S : 0;
}

const char *
hub_next_address(const Hub *hub)
{
    return hub->next_address ? hub->next_address : "";
}
