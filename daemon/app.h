/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* App: everything this streamd holds, and the way to change it.
 *
 * Hubs, targets, the accept policy, streams, tunnels, the reactors and the store hang here; the
 * D-Bus layer calls what is declared below and hears of changes through one Observer. All of it on
 * the main thread. Objects are borrowed by callers: a pointer is good until control returns to the
 * main loop; keep names and ids, and look them up again. */
#pragma once

#include "common/loop/reactor.h"
#include "daemon/link/device-list.h"
#include "daemon/link/hub.h"
#include "daemon/local/target.h"
#include "daemon/local/tunnel.h"
#include "daemon/policy/accept-policy.h"
#include "daemon/policy/user-limits.h"
#include "daemon/stream/consent.h"
#include "daemon/stream/handler.h"
#include "daemon/stream/inspect.h"
#include "daemon/stream/stream.h"

typedef struct App App;

/* What changed. Any member may be NULL. In *_removed the object is still whole; it is freed after
 * the call. The callee may not add or remove objects of the same kind from inside the call. */
typedef struct {
    void (*hub_added)(Hub *hub, void *data);
    void (*hub_changed)(Hub *hub, void *data); /* state, last error, since */
    void (*hub_endpoints_changed)(Hub *hub, void *data);
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
    gboolean user;            /* a user's instance: without a configured proxy the session's */
    guint threads;            /* reactors; 0: one per CPU */
} AppOptions;

/* Reads configuration and state; connects nothing yet. Fails with the path and the reason when
 * either is not whole. */
App *app_new(const AppOptions *options, GError **error);

/* Ends everything at once: local sockets are reset, listeners closed. Runs the main loop for a
 * moment, so that what the reactors still hold comes home. NULL is fine. */
void app_free(App *app);

/* One observer; NULL: none. It is not told of what exists already: walk the lists. */
void app_set_observer(App *app, const Observer *observer, void *data);

/* Connects the hubs and opens the kept tunnels. What fails is shown in its object, not here. */
void app_start(App *app);

/* Changes. What is kept over a restart, and the configuration, change by the functions that return
 * an AppChange. Such a change is saved first and only then in force and told: until then everything
 * is as it was. NULL: it was refused at once, with ERROR, and DONE is not called. Otherwise DONE is
 * called once, from the main loop: with ERROR NULL when it is in force, after the observer, and
 * with the object it was about (where the function says so), which is borrowed. While a change is
 * being saved others are checked against what will be in force then, and go together into the next
 * save.
 *
 * Errors beside those of each: BUSY (APP_WAITING_MAX wait already, streamd stops, app_state_error),
 * CANCELLED and TIMED_OUT (it stopped meanwhile), and what the disk says: "cannot save this change:
 * ...", whereupon everything is as before. */
typedef struct AppChange AppChange;
typedef void (*AppDone)(gpointer object, const GError *error, void *data);

#define APP_WAITING_MAX 100                    /* changes that wait while others are saved */
#define APP_STOP_WAIT (5 * G_TIME_SPAN_SECOND) /* for what is being saved when streamd stops */

/* Nobody waits for it any more: DONE is not called, the change goes on. Not after DONE. */
void app_forget_change(AppChange *change);

/* Before the end: waits until what is being saved is saved, at most APP_STOP_WAIT, and ends all
 * changes. From now on there are none. */
void app_finish_changes(App *app);

/* Reads the configuration again and takes all of it or nothing: on failure, with everything that is
 * wrong in the error (INVALID, a line each), the one in force stays. Hubs and targets that are as
 * they were are not touched. Streams go on, but for those of a hub that is not in it any more; the
 * tunnels of such a hub are closed. A hub that changed connects anew; handshakes that its device
 * role was in end. It waits until all changes before it are through. */
AppChange *app_reload(App *app, AppDone done, void *data, GError **error);

/* Why the kept state is not used: it is of a newer version (store.h). Then streams are refused, and
 * so are changes. NULL: it is used. */
const char *app_state_error(const App *app);

/* Hubs. The pointers in the arrays are borrowed; free the array with g_ptr_array_unref. Adding
 * (DONE gets the Hub) connects it; removing ends its streams and tunnels. What is in the
 * configuration cannot be removed here: DENIED, with file and line. */
AppChange *
app_add_hub(App *app, const HubSettings *settings, AppDone done, void *data, GError **error);
AppChange *app_remove_hub(App *app, const char *name, AppDone done, void *data, GError **error);
Hub *app_find_hub(App *app, const char *name);
GPtrArray *app_list_hubs(App *app); /* Hub, by name */

/* The hub of that name in that role; with NAME NULL or empty the only one of that role. Errors:
 * NOT_FOUND, INVALID (there are several: the message names them). */
Hub *app_resolve_hub(App *app, const char *name, HubRole role, GError **error);

/* Targets. DONE of a new one gets the Target. Removing one leaves the streams that are connected to
 * it. */
AppChange *
app_add_target(App *app, const TargetSettings *settings, AppDone done, void *data, GError **error);
AppChange *app_remove_target(App *app, const char *name, AppDone done, void *data, GError **error);
Target *app_find_target(App *app, const char *name);
GPtrArray *app_list_targets(App *app); /* Target, by name */

/* The policy: read it with accept_policy_*, change it here, so that it is kept and told. POSITION
 * counts from 0 over all rules, -1 is last; rules of the configuration file stay in front. DONE of
 * a new rule gets the AcceptRule. */
AcceptPolicy *app_policy(App *app);
AppChange *app_add_rule(App *app, const AcceptRule *rule, int position, AppDone done, void *data,
                        GError **error);
AppChange *app_remove_rule(App *app, guint32 id, AppDone done, void *data, GError **error);
AppChange *
app_move_rule(App *app, guint32 id, int position, AppDone done, void *data, GError **error);
AppChange *app_set_default(App *app, gboolean accept, const char *reject_text, AppDone done,
                           void *data, GError **error);

/* Streams, the ended ones of the last minutes included. */
Stream *app_find_stream(App *app, guint64 id);
GPtrArray *app_list_streams(App *app); /* Stream, by id */
/* What has passed through a hub so far, of the users that SEES says yes to. */
TrafficCount app_hub_traffic(App *app, const Hub *hub, TrafficSees sees, gpointer data);

/* What waits for a person's decision, and the apps that take streams. */
Consents *app_consents(App *app);
Consent *app_find_consent(App *app, guint64 id);
GPtrArray *app_list_consents(App *app); /* Consent, by id */
Handlers *app_handlers(App *app);

/* Opens a stream and gives one end of a socketpair (AF_UNIX, SOCK_STREAM, CLOEXEC, blocking). DONE
 * is called once, later, unless the call fails at once or is cancelled: with the fd, which is the
 * callee's from then on, or -1 and the error. On failure STREAM still tells id and reason (NULL
 * when none was made). */
typedef struct OpenRequest OpenRequest;
typedef void (*OpenDone)(Stream *stream, int fd, const GError *error, void *data);

typedef struct {
    const char *hub;    /* NULL: the only service hub */
    const char *device; /* DEVICE or DEVICE/MODULE */
    const char *stream;
    gint64 timeout; /* µs for the device's answer; 0: OPEN_TIMEOUT */
    gint64 wait;    /* µs to wait for a device that is not connected; 0: do not */
    guint32 owner_uid;
} OpenOptions;

#define OPEN_TIMEOUT (20 * G_TIME_SPAN_SECOND)
#define OPEN_TIMEOUT_MAX (60 * G_TIME_SPAN_SECOND)
#define OPEN_WAIT_MAX (60 * G_TIME_SPAN_SECOND)

OpenRequest *
app_open_stream(App *app, const OpenOptions *options, OpenDone done, void *data, GError **error);
/* The caller went away: DONE is not called any more, the handle is gone. Not after DONE. */
void app_cancel_open(OpenRequest *request);

/* Asks a service hub for its devices: HUB as for app_resolve_hub, AFTER as DONE said for the page
 * before, or NULL. To give up: service_list_cancel. */
ServiceList *app_list_devices(App *app, const char *hub, const char *after, ServiceListDone done,
                              void *data, GError **error);

/* Tunnels. One that is not persistent is opened at once. DONE of a persistent one gets the Tunnel,
 * which takes no connection before. */
Tunnel *app_open_tunnel(App *app, const TunnelOptions *options, GError **error);
AppChange *
app_keep_tunnel(App *app, const TunnelOptions *options, AppDone done, void *data, GError **error);
/* The end of a persistent one; of the others it is tunnel_close(), here and in the bus layer. */
AppChange *app_drop_tunnel(App *app, guint64 id, AppDone done, void *data, GError **error);
Tunnel *app_find_tunnel(App *app, guint64 id);
GPtrArray *app_list_tunnels(App *app); /* Tunnel, by id */
/* Whether the kernel tells whose a TCP connection was that its client has closed already
 * (peer-uid.h); after app_start. Where it does not, a tunnel on TCP refuses such a connection. */
gboolean app_knows_closed(const App *app);

/* For the modules of the core: the id of a new stream; never 0, never used twice. */
guint64 app_next_stream(App *app);

/* For the watchdog, which looks whether each still turns. */
ReactorPool *app_reactors(App *app);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(App, app_free)
