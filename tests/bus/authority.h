/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Authority: a stand-in for polkit on the bus of a test, in a thread of its own. */
#pragma once

#include "tests/bus/bus-fixture.h"

typedef enum {
    AUTHORITY_ALLOWS,
    AUTHORITY_DENIES,
    AUTHORITY_CHALLENGES,
    AUTHORITY_HOLDS,   /* answers nobody until authority_release */
    AUTHORITY_FAILS,   /* with an error, at length */
    AUTHORITY_BABBLES, /* with something else than an answer */
} AuthorityMode;

typedef struct Authority Authority;

/* Owns the name when this returns. */
Authority *authority_new(Fixture *fixture, AuthorityMode mode);
void authority_free(Authority *authority); /* leaves the bus: whoever waits gets NoReply */

/* Until it has sent the answers to COUNT questions that it had held. */
void authority_wait_answered(Authority *authority, guint count);

/* It lives on when its bus dies; it answers nobody any more. */
void authority_detach(Authority *authority);

void authority_set_mode(Authority *authority, AuthorityMode mode);

/* Answers those that are held: yes or no. New ones are held on. */
void authority_release(Authority *authority, gboolean allow);

/* How often it was asked, and asked to cancel; waits until it was COUNT times. */
guint authority_asked(Authority *authority);
guint authority_cancelled(Authority *authority);
void authority_wait_asked(Authority *authority, guint count);
void authority_wait_cancelled(Authority *authority, guint count);

/* The last question, as "KIND NAME ACTION FLAGS key=value ...". Caller frees. */
char *authority_last(Authority *authority);
