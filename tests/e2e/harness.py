# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the end-to-end tests stand on: the three programs as processes, in a directory of their own.

A Site holds a hub on loopback ports that the kernel chose, a gateway's streamd and a client's
streamd, each on a private bus. Nothing waits by sleeping alone: a process says that it is ready
(standard output, sd_notify), a condition is asked for until it holds. What a process wrote is kept
in a file of the directory and shown when a case fails. Everything is ended by its process id.

The programs come from the environment: STREAMHUB, STREAMD, STREAMCTL (meson sets them).
STREAMD_LONG=1 asks for full sizes, STREAMD_SANITIZED=1 says that memory is not to be judged.
STREAMD_STARTERS names a folder with a script for each program, which runs one of another architecture
(tests/arch); they are slow, and their memory is not theirs alone.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

LONG = bool(os.environ.get("STREAMD_LONG"))
STARTERS = os.environ.get("STREAMD_STARTERS")
SANITIZED = bool(STARTERS) or os.environ.get("STREAMD_SANITIZED", "0") not in ("", "0")
for program in ("STREAMHUB", "STREAMD", "STREAMCTL", "STREAMHUB_PUSH") if STARTERS else ():
    if program in os.environ:
        os.environ[program] = os.path.join(STARTERS, os.path.basename(os.environ[program]))
# How long a condition may take to become true. Only a test that fails ever waits this long.
PATIENCE = 120 if SANITIZED else 60
RSS_LIMIT_KIB = 64 * 1024


class Failure(AssertionError):
    """A case's own finding; anything else that is raised fails the case too."""


def check(condition, message):
    """Fails the case with the message unless the condition holds."""
    if not condition:
        raise Failure(message)


def check_equal(got, wanted, what):
    """Fails the case unless both are equal, and shows both."""
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


def eventually(condition, what, patience=PATIENCE):
    """Asks until condition() is true, and returns what it said."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"never happened in {patience} s: {what}")
        time.sleep(0.02)


# -- processes ---------------------------------------------------------------------------------


class Process:
    """A process whose output goes to a file; ended by its id."""

    def __init__(self, site, name, argv, env=None, stdout=None, **kwargs):
        self.name = name
        self.log_path = os.path.join(site.dir, name + ".log")
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log, **kwargs
            )
        self.pid = self.popen.pid
        self.ended_by_us = False

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def alive(self):
        return self.popen.poll() is None

    def stop(self, how=signal.SIGTERM, patience=PATIENCE):
        """Ends it, the hard way when it does not go; returns its exit status."""
        self.ended_by_us = self.alive()
        if self.ended_by_us:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.send_signal(how)
            try:
                self.popen.wait(patience)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
                raise Failure(f"{self.name} did not end on signal {how}") from None
        return self.popen.returncode

    def fds(self):
        """How many descriptors it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def status_kib(self, field):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        raise Failure(f"{self.name}: no {field}")

    def reset_peak(self):
        """Starts VmHWM again from what is resident now."""
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def peak_kib(self):
        return self.status_kib("VmHWM")

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bus(Process):
    """A dbus-daemon with a socket in the site's directory."""

    CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

    def __init__(self, site, name):
        path = os.path.join(site.dir, name + ".bus")
        config = path + ".conf"
        with open(config, "w", encoding="ascii") as file:
            file.write(self.CONFIG.format(path=path))
        read_end, write_end = os.pipe()
        super().__init__(
            site,
            name + "-bus",
            ["dbus-daemon", f"--config-file={config}", "--nofork", f"--print-address={write_end}"],
            pass_fds=[write_end],
        )
        os.close(write_end)
        with open(read_end, encoding="ascii") as answer:
            self.address = answer.readline().strip()
        check(self.address, "dbus-daemon did not start: " + self.log())


class Hub(Process):
    """streamhub serve; its ports are read from what it prints."""

    def __init__(self, site, name="hub", arguments=(), ports=("0", "0"), env=None):
        self.site = site
        self.state_dir = os.path.join(site.dir, "hub-state")
        self.arguments = list(arguments)
        argv = [
            *site.where(name), site.streamhub, "serve", "--state-dir", self.state_dir,
            "--listen", f"{site.ADDRESS}:{ports[0]}", "--mqtt-listen", f"{site.ADDRESS}:{ports[1]}",
            *arguments,
        ]
        super().__init__(site, name, argv, env=env, stdout=subprocess.PIPE)
        self.https_port = self.mqtts_port = self.metrics_port = None  # of the first listener of each kind
        self.ports = {}  # HTTPS by address
        self._read_ready()

    def _read_ready(self):
        # Its output is a pipe: read until "ready", later lines stay in the pipe's buffer.
        for raw in self.popen.stdout:
            words = raw.decode().split()
            if words[:2] == ["listening", "https"]:
                address, port = words[2].rsplit(":", 1)
                self.ports[address] = int(port)
                self.https_port = self.https_port or int(port)
            elif words[:2] == ["listening", "mqtts"]:
                self.mqtts_port = int(words[2].rsplit(":", 1)[1])
            elif words[:2] == ["listening", "metrics"]:
                self.metrics_port = int(words[2].rsplit(":", 1)[1])
            elif words == ["ready"]:
                break
        check(self.https_port, "the hub did not get ready:\n" + self.log())

    def stop(self, how=signal.SIGTERM, patience=PATIENCE):
        status = super().stop(how, patience)
        self.popen.stdout.close()
        return status

    def admin(self, *arguments):
        """An admin verb against the running hub; returns its standard output."""
        return run_ok([self.site.streamhub, "--state-dir", self.state_dir, *arguments])

    def add_device(self, device):
        self.admin("device", "add", device)
        return self.connection_string("device", device)

    def connection_string(self, kind, name):
        return self.admin("connection-string", kind, name).strip()

    @property
    def ca(self):
        return os.path.join(self.state_dir, "ca.pem")


class Daemon(Process):
    """streamd on a bus of its own, a user's or with SYSTEM the machine's; ready when it says so to its service manager."""

    def __init__(self, site, name, arguments=(), system=False, bus=None):  # pylint: disable=too-many-arguments
        self.site = site
        self.statuses = []  # with site.keep_notify: what STATUS= said, see status()
        self.scope = "--system" if system else "--user"
        self.bus = bus or Bus(site, name)
        if bus is None:
            site.processes.append(self.bus)
        state = os.path.join(site.dir, name + "-state")
        os.makedirs(state, mode=0o700, exist_ok=True)
        notify_path = os.path.join(site.dir, name + ".notify")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(notify_path)
        env = site.environment(STATE_DIRECTORY=state, NOTIFY_SOCKET=notify_path)
        env["DBUS_SYSTEM_BUS_ADDRESS" if system else "DBUS_SESSION_BUS_ADDRESS"] = self.bus.address
        own = [] if system else ["--user"]
        self.env = env
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(notify_path)
            notify.settimeout(1)
            super().__init__(site, name, [*site.where(name), site.streamd, *own, *arguments],
                             env=env)
            eventually(lambda: self._said_ready(notify), f"{name} gets ready")
            if site.keep_notify:
                self._notify = notify.dup()
                self._notify.setblocking(False)
                site.closers.append(self._notify.close)

    def _said_ready(self, notify):
        check(self.alive(), f"{self.name} ended:\n{self.log()}")
        with contextlib.suppress(TimeoutError):
            return b"READY=1" in self._note(notify.recv(4096))
        return False

    def _note(self, message):
        lines = message.split(b"\n")
        self.statuses += [line[7:].decode() for line in lines if line.startswith(b"STATUS=")]
        return lines

    def status(self):
        """What STATUS= says now."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._note(self._notify.recv(4096))
        return self.statuses[-1] if self.statuses else None

    def argv(self, *arguments):
        return [self.site.streamctl, self.scope, *arguments]

    def ctl(self, *arguments, **kwargs):
        """Runs streamctl against this streamd; a subprocess.CompletedProcess of text."""
        return run(self.argv(*arguments), env=self.env, **kwargs)

    def ctl_ok(self, *arguments, **kwargs):
        """The same, and it has to succeed; returns its standard output."""
        return run_ok(self.argv(*arguments), env=self.env, **kwargs)

    def ctl_json(self, *arguments):
        return json.loads(self.ctl_ok("--json", *arguments))

    def start_ctl(self, *arguments, **kwargs):
        """Starts streamctl; the caller's Popen, ended with the site."""
        process = subprocess.Popen(self.argv(*arguments), env=self.env, **kwargs)
        self.site.children.append(process)
        return process

    def streams(self):
        """The streams this streamd has that have not ended; it shows the others for some minutes."""
        shown = listed(self.ctl_json("stream", "list"), "streams")
        return [stream for stream in shown if stream_state(stream) not in ENDED]

    def add_hub(self, name, connection_string, ca, *arguments):
        """Gives it an identity at a hub, from a file that is removed afterwards."""
        path = os.path.join(self.site.dir, f"{self.name}-{name}.cs")
        if self.site.streaming_host:
            arguments += ("--stream-hosts", self.site.streaming_host)
        write_private(path, connection_string + "\n")
        try:
            self.ctl_ok("hub", "add", name, "--connection-string-file", path, "--ca", ca, *arguments)
        finally:
            os.unlink(path)

    def tunnel(self, device, stream, *arguments):
        """Opens a tunnel in the background; returns the port it listens on."""
        if STARTERS:  # QEMU does not tell whose a connection is (NETLINK_SOCK_DIAG)
            arguments += ("--shared",)
        out = self.ctl_ok("tunnel", "open", device, stream, "--background", *arguments)
        return bound_port(out)

    def close_tunnels(self):
        for tunnel in listed(self.ctl_json("tunnel", "list"), "tunnels"):
            self.ctl_ok("tunnel", "close", str(tunnel["id"]))


def bound_port(line):
    """The port of "Listening on tcp:127.0.0.1:40123"."""
    first = line.splitlines()[0]
    check(first.startswith("Listening on tcp:"), f"unexpected first line {first!r}")
    return int(first.rsplit(":", 1)[1])


def listed(answer, key):
    """The list of a --json answer, whether it stands alone or under its name."""
    return answer if isinstance(answer, list) else answer[key]


ENDED = ("closed", "rejected", "timed-out", "offline", "unauthorized")


def stream_state(stream):
    return stream.get("state") or stream.get("State")


def run(argv, timeout=180, **kwargs):
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, check=False, **kwargs)


def run_ok(argv, **kwargs):
    done = run(argv, **kwargs)
    if done.returncode != 0:
        raise Failure(f"{' '.join(argv)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def peak_of(pid, before):
    """The most that a process had resident; what wait4 says may be what the parent had at the fork."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return max(before, int(line.split()[1]))
    return before


def write_private(path, text):
    """Writes a file that is new, or was private before, and that nobody else may read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
              encoding="utf-8") as file:
        file.write(text)


# -- a site ------------------------------------------------------------------------------------


# A stream ends with its leg, as toward a plain peer.
NO_RESUME = "[streams]\nResume=no\n"


class Site:
    """A hub, a gateway and a client. Used in a with statement; leaving it ends every process."""

    DEVICE = "gw-1"
    HOST_NAME = "localhost"
    ADDRESS = "127.0.0.1"  # the hub's
    # Of a hub without --config. That a device is away is told at once, though the hub was started just now.
    keep_notify = False  # whether the daemons' service manager goes on to listen
    HUB_SETTINGS = "[hub]\ndevice-return-time = 0\n"
    # Of a daemon without --config; "": none.
    DAEMON_SETTINGS = ""

    def __init__(self, hub_arguments=(), gateway=True, client=True, hub_ports=("0", "0")):
        self.streamhub = os.path.abspath(os.environ["STREAMHUB"])
        self.streamd = os.path.abspath(os.environ["STREAMD"])
        self.streamctl = os.path.abspath(os.environ["STREAMCTL"])
        self.dir = tempfile.mkdtemp(prefix="streamd-e2e-", dir=os.environ.get("TMPDIR", "/tmp"))
        self.processes = []
        self.children = []
        self.closers = []
        self.hub = self.gateway = self.client = None
        self._wanted = (tuple(hub_arguments), gateway, client, hub_ports)
        # Where the hub sends legs; a port that is not its own has to be known to its clients.
        self.streaming_host = (hub_arguments[hub_arguments.index("--streaming-host") + 1]
                               if "--streaming-host" in hub_arguments else None)

    def where(self, name):  # pylint: disable=unused-argument
        """What the command line of the process of that name begins with."""
        return []

    def environment(self, **more):
        """A small environment: nothing of the caller's session comes in."""
        keep = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "G_DEBUG",
                "LD_PRELOAD")
        env = {name: os.environ[name] for name in keep if name in os.environ}
        env.update(HOME=self.dir, LANG="C.UTF-8", XDG_RUNTIME_DIR=self.dir, XDG_CONFIG_HOME=self.dir,
                   G_MESSAGES_DEBUG=os.environ.get("STREAMD_TEST_DEBUG", ""), **more)
        return env

    def __enter__(self):
        try:
            hub_arguments, gateway, client, ports = self._wanted
            self.start_hub(hub_arguments, ports)
            if gateway:
                self.gateway = self.start_daemon("gateway")
                self.gateway.add_hub("office", self.hub.add_device(self.DEVICE), self.hub.ca)
                self.wait_online(self.DEVICE)
            if client:
                self.client = self.start_daemon("client")
                self.client.add_hub("office", self.hub.connection_string("user", "service"),
                                    self.hub.ca)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.show_logs()
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()
        for closer in reversed(self.closers):
            closer()
        bad = []
        for process in reversed(self.processes):
            if process.ended_by_us:
                continue
            try:
                status = process.stop()
            except Failure as failure:
                bad.append(str(failure))
                continue
            if status not in (0, -signal.SIGTERM, -signal.SIGKILL):
                bad.append(f"{process.name} ended with {status}")
        for process in self.processes:
            if "Sanitizer" in process.log() or "runtime error" in process.log():
                bad.append(f"{process.name}:\n{process.log()[-8000:]}")
        shutil.rmtree(self.dir, ignore_errors=True)
        for line in "\n".join(bad).splitlines():
            print(f"# {line}")
        if bad and kind is None:
            raise Failure("; ".join(bad))

    def show_logs(self):
        for daemon in (self.gateway, self.client):
            if daemon is not None and daemon.alive():
                print(f"# streams of {daemon.name}:")
                print("".join(f"#   {line}\n" for line in
                              run(daemon.argv("stream", "list"), env=daemon.env).stdout.splitlines()[-20:]))
        for process in self.processes:
            tail = process.log()[-6000:]
            if tail.strip():
                print("".join(f"# {process.name}: {line}\n" for line in tail.splitlines()), end="")

    def start_hub(self, arguments=(), ports=("0", "0"), name="hub"):
        """A hub on the site's registry, which is made when it is not there."""
        state = os.path.join(self.dir, "hub-state")
        if not os.path.exists(state):
            run_ok([self.streamhub, "init", "--state-dir", state, "--host-name", self.HOST_NAME,
                    "--san", f"IP:{self.ADDRESS}"])
        if "--config" not in arguments:
            config = os.path.join(self.dir, "hub-settings.conf")
            with open(config, "w", encoding="ascii") as file:
                file.write(self.HUB_SETTINGS)
            arguments = [*arguments, "--config", config]
        self.hub = Hub(self, name, arguments, ports, env=self.environment())
        self.processes.append(self.hub)
        return self.hub

    def start_daemon(self, name, arguments=(), system=False):
        if self.DAEMON_SETTINGS and "--config" not in arguments:
            config = os.path.join(self.dir, "daemon-settings.conf")
            write_private(config, self.DAEMON_SETTINGS)
            arguments = [*arguments, "--config", config]
        daemon = Daemon(self, name, arguments, system)
        self.processes.append(daemon)
        return daemon

    def wait_online(self, device):
        """Until the hub has the device's control link, subscribed."""
        eventually(lambda: self.is_online(device), f"{device} is online")

    def is_online(self, device):
        shown = json.loads(self.hub.admin("device", "show", device, "--json"))
        return online_state(shown)

    def expose(self, target, address, *rule):
        """Makes the gateway accept streams of the target's name."""
        self.gateway.ctl_ok("target", "add", target, address)
        self.gateway.ctl_ok("accept-policy", "add", "--stream", target, "--accept", target, *rule)

    def main_processes(self):
        return [p for p in (self.hub, self.gateway, self.client) if p is not None]

    def count(self):
        """What every process holds: descriptors, and streams where it has any."""
        held = {p.name: p.fds() for p in self.main_processes()}
        for daemon in (self.gateway, self.client):
            if daemon is not None:
                held[daemon.name + " streams"] = len(daemon.streams())
        return held

    def wait_count(self, before):
        """Until every process holds no more than it held before. A stream whose initiator went away
        in between may stay at the hub until its deadline, 60 s after the request."""

        def back():
            now = self.count()
            return all(now[name] <= before.get(name, 0) for name in now)

        try:
            eventually(back, "nothing is left behind", PATIENCE + 60)
        except Failure:
            raise Failure(f"left behind: before {before}, now {self.count()}") from None

    def check_memory(self):
        """Each process stayed below the limit. A sanitizer's own memory says nothing."""
        for process in self.main_processes():
            peak = process.peak_kib()
            print(f"# {process.name}: peak RSS {peak} KiB")
            if not SANITIZED:
                check(peak < RSS_LIMIT_KIB, f"{process.name} took {peak} KiB")


def online_state(shown):
    """Whether `device show --json` says that the device can take a stream now."""
    if "online" in shown:
        return bool(shown["online"])
    return str(shown.get("connection_state", "")).lower() == "connected"


# -- running the cases -------------------------------------------------------------------------


def main(*cases):
    """Runs the cases one after the other and speaks TAP. A case's name is its first docstring line."""
    # Ended by meson's time-out: leave through the with statements, so that nothing stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    wanted = sys.argv[1:]
    chosen = [case for case in cases if not wanted or case.__name__ in wanted]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, case in enumerate(chosen, 1):
        name = (case.__doc__ or case.__name__).strip().splitlines()[0]
        try:
            case()
            print(f"ok {number} {name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="")
            print(f"not ok {number} {name}", flush=True)
    sys.exit(1 if failed else 0)
