# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests put at the two ends of a stream and in between: servers, clients, a proxy that
cuts, a real sshd."""
import contextlib
import hashlib
import os
import shutil
import socket
import struct
import threading

from harness import PATIENCE, Process, check, eventually, run_ok


class Server:
    """A listener on loopback; each connection is handed to serve(socket) in a thread of its own."""

    def __init__(self, serve, site=None, backlog=512):
        self.serve = serve
        self.errors = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self.address = f"tcp:127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()
        if site is not None:
            site.closers.append(self.close)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                self.serve(connection)
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(error)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def connect(port):
    """A TCP connection to a tunnel on loopback that fails rather than hangs for ever."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(PATIENCE * 2)
    return connection


def reset(connection):
    """Closes with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_all(connection):
    """Everything up to a clean end; a reset raises ConnectionResetError."""
    parts = []
    while True:
        part = connection.recv(1 << 18)
        if not part:
            return b"".join(parts)
        parts.append(part)


def read_exactly(connection, size):
    """Exactly that many bytes; an end before them fails."""
    parts = []
    left = size
    while left:
        part = connection.recv(min(left, 1 << 18))
        check(part, f"ended with {left} of {size} bytes missing")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def echo(connection):
    """Each piece as it comes, until the other side ends."""
    while data := connection.recv(1 << 16):
        connection.sendall(data)


def tick(connection):
    """A few bytes there and back."""
    connection.sendall(b"tick")
    check(read_exactly(connection, 4) == b"tick", "the echo is wrong")


def send_random(connection, size):
    """Sends that many random bytes and the end of data; returns their SHA-256."""
    digest = hashlib.sha256()
    left = size
    while left:
        block = os.urandom(min(left, 1 << 18))
        digest.update(block)
        connection.sendall(block)
        left -= len(block)
    connection.shutdown(socket.SHUT_WR)
    return digest.hexdigest()


def receive_digest(connection, first=b""):
    """Reads to a clean end; returns the count and the SHA-256, of what was read before as well."""
    digest = hashlib.sha256(first)
    total = len(first)
    buffer = bytearray(1 << 18)
    view = memoryview(buffer)
    while True:
        count = connection.recv_into(buffer)
        if count == 0:
            return total, digest.hexdigest()
        digest.update(view[:count])
        total += count


def in_threads(*calls):
    """Runs the calls side by side; returns their results, or raises the first error."""
    results = [None] * len(calls)
    errors = []

    def one(index, call):
        try:
            results[index] = call()
        except BaseException as error:  # pylint: disable=broad-except
            errors.append(error)

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


class FaultProxy:
    """A TCP proxy in front of the hub that can cut what passes through it, or let nothing pass
    while both sides think that all is well (flowing), flip a bit of what comes next (flip), or pass
    the first bytes of each piece on one by one (trickle: how many)."""

    def __init__(self, upstream=None, host="127.0.0.1"):
        self.host = host
        self.upstream = upstream
        self.pairs = []
        self.lock = threading.Lock()
        self.flowing = threading.Event()
        self.flowing.set()
        self.flip = threading.Event()
        self.trickle = 0
        self.listener = socket.create_server((host, 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.flowing.set()
        self.cut()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((self.host, self.upstream))
            except OSError:
                reset(near)
                continue
            is_cut = threading.Event()
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.append((near, far, is_cut))
            for source, sink in ((near, far), (far, near)):
                arguments = (source, sink, is_cut)
                threading.Thread(target=self._pump, args=arguments, daemon=True).start()

    def _pump(self, source, sink, is_cut):
        buffer = bytearray(1 << 18)
        view = memoryview(buffer)
        with contextlib.suppress(OSError):
            while True:
                count = source.recv_into(buffer)
                self.flowing.wait()
                if is_cut.is_set():
                    return
                if count == 0:
                    sink.shutdown(socket.SHUT_WR)
                    return
                if self.flip.is_set():
                    self.flip.clear()
                    buffer[count // 2] ^= 1
                slow = min(self.trickle, count)
                for at in range(slow):
                    sink.sendall(view[at:at + 1])
                sink.sendall(view[slow:count])

    def forget(self):
        """The next connection is number 0 again."""
        with self.lock:
            self.pairs.clear()

    def cut(self, which=None, how="rst"):
        """Cuts the connections of these numbers, in the order they came, None means all: "rst"
        resets both sides, "fin" ends both TCP connections in good order, without a word of TLS."""
        with self.lock:
            pairs = [p for i, p in enumerate(self.pairs) if which is None or i in which]
        for near, far, is_cut in pairs:
            is_cut.set()
            for connection in (near, far):
                with contextlib.suppress(OSError):
                    if how == "rst":
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                              struct.pack("ii", 1, 0))
                        # A thread that reads from it holds it open: wake that.
                        connection.shutdown(socket.SHUT_RD)
                        connection.close()
                    else:
                        connection.shutdown(socket.SHUT_WR)


class Sshd:
    """A real sshd on loopback for the user who runs the test, with keys of its own."""

    def __init__(self, site):
        directory = os.path.join(site.dir, "sshd")
        os.makedirs(directory, mode=0o700)
        self.host_key = os.path.join(directory, "host_key")
        self.user_key = os.path.join(directory, "user_key")
        for key in (self.host_key, self.user_key):
            run_ok(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
        shutil.copy(self.user_key + ".pub", os.path.join(directory, "authorized_keys"))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.port = free_port()
        config = os.path.join(directory, "sshd_config")
        with open(config, "w", encoding="ascii") as file:
            file.write(
                f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.host_key}\n"
                f"AuthorizedKeysFile {directory}/authorized_keys\nPidFile none\nStrictModes no\n"
                "MaxStartups 400\nLoginGraceTime 600\nUsePAM no\nUseDNS no\nPermitRootLogin yes\n"
                "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPrintMotd no\n"
                "PermitUserRC no\nSubsystem sftp internal-sftp\n"
            )
        known_hosts = os.path.join(directory, "known_hosts")
        with open(self.host_key + ".pub", encoding="ascii") as key:
            host_key = " ".join(key.read().split()[:2])
        with open(known_hosts, "w", encoding="ascii") as file:
            file.write(f"gateway {host_key}\n")
        self.address = f"tcp:127.0.0.1:{self.port}"
        self.options = [
            "-F", "none", "-i", self.user_key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
            "-o", f"UserKnownHostsFile={known_hosts}", "-o", "GlobalKnownHostsFile=none",
            "-o", "HostKeyAlias=gateway", "-o", "StrictHostKeyChecking=yes", "-o", "IdentityAgent=none",
        ]
        sshd = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        process = Process(site, "sshd", [sshd, "-D", "-e", "-f", config])
        site.processes.append(process)
        eventually(lambda: can_connect(self.port, process), "sshd listens")

    def ssh(self, port, *command):
        """The command line of an ssh through a tunnel."""
        return ["ssh", *self.options, "-p", str(port), "127.0.0.1", *command]


def can_connect(port, process):
    check(process.alive(), f"{process.name} ended:\n{process.log()}")
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except ConnectionRefusedError:
        return False


def free_port():
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
