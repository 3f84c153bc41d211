/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Update: a hub with some of its settings changed, from what is asked for to the save.
 *
 * The changed hub is a whole Hub beside the present one, so that it can be tried before anything
 * changes. When it is in force it takes the place of the present one, as at a reload: streams refer
 * to their hub by name, and go on; of the device role what is not open yet ends. Main thread. */
#pragma once

#include "daemon/app.h"

typedef struct AppUpdate AppUpdate;

/* NULL or 0: it stays as it is. */
typedef struct {
    const char *connection_string; /* secret; of the same role, and in the device role of the same
                                      device */
    const char *ca;                /* PEM that came with it, or NULL: as without it */
    const char *key;               /* secret: of the identity that the hub has, in base64 */
    const char *host;              /* HOST or HOST:PORT */
    const char *ca_file;           /* "": what the system trusts */
    OwnFiles own;
    ProxySettings proxy;       /* url "": what is set for all hubs; exceptions "": none */
    const char *allowed_users; /* "": no list; likewise the next */
    const char *stream_hosts;
    const HubTransport *transport;
    guint16 mqtts_port;
    const gboolean *no_resume;
    guint resume_time; /* s */
} HubChange;

/* Makes the hub as it would be. Errors: NOT_FOUND, DENIED (it is in the configuration), INVALID
 * (what is wrong, as in app_add_hub). */
AppUpdate *app_update_new(App *app, const char *name, const HubChange *change, GError **error);
void app_update_free(AppUpdate *update); /* NULL is fine */

/* The hub as it would be; it is in no list, and connects to nothing. */
Hub *app_update_hub(const AppUpdate *update);

/* Saves it, and puts it in force: UPDATE is taken. DONE gets the Hub. It connects if the present
 * one is to be connected. Also BUSY: the present one was changed since app_update_new. */
AppChange *app_update_submit(AppUpdate *update, AppDone done, void *data, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppUpdate, app_update_free)
