# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each source rule can fail: a small tree that keeps it, and one that does not."""

import os
import tempfile
import unittest

import rules
from source import Tree, blank_c, c_functions, comments_c

SPDX = '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n'


def function(lines):
    return 'static void\nshape_draw(int n)\n{\n' + '    n++;\n' * (lines - 3) + '}\n'


class RulesCase(unittest.TestCase):
    def problems(self, rule, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                    file.write(text)
            return list(rules.RULES[rule](Tree(root)))

    def keeps(self, rule, files):
        self.assertEqual(self.problems(rule, files), [])

    def breaks(self, rule, files, line=1):
        found = self.problems(rule, files)
        self.assertEqual([problem[1] for problem in found], [line], found)

    def test_wings(self):
        """Every row lets in what it names and nothing else, and no two rows lead in a circle."""
        for folder, others in rules.WINGS.items():
            for other in rules.WINGS:
                files = {f'{folder}/a.c': f'\n#include "{other}/b.h"\n'}
                if other in others:
                    self.keeps('dependencies', files)
                else:
                    self.breaks('dependencies', files, 2)
        for folder, others in rules.WINGS.items():
            for other in others - {folder}:
                self.assertNotIn(folder, rules.WINGS[other], f'{folder} and {other}')

    def test_programs(self):
        self.keeps('dependencies', {'hub/main.c': '#include "hub/verb/b.h"\n#include "common/log/b.h"\n',
                                    'daemon/main.c': '#include "daemon/bus/object/b.h"\n#include "daemon/b.h"\n',
                                    'tests/unit/a.c': '#include "hub/edge/b.h"\n#include "daemon/net/b.h"\n'})
        for path, name in [('hub/main.c', 'daemon/net/b.h'), ('hub/streamhubd.c', 'hub/verb/b.h'), ('client/main.c', 'hub/edge/b.h'),
                           ('daemon/b.h', 'client/cli/b.h'), ('examples/echo/a.c', 'common/base/b.h'),
                           ('hub/elsewhere/a.c', 'common/base/b.h'), ('common/a.c', 'common/base/b.h')]:
            self.breaks('dependencies', {path: f'\n#include "{name}"\n'}, 2)

    def test_every_folder_has_a_row(self):
        tree = Tree(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
        folders = {os.path.dirname(path) for path in tree.product_c_files() if path.split('/')[0] in rules.PROGRAMS and path not in rules.MAINS}
        self.assertEqual(folders, set(rules.WINGS))

    def test_libraries(self):
        self.keeps('dependencies', {'daemon/bus/object/stream.c': '#include <systemd/sd-bus.h>\n',
                                    'client/bus/bus.c': '#include <systemd/sd-bus.h>\n',
                                    'examples/echo/a.c': '#include <systemd/sd-bus.h>\n',
                                    'hub/main.c': '#include <systemd/sd-daemon.h>\n',
                                    'hub/registry/sqlite.c': '#include <sqlite3.h>\n',
                                    'hub/cli/client.c': '#include <libsoup/soup.h>\n',
                                    'common/net/tls-session.c': '#include <gnutls/gnutls.h>\n'})
        for path, name in [('daemon/stream/stream.c', 'systemd/sd-bus.h'), ('hub/main.c', 'systemd/sd-bus.h'),
                           ('hub/registry/registry.c', 'sqlite3.h'), ('daemon/main.c', 'sqlite3.h'),
                           ('hub/edge/edge.c', 'libsoup/soup.h'), ('common/http.c', 'libsoup/soup.h'),
                           ('hub/edge/edge.c', 'gnutls/gnutls.h'), ('daemon/main.c', 'gnutls/x509.h')]:
            self.breaks('dependencies', {path: f'# include <{name}>\n'})

    def test_seam(self):
        """What knows a protocol stands in hub/device/ and below; above it, neither a header nor a name of one does."""
        broken = ['#include "common/codec/mqtt-writer.h"', '#include "common/topic/stream-topic.h"',
                  '#include "hub/device/mqtt-session.h"', '#include "hub/device/twin.h"', 'MqttSession *session;',
                  'int mqtt_listen;', 'int x = SERVE_MQTT_PORT;', 'amqp_open();', 'send_connack();',
                  'x = stream_request_build(topic, &request);']
        kept = ['#include "hub/device/link.h"', '#include "common/codec/stream-message.h"', 'adopt("mqtts");', '/* not MQTT */']
        for folder in ('hub', 'hub/stream', 'hub/rest', 'hub/admin', 'hub/records', 'hub/metrics', 'hub/log', 'hub/registry',
                       'hub/certificate', 'hub/verb/registry', 'hub/one-to-come'):
            for text in broken:
                self.breaks('seam', {f'{folder}/a.c': f'\n{text}\n'}, 2)
            for text in kept:
                self.keeps('seam', {f'{folder}/a.c': f'\n{text}\n'})
        for folder in (*rules.PROTOCOL_FOLDERS, 'daemon/link', 'common/codec'):
            for text in broken:
                self.keeps('seam', {f'{folder}/a.c': f'\n{text}\n'})

    def test_licence(self):
        self.keeps('licence', {'a.c': SPDX, 'run': '#!/bin/sh\n# SPDX-License-Identifier: LGPL-2.1-or-later\n',
                               'COPYING': 'text\n', 'a.json': '{}\n', 'tests/fuzz/corpus/x/1': 'text\n', 'empty': ''})
        for path in ['a.c', 'README.md', 'tests/x.py', 'run']:
            self.breaks('licence', {path: 'text\n'})

    def test_forbidden(self):
        self.keeps('forbidden', {'tests/unit/a.c': 'setsockopt(fd, 1, SO_SNDBUF, &n, 4);\n', 'common/a.c': '/* goto */\nputs("goto x");\nsignal(SIGPIPE, SIG_IGN);\n'
                                               'g_unix_signal_add(SIGTERM, f, NULL);\ngoto_next(1);\nn = MIN(n, relay_end_next(r));\n'})
        for text in ['goto out;', 'GMutex mutex;', 'g_async_queue_push(q, x);', 'strcpy(a, b);', 'sprintf(a, "x");',
                     'signal(SIGTERM, handler);', 'sigaction(SIGHUP, &a, NULL);', 'x = (unsigned __int128)a;', 'setsockopt(fd, 1, SO_RCVBUF, &n, 4);',
                     'a = MAX(backoff_next(&b), 1);', 'n = MIN(0, queue_take(q));']:
            self.breaks('forbidden', {'common/a.c': '\n' + text + '\n'}, 2)

    def test_unfinished(self):
        self.keeps('unfinished', {'a.c': '/* to do, fixing */ g_mkdtemp("XXXXXX");\n'})
        for word in ['TO' 'DO', 'FIX' 'ME', 'XX' 'X', 'HA' 'CK']:
            self.breaks('unfinished', {'a.md': f'\n\n{word}: more\n'}, 3)

    def test_secrets(self):
        self.keeps('secrets', {'common/codec/sas-token.c': 'return gnutls_memcmp(mac, expected_mac, 32) == 0;\n',
                               'daemon/bus/a.c': 'g_strcmp0(contents, signature);\n',
                               'hub/stream/token.c': 'memcmp(a, b, TOKEN_HASH);\n',
                               'hub/a.c': 'memcmp(device_id, other, n); g_str_equal(key, "token"); strcmp(token, "x");\n'})
        for text in ['memcmp(mac, expected, sizeof mac)', 'g_str_equal(sig, g_strdup(other))', 'strcmp(a->token, b->token)',
                     'strncmp(x,\n   password, 3)', 'g_strcmp0(hmac1, hmac2)']:
            self.breaks('secrets', {'hub/a.c': text + ';\n'})
        self.breaks('secrets', {'common/codec/sas-token.c': 'return verify(a, b);\n'})

    def test_length(self):
        self.keeps('length', {'hub/a.c': function(rules.LINES_OF_A_FUNCTION - 1) + '\n' * 300,
                              'tests/unit/a.c': function(rules.LINES_OF_A_FUNCTION + 9)})
        self.breaks('length', {'hub/a.c': function(rules.LINES_OF_A_FUNCTION + 2)}, 2)
        self.breaks('length', {'a.py': '\n' * (rules.LINES_OF_A_FILE + 1)}, rules.LINES_OF_A_FILE + 1)

    def test_folders(self):
        most = rules.PAIRS_OF_A_FOLDER
        pairs = {f'hub/edge/{i}.{kind}': '\n' for i in range(most) for kind in 'ch'}
        self.keeps('folders', pairs | {f'tests/unit/{i}.c': '' for i in range(most + 1)})
        self.breaks('folders', pairs | {'hub/edge/one-more.h': ''})
        rows = {folder: f'| `{folder}` | x | {" ".join(f"`{name}`" for name in sorted(rules.row_of(folder))) or "–"} | 1 | 2 |'
                for folder in rules.WINGS}
        self.keeps('folders', {rules.MAP: '\n'.join(rows.values())})
        for number, folder in enumerate(rows):
            wrong = rows | {folder: rows[folder].replace('| x | ', '| x | `elsewhere` ')}
            self.breaks('folders', {rules.MAP: '\n'.join(wrong.values())}, number + 1)
            self.breaks('folders', {rules.MAP: '\n'.join(row for name, row in rows.items() if name != folder)})
        self.breaks('folders', {rules.MAP: '\n'.join([*rows.values(), '| `hub/cellar` | x | – | 1 | 2 |'])}, len(rows) + 1)

    def test_requirements(self):
        listed = {rules.REQUIREMENTS: '| R4 | x |\n| F29 | y | z |\n| 1 | a |\n| 2 | b |\n| 14 | c |\n'}
        kept = {'hub/a.c': '/* R4, F29 (failure classes 1 to 2) */\nf("F10 R12"); g(R7); // class 14\n',
                'tests/a.py': '# fault F29, classes 1-2\n', 'README.md': 'R4 U2 R100 class A\n', 'po/de.po': 'F10\n'}
        self.keeps('requirements', listed | kept)
        for path, text in [('hub/a.c', '/* x\n * requirement R5 */\n'), ('tests/a.py', '\n# fault F1\n'), ('docs/a.md', '\nF3\n'),
                           ('hub/a.h', '\n// failure class 15\n'), ('tests/a.py', '\n# classes 14-15\n')]:
            self.breaks('requirements', listed | {path: text}, 2)
        self.breaks('requirements', {'hub/a.c': '/* R4 */\n'})
        self.breaks('requirements', {rules.REQUIREMENTS: listed[rules.REQUIREMENTS] + '| R4 | once more |\n'})

    def test_rows(self):
        listed = ('| R1 | x |\n| R2 | *(planned)* y |\n| F3 | it falls | it stands |\n'
                  '| F4 | it falls | *(planned)* it stands |\n| 5 | a class |\n')
        row = '| R1, F3 what | unit `x` | 1 s | 0.1 s |\n'
        self.keeps('rows', {rules.REQUIREMENTS: listed, rules.TESTS: row})
        self.breaks('rows', {rules.REQUIREMENTS: listed, rules.TESTS: row.replace('R1, ', '') + '| x | R1 |\n'})
        self.breaks('rows', {rules.REQUIREMENTS: listed, rules.TESTS: row.replace(', F3', '')}, 3)

    def test_paths(self):
        there = {'hub/edge/a.c': '', 'daemon/app-b.c': ''}
        self.keeps('paths', there | {'docs/a.md': '`hub/edge/a.c`, daemon/app*.c; x/hub/edge/b.c\n',
                                     'hub/b.c': '#include "hub/edge/b.h"\n/* hub/edge/a.c: */\n'})
        for path, text in [('docs/a.md', '\nsee `hub/a.c`\n'), ('docs/a.md', '\n`daemon/c*.c`\n'), ('common/a.h', '\n/* hub/edge/a.h */\n')]:
            self.breaks('paths', there | {path: text}, 2)

    def test_dbus(self):
        def tree(comment='', type_='s', released='0.1 method io.a.B.Get (s) -> ()\n'):
            xml = (f'<node><!-- io.a.B:\n @since: 0.1\n -->\n<interface name="io.a.B">\n<!-- Get: {comment} -->\n'
                   f'<method name="Get"><arg name="x" type="{type_}" direction="in"/></method>\n</interface></node>\n')
            return {'dbus/io.a.B.xml': xml, 'meson.build': "project('x',\n  version: '0.2.0')\n",
                    'dbus/released': f'# x\n0.1 interface io.a.B\n{released}'}
        self.keeps('dbus', tree())
        self.keeps('dbus', tree('\n@since: 0.2\n', released=''))
        self.breaks('dbus', tree(released=''), 6)                     # new, and it does not say since when
        self.breaks('dbus', tree('\n@since: 0.3\n', released=''), 8)  # of a version that is not there
        self.breaks('dbus', tree('\n@since: 0.2\n'), 8)               # it has been there since 0.1
        self.breaks('dbus', tree(released='0.1 method io.a.B.Get (s) -> ()\n0.1 signal io.a.B.Gone () -> ()\n'))
        self.assertEqual(len(self.problems('dbus', tree(type_='u'))), 2)  # gone as it was, new as it is

    def test_units(self):
        whole = 'LimitNOFILE=16384\nFileDescriptorStoreMax=@n@\nEnvironment=STREAMD_FDSTORE=@n@\n'
        for path in ('systemd/streamd.service.in', 'systemd/user/streamd.service.in'):
            self.keeps('units', {path: whole})
            self.breaks('units', {path: whole.replace('=@n@', '=512', 1)})
            self.breaks('units', {path: whole.replace('16384', '16383')})
            self.breaks('units', {path: 'LimitNOFILE=16384\n'})
        self.keeps('units', {'systemd/streamhub.service.in': 'LimitNOFILE=1024\n'})

    def test_documents(self):
        code = '[REASON_NONE] = {"none", N_("x"), 1000, TRUE},\n[REASON_CUT] = {"cut", N_("it\n was"), 1011,\n FALSE},\n'
        code = code.replace('it\n was', 'it was')
        row = '| `cut` | no | 1011 | it was |\n'
        both = {'common/base/reason.c': code, 'docs/wire-protocol.md': row}
        self.keeps('documents', both | {'docs/a.md': '[w](wire-protocol.md#4) [x](https://example.org/) [c](../common)\n'})
        self.assertEqual(len(self.problems('documents', both | {'docs/wire-protocol.md': row.replace('no', 'yes')})), 2)
        self.breaks('documents', both | {'docs/wire-protocol.md': ''})
        self.breaks('documents', {'docs/a.md': '\n[w](nowhere.md)\n'}, 2)

    def test_manual(self):
        block = '<!-- run: backup -->\n```sh\nstreamhub backup\n```\n'
        untried = 'How is **untried**:\n\n<!-- untried -->\n```sh\ncertbot\n```\n'
        shell, python = {'tests/system/a.sh': 'ok 1 recipe backup\n'}, {'tests/e2e/a.py': 'PAGE["backup"]\n'}
        good = f'# A page\n\n[a](#a-page)\n{block}\n{untried}'
        for tests in (shell, python):
            self.keeps('manual', tests | {rules.MANUAL: good})
        for tests in ({}, {'tests/e2e/a.py': '"backups"'}, {'tests/system/a.sh': 'recipe backup-2 # backup\n'}, {'docs/a.md': 'recipe backup'}):
            self.breaks('manual', tests | {rules.MANUAL: good}, 5)
        for text, line in [(block.replace('<!-- run: backup -->\n', '\n'), 2), (block.replace('run: ', 'see: '), 2),
                           (block.replace('```sh', '```'), 2), (block.replace('\n```\n', '\n'), 2),
                           (untried.replace('**untried**', 'so'), 4), ('\n[a](#b)\n', 2)]:
            found = self.problems('manual', shell | {rules.MANUAL: text})
            self.assertEqual(found[0][1], line, found)
        self.assertEqual(len(self.problems('manual', shell | {rules.MANUAL: block + '\n' + block})), 2)


class ReaderCase(unittest.TestCase):
    def test_blank(self):
        self.assertEqual(blank_c('a /* { */ "}" \'{\' // }\nb'), 'a         ""  \'\'      \nb')
        self.assertEqual(blank_c('"a\\"b" c'), '""     c')

    def test_comments(self):
        self.assertEqual(comments_c('a /* {\n */ "/* }" \'{\' // x\nb'), '  /* {\n */            // x\n ')

    def test_functions(self):
        code = ('#define X(a) \\\n    { a }\nstruct s {\n    int (*f)(void);\n};\nint a[] = { f(1) };\n'
                'int\nfirst(void)\n{\n    if (1) {\n    }\n}\n\nG_DEFINE_X(a)\n\nstatic gboolean\nsecond(int a,\n       int b)\n{\n}\n')
        self.assertEqual(list(c_functions(code)), [('first', 8, 5), ('second', 17, 4)])

    def test_every_rule_is_tried(self):
        for name in rules.RULES:
            tried = {'dependencies': 'test_wings'}.get(name, 'test_' + name)
            self.assertTrue(hasattr(RulesCase, tried), name)


if __name__ == '__main__':
    unittest.main()
