/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/hidden.h"
#include "client/show/rates.h"
#include "client/show/screen.h"
#include "client/show/survival.h"
#include "client/verb/verb.h"
#include "common/cli/output.h"

#include <glib/gi18n.h>
#include <stdio.h>

#define INTERVAL G_TIME_SPAN_SECOND
#define LOW 8 /* lines */

typedef struct {
    const Cli *cli;
    Bus *bus;
    Rates *rates;
    GPtrArray *streams; /* as they were at the previous look */
    GArray *found;      /* Rate of each */
    gboolean hides;     /* others have some that are not shown */
} Top;

static void
top_forget(Top *top)
{
    g_clear_pointer(&top->found, g_array_unref);
    g_clear_pointer(&top->streams, g_ptr_array_unref);
}

static void
top_clear(Top *top)
{
    top_forget(top);
    g_clear_pointer(&top->rates, rates_free);
    g_clear_pointer(&top->bus, bus_close);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Top, top_clear)

static gboolean
top_look(Top *top, GError **error)
{
    top_forget(top);
    top->streams = bus_objects(top->bus, BUS_STREAM, error);
    top->hides = show_is_hidden(top->bus, "HiddenStreams");
    if (top->streams != NULL)
        top->found = rates_look(top->rates, top->streams, g_get_monotonic_time());
    return top->streams != NULL;
}

static void
top_add_row(Table *table, const Rate *rate)
{
    g_autofree char *state = show_stream_state(rate->properties);

    table_addf(table, "%" G_GUINT64_FORMAT, rate->id);
    output_add_size(table, rate->in);
    output_add_size(table, rate->out);
    output_add_size(table, bus_number(rate->properties, "BytesIn"));
    output_add_size(table, bus_number(rate->properties, "BytesOut"));
    output_add_age(table, bus_number(rate->properties, "RequestedAt"));
    output_add_state(table, bus_string(rate->properties, "State"), state);
    table_add(table, bus_string(rate->properties, "DeviceId"));
    table_add(table, bus_string(rate->properties, "StreamName"));
    table_add(table, bus_string(rate->properties, "Initiator"));
    table_add(table, bus_string(rate->properties, "Target"));
}

static const char *
top_hides(void)
{
    return _("Streams of others are not shown; --all asks for them.");
}

/* What stays longest on a narrow terminal: age, initiator, state, stream, rates, device. */
static const guint preferred[] = {5, 9, 6, 8, 1, 2, 7, 0};

/* The first MOST streams as text. Caller frees. */
static char *
top_table(const Top *top, guint most)
{
    const TableStyle style = output_style(top->cli);
    g_autoptr(Table) table =
        /* TRANSLATORS: titles of columns, short: bytes in and out per second, and in all */
        table_new(_("ID"), _("IN/S"), _("OUT/S"), _("IN"), _("OUT"), _("AGE"), _("STATE"),
                  _("DEVICE"), _("STREAM"), _("INITIATOR"), _("TARGET"), NULL);

    for (guint column = 0; column <= 5; column++)
        table_align_right(table, column);
    table_prefer(table, preferred);
    for (guint i = 0; i < MIN(top->found->len, most); i++)
        top_add_row(table, &g_array_index(top->found, Rate, i));
    return table_rows(table) > 0 ? table_format(table, &style)
                                 : g_strdup_printf("%s\n", _("No streams."));
}

/* Caller frees. */
static char *
top_title(const Top *top)
{
    g_autofree char *in_text = NULL, *out_text = NULL;
    guint64 in = 0, out = 0;

    for (guint i = 0; i < top->found->len; i++) {
        in += g_array_index(top->found, Rate, i).in;
        out += g_array_index(top->found, Rate, i).out;
    }
    in_text = output_size(in);
    out_text = output_size(out);
    return g_strdup_printf(
        ngettext("%u stream, in %s/s, out %s/s", "%u streams, in %s/s, out %s/s", top->found->len),
        top->found->len, in_text, out_text);
}

/* No line is wrapped (screen.h), so that rows can be counted. A low screen has room for the rows
 * alone, below a title. */
static void
top_show(const Top *top, Screen *screen)
{
    const guint lines = screen_lines();
    const gboolean low = lines < LOW;
    /* The title and that of columns; an empty line, "and 5 more", what is hidden. */
    const guint around = low ? 2 : top->hides ? 5 : 4;
    const guint room = lines > around ? lines - around : 1;
    g_autofree char *title = top_title(top), *table = top_table(top, room);
    g_autoptr(GString) page = g_string_new(NULL);

    g_string_append_printf(page, "%s    %s\n%s%s", title, _("q: quit"), low ? "" : "\n", table);
    if (top->found->len > room && !low) {
        guint more = top->found->len - room;

        g_string_append_printf(page, ngettext("and %u more", "and %u more", more), more);
    }
    if (top->hides && !low)
        g_string_append_printf(page, "%s%s", top->found->len > room ? "\n" : "", top_hides());
    screen_show(screen, page->str);
}

static GVariant *
top_variant(const Top *top)
{
    g_auto(GVariantBuilder) list = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));

    for (guint i = 0; i < top->found->len; i++) {
        const Rate *rate = &g_array_index(top->found, Rate, i);
        GVariantDict dict;

        g_variant_dict_init(&dict, rate->properties);
        g_variant_dict_insert(&dict, "InRate", "t", rate->in);
        g_variant_dict_insert(&dict, "OutRate", "t", rate->out);
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&list);
}

/* Takes two looks, an interval apart. */
static ExitCode
top_once(Top *top, GError **error)
{
    g_autofree char *table = NULL;

    if (!top_look(top, error))
        return verb_code(error);
    g_usleep(INTERVAL);
    if (!top_look(top, error))
        return verb_code(error);
    if (top->cli->given[OPTION_JSON]) {
        output_json(top_variant(top), FALSE);
    } else {
        table = top_table(top, G_MAXUINT);
        (void)fputs(table, stdout);
    }
    show_hidden(top->bus, "HiddenStreams", top_hides());
    return EXIT_CODE_OK;
}

static ExitCode
top_run(Top *top, Screen *screen, GError **error)
{
    gint64 next = 0;

    for (;;) {
        gint64 now = g_get_monotonic_time();
        ScreenEvent event;
        char key = '\0';

        if (now >= next) {
            if (!top_look(top, error))
                return verb_code(error);
            next = now + INTERVAL;
        }
        top_show(top, screen);
        event = screen_wait(screen, next - now, &key);
        if (event == SCREEN_END || (event == SCREEN_KEY && (key == 'q' || key == 'Q')))
            return EXIT_CODE_OK;
    }
}

ExitCode
verb_top(Cli *cli, GError **error)
{
    gboolean once = cli->given[OPTION_ONCE] || cli->given[OPTION_JSON];
    g_auto(Top) top = {.cli = cli, .rates = rates_new()};
    g_autoptr(Screen) screen = NULL;

    top.bus = verb_open_bus_to_look(cli, error);
    if (top.bus == NULL || !top_look(&top, error))
        return verb_code(error);
    screen = once ? NULL : screen_open();
    return screen != NULL ? top_run(&top, screen, error) : top_once(&top, error);
}
