# SPDX-License-Identifier: LGPL-2.1-or-later
"""The chains that are compared. Each goes from a port on 127.0.0.1 through three relays to the sink's port.

A chain has start(), which returns the port to send to, and parts(): (name, process) of everything that a
byte passes. Ports are fixed: the network namespace is ours alone."""

import getpass
import os
import re
import shutil
import subprocess

from processes import Failure, run

SINK_PORT = 9000


def need(program, package):
    """Where PROGRAM is; the folders of root's programs are searched too."""
    path = shutil.which(program, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
    if not path:
        raise Failure(f'no {program} (Debian: {package})')
    return path


class Chain:
    def __init__(self, processes, scratch, build):
        self.processes = processes
        self.scratch = os.path.join(scratch, self.name)
        self.build = build
        self.running = []
        os.mkdir(self.scratch)

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        return self.path(name)

    def launch(self, part, command, **options):
        process = self.processes.start(f'{self.name}-{part}', command, **options)
        self.running.append((part, process))
        return process

    def parts(self):
        return self.running


class Plain(Chain):
    """Three TCP relays, no TLS, no framing: what the kernel alone costs."""

    name = 'plain'
    title = 'plain TCP relays'

    def start(self):
        for part, port, to in [('gateway', 9103, SINK_PORT), ('hub', 9102, 9103), ('client', 9101, 9102)]:
            relay = self.launch(part, [os.path.join(self.build, 'bench/relay'), str(port), str(to)])
            self.processes.wait_for_port(relay, port)
        return 9101


class Nginx(Chain):
    """nginx's stream module three times: TCP to TLS, TLS to TLS, TLS to TCP. TLS 1.3 with AES-128-GCM, ECDSA P-256."""

    name = 'nginx'
    title = 'nginx stream, TLS on both hops'

    MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so'
    CONFIG = '''\
load_module {module};
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 1024; }}
stream {{
    ssl_certificate {cert};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    proxy_ssl_protocols TLSv1.3;
    proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    proxy_ssl_trusted_certificate {cert};
    proxy_ssl_name bench.example;
    proxy_ssl_verify on;
    proxy_buffer_size 256k;
    server {{
        listen 127.0.0.1:{port}{tls_in};
        proxy_pass 127.0.0.1:{to};
        proxy_ssl {tls_out};
    }}
}}
'''

    def certificate(self):
        cert, key = self.path('cert.pem'), self.path('key.pem')
        run([need('openssl', 'openssl'), 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-days', '2', '-subj', '/CN=bench.example', '-addext', 'subjectAltName=DNS:bench.example',
             '-keyout', key, '-out', cert])
        return cert, key

    def start(self):
        nginx = need('nginx', 'nginx')
        if not os.path.exists(self.MODULE):
            raise Failure(f'no {self.MODULE} (Debian: libnginx-mod-stream)')
        cert, key = self.certificate()
        user = f'user {getpass.getuser()};' if os.getuid() == 0 else ''
        for part, port, to, tls_in, tls_out in [('gateway', 9203, SINK_PORT, ' ssl', 'off'),
                                                ('hub', 9202, 9203, ' ssl', 'on'), ('client', 9201, 9202, '', 'on')]:
            os.mkdir(self.path(part))
            config = self.write(part + '.conf', self.CONFIG.format(
                module=self.MODULE, folder=self.path(part), user=user, cert=cert, key=key, port=port, to=to,
                tls_in=tls_in, tls_out=tls_out))
            process = self.launch(part, [nginx, '-e', 'stderr', '-p', self.path(part), '-c', config])
            self.processes.wait_for_port(process, port)
        return 9201


class Ssh(Chain):
    """ssh -R from the gateway and ssh -L from the client to an sshd of our own, aes128-gcm."""

    name = 'ssh'
    title = 'ssh -R and -L, aes128-gcm'

    CONFIG = '''\
Port 9300
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
Ciphers aes128-gcm@openssh.com
'''

    def ssh(self, part, *forward):
        return self.launch(part, [
            'ssh', '-F', 'none', '-N', '-p', '9300', '-i', self.path('user'), '-o', 'IdentitiesOnly=yes',
            '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR',
            '-o', 'ExitOnForwardFailure=yes', '-o', 'Ciphers=aes128-gcm@openssh.com', *forward, '127.0.0.1'])

    def start(self):
        sshd = need('sshd', 'openssh-server')
        for key in ['host', 'user']:
            run([need('ssh-keygen', 'openssh-client'), '-q', '-t', 'ed25519', '-N', '', '-f', self.path(key)])
        if os.getuid() == 0:
            os.makedirs('/run/sshd', exist_ok=True)
        config = self.write('sshd_config', self.CONFIG.format(folder=self.scratch))
        hub = self.launch('hub', [sshd, '-D', '-e', '-f', config])
        self.processes.wait_for_port(hub, 9300)
        gateway = self.ssh('gateway', '-R', f'127.0.0.1:9302:127.0.0.1:{SINK_PORT}')
        self.processes.wait_for_port(gateway, 9302)
        client = self.ssh('client', '-L', f'127.0.0.1:9301:127.0.0.1:9302')
        self.processes.wait_for_port(client, 9301)
        return 9301


class Hub:
    """A streamhub in a folder of its own, and its verbs."""

    def __init__(self, processes, folder, build, https, mqtts):
        self.processes = processes
        self.https, self.mqtts = https, mqtts
        self.program = program(build, 'hub/streamhub')
        self.state = os.path.join(folder, 'hub')
        self.ca = os.path.join(self.state, 'ca.pem')
        run([self.program, 'init', '--state-dir', self.state, '--host-name', 'localhost', '--san', 'IP:127.0.0.1'])

    def command(self, *options):
        return [self.program, 'serve', '--state-dir', self.state, '--listen', f'127.0.0.1:{self.https}',
                '--mqtt-listen', f'127.0.0.1:{self.mqtts}', '--grace', '0', *options]

    def wait(self, process):
        self.processes.wait_for_text(process, '\nready\n')

    def verb(self, *words):
        return run([self.program, '--state-dir', self.state, *words])


class Ours(Chain):
    """streamd, streamhub, streamd: a tunnel to a target, each end with a bus of its own."""

    name = 'ours'
    title = 'streamd, streamhub, streamd'
    ports = 9402, 9403, 9401  # of the hub (HTTPS, MQTT), of the tunnel
    settings = ''             # of the hub
    delay, rate = 0, 0        # ms each way between the hub and either end, MB/s of a connection

    def end(self, part, connection_string):
        """A bus and a streamd on it, with the hub added. Returns a function that runs streamctl there."""
        folder = self.path(part)
        os.mkdir(folder)
        address = f'unix:path={folder}/bus'
        bus = self.processes.start(f'{self.name}-{part}-bus', [
            need('dbus-daemon', 'dbus'), '--session', '--nofork', f'--address={address}'])
        self.processes.wait_for(bus, lambda: os.path.exists(f'{folder}/bus'), 'listened')
        environment = {key: value for key, value in os.environ.items() if key not in ('NOTIFY_SOCKET', 'STATE_DIRECTORY')}
        environment['DBUS_SESSION_BUS_ADDRESS'] = address
        daemon = self.launch(part, [program(self.build, 'daemon/streamd'), '--user', '--state-dir', f'{folder}/state'],
                             env=environment)
        client = program(self.build, 'client/streamctl')

        def streamctl(*words):
            return run([client, '--user', *words], env=environment)

        def answers():
            return subprocess.run([client, '--user', 'status'], env=environment, check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL).returncode == 0

        self.processes.wait_for(daemon, answers, 'answered on the bus')
        streamctl('hub', 'add', 'bench', '--connection-string-file', connection_string, '--ca', self.hub.ca)
        return streamctl

    def start(self):
        https, mqtts, listen = self.ports
        settings = self.settings
        self.hub = Hub(self.processes, self.scratch, self.build, https, mqtts)
        if self.delay:
            line = self.processes.start(f'{self.name}-line', [
                os.path.join(self.build, 'bench/delay'), str(https + 50), str(https), str(self.delay), str(self.rate)])
            self.processes.wait_for_port(line, https + 50)
            settings += f'public-address = localhost:{https + 50}\n'
        config = self.write('hub.conf', f'[hub]\n{settings}')
        self.hub.wait(self.launch('hub', self.hub.command('--config', config)))
        self.hub.verb('device', 'add', 'gateway')
        self.hub.verb('connection-string', 'device', 'gateway', '--output', self.path('device'))
        self.hub.verb('connection-string', 'user', 'service', '--output', self.path('service'))
        gateway = self.end('gateway', self.path('device'))
        gateway('target', 'add', 'sink', f'tcp:127.0.0.1:{SINK_PORT}')
        gateway('accept-policy', 'add', '--stream', 'bulk', '--accept', 'sink')
        client = self.end('client', self.path('service'))
        answer = client('tunnel', 'open', 'gateway', 'bulk', '--listen', f'tcp:127.0.0.1:{listen}', '--background', '--wait=20')
        if f'tcp:127.0.0.1:{listen}' not in answer.splitlines()[0]:
            raise Failure(f'streamctl tunnel open: {answer}')
        return listen


class Legs(Ours):
    """The same, but a stream ends with its leg."""

    name = 'legs'
    title = 'the same without resume'
    ports = 9502, 9503, 9501
    settings = 'resume = no\n'


class FarOurs(Ours):
    """The two ends are 150 ms apart, there and back by the hub, on lines of 40 MB/s: 6 MB are under way."""

    name = 'far'
    title = 'ends 150 ms apart'
    ports = 9602, 9603, 9601
    delay, rate = 37.5, 40


class FarLegs(FarOurs):
    name = 'far-legs'
    title = 'the same without resume'
    ports = 9702, 9703, 9701
    settings = 'resume = no\n'


def program(build, path):
    """A program of ours, and not one that runs under a sanitizer: its figures would mean nothing."""
    path = os.path.join(build, path)
    if not os.path.exists(path):
        raise Failure(f'{path} is not built')
    with open(path, 'rb') as file:
        if re.search(rb'__(a|t|m)san_init', file.read()):
            raise Failure(f'{path} is built with a sanitizer')
    return path


CHAINS = [Plain, Nginx, Ssh, Ours]
