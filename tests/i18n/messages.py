# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which texts of a C source people read, and which of those are not marked for translation."""

import re

# Functions whose literals reach a person, and which of their arguments do: from this one on.
SHOWN = {
    'puts': 0, 'fputs': 0, 'printf': 0, 'fprintf': 1, 'g_print': 0, 'g_printerr': 0, 'dprintf': 1,
    'cli_fail': 2, 'g_set_error': 3, 'g_set_error_literal': 3, 'g_error_new': 2,
    'table_new': 0, 'table_add': 1, 'table_addf': 1, 'output_table': 2, 'output_add_state': 2,
    'cli_parse_number': 0,
    'gtk_label_new': 0, 'gtk_label_set_text': 1, 'gtk_label_set_label': 1, 'gtk_button_new_with_label': 0,
    'gtk_button_set_label': 1, 'gtk_window_set_title': 1, 'gtk_widget_set_tooltip_text': 1,
    'gtk_entry_set_placeholder_text': 1, 'gtk_check_button_new_with_label': 0,
    'gtk_menu_button_set_label': 1, 'adw_status_page_set_title': 1,
}

# Names, not words: they are the same in every language.
NAMES = {'streamctl', 'streamd', 'streamhub', 'ssh', 'scp', 'sftp', 'rsync', 'git', 'json', 'id', 'tcp', 'unix'}

# Whose literals are for developers, or for programs.
OTHERS = {'ENGLISH', 'g_error', 'g_debug', 'g_warning', 'g_critical', 'g_dbus_method_invocation_return_error'}

# Two words beside each other, and nothing of a format that programs read.
SENTENCE = re.compile(r'^"[^<>{}=|]*[a-z]{2,} [a-z]{2,}[^<>{}=|]*"$')

MARKS = {'_', 'N_', 'C_', 'NC_', 'ngettext', 'g_dngettext', 'gettext'}

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|[A-Za-z_]\w*|\S', re.S)
FORMAT = re.compile(r'%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j|t)?[a-zA-Z%]')
ESCAPE = re.compile(r'\\(?:x[0-9a-fA-F]{2}|[0-7]{1,3}|u[0-9a-fA-F]{4}|.)')
WORD = re.compile(r'[^\W\d_]{2,}')


def is_text(literal):
    """Whether a literal, in its quotes, says something in English."""
    plain = ESCAPE.sub(' ', FORMAT.sub(' ', literal[1:-1]))
    plain = re.sub(r'\033\[[\d;]*m|\[[\d;?]*[a-zA-Z]', ' ', plain)
    return any(word.lower() not in NAMES for word in WORD.findall(plain))


def tokens(code):
    """(token, position), without comments."""
    for match in TOKEN.finditer(code):
        if not match.group().startswith(('//', '/*')):
            yield match.group(), match.start()


def unmarked(code, names_of_verbs=()):
    """(line, literal) of each that is not marked, and is shown, or reads like a sentence."""
    stack = []  # of [function, argument]
    last = ''
    for token, position in tokens(code):
        if token == '(':
            stack.append([last, 0])
        elif token == ')':
            stack and stack.pop()
        elif token in '{};':
            stack.clear() if token == ';' else None
        elif token == ',' and stack:
            stack[-1][1] += 1
        elif token.startswith('"') and is_text(token):
            names = [name for name, _ in stack]
            shown = any(name in SHOWN and argument >= SHOWN[name] for name, argument in stack)
            # What another function makes of it is that function's matter.
            inner = names[-1] if names else ''
            direct = shown and (inner in SHOWN or not inner.isidentifier())
            sentence = SENTENCE.match(token) and token[1:-1] not in names_of_verbs and not OTHERS & set(names)
            if (direct or sentence) and not MARKS & set(names):
                yield code.count('\n', 0, position) + 1, token
        last = token


def marks_something(code):
    return any(token in MARKS - {'gettext'} for token, _ in tokens(code))
