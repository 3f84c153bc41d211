/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Left tunnel: what a daemon that is restarted says of its persistent tunnels to its successor,
 * beside their listening sockets, which the service manager keeps as "l-ID"; and which streams apps
 * have. It is the `other` of common/resume/stored.h. Pure. */
#pragma once

#include <gio/gio.h>

#define LEFT_TUNNELS_MAX 256
#define LEFT_TAKEN_MAX 512

typedef struct {
    guint64 id;
    guint64 accepted;
    guint32 owner_uid;
    guint32 sockets; /* as many listen */
    char *hub, *device, *stream;
    char *address;                   /* as bound */
    guint64 file_device, file_inode; /* of a Unix socket's file; 0: none */
} LeftTunnel;

typedef struct {
    GPtrArray *tunnels; /* LeftTunnel, owned */
    GArray *taken;      /* guint64: ids of streams of the device role that an app has */
} Left;

Left *left_new(void);
void left_free(Left *left);       /* NULL is fine */
LeftTunnel *left_add(Left *left); /* all 0, owned by LEFT; strings to be g_strdup'ed */
gboolean left_is_taken(const Left *left, guint64 stream);

/* At most LEFT_TUNNELS_MAX and LEFT_TAKEN_MAX. */
GBytes *left_write(const Left *left);
/* NULL: these are not the bytes of one. */
Left *left_parse(GBytes *bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Left, left_free)
