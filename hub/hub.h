/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hub: connects the edge, the devices' sessions, the streams and the REST interface.
 *
 * All calls on the main thread, whose default main context must run. The life of a hub:
 * streamhub_new, streamhub_listen or streamhub_adopt once per address, streamhub_start, ...
 * streamhub_stop, DONE, streamhub_free. What it is given (settings, registry, reactors, queue,
 * records) must outlive it. It watches the registry, and disconnects a device or user at once when
 * it is removed or disabled there (requirement R18). */
#pragma once

#include "common/codec/caps.h"
#include "common/loop/reactor.h"
#include "common/net/tls-context.h"
#include "hub/base/settings.h"
#include "hub/device/rekeys.h"
#include "hub/device/clones.h"
#include "hub/edge/refusal-log.h"
#include "hub/metrics/figures.h"
#include "hub/records/records.h"
#include "hub/registry/registry.h"
#include "hub/stream/look.h"

typedef struct Streamhub Streamhub;

typedef struct {
    const Settings *settings;
    Registry *registry;
    ReactorPool *reactors;
    Queue *queue;     /* the main thread's; its source is attached by the caller */
    Records *records; /* of what happens; NULL: none */
    TlsContext *tls;  /* a reference is taken */
    TlsTrust *trust;  /* the same: the authorities of devices, as they are set in TLS; NULL: none */
    const char *const
        *names; /* NULL-terminated, at least one: what clients may call this hub, without
                 * ports; the first is put in stream URLs. Copied, lower-cased. */
    const char *streaming_host; /* NAME or NAME:PORT for stream URLs; NULL: the first name. Without
                                 * a port that of the first listener. A host name or an IPv4 address
                                 * (hub/base/address.h). */
} StreamhubOptions;

/* STREAMD_ERROR_INVALID when a name cannot be put in a URL. */
Streamhub *streamhub_new(const StreamhubOptions *options, GError **error);

/* Binds ADDRESS ("127.0.0.1:443", "[::]:8883"; port 0: any). Every listener serves all protocols:
 * HTTPS, WebSocket and MQTT are told apart by ALPN and the first byte. *ret_bound is the address
 * with its real port; caller frees. "[::]" takes IPv4 as well unless SIX_ONLY. Connections are
 * accepted from streamhub_start on. */
gboolean streamhub_listen(Streamhub *hub, const char *address, gboolean six_only, char **ret_bound,
                          GError **error);

/* The same with a listening socket that the service manager bound; FD is the hub's from then on. */
gboolean streamhub_adopt(Streamhub *hub, int fd, char **ret_bound, GError **error);

gboolean streamhub_start(Streamhub *hub, GError **error);

/* STREAMD_ERROR_INVALID when what stands for STREAMING_HOST cannot be put in a URL. */
gboolean streamhub_check_host(const char *const *names, const char *streaming_host, GError **error);

/* NAMES and STREAMING_HOST as in the options, checked; ORIGINS as `allowed-origins`, or NULL. For
 * requests and streams from now on. */
void streamhub_set_address(Streamhub *hub, const char *const *names, const char *streaming_host,
                           const char *origins);

/* As `proxy-protocol-from`; NULL: nobody. For connections from now on. */
void streamhub_set_balancers(Streamhub *hub, const char *networks);

/* Sessions and requests from now on use this context; existing ones keep theirs. */
void streamhub_set_tls(Streamhub *hub, TlsContext *tls);

/* The authorities of devices and what they have revoked, from now on; NULL: none. A reference is
 * taken. Whoever is connected with a certificate of theirs is judged again, and is disconnected and
 * loses its streams within moments when it is not trusted any more. Set it in the TLS context as
 * well, before that is given to streamhub_set_tls. */
void streamhub_set_trust(Streamhub *hub, TlsTrust *trust);

/* What the hub's authority has signed, by StatementKind; NULL where there is none. Its clients are
 * told. The other call: the serial of the one about the next authority; 0: there is none. */
void streamhub_set_statements(Streamhub *hub, const char *const *texts);
guint64 streamhub_statement(const Streamhub *hub);

/* While DRAINING, new streams are refused with 503 and Retry-After. Open streams and the links of
 * devices go on. */
/* Where the hub's refusals are told; borrowed. */
RefusalLog *streamhub_refusals(Streamhub *hub);

void streamhub_drain(Streamhub *hub, gboolean draining);

/* From now on, new and waiting requests are answered with 503 and Retry-After. Streams that were
 * accepted may go on for GRACE µs; then both legs are closed with 1001. DONE is called once, not
 * from within this call, when nothing is left. A second call shortens the grace. */
typedef void (*StreamhubDone)(Streamhub *hub, void *data);
void streamhub_stop(Streamhub *hub, gint64 grace, StreamhubDone done, void *data);

void streamhub_free(Streamhub *hub); /* after DONE, or before streamhub_start */

/* For `device list` and `device show`. */
gboolean streamhub_device_is_connected(Streamhub *hub, const char *device, const char *module);
gboolean streamhub_device_is_online(Streamhub *hub, const char *device,
                                    const char *module); /* and subscribed */
Caps streamhub_device_caps(Streamhub *hub, const char *device, const char *module);

gboolean streamhub_device_is_cloned(Streamhub *hub, const char *device, const char *module,
                                    CloneReport *ret);

/* What was seen of devices lately is written before what is asked of the registry next. */
void streamhub_write_facts(Streamhub *hub);

/* What it has and has counted, for `status` and the metrics. */
HubFigures streamhub_figures(Streamhub *hub);

/* Looks at streams (hub/stream/look.h), and ends one for the operator. FALSE: there is no such
 * stream. */
void streamhub_look(Streamhub *hub, const StreamQuery *query, StreamsLooked done, void *data);
gboolean streamhub_close_stream(Streamhub *hub, const char *id);

/* What was opened with some of the keys of a device or module, or of a user. */
typedef struct {
    const char *device;
    const char *module;
    const char *user; /* without a device */
    RegistryKeys keys;
} StreamhubKeys;

typedef struct {
    guint devices; /* that are connected */
    guint streams;
} StreamhubKeyUse;

StreamhubKeyUse streamhub_key_use(Streamhub *hub, const StreamhubKeys *keys);

/* Gives the device a new key over its own connection (hub/device/rekeys.h). */
void
streamhub_rekey(Streamhub *hub, const char *device, const char *module, RekeyDone done, void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Streamhub, streamhub_free)
