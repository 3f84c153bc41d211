#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every message can be translated, and is: test_i18n.py SOURCE STREAMCTL STREAMHUB.

Each language in po/LINGUAS has to be whole. What is not in the language of the source yet is brought in by po/update."""

import functools
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

from messages import marks_something, unmarked

SOURCE, *PROGRAMS = sys.argv[1:4]

# Whose C is looked at; the policy has its own rules (po/its).
FOLDERS = ['client', 'common/cli', 'desktop', 'hub/cli', 'hub/doctor', 'hub/verb']


def read(name):
    with open(os.path.join(SOURCE, name), encoding='utf-8') as file:
        return file.read()


def lines(name):
    return [line for line in read(name).split('\n') if line and not line.startswith('#')]


def c_files():
    for folder in FOLDERS:
        for path in sorted(glob.glob(os.path.join(SOURCE, folder, '**', '*.[ch]'), recursive=True)):
            yield os.path.relpath(path, SOURCE)


@functools.cache
def template(*options):
    """The messages of the source as it is now: a po file without translations."""
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, 'streamd.pot')
        subprocess.run([os.path.join(SOURCE, 'po', 'update'), *options, made], check=True)
        with open(made, encoding='utf-8') as file:
            return file.read()


def msgids(text):
    """The messages of a po file as they are at run time."""
    found = set()
    for match in re.finditer(r'^msgid(?:_plural)? ((?:"(?:\\.|[^"\\])*"\s*)+)', text, re.M):
        parts = re.findall(r'"((?:\\.|[^"\\])*)"', match.group(1))
        found.add(json.loads('"' + ''.join(parts) + '"'))
    return found


@functools.cache
def dump():
    """The verbs and options of both command lines."""
    rows = {'verbs': [], 'options': []}
    for program in PROGRAMS:
        told = json.loads(subprocess.run([program, '--dump-verbs'], capture_output=True, check=True).stdout)
        for kind, all_of_them in rows.items():
            all_of_them += told[kind]
    return rows


class Marked(unittest.TestCase):
    def test_every_message_of_the_source_is_marked(self):
        verbs = {row['name'] for row in dump()['verbs']}
        wrong = [f'{name}:{line}: {literal}' for name in c_files() for line, literal in unmarked(read(name), verbs)]
        self.assertEqual(wrong, [], 'put these into _()')

    def test_every_text_of_the_verb_table_is_marked(self):
        known = msgids(template('--all'))
        for row in dump()['verbs'] + dump()['options']:
            for text in row['help'], row.get('more', ''):
                self.assertTrue(not text or text in known, f'{row["name"]}: {text!r}: put it into N_()')

    def test_the_check_can_fail(self):
        wrong = ['printf("hello %s\\n", x);', 'cli_fail(error, 2, "no %s", x);', 'puts(on ? _("yes") : "no way");',
                 'table_new(_("ID"), "NAME", NULL);', 'g_set_error(e, D, C, "bad" " thing");',
                 'fprintf(stderr, "streamctl: oops\\n");',
                 'char *text = "not marked at all";', 'return "this is a sentence";']
        right = ['printf("%s\\n", x);', 'puts(_("yes"));', 'cli_fail(error, f("key"), _("no %s"), g("key"));',
                 'fprintf(stderr, "streamctl: %s\\n", x);', '/* printf("hello") */', 'puts("\\033[2J");',
                 'fprintf(f("word"), "%s", x); g("word");', 'table_add(table, bus_string(hub, "Name"));',
                 'g_debug("not for people");', 'x = _("this is marked");']
        for code in wrong:
            self.assertTrue(list(unmarked(code)), code)
        for code in right:
            self.assertEqual(list(unmarked(code)), [], code)


class Template(unittest.TestCase):
    def test_potfiles_has_every_file_with_messages(self):
        listed = lines('po/POTFILES.in')
        marked = {name for name in c_files() if name.endswith('.c') and marks_something(read(name))}
        listed += lines('po/POTFILES.skip')
        self.assertEqual(marked - set(listed), set(), 'add these to po/POTFILES.in')
        for name in listed:
            self.assertTrue(os.path.isfile(os.path.join(SOURCE, name)), name)
        self.assertEqual(len(listed), len(set(listed)))

    def test_what_waits_has_something_to_translate(self):
        """A file that every language has whole does not stay in POTFILES.skip."""
        known = set.intersection(*(msgids(read(f'po/{language}.po')) for language in lines('po/LINGUAS')))
        entries = template('--all').split('\n\n')
        for name in lines('po/POTFILES.skip'):
            own = '\n\n'.join(entry for entry in entries if re.search(rf'(?m)^#: (?:.* )?{re.escape(name)}(?: |$)', entry))
            self.assertNotEqual(msgids(own) - known, set(), f'{name} belongs into po/POTFILES.in')

    def test_no_message_breaks_off(self):
        """xgettext stops at a macro, G_GUINT64_FORMAT for example, and the message is never found."""
        for message in msgids(template('--all')):
            self.assertNotRegex(message, r'(?<!%)(?:%%)*%$', 'write %llu or %lld, and a cast')

    def test_policy_is_in_it(self):
        self.assertIn('Open a stream to a device', msgids(template()))


class Languages(unittest.TestCase):
    def test_every_po_is_in_linguas(self):
        found = {os.path.basename(path).removesuffix('.po') for path in glob.glob(f'{SOURCE}/po/*.po')}
        self.assertEqual(found, set(lines('po/LINGUAS')))

    def check(self, language):
        """Formats and header by msgfmt; nothing fuzzy, untranslated, gone or missing."""
        name = os.path.join(SOURCE, 'po', language + '.po')
        run = subprocess.run(['msgfmt', '--check', '--statistics', '-o', os.devnull, name],
                             capture_output=True, text=True, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stderr, r'(?m)^\d+ translated messages?\.$', name)
        missing = msgids(template()) - msgids(read(f'po/{language}.po'))
        self.assertEqual(missing, set(), 'run po/update, then translate')
        self.assertNotRegex(read(f'po/{language}.po'), r'(?m)^#~', 'messages that are gone')

    def test_what_is_to_be_typed_stays(self):
        """NAME in "hub add NAME" is a word of the verb's form, which is the same in every language; a title of a column is not."""
        for language in lines('po/LINGUAS'):
            for block in read(f'po/{language}.po').split('\n\n'):
                said = {key: ''.join(re.findall(r'"((?:\\.|[^"\\])*)"', found.group(1)))
                        for key in ('msgid', 'msgstr') if (found := re.search(rf'(?m)^{key} ((?:"(?:\\.|[^"\\])*"\n?)+)', block))}
                if len(said) < 2 or not said['msgid'] or said['msgid'].isupper():
                    continue
                words = set(re.findall(r'(?<![\w-])[A-Z]{3,}(?![\w-])', said['msgid']))
                with self.subTest(language, message=said['msgid']):
                    self.assertEqual({word for word in words if word not in said['msgstr']}, set(), said['msgstr'])

    def test_every_language_is_whole(self):
        for language in lines('po/LINGUAS'):
            with self.subTest(language):
                self.check(language)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
