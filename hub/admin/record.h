/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Record: what requests at the admin socket leave in the hub's records. Main thread. */
#pragma once

#include "hub/admin/request.h"

/* WHAT: whose record of the registry it was; NULL: it was the hub itself that changed. */
void admin_record(const AdminRequest *request, const char *operation, const char *what,
                  const char *detail);

/* What BODY, which may be NULL, sets: names, and values where these are no texts of people. Never a
 * key: those are in no body. The caller frees it; NULL: nothing. */
char *admin_record_detail(JsonObject *body);

/* For the operation of a reload: whether it changed the authority, and what else. */
typedef struct {
    guint64 statement;
    char *certificate;
} ReloadBefore;

ReloadBefore reload_before(const AdminHub *hub);
/* Frees what BEFORE holds. *ret_detail: "certificate", or NULL where that is the one of before. */
const char *reload_operation(const AdminHub *hub, ReloadBefore *before, const char **ret_detail);
