/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/complete.h"

#include "common/base/table.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

/* Characters that no shell expands, splits or quotes; '~' is special only at the start. */
#define SAFE_CHARACTERS "@%+=:,./_~-"

/* Tells the shell to complete file names, see complete.h. */
#define ASK_FOR_FILES ":files"

typedef struct {
    const Program *program;
    const Verb *verb;                /* NULL: its name is not complete yet */
    guint used;                      /* how many of the words are the verb's name */
    GPtrArray *words;                /* before the cursor, without options */
    gboolean given[OPTIONS_MAX];     /* options before the cursor */
    const char *values[OPTIONS_MAX]; /* values of the options before the cursor */
    gboolean takes_value;            /* the word at the cursor is the value of this option: */
    Option value_of;
    gboolean help;     /* after "help", which is followed by a verb */
    gboolean ended;    /* after "--" */
    const char *front; /* what every candidate begins with: "--ca=" */
    const char *begun; /* the part of the rest that was typed already */
    GHashTable *printed;
} Completion;

static gboolean
complete_is_safe(const char *word)
{
    for (const char *p = word; *p != '\0'; p++)
        if (!g_ascii_isalnum(*p) && strchr(SAFE_CHARACTERS, *p) == NULL)
            return FALSE;
    return *word != '\0' && *word != '~';
}

static void
complete_offer(const char *word, const char *description, void *data)
{
    const Completion *completion = data;
    g_autofree char *text = table_escape(description);

    if (!g_str_has_prefix(word, completion->begun) || !complete_is_safe(word) ||
        !g_hash_table_add(completion->printed, g_strdup(word)))
        return;
    (void)printf("%s%s\t%s\n", completion->front, word, text);
}

static void
complete_options(Completion *completion)
{
    const OptionTable *options = &completion->program->options;

    for (Option i = 0; i < option_count(options); i++) {
        const OptionRow *row = option_row(options, i);
        g_autofree char *word = g_strconcat("--", row->name, NULL);
        gboolean again = row->kind == VALUE_REPEATED || !completion->given[i];

        if (again && program_takes(completion->program, completion->verb, i))
            complete_offer(word, _(row->help), completion);
    }
}

/* "add, list, show" for the first word that NAME begins with; the verb's own help when NAME's last
 * word is reached. */
static char *
complete_describe(const Completion *completion, const Verb *verb, char **parts, guint at)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (parts[at + 1] == NULL)
        return g_strdup(_(verb->help));
    for (const Verb *row = completion->program->verbs; row->name != NULL; row++) {
        gsize length = strlen(parts[at]);

        if (strncmp(row->name, parts[at], length) == 0 && row->name[length] == ' ')
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", row->name + length + 1);
    }
    return g_strdup(text->str);
}

/* Adds the next word of every verb that begins with the words typed so far. */
static void
complete_verbs(Completion *completion)
{
    guint at = completion->words->len;

    for (const Verb *verb = completion->program->verbs; verb->name != NULL; verb++) {
        g_auto(GStrv) parts = g_strsplit(verb->name, " ", 0);
        g_autofree char *description = NULL;
        guint same = 0;

        while (same < at && parts[same] != NULL &&
               strcmp(parts[same], g_ptr_array_index(completion->words, same)) == 0)
            same++;
        if (same < at || parts[at] == NULL)
            continue;
        description = complete_describe(completion, verb, parts, at);
        complete_offer(parts[at], description, completion);
    }
    if (at == 0 && !completion->help)
        complete_offer("help", _("Explain a verb"), completion);
}

/* "wss|mqtts": whether every piece is a word itself. */
static gboolean
complete_is_choice(const char *placeholder)
{
    if (strchr(placeholder, '|') == NULL)
        return FALSE;
    for (const char *p = placeholder; *p != '\0'; p++)
        if (!g_ascii_islower(*p) && *p != '|' && *p != '-')
            return FALSE;
    return strstr(placeholder, "|-") == NULL;
}

/* The placeholders for file names that all programs share; a program may add its own. */
static gboolean
complete_is_file(const char *placeholder)
{
    static const char *const files[] = {"FILE", "FILE|-", "DIR", "PATH", NULL};

    return g_strv_contains(files, placeholder);
}

/* OPTION NULL: the word is an argument of the verb. */
static void
complete_value(Completion *completion, const OptionRow *option, const char *placeholder)
{
    const Program *program = completion->program;
    const WordsWanted wanted = {
        .verb = option == NULL ? completion->verb->name : NULL,
        .option = option != NULL ? option->name : NULL,
        .placeholder = placeholder,
        .given = completion->given,
        .values = completion->values,
    };

    if (complete_is_choice(placeholder)) {
        g_auto(GStrv) choice = g_strsplit(placeholder, "|", 0);

        for (guint i = 0; choice[i] != NULL; i++)
            complete_offer(choice[i], "", completion);
    } else if (complete_is_file(placeholder) ||
               (program->words != NULL && program->words(&wanted, complete_offer, completion))) {
        (void)puts(ASK_FOR_FILES);
    }
}

/* The end of the token at the start of TEXT: a space outside brackets. */
static gsize
complete_token_length(const char *text)
{
    int depth = 0;
    gsize length = 0;

    for (; text[length] != '\0' && (text[length] != ' ' || depth > 0); length++)
        depth += strchr("[(", text[length]) != NULL   ? 1
                 : strchr("])", text[length]) != NULL ? -1
                                                      : 0;
    return length;
}

/* The words that a verb takes, from its usage text: without options, "[LEVEL]" as "LEVEL", and
 * "reject [TEXT] | accept" as "reject|accept". */
static GPtrArray *
complete_placeholders(const char *usage)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    gboolean joins = FALSE;

    while (*usage != '\0') {
        gsize length = complete_token_length(usage);
        g_autofree char *token = g_strndup(usage, length);

        usage += length + (usage[length] == ' ' ? 1 : 0);
        if (strstr(token, "--") != NULL)
            continue;
        if (token[0] == '[' && strchr(token, ']') == token + length - 1) {
            token[length - 1] = '\0';
            memmove(token, token + 1, length - 1);
        }
        if (joins && found->len > 0) {
            char *both = g_strjoin("|", g_ptr_array_index(found, 0), token, NULL);

            g_free(g_ptr_array_index(found, 0));
            found->pdata[0] = both;
            joins = FALSE;
        } else if (strcmp(token, "|") == 0) {
            joins = TRUE;
        } else {
            g_ptr_array_add(found, g_steal_pointer(&token));
        }
    }
    return found;
}

static void
complete_words(Completion *completion)
{
    g_autoptr(GPtrArray) placeholders = complete_placeholders(completion->verb->arguments);
    guint at = completion->words->len - completion->used;

    /* The name of something to add is new, so there is nothing to suggest. */
    if (at >= placeholders->len || (at == 0 && g_str_has_suffix(completion->verb->name, " add")))
        return;
    complete_value(completion, NULL, g_ptr_array_index(placeholders, at));
}

/* WORD is "--name" or "--name=value", or a short form, before the cursor. TRUE: the next word is
 * its value. */
static gboolean
complete_take_option(Completion *completion, const char *word)
{
    const OptionTable *options = &completion->program->options;
    gsize length = strcspn(word, "=");
    const OptionRow *row;
    Option option;

    if (!option_find_brief(options, word, &option) &&
        (length < 2 || !option_find(options, word + 2, length - 2, &option)))
        return FALSE;
    row = option_row(options, option);
    completion->given[option] = TRUE;
    if (word[length] == '=')
        completion->values[option] = word + length + 1;
    completion->value_of = option;
    return (row->kind == VALUE_REQUIRED || row->kind == VALUE_REPEATED) && word[length] != '=';
}

/* Reads the words before the cursor, which is in the last one. */
static void
complete_read(Completion *completion, char **words)
{
    const Program *program = completion->program;
    GPtrArray *plain = completion->words;
    guint count = g_strv_length(words);

    for (guint i = 0; i + 1 < count; i++) {
        if (completion->ended || words[i][0] != '-') {
            g_ptr_array_add(plain, words[i]);
        } else if (strcmp(words[i], "--") == 0) {
            completion->ended = TRUE;
        } else if (complete_take_option(completion, words[i])) {
            completion->takes_value = i + 2 == count;
            if (!completion->takes_value)
                completion->values[completion->value_of] = words[++i];
        }
    }
    if (plain->len > 0 && strcmp(g_ptr_array_index(plain, 0), "help") == 0)
        completion->help = g_ptr_array_remove_index(plain, 0) != NULL;
    program_replace_aliases(program, (const char **)plain->pdata, plain->len);
    completion->verb = program_find_verb(program, (const char *const *)plain->pdata, plain->len,
                                         &completion->used);
}

/* "--ca=fi": the rest is the value of the option. */
static gboolean
complete_joined_value(Completion *completion, const char *word)
{
    const OptionTable *options = &completion->program->options;
    const char *equals = strchr(word, '=');
    g_autofree char *front = NULL;
    const OptionRow *row;
    Option option;

    if (equals == NULL || !option_find(options, word + 2, (gsize)(equals - word) - 2, &option))
        return FALSE;
    row = option_row(options, option);
    if (row->value == NULL)
        return FALSE;
    front = g_strndup(word, (gsize)(equals - word) + 1);
    completion->front = front;
    completion->begun = equals + 1;
    complete_value(completion, row, row->value);
    return TRUE;
}

void
complete_print(const Program *program, char **words)
{
    guint count = g_strv_length(words);
    const char *word = count > 0 ? words[count - 1] : "";
    g_autoptr(GPtrArray) before = g_ptr_array_new();
    g_autoptr(GHashTable) printed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Completion completion = {
        .program = program, .words = before, .front = "", .begun = word, .printed = printed};

    if (count > 0)
        complete_read(&completion, words);
    if (completion.takes_value) {
        const OptionRow *row = option_row(&program->options, completion.value_of);

        complete_value(&completion, row, row->value);
    } else if (!completion.ended && g_str_has_prefix(word, "--") &&
               complete_joined_value(&completion, word)) {
        return;
    } else if (!completion.ended && *word == '-') {
        complete_options(&completion);
    } else if (completion.verb == NULL) {
        complete_verbs(&completion);
    } else {
        if (completion.used == before->len) /* "log", which "log verify" begins with, too */
            complete_verbs(&completion);
        complete_words(&completion);
    }
}
