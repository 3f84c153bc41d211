/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/dump.h"

#include "common/cli/output.h"

static void
dump_string(GVariantBuilder *builder, const char *key, const char *value)
{
    g_variant_builder_add(builder, "{sv}", key, g_variant_new_string(value != NULL ? value : ""));
}

static void
dump_number(GVariantBuilder *builder, const char *key, guint value)
{
    g_variant_builder_add(builder, "{sv}", key, g_variant_new_uint32(value));
}

static GVariant *
dump_verb(const OptionTable *options, const Verb *verb)
{
    g_auto(GVariantBuilder) row = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_auto(GVariantBuilder) names = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("as"));

    for (Option i = 0; i < option_count(options); i++)
        if (option_is_in(verb->options, i))
            g_variant_builder_add(&names, "s", option_row(options, i)->name);
    dump_string(&row, "name", verb->name);
    dump_number(&row, "min", verb->min);
    dump_number(&row, "max", verb->max);
    dump_string(&row, "arguments", verb->arguments);
    dump_string(&row, "help", verb->help);
    dump_string(&row, "more", verb->more);
    dump_string(&row, "json", verb->json);
    g_variant_builder_add(&row, "{sv}", "options", g_variant_builder_end(&names));
    return g_variant_builder_end(&row);
}

static GVariant *
dump_option(const OptionTable *options, Option option)
{
    static const char *const kinds[] = {[VALUE_NONE] = "none",
                                        [VALUE_REQUIRED] = "required",
                                        [VALUE_OPTIONAL] = "optional",
                                        [VALUE_REPEATED] = "repeated"};
    g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    const OptionRow *row = option_row(options, option);

    dump_string(&builder, "name", row->name);
    dump_string(&builder, "brief", row->brief);
    dump_string(&builder, "value", row->value);
    dump_string(&builder, "kind", kinds[row->kind]);
    dump_string(&builder, "help", row->help);
    g_variant_builder_add(&builder, "{sv}", "everywhere",
                          g_variant_new_boolean(option_is_everywhere(options, option)));
    return g_variant_builder_end(&builder);
}

static GVariant *
dump_verbs(const Program *program)
{
    g_auto(GVariantBuilder) rows = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));

    for (const Verb *verb = program->verbs; verb->name != NULL; verb++)
        g_variant_builder_add_value(&rows, dump_verb(&program->options, verb));
    return g_variant_builder_end(&rows);
}

static GVariant *
dump_options(const Program *program)
{
    g_auto(GVariantBuilder) rows = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));

    for (Option i = 0; i < option_count(&program->options); i++)
        g_variant_builder_add_value(&rows, dump_option(&program->options, i));
    return g_variant_builder_end(&rows);
}

static GVariant *
dump_aliases(const Program *program)
{
    g_auto(GVariantBuilder) rows = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));

    for (const VerbAlias *alias = program->aliases; alias != NULL && alias->old[0] != NULL;
         alias++) {
        g_auto(GVariantBuilder) row = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
        g_autofree char *old = g_strjoin(" ", alias->old[0], alias->old[1], NULL);
        g_autofree char *now = g_strjoin(" ", alias->now[0], alias->now[1], NULL);

        dump_string(&row, "old", old);
        dump_string(&row, "now", now);
        g_variant_builder_add_value(&rows, g_variant_builder_end(&row));
    }
    return g_variant_builder_end(&rows);
}

static GVariant *
dump_exit_codes(void)
{
    g_auto(GVariantBuilder) rows = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));

    for (const ExitCodeRow *code = exit_code_rows(); code->word != NULL; code++) {
        g_auto(GVariantBuilder) row = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

        dump_number(&row, "code", (guint)code->code);
        dump_string(&row, "word", code->word);
        g_variant_builder_add_value(&rows, g_variant_builder_end(&row));
    }
    return g_variant_builder_end(&rows);
}

void
dump_print(const Program *program)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "program", "s", program->name);
    g_variant_dict_insert_value(&dict, "verbs", dump_verbs(program));
    g_variant_dict_insert_value(&dict, "options", dump_options(program));
    g_variant_dict_insert_value(&dict, "aliases", dump_aliases(program));
    g_variant_dict_insert_value(&dict, "exit_codes", dump_exit_codes());
    output_json(g_variant_dict_end(&dict), FALSE);
}
