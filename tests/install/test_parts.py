# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options hub, daemon and desktop: what each would build and install. test_parts.py SOURCE."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE = sys.argv[1]

# Whose a file is, by its path below DESTDIR; the first that fits.
OWNERS = [
    ('desktop', r'desktop|io\.streamd\.Desktop'),
    ('hub', r'streamhub'),
    ('daemon', r'streamctl|/streamd$|dbus-1|polkit-1|systemd/(system|user)/streamd\.|sysusers\.d/streamd\.|'
               r'man[158]/(streamd\.|io\.streamd)|ssh_config'),
    ('shared', r'/share/doc/|/share/locale/|systemd/catalog'),
]
FOLDERS = {'prefix': '/usr', 'bindir': '/usr/bin', 'datadir': '/usr/share', 'mandir': '/usr/share/man',
           'libexecdir': '/usr/libexec'}


def owner(path):
    return next((name for name, pattern in OWNERS if re.search(pattern, path)), f'nobody: {path}')


class Parts(unittest.TestCase):
    def files_of(self, *parts):
        """What `meson install` would install with these parts alone, scripts included."""
        with tempfile.TemporaryDirectory(prefix='streamd-parts-') as build:
            done = subprocess.run(
                ['meson', 'setup', build, SOURCE, '-Dprefix=/usr', '-Dtests=false', '-Dexamples=false',
                 *(f'-D{name}={str(name in parts).lower()}' for name in ('hub', 'daemon')),
                 f'-Ddesktop={"enabled" if "desktop" in parts else "disabled"}'],
                capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            said = subprocess.run(['meson', 'introspect', '--install-plan', build], capture_output=True, check=True)
            plan = [entry['destination'] for kind in json.loads(said.stdout).values() for entry in kind.values()]
            with open(os.path.join(build, 'build.ninja'), encoding='utf-8') as file:
                self.ninja = file.read()
            with open(os.path.join(build, 'meson-private/install.dat'), 'rb') as file:
                self.scripts = file.read()
        for name, folder in FOLDERS.items():
            plan = [path.replace(f'{{{name}}}', folder) for path in plan]
        return set(plan)

    def linked(self):
        return {name for name in ('soup-3.0', 'sqlite3', 'gtk-4', 'gnutls') if f'lib{name}' in self.ninja}

    def check_files(self, parts, owners):
        files = self.files_of(*parts)
        self.assertEqual({owner(path) for path in files}, owners)
        return files

    def test_hub(self):
        files = self.check_files(['hub'], {'hub', 'shared'})
        self.assertIn('/usr/lib/sysusers.d/streamhub.conf', files)
        self.assertEqual(self.linked(), {'soup-3.0', 'sqlite3', 'gnutls'})
        self.assertIn(b'streamhub.conf', self.scripts)
        self.assertNotIn(b'20-streamd.conf', self.scripts)

    def test_daemon(self):
        files = self.check_files(['daemon'], {'daemon', 'shared'})
        for path in '/usr/bin/streamd', '/usr/bin/streamctl', '/usr/lib/sysusers.d/streamd.conf':
            self.assertIn(path, files)
        self.assertEqual(self.linked(), {'gnutls'})
        self.assertIn(b'20-streamd.conf', self.scripts)
        self.assertNotIn(b'/streamd/streamhub.conf', self.scripts)

    def test_desktop(self):
        files = self.check_files(['desktop'], {'desktop', 'shared'})
        self.assertIn('/usr/bin/streamd-desktop', files)
        self.assertEqual(self.linked(), {'gtk-4'})

    def test_none_is_lost(self):
        alone = self.files_of('hub') | self.files_of('daemon')
        self.assertEqual(self.files_of('hub', 'daemon'), alone)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
