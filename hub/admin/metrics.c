/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The metrics, at the admin socket and for the listener of their own. */
#include "common/metrics/text.h"
#include "hub/admin/request.h"
#include "hub/metrics/text.h"

char *
admin_metrics_text(const AdminHub *hub)
{
    HubMetrics metrics = {
        .figures = hub->figures(hub->data),
        .registry = hub->registry,
        .started = hub->started,
    };

    if (hub->identity) {
        metrics.certificate = TRUE;
        metrics.certificate_days = identity_days(hub->identity(hub->data));
    }
    return hub_metrics_text(&metrics);
}

void
admin_metrics_show(AdminRequest *request)
{
    admin_request_answer_as(request, METRICS_CONTENT_TYPE, admin_metrics_text(request->hub));
}
