/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Offer: a service of this machine that devices of a hub's users reach by a stream's name: a target
 * and a rule that accepts streams to it, made in one step and taken away in one, as `streamctl
 * offer` and `withdraw` do. Main thread. */
#pragma once

#include "desktop/bus/daemon.h"
#include "desktop/bus/model.h"

typedef struct {
    const char *name, *address;
    const char *initiator; /* who may come in; "": everybody whom the hub lets */
} OfferPlan;

/* Called once: LEFT is how many other rules still lead to a target that was withdrawn, so that it
 * stays. */
typedef void (*OfferDone)(guint left, const GError *error, void *data);

/* What is there already is left. An offer for one user alone is refused, with FAILURE_EXISTS, as
 * long as another rule offers it to others. When it fails halfway, what it has added is removed
 * again. */
void offer_make(Daemon *daemon, Model *model, const OfferPlan *plan, OfferDone done, void *data);

/* The rules go first: what is half done accepts less. */
void offer_withdraw(Daemon *daemon, Model *model, const char *name, OfferDone done, void *data);

/* Whether RULE (a{sv}) offers the target NAME: whether it goes when that is withdrawn. */
gboolean offer_is_rule(GVariant *rule, const char *name);
