#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual says everything, and troff has nothing to complain of:
test_man.py SOURCE STREAMCTL STREAMHUB STREAMD PAGE..."""

import glob
import json
import os
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree

SOURCE, STREAMCTL, STREAMHUB, STREAMD = sys.argv[1:5]
PAGES = {os.path.basename(path): path for path in sys.argv[5:]}


def output(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True,
                          env={**os.environ, 'LC_ALL': 'C.UTF-8'}).stdout


def source(name):
    """A page or another file of the tree, as it is written."""
    with open(PAGES.get(name, os.path.join(SOURCE, name)), encoding='utf-8') as file:
        return file.read()


def plain(name):
    """A page without the marks of troff: what is said, in order."""
    text = re.sub(r'\\f[A-Z]', '', source(name))
    text = re.sub(r'(?m)^\.(?:B|I|BR|RB|BI|IR|RI|SS|SH) ', '', text)
    for mark, sign in (('\\-', '-'), ('\\(ha', '^'), ('\\(ti', '~'), ('\\&', ''), ('\\e', '\\'), ('"', '')):
        text = text.replace(mark, sign)
    return re.sub(r' +', ' ', text)


COMMAND_LINES = {'streamctl.1': STREAMCTL, 'streamhub.8': STREAMHUB}


def exit_codes():
    return set(map(int, re.findall(r'(?m)^    EXIT_CODE_\w+ = (\d+)', source('common/base/exit-code.h'))))


class Manual(unittest.TestCase):
    maxDiff = None

    def test_troff_has_nothing_to_say(self):
        for name, path in PAGES.items():
            with self.subTest(name):
                done = subprocess.run(
                    ['man', '--warnings', '--encoding=UTF-8', '-Tutf8', '--ditroff', '--local-file', path],
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
                    env={'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8', 'MANWIDTH': '80', 'HOME': '/'})
                self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_what_a_page_refers_to_is_there(self):
        for name in PAGES:
            for other, section in re.findall(r'\.BR ([\w.\\-]+) \((\d)\)', source(name)):
                other = other.replace('\\', '')
                if other.startswith(('stream', 'io.streamd')):
                    self.assertIn(f'{other}.{section}', PAGES, name)

    def test_tables_of_an_interface(self):
        page = source('io.streamd.Streamd1.Policy.5')
        for key in ('hub', 'stream', 'time', 'accept', 'ask', 'max\\-streams', 'stall\\-timeout'):
            self.assertRegex(page, rf'(?m)^\.TP\n\\fB"?{re.escape(key)}"?\\fR')

    def test_verbs_and_options(self):
        for name, program in COMMAND_LINES.items():
            page, dump = plain(name), json.loads(output(program, '--dump-verbs'))
            self.assertGreater(len(dump['verbs']), 20)
            for verb in dump['verbs']:
                self.assertIn(f'\n{verb["name"]} {verb["arguments"]}'.rstrip() + '\n', page)
                if len(verb['json']) > 1:
                    self.assertRegex(page, rf'(?m)^(?:.*, )?{verb["name"]}(?:, .*)?\n{re.escape(verb["json"].replace(chr(34), ""))}$', name)
            for option in dump['options']:
                self.assertRegex(page, rf'(?m)^(?:-\w, )?--{option["name"]}(?:\[?=.*)?$')
            for alias in dump['aliases']:
                self.assertNotRegex(page, rf'(?m)^{alias["old"]}\b', name)

    def test_exit_codes(self):
        sections = {name: re.search(r'(?s)\.SH "EXIT STATUS"\n(.*?)\.SH ', source(name)).group(1) for name in COMMAND_LINES}
        self.assertEqual(len(set(sections.values())), 1, 'the same in both')
        told = set(map(int, re.findall(r'(?m)^\.TP\n\.B (\d+)$', sections['streamctl.1'])))
        self.assertEqual(told, exit_codes())
        for program in COMMAND_LINES.values():
            dumped = json.loads(output(program, '--dump-verbs'))['exit_codes']
            self.assertEqual({row['code'] for row in dumped}, exit_codes())

    def test_settings_of_the_hub(self):
        page = plain('streamhub.conf.5')
        settings = re.findall(r'(?m)^#?([\w-]+)=(.*)$', output(STREAMHUB, 'settings'))
        self.assertGreater(len(settings), 20)
        for key, value in settings:
            self.assertIn(f'\n{key}={value}\n', page)

    def test_streamd(self):
        page = plain('streamd.8')
        for option in re.findall(r'(?m)^  --([\w-]+)', output(STREAMD, '--help')):
            self.assertIn('--' + option, page)

    def test_interfaces(self):
        paths = glob.glob(os.path.join(SOURCE, 'dbus', 'io.*.xml'))
        self.assertGreater(len(paths), 5)
        for path in paths:
            interface = xml.etree.ElementTree.parse(path).getroot().find('interface')
            page = plain(interface.get('name') + '.5')
            for member in interface.findall('method') + interface.findall('signal'):
                section = re.search(rf'(?s)\n{member.get("name")}\n.nf\n(.*?)(?:\n\.S[SH]|\Z|\n[A-Z]\w+\n\.nf)', page)
                self.assertIsNotNone(section, member.get('name'))
                for arg in member.findall('arg'):
                    self.assertIn(f'\n.TP\n{arg.get("name")}\n', section.group(1), member.get('name'))
            for member in interface.findall('property'):
                self.assertIn(f'\n{member.get("name")} ({member.get("type")}, ', page)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
