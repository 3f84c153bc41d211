/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamctl agent: asks the user at the terminal, one request after the other. */
#define _DEFAULT_SOURCE /* rpmatch */
#include "client/verb/verb.h"
#include "common/base/line.h"
#include "common/cli/output.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Nobody reads and answers a question in less time: an earlier line was meant for another. */
#define READING_TIME (500 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    const Cli *cli;
    Bus *bus;
    GQueue waiting; /* BusObject: the first one is being asked about */
    gint64 since;   /* since when the user is asked about it; monotonic */
    gboolean gone;
} Asking;

/* Text from the network. It is escaped, so that it cannot change what the terminal shows. */
static char *
asking_text(GVariant *request, const char *name, const char *absent)
{
    const char *value = bus_string(request, name);

    return *value != '\0' ? table_escape(value) : g_strdup(absent);
}

static char *
asking_initiator(GVariant *request)
{
    g_autofree char *who = asking_text(request, "Initiator", _("somebody"));
    g_autofree char *address = asking_text(request, "Address", "");

    return *address != '\0' ? g_strdup_printf("%s (%s)", who, address) : g_steal_pointer(&who);
}

/* The cursor stays behind it, which takes a column of the line. */
static void
asking_question(const Asking *asking, gint64 left)
{
    const TableStyle style = output_style(asking->cli);
    g_autofree char *text =
        g_strdup_printf(ngettext("Let it in, within %d second? [y/n] ",
                                 "Let it in, within %d seconds? [y/n] ", (gulong)left),
                        (int)left);
    g_autofree char *folded = line_fold(g_strchomp(text), style.width > 2 ? style.width - 2 : 0);

    (void)printf("%s ", folded);
    (void)fflush(stdout);
}

static void
asking_prompt(Asking *asking)
{
    const BusObject *object = g_queue_peek_head(&asking->waiting);
    g_autofree char *who = NULL, *hub = NULL, *stream = NULL, *target = NULL, *text = NULL;
    gint64 left;

    if (object == NULL)
        return;
    who = asking_initiator(object->properties);
    hub = asking_text(object->properties, "Hub", "-");
    stream = asking_text(object->properties, "StreamName", "-");
    target = asking_text(object->properties, "Target", "-");
    left = ((gint64)bus_number(object->properties, "Deadline") - g_get_real_time()) /
           G_TIME_SPAN_SECOND;
    text = g_strdup_printf(_("%s asks at the hub %s for the stream %s, to the target %s."), who,
                           hub, stream, target);
    output_text(asking->cli, text);
    asking_question(asking, MAX(left, 0));
}

/* Asks a new question. What was typed before it, even half a line, is not an answer to it. */
static void
asking_begin(Asking *asking)
{
    if (isatty(STDIN_FILENO))
        (void)tcflush(STDIN_FILENO, TCIFLUSH);
    asking->since = g_get_monotonic_time();
    asking_prompt(asking);
}

/* Goes to the next request when the first is done. */
static void
asking_next(Asking *asking)
{
    bus_object_free(g_queue_pop_head(&asking->waiting));
    asking_begin(asking);
}

static gboolean
asking_is_hasty(const Asking *asking)
{
    return isatty(STDIN_FILENO) && g_get_monotonic_time() - asking->since < READING_TIME;
}

static void
asking_add(Asking *asking, const BusEvent *event)
{
    BusObject *object = g_new0(BusObject, 1);

    object->path = g_strdup(event->path);
    object->properties = g_variant_ref(event->properties);
    g_queue_push_tail(&asking->waiting, object);
    if (asking->waiting.length == 1)
        asking_begin(asking);
}

static const char *
asking_end_text(const char *reason)
{
    if (g_strcmp0(reason, "decided") == 0)
        return _("Somebody else has answered.");
    if (g_strcmp0(reason, "timed-out") == 0)
        return _("It is too late for an answer.");
    return _("It is not asked any more.");
}

static void
asking_cancel(Asking *asking, const BusEvent *event)
{
    for (GList *l = asking->waiting.head; l != NULL; l = l->next) {
        BusObject *object = l->data;

        if (strcmp(object->path, event->path) != 0)
            continue;
        if (l == asking->waiting.head) {
            (void)putchar('\n');
            output_text(asking->cli, asking_end_text(event->text));
            asking_next(asking);
        } else {
            g_queue_delete_link(&asking->waiting, l);
            bus_object_free(object);
        }
        return;
    }
}

static void
asking_answer(Asking *asking, gboolean accept)
{
    const BusObject *object = g_queue_peek_head(&asking->waiting);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        bus_call(asking->bus, object->path, BUS_REQUEST, accept ? "AcceptTo" : "Reject",
                 g_variant_new("(s)", ""), 0, &error);

    if (reply != NULL) {
        output_text(asking->cli, accept ? _("It is let in.") : _("It is turned away."));
    } else {
        g_autofree char *text = table_escape(error->message);

        (void)fprintf(stderr, "streamctl: %s\n", text);
    }
    /* After a failure the request may still wait: its target is missing, or a password was wrong.
     * If it does not, an event soon says that it has ended. */
    if (reply != NULL)
        asking_next(asking);
    else
        asking_prompt(asking);
}

static void
asking_read(Asking *asking, const char *line)
{
    int answer = rpmatch(line);

    if (g_queue_is_empty(&asking->waiting))
        return;
    if (answer < 0 || asking_is_hasty(asking))
        asking_prompt(asking);
    else
        asking_answer(asking, answer > 0);
}

static gboolean
asking_on_event(const BusEvent *event, void *data)
{
    Asking *asking = data;

    switch (event->kind) {
    case BUS_EVENT_ASKED:
        asking_add(asking, event);
        break;
    case BUS_EVENT_CANCELLED:
        asking_cancel(asking, event);
        break;
    case BUS_EVENT_INPUT:
        if (event->text == NULL)
            return FALSE;
        asking_read(asking, event->text);
        break;
    case BUS_EVENT_GONE:
        asking->gone = TRUE;
        return FALSE;
    case BUS_EVENT_SIGNAL:
        return FALSE;
    default:
        break;
    }
    (void)fflush(stdout);
    return TRUE;
}

static void
asking_clear(Asking *asking)
{
    BusObject *object;

    while ((object = g_queue_pop_head(&asking->waiting)) != NULL)
        bus_object_free(object);
}

/* The registration ends with this process; after that nobody waits for it. */
ExitCode
verb_agent(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    Asking asking = {.cli = cli, .bus = bus};
    gboolean done;

    if (bus == NULL || !bus_listen(bus, error) || !bus_register_agent(bus, FALSE, error))
        return verb_code(error);
    g_queue_init(&asking.waiting);
    bus_listen_input(bus);
    output_text(cli, _("Waiting for streams that ask for consent. Ctrl-C ends it."));
    (void)fflush(stdout);
    done = bus_wait(bus, asking_on_event, &asking, error);
    asking_clear(&asking);
    if (!done)
        return verb_code(error);
    return asking.gone ? cli_fail(error, EXIT_CODE_NOT_RUNNING, _("streamd has gone"))
                       : EXIT_CODE_OK;
}
