# SPDX-License-Identifier: LGPL-2.1-or-later
"""What streamctl shows of streams that survive their legs, and how it sets whether they do: of a hub that is
killed and started again, on terminals of all sizes, and on the one of `connect`."""
import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import threading

from ctl_narrow import SIZES, fits, locale_env, printed, resize
from ends import Server, connect, echo, tick
from harness import PATIENCE, Failure, Site, check, check_equal, eventually, main

CUT = 17  # the exit code of a stream that was cut


@contextlib.contextmanager
def site_with_stream():
    """A site with one stream through a tunnel, which talks."""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        with connect(site.client.tunnel(site.DEVICE, "echo")) as near:
            tick(near)
            eventually(lambda: site.client.streams()[0]["resumable"], "both ends have talked")
            yield site, near


def suspend(site):
    """The hub is killed; returns a function that starts it again and waits until the streams go on."""
    ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
    site.hub.stop(signal.SIGKILL)
    for daemon in (site.gateway, site.client):
        eventually(lambda daemon=daemon: all(s["state"] == "suspended" for s in daemon.streams()), f"{daemon.name}: suspended")

    def go_on():
        site.start_hub(ports=ports)
        for daemon in (site.gateway, site.client):
            eventually(lambda daemon=daemon: all(s["state"] == "open" for s in daemon.streams()), f"{daemon.name}: open again")
    return go_on


def has(text, pattern):
    check(re.search(pattern, text), f"{pattern!r} is not in:\n{text}")


def looked_at():
    """stream list, top, stream show, tunnel list and status: for how long, why, how often, how many"""
    with site_with_stream() as (site, near):
        client = site.client
        has(client.ctl_ok("stream", "show", "1"), r"Survives a lost connection: +yes")
        check_equal(client.ctl_json("status")["manager"]["suspended_streams"], 0, "before")
        go_on = suspend(site)
        for daemon in (site.gateway, client):
            has(daemon.ctl_ok("stream", "list"), r"suspended \d+ s")
            has(daemon.ctl_ok("stream", "show", "1"), r"Suspended: +.*, \d+ s ago\nConnection lost: +cut")
            has(daemon.ctl_ok("status"), r"Streams: 1 \(1 suspended\), tunnels: ")
            check_equal(daemon.ctl_json("status")["manager"]["suspended_streams"], 1, "status --json")
            stream = daemon.streams()[0]
            check(stream["suspended_since"] > stream["opened_at"] and stream["suspend_reason"] == "cut" and stream["resumes"] == 0, stream)
        has(client.ctl_ok("top", "--once"), r"suspended \d+ s")
        has(client.ctl_ok("tunnel", "list"), r"\b1 \(1 suspended\)")
        has(client.ctl_ok("stream", "show", "--debug", "1"), r"waits_for: leg")
        go_on()
        tick(near)
        for daemon in (site.gateway, client):
            stream = daemon.streams()[0]
            check_equal((stream["suspended_since"], stream["suspend_reason"], stream["resumes"]), (0, "cut", 1), "afterwards")
            has(daemon.ctl_ok("stream", "show", "1"), r"Connection lost: +cut\nWent on: +1")
        check_equal(client.ctl_json("status")["manager"]["suspended_streams"], 0, "afterwards")


def told():
    """monitor: from open to suspended and back, for people and programs"""
    with site_with_stream() as (site, _):
        people = site.client.start_ctl("monitor", stdout=subprocess.PIPE, text=True)
        programs = site.client.start_ctl("monitor", "--json", stdout=subprocess.PIPE, text=True)
        lines = {people: [], programs: []}
        for process in lines:
            threading.Thread(target=lambda p=process: [lines[p].append(line) for line in p.stdout], daemon=True).start()

        def heard():
            site.client.ctl_ok("target", "add", "web", "tcp:127.0.0.1:80")
            site.client.ctl_ok("target", "remove", "web")
            return all(lines.values())

        eventually(heard, "both listen")
        suspend(site)()
        for wanted in (r"stream 1 .*open → suspended +Connection lost: cut", r"stream 1 .*suspended → open .*Went on: 1"):
            eventually(lambda wanted=wanted: any(re.search(wanted, line) for line in lines[people]), wanted)
        events = [json.loads(line) for line in lines[programs]]
        changes = [event["properties"] for event in events if event.get("object") == "stream"]
        eventually(lambda: len(changes) >= 2, "both changes as JSON")
        check_equal([change["state"] for change in changes[:2]], ["suspended", "open"], "states")
        check(changes[0]["suspended_since"] > 0 and changes[0]["suspend_reason"] == "cut", changes[0])
        check_equal((changes[1]["suspended_since"], changes[1]["resumes"]), (0, 1), "when it went on")
        for process in lines:
            process.terminate()


def narrow():
    """suspended streams on terminals of all sizes: no line is wider"""
    with site_with_stream() as (site, _):
        go_on = suspend(site)
        env = locale_env("en_US.UTF-8", "")
        for verb in ("stream list", "stream show 1", "tunnel list", "status", "top --once"):
            for rows, columns in SIZES:
                code, shown = printed(site.client, rows, columns, env, *verb.split())
                check_equal(code, 0, verb)
                if verb.split()[1:2] != ["show"]:  # a value is never cut
                    fits(shown, "utf-8", columns, f"{verb} at {columns}")
        for columns, wanted in ((120, r"suspended \d+ s"), (80, "suspended"), (60, "suspended")):
            has(printed(site.client, 24, columns, env, "stream", "list")[1].decode(), wanted)
        go_on()


class Connected:
    """streamctl connect with pipes, and standard error on a terminal of so many columns; 0: on a pipe."""

    def __init__(self, site, columns, *options):
        self.said = b""
        self.master, slave = pty.openpty() if columns else os.pipe()
        if columns:
            resize(slave, 24, columns)
        self.process = subprocess.Popen(
            site.client.argv("connect", *options, site.DEVICE, "echo"), env={**site.client.env, "LC_ALL": "C.UTF-8", "TERM": "xterm"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=slave)
        os.close(slave)
        site.children.append(self.process)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError):
            while piece := os.read(self.master, 4096):
                self.said += piece

    def passes(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()
        check_equal(self.process.stdout.read(len(text)), text, "what comes back")

    def lines(self):
        return [line for line in self.said.decode().replace("\r", "").split("\n") if line]

    def ends(self, status):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        check_equal(self.process.wait(PATIENCE), status, f"status; it said {self.said!r}")
        self.process.stdout.close()


def connects():
    """connect: a line on a terminal when its stream is suspended and one when it goes on, nothing elsewhere"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        wide, small, piped = (Connected(site, columns) for columns in (80, 40, 0))
        for one in (wide, small, piped):
            one.passes(b"before")
        eventually(lambda: all(s["resumable"] for s in site.client.streams()), "all have talked")
        go_on = suspend(site)
        for one in (wide, small):
            eventually(lambda one=one: len(one.lines()) == 1, "a line says so")
        has(wide.lines()[0], r"^streamctl: the stream is suspended: ")
        go_on()
        for one in (wide, small):
            eventually(lambda one=one: len(one.lines()) == 2, "and that it goes on")
        for one in (wide, small, piped):
            one.passes(b"after")
        has(wide.lines()[1], r"^streamctl: the stream goes on after \d+ s$")
        for one, columns in ((wide, 80), (small, 40)):
            check(all(len(line) <= columns for line in one.lines()), one.lines())
        check_equal(piped.said, b"", "not on a terminal")
        for one in (wide, small, piped):
            one.ends(0)


def does_not_survive():
    """--no-resume, of connect and of a tunnel: the stream ends with its leg"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        one = Connected(site, 0, "--no-resume")
        one.passes(b"before")
        with connect(site.client.tunnel(site.DEVICE, "echo", "--no-resume")) as near:
            tick(near)
            check(not any(s["resumable"] for s in site.client.streams()), "as it was asked for")
            site.hub.stop(signal.SIGKILL)
            one.ends(CUT)
            with contextlib.suppress(ConnectionResetError):
                check_equal(near.recv(1), b"", "the tunnel's connection ends")
        check(b"the stream was cut" in one.said, one.said)


def refused(daemon, *words):
    result = daemon.ctl(*words)
    check_equal(result.returncode, 2, " ".join(words))
    return result.stderr


def settings():
    """hub add, hub set and accept-policy add: what is set is shown, what is wrong is refused"""
    with Site() as site:
        client, gateway = site.client, site.gateway
        shown = client.ctl_json("hub", "show", "office")
        check_equal((shown["resume"], shown["resume_time"]), (True, 180_000_000), "as ever")
        client.ctl_ok("hub", "set", "office", "--resume-time", "5min")
        check_equal(client.ctl_json("hub", "show", "office")["resume_time"], 300_000_000, "hub set")
        client.ctl_ok("hub", "set", "office", "--resume=no")
        has(client.ctl_ok("hub", "show", "office"), r"Streams survive: +no")
        client.ctl_ok("hub", "set", "office", "--resume=yes")
        check_equal(client.ctl_json("hub", "show", "office")["resume_time"], 300_000_000, "the time stayed")
        client.add_hub("other", site.hub.connection_string("user", "service"), site.hub.ca, "--resume-time=0")
        check_equal(client.ctl_json("hub", "show", "other")["resume"], False, "hub add")
        gateway.ctl_ok("accept-policy", "add", "--stream", "a", "--accept", "t", "--resume-time=30s")
        gateway.ctl_ok("accept-policy", "add", "--stream", "b", "--accept", "t", "--max-streams=2", "--resume-time=0")
        rules = gateway.ctl_ok("accept-policy", "list")
        has(rules, r"accept to t +suspended 30s")
        has(rules, r"accept to t +2 at once, never suspended")
        check_equal([rule["resume_time"] for rule in gateway.ctl_json("accept-policy", "list")["rules"]], [30_000_000, 0], "rules")
        has(refused(client, "hub", "set", "office", "--resume=perhaps"), "--resume is yes or no, not 'perhaps'")
        has(refused(client, "hub", "set", "office", "--resume-time=soon"), "--resume-time is a time such as")
        has(refused(client, "hub", "set", "office", "--resume-time=25h"), "at most 24 hours")
        has(refused(gateway, "accept-policy", "add", "--reject", "no", "--resume-time=1s"), "no time to resume")
        try:
            refused(client, "stream", "list", "--no-resume")
        except Failure as failure:
            raise Failure("an option of openings goes with them alone") from failure


if __name__ == "__main__":
    main(looked_at, told, narrow, connects, does_not_survive, settings)
