#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of who may do what: test_policy.py SOURCE POLICY.

The one in streamd(8) is the source; daemon/bus/access.c (which method needs what), POLICY (what polkit says by
default) and dbus/ (which methods there are) are held to it."""

import glob
import os
import re
import sys
import unittest
import xml.etree.ElementTree

SOURCE, POLICY = sys.argv[1:3]
PREFIX = 'io.streamd.streamd1.'
OWNER = 'org.freedesktop.policykit.owner'

# What apps export, and streamd calls.
OF_APPS = {'io.streamd.Streamd1.Agent', 'io.streamd.Streamd1.Handler'}

# What polkit's manual gives for defaults.
DEFAULTS = {'no', 'yes', 'auth_self', 'auth_admin', 'auth_self_keep', 'auth_admin_keep'}


def read(name):
    with open(os.path.join(SOURCE, name), encoding='utf-8') as file:
        return file.read()


def manual(begin):
    """The rows of a table of the manual page, between \\" TABLE name and \\" END."""
    text = read('man/streamd.8')
    table = text.split(f'.\\" TABLE {begin}\n')[1].split('.\\" END\n')[0]
    rows = [line.replace('\\-', '-').split('|') for line in table.split('\n')
            if '|' in line and not line.startswith('.') and not line.endswith(';')]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def constants():
    """Names of interfaces, by the constants of common/bus/names.h."""
    return dict(re.findall(r'#define (BUS_\w+) "([\w.]+)"', read('common/bus/names.h')))


def access():
    """{(interface, method): (action, belongs to an owner)} of the daemon's table."""
    names = constants()
    table = read('daemon/bus/access.c').split('rows[] = {')[1].split('\n};')[0]
    rows = re.findall(r'\{(BUS_\w+), "(\w+)", (?:ACTION\("([\w-]+)"\)|"")(.*?)\},?(?=\s*(?:\{BUS|/\*|$))',
                      table, re.S)
    found = {(names[interface], method): (action, '.owner = TRUE' in rest)
             for interface, method, action, rest in rows}
    assert len(found) == len(re.findall(r'\{BUS_', table)), 'a row is not understood'
    return found


def contract():
    """Every (interface, method) that streamd has."""
    for path in glob.glob(os.path.join(SOURCE, 'dbus', '*.xml')):
        for interface in xml.etree.ElementTree.parse(path).getroot().iter('interface'):
            if interface.get('name') in OF_APPS:
                continue
            for method in interface.iter('method'):
                yield interface.get('name'), method.get('name')


class Table(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.actions = list(xml.etree.ElementTree.parse(POLICY).getroot().iter('action'))
        self.ids = [action.get('id') for action in self.actions]

    def test_every_method_is_mapped(self):
        self.assertEqual(set(contract()) - set(access()), set())

    def test_no_method_is_invented(self):
        ours = {row for row in access() if row[0].startswith('io.streamd.')}
        self.assertEqual(ours - set(contract()), set())

    def test_actions_are_those_of_the_policy(self):
        needed = {action for action, _ in access().values()} - {''}
        self.assertEqual({PREFIX + action for action in needed}, set(self.ids))
        self.assertEqual(len(self.ids), len(set(self.ids)))

    def test_manual_has_the_methods(self):
        told = {}
        for methods, action in manual('methods'):
            owner = action.endswith("(others')")
            action = action.removesuffix("(others')").removesuffix('(none)').strip()
            for method in methods.split(','):
                interface, name = method.strip().rsplit('.', 1)
                told['io.streamd.Streamd1.' + interface, name] = (action, owner)
        ours = {row: value for row, value in access().items() if row[0].startswith('io.streamd.')}
        self.assertEqual(told, ours)

    def test_manual_has_the_defaults(self):
        told = {PREFIX + action: defaults for action, *defaults in manual('defaults')}
        policy = {action.get('id'): [action.find('defaults').find(who).text
                                     for who in ('allow_any', 'allow_inactive', 'allow_active')]
                  for action in self.actions}
        self.assertEqual(told, policy)

    def test_defaults_are_some(self):
        for action in self.actions:
            for default in action.find('defaults'):
                self.assertIn(default.text, DEFAULTS)

    def test_nobody_afar_passes_unasked(self):
        for action in self.actions:
            for who in 'allow_any', 'allow_inactive':
                self.assertIn(action.find('defaults').find(who).text, {'no', 'auth_admin'})

    def test_the_owner_is_the_user_of_the_unit(self):
        user = re.search(r'^User=(\S+)$', read('systemd/streamd.service.in'), re.M).group(1)
        for action in self.actions:
            owners = [note.text for note in action.iter('annotate') if note.get('key') == OWNER]
            self.assertEqual(owners, ['unix-user:' + user], action.get('id'))

    def test_polkit_is_asked_in_one_place_about_a_bus_name(self):
        """A process could be another one by the time polkit looks (CVE-2013-4288)."""
        files = [path for folder in ('common', 'daemon', 'hub', 'client')
                 for path in glob.glob(os.path.join(SOURCE, folder, '**', '*.[ch]'), recursive=True)]
        asking = [path for path in files if re.search(r'"CheckAuthorization"', read(path))]
        self.assertEqual([os.path.basename(path) for path in asking], ['bouncer.c'])
        self.assertEqual(re.findall(r'"(system-bus-name|unix-\w+)"', read(asking[0])), ['system-bus-name'])

    def test_messages_name_only_details_that_are_sent(self):
        sent = set(re.findall(r'"(\w+)"', ' '.join(
            re.findall(r'ACTION\("[\w-]+"\),\s*\{(.*?)\}', read('daemon/bus/access.c'), re.S))))
        for action in self.actions:
            used = set(re.findall(r'\$\((\w+)\)', action.find('message').text))
            self.assertEqual(used - sent, set(), action.get('id'))

    def test_questions_name_the_hub_and_what_is_sent_with_it(self):
        """The other messages are the action's own, which has no hub: polkit would show "$(hub)" where none is known."""
        text = read('daemon/bus/access.c')
        block = text.split('questions[] = {')[1].split('\n};')[0]
        questions = {name: ''.join(re.findall(r'"([^"]*)"', body))
                     for name, body in re.findall(r'ACTION\("([\w-]+)"\), N_\((.*?)\)\}', block, re.S)}
        self.assertEqual(len(questions), len(re.findall('ACTION', block)))
        for action, question in questions.items():
            sent = [set(re.findall(r'"(\w+)"', details)) | set(re.findall(r'\.object = "(\w+)"', rest))
                    for details, rest in re.findall(rf'ACTION\("{action}"\),?(?:\s*\{{(.*?)\}})?(.*?)\}},\n', text.split('questions[]')[0], re.S)]
            with_hub = [names for names in sent if 'hub' in names]
            self.assertTrue(with_hub, action)
            for names in with_hub:
                self.assertEqual(set(re.findall(r'\$\((\w+)\)', question)) - names, set(), action)
            self.assertIn('$(hub)', question)
        # Every action that is asked about with a hub has one.
        named = {action for action, details in re.findall(r'ACTION\("([\w-]+)"\),\s*\{"hub"(.*?)\}', text)}
        named |= set(re.findall(r'ACTION\("([\w-]+)"\), \.object = "hub"', text))
        self.assertEqual(named, set(questions))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
