/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb/dump.h"

#include "client/show/output.h"

static void
dump_string(GVariantBuilder *builder, const char *key, const char *value)
{
    g_variant_builder_add(builder, "{sv}", key, g_variant_new_string(value != NULL ? value : ""));
}

static GVariant *
dump_verb(const Verb *verb)
{
    g_auto(GVariantBuilder) row = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_auto(GVariantBuilder) names = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("as"));

    for (guint i = 0; i < OPTION_LAST; i++)
        if (verb->options & OPTION_BIT(i))
            g_variant_builder_add(&names, "s", option_row((Option)i)->name);
    dump_string(&row, "name", verb->name);
    dump_string(&row, "arguments", verb->arguments);
    dump_string(&row, "help", verb->help);
    dump_string(&row, "more", verb->more);
    g_variant_builder_add(&row, "{sv}", "options", g_variant_builder_end(&names));
    return g_variant_builder_end(&row);
}

static GVariant *
dump_option(Option option)
{
    static const char *const kinds[] = {
        [VALUE_NONE] = "none", [VALUE_REQUIRED] = "required", [VALUE_OPTIONAL] = "optional"};
    g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    const OptionRow *row = option_row(option);

    dump_string(&builder, "name", row->name);
    dump_string(&builder, "brief", row->brief);
    dump_string(&builder, "value", row->value);
    dump_string(&builder, "kind", kinds[row->kind]);
    dump_string(&builder, "help", row->help);
    g_variant_builder_add(&builder, "{sv}", "global",
                          g_variant_new_boolean((OPTIONS_GLOBAL & OPTION_BIT(option)) != 0));
    return g_variant_builder_end(&builder);
}

void
cli_dump(const Verb *verbs)
{
    GVariantBuilder rows = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));
    GVariantBuilder options = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));
    GVariantDict dict;

    for (const Verb *verb = verbs; verb->name != NULL; verb++)
        g_variant_builder_add_value(&rows, dump_verb(verb));
    for (guint i = 0; i < OPTION_LAST; i++)
        g_variant_builder_add_value(&options, dump_option((Option)i));
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert_value(&dict, "verbs", g_variant_builder_end(&rows));
    g_variant_dict_insert_value(&dict, "options", g_variant_builder_end(&options));
    output_json(g_variant_dict_end(&dict), FALSE);
}
