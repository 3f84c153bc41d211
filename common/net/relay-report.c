/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports the state of a relay as names and values. */
#include "common/net/relay-state.h"

static void
report_flow(const RelayFlowState *flow, const char *from, const char *to, const Report *report)
{
    g_autofree char *name = g_strdup_printf("%s-to-%s", from, to);

    report->begin(name, report->data);
    report->text("waits-for",
                 flow->waits == RELAY_WAITS_SOURCE        ? from
                 : flow->waits == RELAY_WAITS_DESTINATION ? to
                                                          : relay_waits_name(flow->waits),
                 report->data);
    report->number("bytes", flow->bytes, report->data);
    report->number("held", flow->held, report->data);
    report->number("undecoded", flow->undecoded, report->data);
    report->boolean("mid-frame", flow->mid_frame, report->data);
    report->boolean("ended", flow->ended, report->data);
    report->boolean("told", flow->told, report->data);
    report->number("still-for", (guint64)flow->still, report->data);
    if (flow->gives_up_in >= 0)
        report->number("gives-up-in", (guint64)flow->gives_up_in, report->data);
    report->end(report->data);
}

static void
report_leg(const RelaySideState *side, const Report *report)
{
    report->boolean("half-close", side->half_close, report->data);
    report->boolean("reasons", side->reasons, report->data);
    report->boolean("spoke", side->spoke, report->data);
    report->number("heard-ago", (guint64)side->heard, report->data);
    report->number("said-ago", (guint64)side->said, report->data);
    report->number("pinged-ago", (guint64)side->pinged, report->data);
    if (side->owing >= 0)
        report->number("owes-answer-for", (guint64)side->owing, report->data);
}

static void
report_side(const RelaySideState *side, const char *name, const Report *report)
{
    report->begin(name, report->data);
    report->boolean("open", side->open, report->data);
    report->boolean("lost", side->lost, report->data);
    if (side->open) {
        report->text("peer", side->peer, report->data);
        report->boolean("websocket", side->framed, report->data);
        report->boolean("hung-up", side->hung_up, report->data);
        if (side->framed)
            report_leg(side, report);
        report->number("queued", side->queued, report->data);
        socket_state_report(&side->socket, report);
    }
    report->end(report->data);
}

static void
report_limits(const RelayState *state, const Report *report)
{
    const RelayLimits *limits = &state->limits;

    report->begin("limits", report->data);
    if (limits->bytes > 0)
        report->number("bytes-left", state->allowance, report->data);
    if (limits->duration > 0)
        report->number("duration-left", (guint64)MAX(limits->duration - state->age, 0),
                       report->data);
    if (limits->idle > 0)
        report->number("idle", (guint64)limits->idle, report->data);
    if (limits->stall > 0)
        report->number("stall", (guint64)limits->stall, report->data);
    report->end(report->data);
}

static void
report_kept(const RelayKept *kept, const Report *report)
{
    report->begin("survives", report->data);
    if (kept->suspended >= 0)
        report->number("suspended-for", (guint64)kept->suspended, report->data);
    report->number("kept", kept->kept, report->data);
    report->number("credit", kept->credit, report->data);
    report->number("window", kept->window, report->data);
    report->end(report->data);
}

void
relay_state_report(const RelayState *state, const char *const names[2], const Report *report)
{
    report->number("open-for", (guint64)state->age, report->data);
    report->number("timer-in", (guint64)state->timer_in, report->data);
    if (state->reason != REASON_NONE)
        report->text("ends-with", reason_code(state->reason), report->data);
    report_limits(state, report);
    if (state->kept.survives)
        report_kept(&state->kept, report);
    report->begin("directions", report->data);
    report_flow(&state->flows[0], names[0], names[1], report);
    report_flow(&state->flows[1], names[1], names[0], report);
    report->end(report->data);
    report->begin("sides", report->data);
    report_side(&state->sides[0], names[0], report);
    report_side(&state->sides[1], names[1], report);
    report->end(report->data);
}
