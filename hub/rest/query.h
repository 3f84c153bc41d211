/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Query: the body of POST /devices/query, a part of IoT Hub's language (docs/wire-protocol.md,
 * section 6).
 *
 *   {"query": "SELECT * FROM devices WHERE tags.site = 'berlin' AND status = 'enabled'"}
 *
 * SELECT * or some fields, FROM devices or devices.modules. Fields are deviceId, moduleId, status,
 * connectionState and tags.KEY. WHERE has =, !=, <>, IN, NIN, STARTSWITH, ENDSWITH and IS_DEFINED,
 * joined by AND, OR, NOT and parentheses. Words match in any case, values only as they are. A field
 * that a device does not have differs from every value. Pure; any thread. */
#pragma once

#include "hub/registry/registry.h"

#define QUERY_CONDITIONS_MAX 16
#define QUERY_VALUES_MAX 64 /* of all conditions together */
#define QUERY_COLUMNS_MAX 16
#define QUERY_DEPTH_MAX 8                                /* of parentheses and NOT */
#define QUERY_STEPS_MAX (QUERY_CONDITIONS_MAX * 2 + 128) /* NOT may stand many times */

typedef enum {
    QUERY_DEVICE_ID,
    QUERY_MODULE_ID,
    QUERY_STATUS,           /* "enabled", "disabled" */
    QUERY_CONNECTION_STATE, /* "Connected", "Disconnected" */
    QUERY_TAG,
    QUERY_TAGS,    /* all of them; only a column */
    QUERY_COMMENT, /* the same */
} QueryField;

typedef struct {
    QueryField field;
    char *key; /* of a tag */
} QueryOperand;

typedef enum {
    QUERY_IS, /* one of the values */
    QUERY_STARTS,
    QUERY_ENDS,
    QUERY_DEFINED,
} QueryTest;

typedef struct {
    QueryOperand operand;
    QueryTest test;
    gboolean differs; /* != and NIN */
    char **values;
} QueryCondition;

typedef struct {
    QueryOperand operand;
    char *name; /* in the answer */
} QueryColumn;

/* The conditions in the order in which they are to be looked at: operands first. */
typedef enum {
    QUERY_AND,
    QUERY_OR,
    QUERY_NOT,
    QUERY_CONDITION, /* plus its index */
} QueryStep;

typedef struct {
    gboolean modules; /* otherwise devices */
    guint n_columns;  /* 0: all */
    QueryColumn columns[QUERY_COLUMNS_MAX];
    guint n_conditions;
    QueryCondition conditions[QUERY_CONDITIONS_MAX];
    guint n_steps;
    guint8 steps[QUERY_STEPS_MAX];
} Query;

/* BODY as received. FALSE: *ret_why is one English sentence that says what is wrong and where; the
 * caller frees it. *ret is for query_clear. */
gboolean query_parse(const char *body, gsize len, Query *ret, char **ret_why);
void query_clear(Query *query);

/* Whether the query asks for DEVICE, which may be a module. */
gboolean query_fits(const Query *query, const RegistryDevice *device, gboolean connected);

/* The value of a field, or NULL. Not for QUERY_TAGS. */
const char *
query_value(const QueryOperand *operand, const RegistryDevice *device, gboolean connected);

/* A tag, "key=value", that every result must have; NULL: there is none. The caller frees it. */
char *query_tag(const Query *query);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Query, query_clear)
