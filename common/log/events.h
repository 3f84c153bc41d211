/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: everything that the programs write to the journal, in one table: id, level, class, text
 * and fields. systemd/streamd.catalog explains each event; a test keeps the two in step. An id
 * never changes, because administrators filter by it. Make new ones with `systemd-id128 new`.
 *
 * A record never holds a key, a token or a byte of a stream: EventData has no field for them. Any
 * thread. */
#pragma once

#include <glib.h>

#define EVENT_ID_FIELD "MESSAGE_ID"
#define EVENT_CLASS_FIELD "STREAMD_CLASS"
#define EVENT_BOUNDED_FIELD "BOUNDED" /* for the journal's writer, which does not pass it on */

typedef enum {
    /* streamd */
    EVENT_DAEMON_STARTED,
    EVENT_DAEMON_STOPPED,
    EVENT_STREAMS_LEFT,
    EVENT_STREAMS_INHERITED,
    EVENT_STREAMS_LOST,
    EVENT_HUB_ADDED,
    EVENT_HUB_REMOVED,
    EVENT_HUB_CHANGED,
    EVENT_HUB_CONNECTED,
    EVENT_HUB_LOST,
    EVENT_HUB_REFUSED,
    EVENT_HUB_KEY,
    EVENT_HUB_TAKEN_OVER,
    EVENT_STREAM_REQUESTED,
    EVENT_STREAM_ACCEPTED,
    EVENT_STREAM_REJECTED,
    EVENT_CONSENT_ASKED,
    EVENT_CONSENT_DECIDED,
    EVENT_STREAM_OPENED,
    EVENT_STREAM_ENDED,
    EVENT_STREAM_CUT,
    EVENT_STREAM_FAILED,
    EVENT_STREAM_SUSPENDED,
    EVENT_STREAM_RESUMED,
    EVENT_TUNNEL_OPENED,
    EVENT_TUNNEL_CLOSED,
    EVENT_TUNNEL_FAULT,
    EVENT_TUNNEL_BLIND,
    EVENT_TARGET_ADDED,
    EVENT_TARGET_REMOVED,
    EVENT_TARGET_DOWN,
    EVENT_POLICY_CHANGED,
    EVENT_CONFIG_RELOADED,
    EVENT_CONFIG_REFUSED,
    EVENT_LOG_LEVEL_CHANGED,
    EVENT_TUNNEL_KEPT,
    EVENT_CLOSED_BY,
    EVENT_CHANGE_DENIED,
    EVENT_STATE_REFUSED,
    /* streamhub */
    EVENT_SERVER_STARTED,
    EVENT_SERVER_STOPPING,
    EVENT_SERVER_STOPPED,
    EVENT_CERTIFICATE_RELOADED,
    EVENT_CERTIFICATE_REFUSED,
    EVENT_DEVICE_CONNECTED,
    EVENT_DEVICE_TAKEN_OVER,
    EVENT_DEVICE_CLONED,
    EVENT_DEVICE_LOST,
    EVENT_DEVICE_REFUSED,
    EVENT_DEVICE_KEY,
    EVENT_SERVICE_REFUSED,
    EVENT_REFUSALS_SUMMED,
    EVENT_ROUTE_ASKED,
    EVENT_ROUTE_ACCEPTED,
    EVENT_ROUTE_REJECTED,
    EVENT_ROUTE_OPENED,
    EVENT_ROUTE_ENDED,
    EVENT_ROUTE_CUT,
    EVENT_REGISTRY_CHANGED,
    EVENT_REGISTRY_WRITTEN,
    EVENT_BALANCER_REFUSED,
    EVENT_ENROLLED,
    EVENT_LIMIT_REACHED,
    EVENT_RECORDS_HEAD,
    EVENT_RECORDS_BLOCKED,
    EVENT_RECORDS_RESUMED,
    EVENT_RECORDS_UNROTATED,
    EVENT_RECORDS_ROTATED,
    EVENT_RECORDS_LOST,
    EVENT_TELEMETRY_DROPPED,
    /* both */
    EVENT_RECORDS_LEFT_OUT,
    EVENT_LAST,
} EventKind;

#define EVENT_NO_UID G_MAXUINT32

/* What is known about the event. Members for which the event has no field are ignored. Texts may
 * come from anywhere: they are escaped and bounded here. */
typedef struct {
    const char *hub;
    const char *device; /* or DEVICE/MODULE */
    const char *stream;
    const char *stream_id; /* the hub's, the same at both ends and at the hub */
    const char *initiator; /* the hub's policy that asked */
    const char *target;
    const char *peer;    /* address */
    const char *address; /* a listening address, or a target's */
    const char *reason;  /* a code of reason.h */
    const char *rule;    /* which rule decided */
    const char *detail;  /* an English clause */
    const char *user;    /* the name of UID; NULL: not known */
    const char *bus_name;
    const char *object;         /* path on the bus */
    const char *before, *after; /* of a change; a secret is "changed" */
    guint64 stream_number;      /* streamd's own */
    guint64 caller_pid;         /* 0: not known */
    guint64 attempts;           /* to reach a hub */
    guint64 tunnel;
    guint64 bytes_in, bytes_out;
    guint64
        bytes_again;  /* not acknowledged when a leg was lost: sent again if they had been sent */
    guint64 resumes;  /* how often a stream went on with another leg */
    guint64 duration; /* µs; written in ms */
    guint32 uid;      /* the local user who caused it; EVENT_NO_UID: nobody is known */
    const char *hash; /* of a record, in hexadecimal digits */
    guint64 count;    /* of records */
    gboolean bounded; /* who writes it bounds how often: no limit of rate leaves it out */
} EventData;

void event_log(EventKind kind, const EventData *data);

/* The table, for the journal and for the test of the catalog. */
const char *event_name(EventKind kind);       /* "STREAM_OPENED" */
const char *event_message_id(EventKind kind); /* 32 hexadecimal digits */
const char *event_text(EventKind kind);       /* with {FIELD} or {FIELD|words when unknown} */
const char *event_fields(EventKind kind);     /* names without STREAMD_, separated by spaces */
gboolean event_field_is_known(const char *name);
