/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How streamd stands, in one line, for STATUS= of the service manager. */
#include "daemon/app-private.h"

#include "common/base/escape.h"

#define PROBLEMS_MAX 4 /* that are named */
#define PROBLEM_MAX 160

typedef struct {
    GString *text;
    guint count;
} Problems;

static void
problem_add(Problems *problems, const char *what, const char *text)
{
    if (problems->count++ >= PROBLEMS_MAX)
        return;
    g_string_append(problems->text, problems->count > 1 || problems->text->len > 0 ? "; " : "");
    if (*what)
        g_string_append_printf(problems->text, "%s: ", what);
    escape_append(problems->text, text, -1, PROBLEM_MAX);
}

/* The text is the same between attempts and during one. */
static void
problem_add_hub(Problems *problems, const Hub *hub)
{
    const char *error = hub_last_error(hub);
    g_autofree char *text = NULL;

    if (hub_state(hub) == HUB_CONNECTED)
        return;
    if (hub_state(hub) == HUB_REFUSED)
        text = g_strdup_printf("refused: %s", error);
    else if (*error)
        text = g_strdup(error);
    else
        text =
            g_strdup(hub_state(hub) == HUB_CONNECTING ? "connecting" : "disconnected on request");
    problem_add(problems, hub_name(hub), text);
}

static void
problem_add_certificate(Problems *problems, const Hub *hub)
{
    if (*hub_certificate_error(hub))
        problem_add(problems, hub_name(hub), hub_certificate_error(hub));
    if (hub_is_shared(hub))
        problem_add(problems, hub_name(hub), "another machine uses this identity too");
}

static guint
count_connected(const App *app)
{
    guint count = 0;

    for (guint i = 0; i < app->hubs->len; i++)
        count += hub_state(app->hubs->pdata[i]) == HUB_CONNECTED;
    return count;
}

static void
add_count(GString *text, guint count, const char *noun)
{
    g_string_append_printf(text, ", %u %s%s", count, noun, count == 1 ? "" : "s");
}

/* In the order of how much does not work for it. */
static void
add_problems(const App *app, Problems *problems)
{
    if (app->state_error)
        problem_add(problems, "", app->state_error);
    if (app->reload_problem)
        problem_add(problems, "not reloaded, the old configuration stays", app->reload_problem);
    for (guint i = 0; i < app->hubs->len; i++)
        problem_add_hub(problems, app->hubs->pdata[i]);
    for (guint i = 0; i < app->hubs->len; i++)
        problem_add_certificate(problems, app->hubs->pdata[i]);
    for (guint i = 0; i < app->tunnels->len; i++) {
        const Tunnel *tunnel = app->tunnels->pdata[i];
        g_autofree char *what = g_strdup_printf("tunnel %" G_GUINT64_FORMAT, tunnel_id(tunnel));

        if (*tunnel_last_error(tunnel))
            problem_add(problems, what, tunnel_last_error(tunnel));
    }
}

char *
app_status_text(void *data)
{
    App *app = data;
    GString *text = g_string_new(NULL);
    Problems problems = {.text = text};

    if (app->hubs->len == 0)
        g_string_append(text, "No hub is configured");
    else
        g_string_append_printf(text, "%u of %u hub%s connected", count_connected(app),
                               app->hubs->len, app->hubs->len == 1 ? "" : "s");
    add_count(text, stream_table_open(app->streams), "stream");
    add_count(text, app->tunnels->len, "tunnel");
    add_problems(app, &problems);
    if (problems.count > PROBLEMS_MAX)
        g_string_append_printf(text, "; and %u more", problems.count - PROBLEMS_MAX);
    return g_string_free(text, FALSE);
}

static void
app_tell_status(const char *text, void *data)
{
    const App *app = data;

    app->tell(text, app->tell_data);
}

void
app_set_status(App *app, void (*tell)(const char *status, void *data), void *data)
{
    app->tell = tell;
    app->tell_data = data;
    if (!app->status)
        app->status = status_line_new(app_status_text, app_tell_status, app);
}

void
app_note_reload(App *app, const char *problem)
{
    g_free(app->reload_problem);
    app->reload_problem = g_strdup(problem);
    status_line_touch(app->status);
}
