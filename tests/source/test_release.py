# SPDX-License-Identifier: LGPL-2.1-or-later
"""What says whether this version is released, and when, says the same everywhere; and .ci/release, in a copy of these
files, makes a release and begins the next version. test_release.py SOURCE."""

import email.utils
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.realpath(sys.argv[1])
FILES = ['meson.build', 'NEWS.md', 'README.md', 'debian/changelog', 'po/POTFILES.skip', 'tests/system/journal.sh', 'dbus',
         'tests/source', 'tests/e2e/page.py']


def text(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as file:
        return file.read()


def first(root, path, pattern):
    return re.search(pattern, text(root, path), re.M).groups()


def told(root):
    """(version, day) as each file has them; day '': not released yet."""
    version, = first(root, 'meson.build', r"^  version: '(.*?)'")
    day, = first(root, 'meson.build', r"^released = '(.*?)'")
    yield version, day
    version, day = first(root, 'NEWS.md', r'^## ([\d.]+) \((.*)\)$')
    yield version, day.replace('not released yet', '')
    version, state = first(root, 'README.md', r'^This is ([\d.]+)( in the making)?:')
    yield version, '' if state else None
    version, where, date = first(root, 'debian/changelog', r'\Astreamd \((.*?)\) (\w+);[^>]*>  (.*)$')
    date = email.utils.parsedate_to_datetime(date)
    yield version, '' if where == 'UNRELEASED' else f'{date:%Y-%m-%d}'
    version, = first(root, 'tests/system/journal.sh', r'STREAMD_DETAIL=([\d.]+)$')
    yield version, None


class Release(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        for path in FILES:
            place = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            (shutil.copytree if os.path.isdir(os.path.join(SOURCE, path)) else shutil.copy)(os.path.join(SOURCE, path), place)

    def agree(self, root):
        all_ = list(told(root))
        day = all_[0][1]
        for version, said in all_:
            self.assertEqual(version, all_[0][0])
            self.assertIn(said, (day, None) if day else ('', None))
        return all_[0]

    def run_it(self, *arguments):
        return subprocess.run([os.path.join(SOURCE, '.ci/release'), '--root', self.root, *arguments], capture_output=True, text=True,
                              check=False)

    def done(self, *arguments):
        run = self.run_it(*arguments)
        self.assertEqual((run.returncode, run.stderr), (0, ''))

    def all_bytes(self):
        for folder, _, names in os.walk(self.root):
            for name in names:
                with open(os.path.join(folder, name), 'rb') as file:
                    yield os.path.join(folder, name), file.read()

    def refused(self, *arguments):
        before = dict(self.all_bytes())
        run = self.run_it(*arguments)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(dict(self.all_bytes()), before)
        return run.stderr

    def replace(self, path, old, new):
        after = text(self.root, path).replace(old, new, 1)
        with open(os.path.join(self.root, path), 'w', encoding='utf-8') as file:
            file.write(after)

    def wait(self, *paths):
        with open(os.path.join(self.root, 'po/POTFILES.skip'), 'w', encoding='utf-8') as file:
            file.writelines(f'{path}\n' for path in ('# A comment.', *paths))

    def test_all_files_say_the_same(self):
        self.agree(SOURCE)

    def test_a_release_and_what_follows(self):
        self.wait()
        version, day = self.agree(self.root)
        if day:
            version = '77.1.0'
            self.done('--next', version)
        self.assertEqual(self.agree(self.root), (version, ''))
        self.assertIn('is not released yet', self.refused('--next', '77.2.0'))
        self.wait('client/new.c')
        self.assertIn('client/new.c', self.refused('2077-02-03'))
        self.wait()
        self.assertIn('Usage', self.refused('soon'))
        self.assertIn('month', self.refused('2077-13-03'))
        self.done('2077-02-03')
        self.assertEqual(self.agree(self.root), (version, '2077-02-03'))
        members = subprocess.run([sys.executable, 'tests/source/dbus_api.py', '.'], cwd=self.root, check=True, capture_output=True)
        self.assertEqual(members.stdout, b'', 'dbus/released has every member')
        self.assertIn('is released already, on 2077-02-03', self.refused('2077-02-04'))
        self.done('--next', '77.3.0')
        self.assertEqual(self.agree(self.root), ('77.3.0', ''))
        self.assertIn(f'## {version} (2077-02-03)', text(self.root, 'NEWS.md'))
        self.assertIn(f'streamd ({version}) unstable;', text(self.root, 'debian/changelog'))

    def test_nothing_is_half_changed(self):
        """The last file has not the place that is to be changed: no other one is changed either."""
        self.wait()
        version, day = self.agree(self.root)
        if day:
            self.done('--next', '77.1.0')
            version = '77.1.0'
        self.replace('debian/changelog', 'UNRELEASED;', 'unstable;')
        self.assertIn('debian/changelog has nothing like', self.refused('2077-02-03'))
        self.replace('debian/changelog', 'unstable;', 'UNRELEASED;')
        self.done('2077-02-03')
        self.replace('tests/system/journal.sh', f'STREAMD_DETAIL={version}', 'STREAMD_DETAIL=')
        self.assertIn('tests/system/journal.sh has nothing like', self.refused('--next', '77.2.0'))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
