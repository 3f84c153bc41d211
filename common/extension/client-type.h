/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a device says of itself in its DeviceClientType (docs/wire-protocol.md, section 8):
 *
 *   streamd/1.0 (caps=half-close,reason) (instance=0123456789abcdef)
 *
 * An instance is chosen at random whenever a streamd starts to use an identity. So two instances of
 * one identity are either a restart, after which the first one never comes back, or two machines.
 * Pure; any thread. */
#pragma once

#include "common/codec/caps.h"

#define INSTANCE_LEN 16     /* 0 to 9, a to f */
#define CLIENT_NAME_MAX 128 /* bytes of a client's name that are kept */

/* The text of the close frame with 1008, and the kind of notice, by which a hub tells a device that
 * an earlier instance of its identity has come back and taken over. */
#define TAKEN_OVER "taken-over"

typedef struct {
    Caps caps;
    char instance[INSTANCE_LEN + 1]; /* "": none that is valid */
    char *name; /* what is before the first of these parts: "streamd/1.0"; printable; NULL: none */
} ClientType;

/* TEXT is percent-decoded; NULL is fine. Whatever it is, the caller clears what comes out. */
void client_type_parse(const char *text, ClientType *ret);
void client_type_clear(ClientType *type);

/* The text of streamd VERSION with these capabilities. INSTANCE NULL: none. Caller frees. */
char *client_type_format(const char *version, Caps caps, const char *instance);

/* A new one. */
void instance_make(char ret_instance[INSTANCE_LEN + 1]);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ClientType, client_type_clear)
