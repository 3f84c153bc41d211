/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enrollments: the requests of those who join the hub by an invitation (docs/wire-protocol.md,
 * section 9). Each brings a key of its own making. Main thread. */
#pragma once

#include "hub/edge/auth.h"
#include "hub/edge/http-request.h"
#include "hub/edge/refusal-log.h"
#include "hub/records/records.h"

typedef struct Enrollments Enrollments;

/* Requests by one invitation that are answered at a time; one more is told to come back. So many
 * that come at once keep no place from those of another invitation. */
#define ENROLLMENTS_AT_ONCE 64

/* Kept by reference. REFUSALS NULL: refusals are not logged. */
Enrollments *enrollments_new(Auth *auth, Registry *registry, RefusalLog *refusals);
/* Where they are recorded; NULL: nowhere. */
void enrollments_set_records(Enrollments *enrollments, Records *records);
void enrollments_free(Enrollments *enrollments); /* open requests are not answered any more */

void enrollments_request(Enrollments *enrollments, Request *request);
