# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes on while things go wrong: an ssh session with a running top and one that counts, a copy by scp, one by
rsync, a download through a tunnel; all of alice's, all at once. Each fault is a row: what is typed on which machine, how
long it lasts, what is typed to mend it. Says "ok WHAT" or "not ok WHAT: why" for each, and the pauses.

SURVIVE_LONG: the network is away for a minute, and the files have half a gigabyte."""
import os
import pwd
import re
import subprocess
import sys
import threading
import time

LONG = bool(os.path.exists("/shared/long"))
AWAY = 60 if LONG else 8
RATE = 8  # MB/s of each copy
PAUSE = 5.0  # s until it goes on, once it can
BEAT = 0.1  # s between two lines of the one that counts
WHO = pwd.getpwnam("alice")
PROXY = "ProxyCommand=streamctl --user connect --wait=20 pump ssh"
SSH = ["-o", PROXY, "-o", "UserKnownHostsFile=/home/alice/known-hosts", "-o", "StrictHostKeyChecking=yes",
       "-o", "BatchMode=yes", "-i", "/home/alice/key"]
FAULTS = (
    # name, machines, what is typed, seconds, what mends it
    ("the client without a network", ("client",), ". /test-lib/survive.sh; network_goes", AWAY,
     ". /test-lib/survive.sh; network_comes"),
    ("the gateway without a network", ("gateway",), ". /test-lib/survive.sh; network_goes", AWAY,
     ". /test-lib/survive.sh; network_comes"),
    ("both without a network", ("client", "gateway"), ". /test-lib/survive.sh; network_goes", AWAY,
     ". /test-lib/survive.sh; network_comes"),
    ("the gateway has another address", ("gateway",),
     "ip addr flush dev eth0; ip addr add 10.9.0.42/24 dev eth0", 0, ""),
    ("the hub is killed", ("hub",), "systemctl kill -s KILL streamhub", 0, ""),
    ("the hub is restarted", ("hub",), "systemctl restart streamhub", 0, ""),
    ("streamd is restarted at the gateway", ("gateway",), "systemctl restart streamd", 0, ""),
    ("streamd is restarted at the client", ("client",), "RESTART-HERE", 0, ""),
    ("streamd is restarted at both", ("client", "gateway"), "RESTART", 0, ""),
    ("streamd is restarted from within the session that it carries", ("within",), "systemctl restart streamd", 0, ""),
)


def as_alice():
    os.setgid(WHO.pw_gid)
    os.setuid(WHO.pw_uid)


ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/home/alice", "XDG_RUNTIME_DIR": "/run/user/2001", "TERM": "xterm",
               "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/2001/bus"}


def start(*command, **more):
    # pylint: disable=consider-using-with, subprocess-popen-preexec-fn
    return subprocess.Popen(command, env=ENVIRONMENT, cwd="/home/alice", preexec_fn=as_alice, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


class Lines:
    """A command whose lines come all the time, and when."""

    def __init__(self, name, *command):
        self.name, self.seen = name, []
        self.process = start(*command)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.seen.append((time.monotonic(), line.rstrip("\r\n")))

    def after(self, moment):
        """When the first line came after the moment; None: none has."""
        return next((when for when, _ in reversed_until(self.seen, moment)), None)

    def gap(self, begun):
        """The longest time without a line since then."""
        times = [begun] + [when for when, _ in self.seen if when > begun]
        return max((b - a for a, b in zip(times, times[1:])), default=0)

    def is_alive(self):
        return self.process.poll() is None


def reversed_until(seen, moment):
    """Those after the moment, in their order."""
    tail = []
    for entry in reversed(seen):
        if entry[0] <= moment:
            break
        tail.append(entry)
    return reversed(tail)


class Counter(Lines):
    """Lines with numbers: none is lost, none comes twice."""

    def wrong(self):
        numbers = [int(line) for _, line in list(self.seen) if line.isdigit()]
        return next((f"{a} then {b}" for a, b in zip(numbers, numbers[1:]) if b != a + 1), None)


class Copy:
    """A transfer that is under way while it goes wrong, and what came of it."""

    def __init__(self, name, *command):
        self.name, self.process = name, start(*command)

    def problem(self, file, wanted, deadline):
        try:
            _, errors = self.process.communicate(timeout=max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "it did not end"
        if self.process.returncode != 0:
            return f"status {self.process.returncode}: {errors.strip()[-300:]}"
        got = subprocess.run(["sha256sum"], stdin=open(file, "rb"), capture_output=True, text=True, check=True).stdout
        return None if got == wanted else "other bytes arrived"


class Machines:
    """Types on a machine, as `obey` there."""

    def __init__(self):
        self.pipes = {name: open(f"/shared/{name}.status", "r+b", buffering=0) for name in ("hub", "gateway")}

    def run(self, name, command):
        if name == "client":
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout + done.stderr
        with open(f"/shared/{name}.typed", "w", encoding="utf-8") as file:
            file.write(command + "\n")
        status = int(self.pipes[name].readline())
        with open(f"/shared/{name}.said", encoding="utf-8", errors="replace") as file:
            return status, file.read()


def here(command):
    """What `RESTART` means on each machine."""
    mine = ("runuser -u alice -- env XDG_RUNTIME_DIR=/run/user/2001 systemctl --user restart streamd")
    return {"client": mine if command.startswith("RESTART") else command,
            "gateway": "systemctl restart streamd" if command.startswith("RESTART") else command, "hub": command}


def say(good, what):
    print(("ok " if good else "not ok ") + what, flush=True)


class Round:
    """One fault under all that goes on."""

    def __init__(self, machines, sessions, row):
        self.machines, self.sessions = machines, sessions
        self.name, self.where, self.command, self.lasts, self.mend = row
        self.copies = {}

    def begin(self):
        size = int(open("/shared/size", encoding="ascii").read())
        kilobits = str(RATE * 8000)
        for name in ("scp", "rsync", "web", "up"):
            if os.path.exists(f"/home/alice/{name}"):
                os.unlink(f"/home/alice/{name}")
        self.copies = {
            "scp": Copy("scp", "scp", "-q", "-l", kilobits, *SSH, "bob@pump:/srv/files/file", "scp"),
            "rsync": Copy("rsync", "rsync", f"--bwlimit={RATE}m", "-e", "ssh " + " ".join(f"'{word}'" for word in SSH),
                          "bob@pump:/srv/files/file", "rsync"),
            "web": Copy("download", "curl", "-sS", "--limit-rate", f"{RATE}M", "-o", "web",
                        "http://127.0.0.1:8080/file"),
        }
        time.sleep(min(3, size / RATE / 4e6))

    def fault(self):
        commands = here(self.command)
        for machine in self.where:
            if machine == "within":
                self.sessions[2].process.stdin.write(self.command + "; echo restarted\n")
                self.sessions[2].process.stdin.flush()
            else:
                self.typed(machine, commands[machine])

    def typed(self, machine, command):
        status, said = self.machines.run(machine, command)
        if status != 0:
            say(False, f"{self.name}: {machine}: {command}: {status}: {said.strip()[-200:]}")

    def run(self):
        wanted = open("/shared/sum", encoding="ascii").read()
        self.begin()
        begun = time.monotonic()
        self.fault()
        time.sleep(self.lasts)
        for machine in self.where if self.mend else ():
            self.typed(machine, self.mend)
        back = time.monotonic()
        deadline = back + (200 if LONG else 45)
        pauses = []
        for session in self.sessions[:2]:
            while session.is_alive() and not session.after(back + 2 * BEAT) and time.monotonic() < deadline:
                time.sleep(0.05)
        for session in self.sessions[:2]:
            if not session.is_alive():
                say(False, f"{self.name}: {session.name} has ended: {session.process.stderr.read()[-300:]}")
                continue
            pauses.append(max(0.0, session.gap(begun) - (back - begun)))
        for key, copy in self.copies.items():
            problem = copy.problem(f"/home/alice/{key}", wanted, deadline)
            say(not problem, f"{self.name}: {copy.name} is whole" + (f": {problem}" if problem else ""))
        counter = self.sessions[0]
        say(counter.is_alive() and not counter.wrong(), f"{self.name}: each line came once" +
            (f": {counter.wrong()}" if counter.wrong() else ""))
        longest = max(pauses, default=99)
        say(longest <= PAUSE, f"{self.name}: goes on within {PAUSE:.0f} s" +
            (f": {longest:.1f} s" if longest > PAUSE else ""))
        print(f"pause: {self.name}: {longest:.2f} s after {back - begun:.1f} s", flush=True)
        if self.where == ("within",):
            answered = any(line.endswith("restarted") for _, line in self.sessions[2].seen)
            say(self.sessions[2].is_alive() and answered, f"{self.name}: its shell answers")


def open_sessions():
    count = f"i=0; while :; do echo $i; i=$((i+1)); sleep {BEAT}; done"
    return (Counter("the session that counts", "ssh", *SSH, "bob@pump", count),
            Lines("top", "ssh", "-tt", *SSH, "bob@pump", "TERM=xterm top -d 0.3"),
            Lines("the shell of root", "ssh", *SSH, "root@pump", "sh"))


def main():
    only = re.compile(open("/shared/only", encoding="utf-8").read().strip()) if os.path.exists("/shared/only") else None
    machines, sessions = Machines(), open_sessions()
    deadline = time.monotonic() + 20
    while not all(session.seen for session in sessions[:2]):
        if time.monotonic() > deadline:
            say(False, "the sessions begin: " + str([session.process.poll() for session in sessions]))
            return 1
        time.sleep(0.05)
    for row in FAULTS:
        if not only or only.search(row[0]):
            Round(machines, sessions, row).run()
    for session in sessions:
        session.process.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
