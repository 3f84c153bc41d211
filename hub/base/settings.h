/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings of the hub: every limit with its default and its hard cap, from the [hub] group of a
 * GKeyFile (streamhub.conf). Immutable once made: any thread.
 *
 * Times are µs here; in the file they are seconds, which may have a fraction. An R number is the
 * requirement that a limit comes from. */
#pragma once

#include <glib.h>

typedef enum {
    TELEMETRY_DROP,   /* acknowledge it, count it, forget it */
    TELEMETRY_REFUSE, /* end the connection */
} TelemetryRule;

typedef struct {
    /* edge, before authentication (R2, R3, R6) */
    gint64 handshake_timeout;         /* handshake-timeout: TLS, from accept */
    gint64 request_timeout;           /* request-timeout: a whole head; an MQTT CONNECT */
    gint64 keep_alive_timeout;        /* keep-alive-timeout: between two requests */
    guint requests_per_connection;    /* requests-per-connection */
    guint unauthenticated_max;        /* unauthenticated-max: in all */
    guint unauthenticated_per_source; /* unauthenticated-per-source: IPv4 /32 or IPv6 /64 */
    guint connections_per_second;     /* connections-per-second: of one source */
    guint connections_burst;          /* connections-burst: of one source */
    guint
        known_source_factor;  /* known-source-factor: a source from which somebody has authenticated
                                 recently gets this many times the three limits above */
    gint64 known_source_time; /* known-source-time: for so long after its last connection (R4) */
    gint64 penalty;           /* penalty: after wrong credentials (R4) */
    gint64 penalty_max;       /* penalty-max: it doubles up to this */
    guint penalty_identities; /* penalty-identities: a source that failed as so many is guessing */
    guint guessing_per_second; /* guessing-per-second: new connections of such a source */
    guint connections_max;     /* connections-max: all sockets of the edge */

    /* devices (R13 to R17) */
    gint64 mqtt_keep_alive_max;         /* mqtt-keep-alive-max: for devices that ask for none */
    gint64 link_probe;                  /* link-probe: for a sign of life after a request (R12) */
    guint packet_max;                   /* packet-max: bytes of one MQTT packet */
    guint subscriptions_per_connection; /* subscriptions-per-connection */
    guint publishes_per_second;         /* publishes-per-second: of one device */
    guint publishes_burst;              /* publishes-burst: of one device at once */
    guint busy_publishes_per_second;    /* busy-publishes-per-second: of all devices over theirs */
    gboolean users_may_list;            /* users-may-list */
    gboolean client_certificates;       /* client-certificates: every client is asked for one */
    char *device_ca;              /* device-ca: authorities of devices (paths.h); NULL: none */
    char *device_crl;             /* device-crl: what they have revoked */
    TelemetryRule telemetry;      /* telemetry: what becomes of what devices send to nobody (R16) */
    gint64 device_token_life_max; /* device-token-life-max: how far ahead `se` may lie */
    gint64 service_token_life_max; /* service-token-life-max */
    gint64 token_skew;             /* token-skew: allowed difference of clocks */
    gboolean rekey;                /* rekey: give devices new keys over their connections */
    gint64 rekey_grace;            /* rekey-grace: from the login with a new key to the end of the
                                    * former one */
    gint64 clone_window; /* clone-window: an instance that comes back within it is a clone; 0: no */
    guint reconnects_per_minute; /* reconnects-per-minute: from this one on a device's CONNACK waits
                                  * (R15); 0: never */

    /* streams (R9, R10) */
    gint64 stream_deadline;    /* stream-deadline: from the POST to both legs */
    gint64 response_timeout;   /* response-timeout: when the POST names none */
    gint64 device_return_time; /* device-return-time: for so long after a start, openings wait
                                  within their time-out for devices that have not reconnected */
    guint streams_per_device;  /* streams-per-device */
    guint pending_per_device;  /* pending-per-device: not open yet */
    guint streams_per_user_and_device; /* streams-per-user-and-device */
    guint pending_per_user_and_device; /* pending-per-user-and-device; once pending-per-policy */
    guint streams_max;                 /* streams-max */
    guint user_share; /* user-share: percent of streams-max and connections-max for one user */
    guint streams_per_second; /* streams-per-second: new ones, of one policy */
    guint streams_burst;      /* streams-burst */
    gboolean resume;          /* resume: streams may survive their legs */

    /* bridges (R12) */
    gint64 leg_ping; /* leg-ping: silence before a ping */
    gint64 leg_dead; /* leg-dead: silence before a leg counts as lost */
    gint64 end_wait; /* end-wait: how long undelivered bytes hold up an end out of order */

    /* addresses; NULL: not set. hub/base/address.h has their forms. */
    char *public_address;      /* public-address: what clients call the hub */
    char *streaming_host;      /* streaming-host: the host in the URLs of streams */
    char *proxy_protocol_from; /* proxy-protocol-from: the balancers, which say who connects */
    char *metrics_listen;      /* metrics-listen: ADDRESS:PORT; NULL: on the admin socket alone */
    char *metrics_token_file;  /* metrics-token-file: what whoever asks there has to send */
    char *allowed_origins;     /* allowed-origins: web origins that may come beside the hub's own */

    /* records (hub/records/records.h) */
    char *records;        /* records: "off"; NULL: file */
    char *records_folder; /* records-folder; NULL: `records` in the state folder */
    guint64 records_size; /* records-size: bytes of a file, which is then rotated */
    guint records_files;  /* records-files: kept beside the one that is written to */

    /* of streamhub-push (hub/push/push.h); NULL: not set */
    char *records_push_url;        /* records-push-url */
    char *records_push_token_file; /* records-push-token-file */
    char *records_push_ca;         /* records-push-ca */
} Settings;

/* The defaults. */
Settings *settings_new(void);

/* The defaults, overridden by FILE. Other groups are ignored. An unknown key in [hub], a bad value
 * or one beyond its cap is STREAMD_ERROR_INVALID. The message has a line for each of them, with
 * file, line and key. */
Settings *settings_load(const char *file, GError **error);

/* The same from text; NAME stands for the file in messages. */
Settings *settings_parse(const char *text, gsize len, const char *name, GError **error);

/* A configuration file that has every setting with its purpose and its default, each commented out
 * with `#`. The caller frees it. */
char *settings_describe(void);

/* A copy without the texts, which are NULL in it: it needs nothing of SETTINGS, and no
 * settings_free. */
Settings settings_without_texts(const Settings *settings);

/* What one user may have of MOST: `user-share` percent, and at least one. */
guint settings_user_share(const Settings *settings, guint most);

/* All but those that a reload puts in force: the addresses, and how much is kept of the records. */
gboolean settings_limits_equal(const Settings *settings, const Settings *other);

/* Takes those of FROM that a reload puts in force; the others stay. */
void settings_take_reloaded(Settings *settings, Settings *from);

void settings_free(Settings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)
