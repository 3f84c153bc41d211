/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Admin request: one request at the admin socket, from its head to its answer; and the table of all
 * requests. Main thread.
 *
 *   GET    /v1/status
 *   GET    /v1/metrics                  OpenMetrics text (common/metrics/text.h)
 *   GET    /v1/endpoints
 *   PUT    /v1/drain                    {"draining":true,"readOnly":true}  as /v1/status
 *   GET    /v1/certificate              what the hub shows
 *   POST   /v1/certificate/install      takes the staged pair (admin/certificate-pair.h)
 *   POST   /v1/reload                   what SIGHUP does
 *   GET    /v1/log-level                {"level":"info","target":"journal"}
 *   PUT    /v1/log-level                {"level":"debug"}, until the next start
 *   GET    /v1/known/devices[?after=ID[&afterModule=M]]   who knows the next authority:
 *                                       {"devices":[{"deviceId":..,"knows":"yes"}],"more":false,..}
 *   GET    /v1/known/users              {"users":[{"name":..,"knows":"plain"}]}
 *   GET    /v1/streams[?after=NUMBER][&limit=N]     {"streams":[...],"more":false}
 *   GET    /v1/streams/ID               all that is known of one
 *   POST   /v1/streams/ID/close         as GET, before it is closed
 *   GET    /v1/devices[?after=ID[&afterModule=M]][&limit=N][&tags=A=B%0AC=D]
 *          [&state=connected|away|never|refused][&sort=id|last-seen[&afterSeen=T]]
 *                                       {"devices":[...],"more":false,"last":{..}}
 *   POST   /v1/devices                  {"deviceId":..[,"moduleId":..][,"enabled":false]
 *                                        [,"authentication":{..}]}
 *   GET    /v1/devices/ID[/modules/M]
 *   DELETE /v1/devices/ID[/modules/M]
 *   PATCH  /v1/devices/ID               {"tags":{"site":"berlin","old":null},"comment":".."}
 *   PUT    /v1/devices/ID[/modules/M]/enabled                    {"enabled":true}
 *   PUT    /v1/devices/ID[/modules/M]/authentication    {"authentication":{..}} (auth-json.h)
 *   PUT    /v1/devices/ID/approved      one that waits for it may connect
 *   GET    /v1/devices/ID[/modules/M]/connection-string[?key=secondary]     text/plain
 *   POST   /v1/import[?update=yes&dryRun=yes]   lines of registry/device-row.h
 *                                               {"added":2,"updated":0,"unchanged":0,
 *                                                "refused":[{"line":0,"message":".."}]}
 *   GET    /v1/export[?keys=yes&after=ID&afterModule=M]          text/plain, such lines; none: the
 *                                                                 end
 *   POST   /v1/devices/ID[/modules/M]/keys      {"regenerate":"primary"}, "secondary" or "both";
 *                                       as GET, with {"cut":{"devices":1,"streams":2}}
 *   POST   /v1/devices/ID[/modules/M]/rekey     {"result":"done",..}; waits for the device
 *   GET    /v1/users                                             {"users":[...]}
 *   POST   /v1/users                    {"name":..,"rights":"service-connect,.."}
 *   GET    /v1/users/NAME
 *   DELETE /v1/users/NAME
 *   PATCH  /v1/users/NAME               {"scope":{"devices":["gw-*"],..}}
 *   GET    /v1/users/NAME/connection-string[?key=secondary]                 text/plain
 *   POST   /v1/users/NAME/keys          as of a device
 *   GET    /v1/invitations                                       {"invitations":[...]}
 *   POST   /v1/invitations              {"name":..,"kind":"device|user|group","uses":N
 *                                       [,"subject":ID][,"module":M][,"expires":"2027-.."]
 *                                       [,"rights":..][,"scope":{..}][,"tags":{..}]
 *                                       [,"ids":"a\nb\n"][,"approve":true]}
 *   DELETE /v1/invitations/NAME         revokes it
 *   GET    /v1/invitations/NAME/ticket                           text/plain
 *
 * Answers are JSON, except connection strings and tickets. These hold a key, so they never become a
 * JsonNode. Failures are {"error":{"code":"not-found","message":"..."}}. */
#pragma once

#include "common/base/slice.h"
#include "common/log/journal.h"
#include "hub/admin/identity.h"
#include "hub/hub.h"
#include "hub/registry/registry.h"

#include <json-glib/json-glib.h>

/* What the handlers know of the hub. Outlives the server. */
typedef struct {
    Registry *registry;
    Records *records;             /* NULL: none are kept */
    const char *host;             /* in connection strings, */
    guint16 port;                 /* with this port unless it is 443 */
    const char *const *listeners; /* "https [::]:443", "mqtts [::]:8883"; NULL: not told */
    const char *metrics;          /* where the metrics are, "127.0.0.1:9464"; NULL: nowhere else */
    const char *streams_at;       /* NAME:PORT, where streams are sent; NULL: as above */
    gboolean (*is_connected)(void *data, const char *device, const char *module);
    /* NULL: not told. */
    gboolean (*is_cloned)(void *data, const char *device, const char *module, CloneReport *ret);
    void (*write_facts)(void *data); /* what was seen lately goes to the registry; NULL: nothing */
    gboolean (*is_online)(void *data, const char *device, const char *module); /* NULL: not shown */
    HubFigures (*figures)(void *data);
    gint64 started; /* µs since the epoch */
    void (*drain)(void *data, gboolean draining); /* NULL: not possible */
    const Identity *(*identity)(void *data);
    gboolean (*reload)(void *data, GError **error); /* ERROR: all problems; nothing has changed */
    gboolean (*install)(void *data, GError **error);
    StreamhubKeyUse (*key_use)(void *data, const StreamhubKeys *keys); /* NULL: not shown */
    void (*rekey)(void *data, const char *device, const char *module, RekeyDone done,
                  void *done_data); /* NULL: not possible */
    Journal *journal;               /* its own log */
    /* What a connected device can do, and the serial of the statement about the next authority; 0:
     * nothing. NULL: not known. */
    Caps (*caps)(void *data, const char *device, const char *module);
    guint64 (*statement)(void *data);
    void (*look)(void *data, const StreamQuery *query, StreamsLooked done, void *done_data);
    gboolean (*close_stream)(void *data, const char *id);
    void *data;
} AdminHub;

/* The metrics as text (hub/metrics/text.h); the caller frees it. */
char *admin_metrics_text(const AdminHub *hub);

typedef struct AdminRequest AdminRequest;

/* Takes BODY, to be freed with secret_free. The request is over. */
typedef void (*AdminAnswer)(guint status, const char *content_type, char *body, void *data);

struct AdminRequest {
    const AdminHub *hub;
    char *query;      /* raw, without the question mark */
    JsonObject *body; /* NULL when there was none */
    Slice raw;        /* of a route with `lines`: the body, while the handler is called */
    char *id;         /* from the path: decoded, not checked further */
    char *module;
    char *name;
    guint32 uid;         /* who asks */
    const char *verb;    /* what it changes, for the log; NULL: nothing */
    const char *record;  /* operation of its record once it has succeeded; NULL: it makes none */
    char *detail;        /* of that record: names of what changes */
    const char *what;    /* "device", "user", "invitation"; NULL: nothing of the registry */
    StreamhubKeys keys;  /* of a regeneration, */
    StreamhubKeyUse cut; /* and what it ends */
    AdminAnswer answer;  /* NULL once the asker has gone */
    void *data;
};

/* Finds the route and runs its handler. ANSWER is called exactly once, maybe before this returns.
 * *ret_request is for admin_request_abandon; it is set before ANSWER is called, and valid until
 * then. METHOD, PATH and QUERY as in the head; BODY complete; UID: the user who asks. */
void admin_request_start(const AdminHub *hub, guint32 uid, Slice method, Slice path, Slice query,
                         Slice body, AdminAnswer answer, void *data, AdminRequest **ret_request);

/* The client has gone: ANSWER is not called any more, but what was asked is still done. */
void admin_request_abandon(AdminRequest *request);

/* For handlers; each ends the request. BUILDER is taken; SECRET is taken and wiped. */
void admin_request_answer_json(AdminRequest *request, guint status, JsonBuilder *builder);
void admin_request_answer_text(AdminRequest *request, char *secret);
void admin_request_answer_as(AdminRequest *request, const char *content_type, char *text);
void admin_request_fail(AdminRequest *request, guint status, const char *code, const char *format,
                        ...) G_GNUC_PRINTF(4, 5);
/* WHAT is "device", "user" or "invitation". */
void admin_request_fail_registry(AdminRequest *request, const RegistryResult *result,
                                 const char *what, const char *name);

/* A member of the body; NULL or FALSE when it is missing or of another type. */
const char *admin_request_text(const AdminRequest *request, const char *member);
gboolean
admin_request_boolean(const AdminRequest *request, const char *member, gboolean *ret_value);

/* A value of the query, decoded; NULL when it is not there. The caller frees it. */
char *admin_request_query(const AdminRequest *request, const char *name);

typedef void (*AdminHandler)(AdminRequest *request);

typedef struct {
    const char *method;
    const char *pattern; /* segments; "{id}", "{module}" and "{name}" match any */
    AdminHandler handler;
    const char *record; /* operation of the record that it makes; NULL: none */
    gboolean lines;     /* the body is no JSON object, and may have keys in it */
} AdminRoute;

/* All requests; the last entry has a NULL method. */
const AdminRoute *admin_routes(void);

/* Must not show a key. */
void admin_device_build(JsonBuilder *builder, const AdminHub *hub, const RegistryDevice *device);
void admin_user_build(JsonBuilder *builder, const RegistryPolicy *policy);

/* For RESULT of a change of the device that the request names. */
void admin_device_answer(AdminRequest *request, const RegistryResult *result);

/* The handlers: admin/certificate-answer.c, admin/device.c, admin/invitation.c, admin/keys.c,
 * admin/log-level.c, admin/metrics.c, admin/move.c, admin/status.c, admin/stream.c, admin/user.c. */
void admin_certificate_show(AdminRequest *request);
void admin_certificate_install(AdminRequest *request);
void admin_reload(AdminRequest *request);
void admin_known_devices(AdminRequest *request);
void admin_known_users(AdminRequest *request);
void admin_log_level_show(AdminRequest *request);
void admin_log_level_set(AdminRequest *request);
void admin_device_list(AdminRequest *request);
void admin_device_add(AdminRequest *request);
void admin_device_show(AdminRequest *request);
void admin_device_remove(AdminRequest *request);
void admin_device_set_enabled(AdminRequest *request);
void admin_device_edit(AdminRequest *request);
void admin_device_set_auth(AdminRequest *request);
void admin_device_connection_string(AdminRequest *request);
void admin_device_import(AdminRequest *request);
void admin_device_export(AdminRequest *request);
void admin_device_regenerate(AdminRequest *request);
void admin_device_rekey(AdminRequest *request);
void admin_user_regenerate(AdminRequest *request);
void admin_device_approve(AdminRequest *request);
void admin_invitation_list(AdminRequest *request);
void admin_invitation_add(AdminRequest *request);
void admin_invitation_revoke(AdminRequest *request);
void admin_invitation_ticket(AdminRequest *request);
void admin_user_list(AdminRequest *request);
void admin_user_add(AdminRequest *request);
void admin_user_show(AdminRequest *request);
void admin_user_remove(AdminRequest *request);
void admin_user_edit(AdminRequest *request);
void admin_user_connection_string(AdminRequest *request);
void admin_status_show(AdminRequest *request);
void admin_metrics_show(AdminRequest *request);
void admin_status_endpoints(AdminRequest *request);
void admin_drain_set(AdminRequest *request);
void admin_stream_list(AdminRequest *request);
void admin_stream_show(AdminRequest *request);
void admin_stream_close(AdminRequest *request);
