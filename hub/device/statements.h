/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Statements: what the hub's authority has signed for the hub's clients, and who knows it
 * (docs/wire-protocol.md, section 8). The hub passes them on and cannot make any: to a device in a
 * notice at each of its links, to a service in a field of its answers. Main thread. */
#pragma once

#include "common/extension/statement.h"
#include "hub/device/devices.h"
#include "hub/registry/registry.h"

typedef struct Statements Statements;

/* Both outlive it. */
Statements *statements_new(Devices *devices, Registry *registry);
void statements_free(Statements *statements); /* NULL is fine */

/* The texts by kind, NULL where there is none; what is no statement is left out and logged. All
 * connected devices are told what is new. */
void statements_set(Statements *statements, const char *const *texts);

/* Of the present one; 0: there is none. */
guint64 statements_serial(const Statements *statements, StatementKind kind);

/* A device is connected; it keeps the statements of a kind up to SERIAL. */
void statements_connected(Statements *statements, const char *client_id);
void
statements_kept(Statements *statements, const char *client_id, StatementKind kind, guint64 serial);

/* For the answer to a service that takes notices or not, and KNOWS these serials: the text of a
 * statement that it does not know yet, or NULL. Valid until the next statements_set. */
const char *statements_for(Statements *statements, const char *policy, gboolean takes_notices,
                           const guint64 *knows);
