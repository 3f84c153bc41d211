/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Query: the body of POST /devices/query, a small part of IoT Hub's language
 * (docs/wire-protocol.md, section 6).
 *
 *   {"query": "SELECT * FROM devices WHERE tags.site = 'berlin' AND status = 'enabled'"}
 *
 * FROM devices, or devices.modules; conditions of equality (= or !=), joined by AND, over deviceId,
 * moduleId, status, connectionState and tags.KEY. Words match in any case, values only as they are.
 * Pure; any thread. */
#pragma once

#include "hub/registry/registry.h"

#define QUERY_CONDITIONS_MAX 16

typedef enum {
    QUERY_DEVICE_ID,
    QUERY_MODULE_ID,
    QUERY_STATUS,           /* "enabled", "disabled" */
    QUERY_CONNECTION_STATE, /* "Connected", "Disconnected" */
    QUERY_TAG,
} QueryField;

typedef struct {
    QueryField field;
    gboolean differs; /* != */
    char *key;        /* of a tag */
    char *value;
} QueryCondition;

typedef struct {
    gboolean modules; /* otherwise devices */
    guint n_conditions;
    QueryCondition conditions[QUERY_CONDITIONS_MAX];
} Query;

/* BODY as received. FALSE: *ret_why is one English sentence that says what is wrong and where; the
 * caller frees it. *ret is for query_clear. */
gboolean query_parse(const char *body, gsize len, Query *ret, char **ret_why);
void query_clear(Query *query);

/* Whether the query asks for DEVICE, which may be a module. */
gboolean query_fits(const Query *query, const RegistryDevice *device, gboolean connected);

/* A tag, "key=value", that every result must have; NULL: there is none. The caller frees it. */
char *query_tag(const Query *query);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Query, query_clear)
