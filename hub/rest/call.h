/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only for hub/rest/rest.c, manage.c and bulk.c: a request until it is answered. Main thread. */
#pragma once

#include "hub/edge/answer.h"
#include "hub/rest/rest.h"
#include "hub/rest/search.h"

struct Rest {
    const Settings *settings;
    Auth *auth;
    Registry *registry;
    Devices *devices;
    Streams *streams;
    Statements *statements; /* NULL: none */
    RefusalLog *refusals;   /* NULL: refusals are not logged */
    Records *records;       /* NULL: changes are not recorded */
    GQueue calls;           /* of RestCall.link */
};

typedef struct {
    Rest *rest; /* NULL: it was freed meanwhile; whoever holds the call frees it */
    Request *request;
    AuthCheck *check;
    Search *search;
    char *policy;
    RegistryKeys keys;     /* which of its keys signed */
    RegistryScope *scope;  /* the policy's */
    RegistryTags *tags;    /* the device's */
    RegistryRights rights; /* the policy's */
    gboolean revoked;      /* its policy or its key was removed after it was authenticated */
    gboolean gone;         /* the client */
    gboolean unreached;    /* the device is there, but not for this user: for the log alone */
    GList link;
} RestCall;

void call_free(RestCall *call);

/* Each answers the request and frees the call. */
void call_fail(RestCall *call, RestError error, const char *text);
void call_answer(RestCall *call, guint status, const char *fields, const char *body);

/* Authenticated requests of the registry and its twins (manage.c), and of many changes (bulk.c). */
void manage_begin(RestCall *call);
void bulk_begin(RestCall *call);

/* What CODE of a write or look-up means to a client. */
RestError manage_error(RegistryCode code, const char *module);
