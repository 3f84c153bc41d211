/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* App: everything this streamd holds, and the way to change it.
 *
 * It owns the hubs, targets, the accept policy, streams, tunnels, the reactors and the store. The
 * D-Bus layer calls the functions below and hears of changes through one Observer. Main thread.
 * Callers borrow objects: a pointer is good until control returns to the main loop. Keep names and
 * ids, and look them up again. */
#pragma once

#include "common/log/events.h"
#include "common/loop/reactor.h"
#include "daemon/link/device-list.h"
#include "daemon/link/hub.h"
#include "daemon/local/target.h"
#include "daemon/local/tunnel.h"
#include "daemon/policy/accept-policy.h"
#include "daemon/policy/user-limits.h"
#include "daemon/record/author.h"
#include "daemon/stream/consent.h"
#include "daemon/stream/handler.h"
#include "daemon/stream/inspect.h"
#include "daemon/stream/stream.h"

typedef struct App App;

/* What changed. Any member may be NULL. In *_removed the object is still whole; it is freed after
 * the call. A callback must not add or remove objects of the same kind. */
typedef struct {
    void (*hub_added)(Hub *hub, void *data);
    void (*hub_changed)(Hub *hub, void *data); /* state, last error, since */
    void (*hub_endpoints_changed)(Hub *hub, void *data);
    void (*hub_pending_changed)(Hub *hub, void *data);
    void (*hub_removed)(Hub *hub, void *data);
    void (*target_added)(Target *target, void *data);
    void (*target_removed)(Target *target, void *data);
    void (*policy_changed)(AcceptPolicy *policy, void *data); /* rules, order or default */
    void (*stream_added)(Stream *stream, void *data);
    void (*stream_changed)(Stream *stream, void *data); /* state, reason; not byte counts */
    void (*stream_removed)(Stream *stream, void *data);
    void (*stream_owner_changed)(Stream *stream, guint32 before, void *data);
    void (*request_added)(Consent *request, void *data);
    void (*request_removed)(Consent *request, void *data); /* request_end says why */
    void (*tunnel_added)(Tunnel *tunnel, void *data);
    void (*tunnel_changed)(Tunnel *tunnel, void *data); /* last error, number of streams */
    void (*tunnel_removed)(Tunnel *tunnel, void *data);
} Observer;

typedef struct {
    const char *config_file;  /* NULL: none; with FILE.d beside it (config.h) */
    gboolean config_optional; /* the file itself need not be there */
    const char *state_dir;    /* NULL: nothing is kept over a restart */
    gboolean user; /* the instance of a user: without a configured proxy it uses the session's */
    guint threads; /* reactors; 0: one per CPU */
} AppOptions;

/* Reads configuration and state, but connects nothing yet. Fails with the path and the reason when
 * one of them is damaged. */
App *app_new(const AppOptions *options, GError **error);

/* Ends everything at once: resets local sockets and closes listeners. Runs the main loop for a
 * moment, to take back what the reactors still hold. NULL is fine. */
void app_free(App *app);

/* Keeps somebody informed of how it stands, in one line: which hubs are connected, how much runs,
 * and what is wrong. TELL is called when that changes, once a second at most
 * (common/loop/status-line.h).
 */
void app_set_status(App *app, void (*tell)(const char *status, void *data), void *data);

/* Why the configuration was not reloaded, one line; NULL: it was. */
void app_note_reload(App *app, const char *problem);

/* There is one observer; NULL: none. It is not told of existing objects: walk the lists. */
void app_set_observer(App *app, const Observer *observer, void *data);

/* Connects the hubs and opens the kept tunnels. A failure shows in its object, not here. */
void app_start(App *app);

/* Changes of the configuration and of what is kept over a restart. The functions that make them
 * return an AppChange. A change is first saved, then put in force, then told; until then nothing
 * changes. NULL: it was refused at once, with ERROR, and DONE is not called. Otherwise DONE is
 * called once, from the main loop, after the observer. ERROR NULL means that the change is in
 * force. DONE then gets the object that the change is about (where the function says so), borrowed.
 * While a change is being saved, others are checked against the settings as they will be after it,
 * and go together into the next save.
 *
 * Errors beside those of each function: BUSY (APP_WAITING_MAX changes wait, streamd is stopping,
 * app_state_error), CANCELLED and TIMED_OUT (streamd stopped meanwhile), and errors of the disk:
 * "cannot save this change: ...", after which everything is as before. */
typedef struct AppChange AppChange;
typedef void (*AppDone)(gpointer object, const GError *error, void *data);

#define APP_WAITING_MAX 100                    /* changes that may wait while others are saved */
#define APP_STOP_WAIT (5 * G_TIME_SPAN_SECOND) /* for what is being saved when streamd stops */

/* The caller no longer waits: DONE is not called, the change goes on. Not after DONE. */
void app_forget_change(AppChange *change);

/* Takes AUTHOR, who asked for CHANGE over D-Bus: when it is in force, one record says so. Not after
 * DONE. */
void app_change_by(AppChange *change, Author *author);

/* The same for what is no AppChange, and for what was denied. AUTHOR NULL: nobody is known. */
void app_record_by(App *app, EventKind kind, const Author *author, const EventData *data);

/* A tunnel in words, for such a record. Caller frees. */
char *app_tunnel_text(const Tunnel *tunnel);

/* A user's name may be needed soon. */
void app_expect_record(App *app, guint32 uid);

/* For the end of the program: waits for the save that is under way, at most APP_STOP_WAIT, and ends
 * all changes. From then on none is accepted. */
void app_finish_changes(App *app);

/* Reads the configuration again and applies all of it or nothing. If it fails, the old one stays in
 * force, and the error has everything that is wrong (INVALID, a line each). Hubs and targets that
 * have not changed are not touched. Streams go on, except those of a hub that the new one does not
 * have; the tunnels of such a hub are closed. A hub that changed connects again; handshakes of its
 * device role end. The reload waits for all changes before it. */
AppChange *app_reload(App *app, AppDone done, void *data, GError **error);

/* Why the kept state is not used: a newer version has written it (store.h). Then streams and
 * changes are refused. NULL: it is used. */
const char *app_state_error(const App *app);

/* Hubs. The pointers in the arrays are borrowed; free the array with g_ptr_array_unref. Adding a
 * hub (DONE gets the Hub) connects it; removing it ends its streams and tunnels. What is in the
 * configuration cannot be removed here: DENIED, with file and line. */
AppChange *
app_add_hub(App *app, const HubSettings *settings, AppDone done, void *data, GError **error);
/* The same by an invitation: makes a key and keeps it, then the hub is told of it until it has
 * taken it. TICKET: common/codec/invitation.h; AS: daemon/config/claim.h, or NULL. Of SETTINGS it
 * uses all but connection_string and invitation. Also INVALID: this streamd keeps nothing. */
AppChange *app_join_hub(App *app, const HubSettings *settings, const char *ticket, const char *as,
                        AppDone done, void *data, GError **error);
AppChange *app_remove_hub(App *app, const char *name, AppDone done, void *data, GError **error);
Hub *app_find_hub(App *app, const char *name);
GPtrArray *app_list_hubs(App *app); /* Hub, by name */

/* Trusts the next authority of a hub alone; in force once it is saved. BUSY: hub_accept_ca. */
gboolean app_accept_authority(App *app, const char *name, GError **error);

/* The hub of that name in that role. With NAME NULL or empty: the only one of that role. Errors:
 * NOT_FOUND, INVALID (there are several: the message names them). */
Hub *app_resolve_hub(App *app, const char *name, HubRole role, GError **error);

/* Targets. Adding: DONE gets the Target. Removing one does not end the streams that are connected
 * to it. */
AppChange *
app_add_target(App *app, const TargetSettings *settings, AppDone done, void *data, GError **error);
AppChange *app_remove_target(App *app, const char *name, AppDone done, void *data, GError **error);
Target *app_find_target(App *app, const char *name);
GPtrArray *app_list_targets(App *app); /* Target, by name */

/* The policy: read it with accept_policy_*, but change it here, so that the change is kept and
 * told. POSITION counts from 0 over all rules, -1 is last; rules of the configuration file stay in
 * front. DONE of a new rule gets the AcceptRule. */
AcceptPolicy *app_policy(App *app);
AppChange *app_add_rule(App *app, const AcceptRule *rule, int position, AppDone done, void *data,
                        GError **error);
AppChange *app_remove_rule(App *app, guint32 id, AppDone done, void *data, GError **error);
AppChange *
app_move_rule(App *app, guint32 id, int position, AppDone done, void *data, GError **error);
AppChange *app_set_default(App *app, gboolean accept, const char *reject_text, AppDone done,
                           void *data, GError **error);

/* Streams, including those that ended in the last minutes. */
Stream *app_find_stream(App *app, guint64 id);
GPtrArray *app_list_streams(App *app); /* Stream, by id */
/* The traffic of a hub so far, of the users for whom SEES returns TRUE. */
TrafficCount app_hub_traffic(App *app, const Hub *hub, TrafficSees sees, gpointer data);

/* What this streamd has and has counted, of all users, as OpenMetrics text; STARTED: µs since the
 * epoch. The caller frees it. */
char *app_metrics_text(App *app, gint64 started);

/* Streams that wait for a person's decision, and the apps that take streams. */
Consents *app_consents(App *app);
Consent *app_find_consent(App *app, guint64 id);
GPtrArray *app_list_consents(App *app); /* Consent, by id */
Handlers *app_handlers(App *app);

/* Opens a stream and gives one end of a socketpair (AF_UNIX, SOCK_STREAM, CLOEXEC, blocking). DONE
 * is called once, later, unless the call fails at once or is cancelled. It gets the fd, which the
 * callee then owns, or -1 and the error. On failure STREAM still has id and reason (NULL when no
 * stream was made). */
typedef struct OpenRequest OpenRequest;
typedef void (*OpenDone)(Stream *stream, int fd, const GError *error, void *data);

typedef struct {
    const char *hub;    /* NULL: the only service hub */
    const char *device; /* DEVICE or DEVICE/MODULE */
    const char *stream;
    gint64 timeout;     /* µs for the device's answer; 0: OPEN_TIMEOUT */
    gint64 wait;        /* µs to wait for a device that is not connected; 0: do not */
    gboolean no_resume; /* it ends with its leg, also where its hub says otherwise */
    guint32 owner_uid;
} OpenOptions;

#define OPEN_TIMEOUT (20 * G_TIME_SPAN_SECOND)
#define OPEN_TIMEOUT_MAX (60 * G_TIME_SPAN_SECOND)
#define OPEN_WAIT_MAX (60 * G_TIME_SPAN_SECOND)

/* Whether there can be a DEVICE, or DEVICE/MODULE, and a STREAM of these names. INVALID. */
gboolean app_check_names(const char *device, const char *stream, GError **error);

OpenRequest *
app_open_stream(App *app, const OpenOptions *options, OpenDone done, void *data, GError **error);
/* The caller has gone: DONE is not called any more, and REQUEST must not be used again. Not after
 * DONE. */
void app_cancel_open(OpenRequest *request);

/* Asks a service hub for its devices. HUB as for app_resolve_hub. AFTER: what DONE gave with the
 * page before, or NULL. To stop it: service_list_cancel. */
ServiceList *app_list_devices(App *app, const char *hub, const char *after, ServiceListDone done,
                              void *data, GError **error);

/* Tunnels. One that is not persistent is opened at once. DONE of a persistent one gets the Tunnel,
 * which takes no connections before. */
Tunnel *app_open_tunnel(App *app, const TunnelOptions *options, GError **error);
AppChange *
app_keep_tunnel(App *app, const TunnelOptions *options, AppDone done, void *data, GError **error);
/* Removes a persistent tunnel. The others are closed with tunnel_close(), here and in the bus
 * layer. */
AppChange *app_drop_tunnel(App *app, guint64 id, AppDone done, void *data, GError **error);
Tunnel *app_find_tunnel(App *app, guint64 id);
GPtrArray *app_list_tunnels(App *app); /* Tunnel, by id */
/* Whether the kernel tells who owned a TCP connection that its client has already closed
 * (peer-uid.h); valid after app_start. If not, a TCP tunnel refuses such connections. */
gboolean app_knows_closed(const App *app);

/* For the core's modules: the id of a new stream; never 0, never used twice. */
guint64 app_next_stream(App *app);

/* For the watchdog, which checks that each still runs. */
ReactorPool *app_reactors(App *app);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(App, app_free)
