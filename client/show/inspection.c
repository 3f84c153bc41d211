/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/inspection.h"

#include "client/show/properties.h"
#include "common/cli/output.h"

#include <stdio.h>

#define DEPTH_MAX 8 /* the most levels of an answer of streamd */

static void
print_state(GVariant *state, int depth)
{
    GVariantIter iter;
    const char *name;
    GVariant *value = NULL; /* the loop frees it */

    g_variant_iter_init(&iter, state);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
        g_autofree char *key = output_snake_case(name);
        g_autofree char *text = NULL;

        if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT) && depth < DEPTH_MAX) {
            (void)printf("%*s%s:\n", depth * 2, "", key);
            print_state(value, depth + 1);
            continue;
        }
        text = g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)
                   ? g_variant_dup_string(value, NULL)
                   : g_variant_print(value, FALSE);
        (void)printf("%*s%s: %s\n", depth * 2, "", key, text);
    }
}

/* The properties, with one more added. */
static GVariant *
both(GVariant *properties, GVariant *state)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, properties);
    g_variant_dict_insert_value(&dict, "debug", state);
    return g_variant_dict_end(&dict);
}

void
show_inspection(const Cli *cli, GVariant *properties, GVariant *state)
{
    if (cli->given[OPTION_JSON]) {
        output_json(both(properties, state), FALSE);
        return;
    }
    show_properties(cli, properties);
    (void)putchar('\n');
    print_state(state, 0);
}
