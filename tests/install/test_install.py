# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs into an empty folder and looks at what is there: test_install.py BUILD SOURCE."""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

BUILD, SOURCE = sys.argv[1:3]

FILES = '''
etc/streamd/streamhub.conf
usr/bin/streamctl
usr/bin/streamd
usr/bin/streamhub
usr/libexec/streamhub-push
usr/libexec/streamhubd
etc/ssh/ssh_config.d/20-streamd.conf
usr/lib/streamd/ssh_config.d/20-streamd.conf
usr/lib/systemd/catalog/streamd.catalog
usr/lib/systemd/system/streamd.service
usr/lib/systemd/system/streamhub-certificate.service
usr/lib/systemd/system/streamhub-certificate.timer
usr/lib/systemd/system/streamhub-mqtts.socket
usr/lib/systemd/system/streamhub-push.service
usr/lib/systemd/system/streamhub.service
usr/lib/systemd/system/streamhub.socket
usr/lib/systemd/user/streamd.service
usr/lib/sysusers.d/streamd.conf
usr/lib/sysusers.d/streamhub.conf
usr/share/bash-completion/completions/streamctl
usr/share/bash-completion/completions/streamhub
usr/share/dbus-1/services/io.streamd.Streamd1.service
usr/share/dbus-1/system-services/io.streamd.Streamd1.service
usr/share/dbus-1/system.d/io.streamd.Streamd1.conf
usr/share/doc/streamd/NEWS.md
usr/share/doc/streamd/README.md
usr/share/doc/streamd/SECURITY.md
usr/share/doc/streamd/dbus/README.md
usr/share/doc/streamd/docs/apps.md
usr/share/doc/streamd/docs/languages.md
usr/share/doc/streamd/docs/operations.md
usr/share/doc/streamd/docs/records.md
usr/share/doc/streamd/docs/upgrade.md
usr/share/doc/streamd/docs/wire-protocol.md
usr/share/doc/streamd/examples/README.md
usr/share/doc/streamd/examples/bindings/streamd-types.h
usr/share/doc/streamd/examples/echo/echo-handler.c
usr/share/doc/streamd/examples/echo/echo-handler.py
usr/share/doc/streamd/examples/echo/echo-initiator.c
usr/share/doc/streamd/examples/echo/echo-initiator.py
usr/share/doc/streamd/examples/monitoring/README.md
usr/share/doc/streamd/examples/monitoring/dashboard.json
usr/share/doc/streamd/examples/monitoring/prometheus.yml
usr/share/doc/streamd/examples/monitoring/streamd-metrics.service
usr/share/doc/streamd/examples/monitoring/streamd-metrics.timer
usr/share/doc/streamd/examples/monitoring/streamd-rules-test.yml
usr/share/doc/streamd/examples/monitoring/streamd-rules.yml
usr/share/fish/vendor_completions.d/streamctl.fish
usr/share/fish/vendor_completions.d/streamhub.fish
usr/share/man/man5/streamd.conf.5
usr/share/man/man1/streamctl.1
usr/share/man/man5/io.streamd.Streamd1.Manager.5
usr/share/man/man5/streamhub.conf.5
usr/share/man/man8/streamd.8
usr/share/man/man8/streamhub.8
usr/share/zsh/vendor-completions/_streamctl
usr/share/zsh/vendor-completions/_streamhub
usr/share/man/man5/streamd.conf.5
'''.split()

# Exposure as systemd-analyze counts it, ten times: 20 is what must hold.
EXPOSURE_MAX = 20


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix='streamd-install-')
        cls.addClassCleanup(shutil.rmtree, cls.root)
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--destdir', cls.root],
                       check=True, stdout=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.root, name)

    def units(self, kind='*'):
        return sorted(glob.glob(self.path(f'usr/lib/systemd/system/{kind}')))

    def test_files(self):
        interfaces = [f'usr/share/dbus-1/interfaces/{os.path.basename(path)}'
                      for path in glob.glob(f'{SOURCE}/dbus/*.xml')]
        actions = [f'usr/share/polkit-1/actions/{os.path.basename(path)}'
                   for path in glob.glob(f'{SOURCE}/policy/*.policy*')]
        actions = [path.removesuffix('.in') for path in actions]
        found = [os.path.relpath(os.path.join(folder, name), self.root)
                 for folder, _, names in os.walk(self.root) for name in names]
        for name in FILES + interfaces + actions:
            self.assertIn(name, found)

    def test_nothing_is_left_of_the_templates(self):
        for folder in 'usr/lib', 'usr/share/dbus-1':
            for path in glob.glob(self.path(f'{folder}/**'), recursive=True):
                if os.path.isfile(path):
                    self.assertIsNone(re.search('@[a-z]+@', read(path)), path)

    def verify(self, paths):
        """In a folder where the programs are where the units say: systemd wants to see them."""
        with tempfile.TemporaryDirectory() as folder:
            for path in paths:
                text = re.sub(r'=(\+?)/usr/(bin|libexec)/stream', rf'=\1{self.root}/usr/\2/stream', read(path))
                with open(os.path.join(folder, os.path.basename(path)), 'w',
                          encoding='utf-8') as file:
                    file.write(text)
            done = subprocess.run(
                ['systemd-analyze', 'verify', '--man=no', *sorted(glob.glob(f'{folder}/*'))],
                capture_output=True, text=True, check=False)
        said = [line for line in done.stderr.splitlines() if 'stream' in line]
        self.assertEqual(said, [])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_verify_of_the_system(self):
        self.assertEqual(len(self.units()), 7)
        self.verify(self.units())

    def test_verify_of_the_user(self):
        self.verify([self.path('usr/lib/systemd/user/streamd.service')])

    def test_exposure(self):
        """Of the system's. A user's manager can take no rights away that the user has, so there
        the number says nothing."""
        for path in self.units('*.service'):
            done = subprocess.run(
                ['systemd-analyze', 'security', '--offline=true', '--no-pager',
                 f'--threshold={EXPOSURE_MAX}', path], capture_output=True, text=True, check=False)
            print(os.path.basename(path), done.stdout.splitlines()[-1], file=sys.stderr)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_units_and_programs(self):
        """Each starts a program that is installed; the hub's is the server alone, not the verbs."""
        for path in self.units('*.service'):
            program = re.search(r'(?m)^ExecStart=(\S+)', read(path)).group(1)
            self.assertTrue(os.access(self.path(program[1:]), os.X_OK), program)
        self.assertIn('ExecStart=/usr/libexec/streamhubd ',
                      read(self.path('usr/lib/systemd/system/streamhub.service')))

    def test_it_never_gives_up(self):
        for path in self.units('*.service') + [self.path('usr/lib/systemd/user/streamd.service')]:
            if 'Type=oneshot' in read(path).splitlines():
                continue
            for line in 'Restart=always', 'StartLimitIntervalSec=0', 'Type=notify':
                self.assertIn(line, read(path).splitlines(), path)
            self.assertRegex(read(path), r'(?m)^WatchdogSec=\d+$')

    def test_bus_policy_names_every_interface(self):
        """Both ways: an interface that is not named here cannot be called on the system bus."""
        policy = xml.etree.ElementTree.parse(
            self.path('usr/share/dbus-1/system.d/io.streamd.Streamd1.conf'))
        named = {rule.get('send_interface') for rule in policy.iter('allow')}
        for path in glob.glob(f'{SOURCE}/dbus/*.xml'):
            for interface in xml.etree.ElementTree.parse(path).iter('interface'):
                self.assertIn(interface.get('name'), named)
        owners = [group.get('user') for group in policy.iter('policy')
                  for rule in group.iter('allow') if rule.get('own') == 'io.streamd.Streamd1']
        self.assertEqual(owners, ['streamd'])

    def test_only_an_enabled_one_is_activated(self):
        """The bus starts an alias that exists while the unit is enabled; a user's own always."""
        alias = 'dbus-io.streamd.Streamd1.service'
        unit = read(self.path('usr/lib/systemd/system/streamd.service')).splitlines()
        self.assertIn(f'Alias={alias}', unit[unit.index('[Install]'):])
        for bus, name in (('system-services', alias), ('services', 'streamd.service')):
            service = read(self.path(f'usr/share/dbus-1/{bus}/io.streamd.Streamd1.service'))
            self.assertIn(f'SystemdService={name}', service.splitlines())
        self.assertFalse(os.path.exists(self.path(f'usr/lib/systemd/system/{alias}')))

    def test_one_user_in_all_places(self):
        for user, unit in ('streamd', 'streamd'), ('streamhub', 'streamhub'):
            service = read(self.path(f'usr/lib/systemd/system/{unit}.service'))
            self.assertIn(f'User={user}', service.splitlines())
            self.assertRegex(read(self.path(f'usr/lib/sysusers.d/{user}.conf')), rf'(?m)^u {user} - ')

    def test_renewal_has_no_network(self):
        service = read(self.path('usr/lib/systemd/system/streamhub-certificate.service')).splitlines()
        for line in 'PrivateNetwork=yes', 'RestrictAddressFamilies=AF_UNIX', 'Type=oneshot':
            self.assertIn(line, service)
        self.assertNotIn('User=', '\n'.join(service))

    def test_push_sees_the_records_alone(self):
        service = read(self.path('usr/lib/systemd/system/streamhub-push.service')).splitlines()
        for line in ('User=streamhub', 'TemporaryFileSystem=%S/streamhub:ro', 'BindReadOnlyPaths=-%S/streamhub/records',
                     'ProtectSystem=strict', 'CapabilityBoundingSet='):
            self.assertIn(line, service)
        for unit in 'streamhub.service', 'streamhub.socket':
            self.assertNotIn('streamhub-push', read(self.path(f'usr/lib/systemd/system/{unit}')))


class Again(unittest.TestCase):
    """Installed over what an administrator has changed."""
    CONF = 'etc/streamd/streamhub.conf'
    LINK = 'etc/ssh/ssh_config.d/20-streamd.conf'
    RECORD = 'etc/streamd/.installed'
    OURS = read(os.path.join(SOURCE, 'systemd/streamhub.conf'))
    CHANGED = '[hub]\npenalty = 7\n'

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix='streamd-install-')
        self.addCleanup(shutil.rmtree, self.root)
        self.install()

    def install(self, umask=0o022, **env):
        kept = os.path.join(BUILD, 'meson-logs/kept')
        if os.path.exists(kept):
            os.unlink(kept)
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--destdir', self.root], check=True,
                       stdout=subprocess.DEVNULL, umask=umask, env={**os.environ, **env})
        return read(kept).splitlines() if os.path.exists(kept) else []

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)

    def assert_conf(self, text, new=None):
        self.assertEqual(read(self.path(self.CONF)), text)
        self.assertEqual(os.path.exists(self.path(self.CONF + '.new')), new is not None)
        if new:
            self.assertEqual(read(self.path(self.CONF + '.new')), new)

    def installed_by_an_older_version(self, text):
        """Its default was TEXT, and that is recorded."""
        self.write(self.RECORD, f'{hashlib.sha256(text.encode()).hexdigest()} /{self.CONF}\n')

    def test_nothing_was_changed(self):
        self.assertEqual(self.install(umask=0o077), [])
        self.assert_conf(self.OURS)
        self.assertEqual(os.stat(self.path(self.CONF)).st_mode & 0o777, 0o644)
        self.assertTrue(os.path.islink(self.path(self.LINK)))
        self.assertEqual(len(read(self.path(self.RECORD)).splitlines()), 2)

    def test_a_changed_file_is_kept(self):
        self.write(self.CONF, self.CHANGED)
        for _ in range(2):
            self.assertEqual(self.install(), [f'Kept: /{self.CONF} as it was changed here'])
            self.assert_conf(self.CHANGED)

    def test_a_new_default_goes_beside_it(self):
        self.installed_by_an_older_version('# older\n')
        self.write(self.CONF, self.CHANGED)
        self.assertEqual(self.install(), [
            f'Kept: /{self.CONF} as it was changed here; the new one is /{self.CONF}.new'])
        self.assert_conf(self.CHANGED, self.OURS)
        self.install()
        self.assert_conf(self.CHANGED, self.OURS)
        self.write(self.CONF, self.OURS)
        self.assertEqual(self.install(), [])
        self.assert_conf(self.OURS)

    def test_an_old_default_that_nobody_changed_is_replaced(self):
        self.installed_by_an_older_version('# older\n')
        self.write(self.CONF, '# older\n')
        self.assertEqual(self.install(), [])
        self.assert_conf(self.OURS)

    def test_a_file_that_is_gone_comes_back(self):
        """The hub's unit names it."""
        os.unlink(self.path(self.CONF))
        self.assertEqual(self.install(), [])
        self.assert_conf(self.OURS)

    def test_from_before_there_was_a_record(self):
        os.unlink(self.path(self.RECORD))
        self.write(self.CONF, self.CHANGED)
        os.unlink(self.path(self.LINK))
        self.assertEqual(len(self.install(STREAMD_UPDATE='yes')), 2)
        self.assert_conf(self.CHANGED, self.OURS)
        self.assertFalse(os.path.lexists(self.path(self.LINK)))

    def test_a_removed_link_stays_removed(self):
        os.unlink(self.path(self.LINK))
        for _ in range(2):
            said = self.install()
            self.assertEqual(len(said), 1)
            self.assertIn(f'/{self.LINK} was removed and stays so', said[0])
            self.assertFalse(os.path.lexists(self.path(self.LINK)))

    def test_something_else_in_the_place_of_the_link(self):
        os.unlink(self.path(self.LINK))
        self.write(self.LINK, '# my own\n')
        self.assertEqual(self.install(), [])
        self.assertEqual(read(self.path(self.LINK)), '# my own\n')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
