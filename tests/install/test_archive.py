# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a release's archive has to have: test_archive.py BUILD SOURCE. `meson dist` packs what Git has, so whatever the
build reads has to be there. In an unpacked archive, which has no data of Git, every file counts."""

import json
import os
import subprocess
import sys
import unittest

BUILD, SOURCE = (os.path.realpath(path) for path in sys.argv[1:])
# What somebody needs who has the archive and nothing else.
TOP = ['CONTRIBUTING.md', 'COPYING', 'HACKING.md', 'NEWS.md', 'README.md', 'SECURITY.md', 'check', 'install', 'meson.build',
       'meson_options.txt', 'package', 'try', '.ci/install', '.ci/packages', 'debian/control', 'dbus/released', 'po/POTFILES.in']


def git(*arguments):
    return subprocess.run(['git', '-c', 'safe.directory=*', '-C', SOURCE, *arguments], check=True, capture_output=True,
                          text=True).stdout


def files_there():
    if os.path.exists(os.path.join(SOURCE, '.git')):
        return set(filter(None, git('ls-files', '-z').split('\0')))
    return {os.path.relpath(os.path.join(folder, name), SOURCE) for folder, _, names in os.walk(SOURCE) for name in names}


def told(name):
    with open(os.path.join(BUILD, 'meson-info', f'intro-{name}.json'), encoding='utf-8') as file:
        return json.load(file)


def paths_of(value):
    """Every text in a document of Meson's that is the path of a file."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_of(key)
            yield from paths_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from paths_of(inner)
    elif isinstance(value, str) and value.startswith('/') and os.path.isfile(value):
        yield os.path.normpath(value)


def read_by_the_build():
    """Of the source: what is compiled, installed or run, and the files that say so."""
    for name in ('buildsystem_files', 'targets', 'tests', 'installed', 'install_plan'):
        for path in paths_of(told(name)):
            if path.startswith(SOURCE + '/') and not path.startswith(BUILD + '/'):
                yield os.path.relpath(path, SOURCE)


class Archive(unittest.TestCase):
    def test_what_the_build_reads_is_there(self):
        read = {path for path in read_by_the_build() if not path.startswith('build/')}
        self.assertGreater(len(read), 1000)
        self.assertEqual(read - files_there(), set(), 'git add them')

    def test_what_people_need_is_there(self):
        self.assertEqual(set(TOP) - files_there(), set())

    def test_nothing_is_held_back(self):
        """No attribute of Git keeps a file out of an archive, or changes it there."""
        with open(os.path.join(SOURCE, '.gitattributes'), encoding='utf-8') as file:
            self.assertNotIn('export-', file.read())


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
