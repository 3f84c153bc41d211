/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's metrics as text (common/metrics/text.h). No label has the name of a device, a user or a
 * stream, and none has a value that a client chooses. */
#pragma once

#include "hub/metrics/figures.h"
#include "hub/registry/registry.h"

typedef struct {
    HubFigures figures;
    const Registry *registry;
    gint64 started;          /* µs since the epoch */
    gint64 certificate_days; /* of the certificate that the hub shows; negative: it has expired */
    gboolean certificate;    /* there is one */
} HubMetrics;

/* The caller frees it. Main thread. */
char *hub_metrics_text(const HubMetrics *metrics);
