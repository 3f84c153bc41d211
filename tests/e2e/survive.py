# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stream goes on when what carried it is lost (docs/wire-protocol.md, section 8a): no byte is lost, repeated or
reordered, and the pause after the way is back is short."""
import contextlib
import os
import random
import signal
import socket
import threading
import time

from ends import FaultProxy, Server, connect, echo
from harness import PATIENCE, SANITIZED, Site, check, check_equal, eventually, listed, main, stream_state, write_private

SEED = int(os.environ.get("STREAMD_SEED", "0")) or random.randrange(1 << 32)
BLOCK = 8192
SOON = 5 if not SANITIZED else 15  # s until bytes come again once the way is back
ENOUGH = 1 << 20


class Talk:
    """An application that sends random bytes to an echo and looks at each byte that comes back."""

    def __init__(self, port, seed=SEED, pace=0.002):
        print(f"# seed {seed}")
        self.seed, self.pace = seed, pace
        self.near = self.open(port)
        self.near.settimeout(None)
        self.sent = self.received = 0
        self.enough = threading.Event()  # no more is sent
        self.talks = threading.Event()  # cleared: nothing is sent for now
        self.talks.set()
        self.resting = threading.Event()
        self.outcome = None  # "whole", or what was wrong
        self.threads = [threading.Thread(target=call, daemon=True) for call in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()

    open = staticmethod(connect)

    def _send(self):
        source = random.Random(self.seed)
        with contextlib.suppress(OSError):
            while not self.enough.is_set():
                if not self.talks.is_set():
                    self.resting.set()
                    self.talks.wait()
                    continue
                self.near.sendall(source.randbytes(BLOCK))
                self.sent += BLOCK
                time.sleep(self.pace)
            self.near.shutdown(socket.SHUT_WR)

    def _receive(self):
        source, wanted = random.Random(self.seed), b""
        try:
            while data := self.near.recv(1 << 16):
                while len(wanted) < len(data):
                    wanted += source.randbytes(BLOCK)
                if data != wanted[:len(data)]:
                    self.outcome = f"wrong bytes from {self.received} on"
                    return
                wanted = wanted[len(data):]
                self.received += len(data)
            whole = self.enough.is_set() and self.received == self.sent
            self.outcome = "whole" if whole else f"ended with {self.received} of {self.sent}"
        except OSError as error:
            self.outcome = type(error).__name__

    def moves(self, count=ENOUGH, patience=PATIENCE):
        """So many more bytes come; returns the seconds until the first of them."""
        before, started = self.received, time.monotonic()
        eventually(lambda: self.outcome or self.received > before, "bytes come", patience)
        took = time.monotonic() - started
        eventually(lambda: self.outcome or self.received >= before + count, f"{count} bytes come", patience)
        check(self.outcome is None, f"the talk ended: {self.outcome}")
        return took

    def hush(self):
        """Sends nothing more, so that an error of the connection is seen by who receives; all has come back."""
        self.talks.clear()
        check(self.resting.wait(PATIENCE), "the sender does not rest")
        eventually(lambda: self.received == self.sent, "all comes back")

    def stands(self, seconds=0.5):
        """Nothing comes any more, and the application sees no end."""
        eventually(lambda: self._is_quiet(seconds), "the talk stands still")
        check(self.outcome is None, f"the talk ended: {self.outcome}")

    def _is_quiet(self, seconds):
        before = self.received
        time.sleep(seconds)
        return self.received == before

    def finish(self):
        """Ends the data, and all that was sent has to come back."""
        self.enough.set()
        self.talks.set()
        for thread in self.threads:
            thread.join(PATIENCE * 2)
        check_equal(self.outcome, "whole", "the talk")
        self.near.close()

    def ends(self, how, patience=PATIENCE):
        eventually(lambda: self.outcome is not None, "the talk ends", patience)
        check_equal(self.outcome, how, "the end of the talk")
        self.enough.set()
        self.talks.set()
        self.near.close()


def talk_over(site, **options):
    """A talk to an echo behind the gateway, which has begun."""
    echoes = Server(echo, site)
    site.expose("echo", echoes.address)
    talk = Talk(site.client.tunnel(site.DEVICE, "echo"), **options)
    talk.moves()
    return talk


def states(daemon):
    return [stream_state(stream) for stream in daemon.streams()]


def ended(daemon):
    """The reasons of the streams that have ended."""
    shown = listed(daemon.ctl_json("stream", "list"), "streams")
    return [stream["close_reason"] for stream in shown if stream_state(stream) == "closed"]


def ends_for(daemon, reason):
    """Its stream ends for that reason, in a moment: an application may have read the end before."""
    eventually(lambda: ended(daemon), f"{daemon.name}'s stream ends")
    check_equal(ended(daemon), [reason], f"{daemon.name}'s reason")


def suspended(site, *daemons):
    for daemon in daemons or (site.gateway, site.client):
        eventually(lambda daemon=daemon: states(daemon) == ["suspended"], f"{daemon.name}'s stream is suspended")


def goes_on(site, talk, what):
    """The way is back: bytes come soon, and the talk ends whole."""
    took = talk.moves()
    print(f"# {what}: bytes came {took:.2f} s after the way was back")
    check(took < SOON, f"{what}: {took:.2f} s after the way was back")
    for daemon in (site.gateway, site.client):
        eventually(lambda daemon=daemon: states(daemon) == ["open"], f"{daemon.name}'s stream is open")


def again(site, how):
    """The hub ends and is started on the same ports."""
    ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
    site.hub.stop(how)
    return ports


def hub_killed():
    """a killed hub, and a stream that was open goes on with its successor"""
    with Site() as site:
        talk = talk_over(site)
        for _ in range(2):
            ports = again(site, signal.SIGKILL)
            suspended(site)
            talk.stands()
            site.start_hub(ports=ports)
            goes_on(site, talk, "the hub was killed")
        talk.finish()
        ends_for(site.gateway, "completed")
        ends_for(site.client, "completed")


def hub_restarted():
    """a hub that stops in order closes its legs, and the stream goes on with its successor"""
    with Site() as site:
        talk = talk_over(site)
        for _ in range(2):
            ports = again(site, signal.SIGTERM)
            suspended(site)
            site.start_hub(ports=ports)
            goes_on(site, talk, "the hub was restarted")
        talk.finish()


@contextlib.contextmanager
def proxied(config=""):
    """A site whose legs pass one proxy, and whose gateway's control link passes another."""
    with FaultProxy() as legs, FaultProxy() as control:
        with Site(["--streaming-host", f"localhost:{legs.port}"], gateway=False, client=False) as site:
            legs.upstream = control.upstream = site.hub.https_port
            arguments = configured(site, config)
            site.gateway = site.start_daemon("gateway", arguments)
            site.client = site.start_daemon("client", arguments)
            device = site.hub.add_device(site.DEVICE).replace(f":{site.hub.https_port}", f":{control.port}")
            site.gateway.add_hub("office", device, site.hub.ca)
            site.wait_online(site.DEVICE)
            site.client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)
            yield site, legs, control


def configured(site, text):
    """What a daemon's command line has for a configuration of TEXT."""
    if not text:
        return []
    path = os.path.join(site.dir, "survive.conf")
    write_private(path, text)
    return ["--config", path]


def legs_cut():
    """either leg is cut, or both, reset or ended without a word of TLS, and the control link with them"""
    with proxied() as (site, legs, control):
        talk = talk_over(site)
        before = site.count()
        for how in ("rst", "fin"):
            for which in ([0], [1], None):
                legs.cut(which, how)
                legs.forget()
                goes_on(site, talk, f"{how} of {which or 'both'}")
        legs.cut()
        control.cut()
        goes_on(site, talk, "the control link, too")
        site.wait_count(before)
        talk.finish()


def way_is_silent():
    """nothing passes any more and nobody is told: the signs of life end that, and the stream goes on"""
    hub = "[hub office]\nConnectionStringFile=%s\nCaFile=%s\nLegPing=1\nLegDead=3\n"
    with FaultProxy() as proxy, Site(["--streaming-host", f"localhost:{proxy.port}"], gateway=False, client=False) as site:
        proxy.upstream = site.hub.https_port
        for name, text in (("gateway", site.hub.add_device(site.DEVICE)),
                           ("client", site.hub.connection_string("user", "service"))):
            key, path = (os.path.join(site.dir, name + end) for end in (".cs", ".conf"))
            write_private(key, text + "\n")
            write_private(path, hub % (key, site.hub.ca) + f"StreamHosts=localhost:{proxy.port}\n")
            setattr(site, name, site.start_daemon(name, ["--config", path]))
        site.wait_online(site.DEVICE)
        talk = talk_over(site)
        proxy.flowing.clear()
        suspended(site)
        proxy.cut()  # what waits in it must not come late
        proxy.forget()
        proxy.flowing.set()
        goes_on(site, talk, "silence")
        talk.finish()


def switched_off():
    """with Resume=no at either end a stream ends with its leg, at once and at both ends"""
    for off in ("gateway", "client"):
        with FaultProxy() as legs, Site(["--streaming-host", f"localhost:{legs.port}"], gateway=False, client=False) as site:
            legs.upstream = site.hub.https_port
            for name in ("gateway", "client"):
                setattr(site, name, site.start_daemon(name, configured(site, "[streams]\nResume=no\n") if name == off else []))
            site.gateway.add_hub("office", site.hub.add_device(site.DEVICE), site.hub.ca)
            site.wait_online(site.DEVICE)
            site.client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)
            talk = talk_over(site)
            talk.hush()
            legs.cut()
            talk.ends("ConnectionResetError")
            for daemon in (site.gateway, site.client):
                eventually(lambda daemon=daemon: ended(daemon) == ["cut"], f"{daemon.name}'s stream was cut")


def time_is_over():
    """a stream waits for its time and no longer: the shorter one of the two ends it"""
    for late in (False, True):
        with Site(gateway=False, client=False) as site:
            site.gateway = site.start_daemon("gateway", configured(site, "[streams]\nResumeTime=4\n"))
            site.client = site.start_daemon("client")
            site.gateway.add_hub("office", site.hub.add_device(site.DEVICE), site.hub.ca)
            site.wait_online(site.DEVICE)
            site.client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)
            talk = talk_over(site)
            talk.hush()
            ports = again(site, signal.SIGKILL)
            suspended(site)
            if late:
                eventually(lambda site=site: ended(site.gateway) == ["cut"], "the gateway gives it up")
                check_equal(states(site.client), ["suspended"], "the client has time left")
            site.start_hub(ports=ports)
            if late:
                talk.ends("ConnectionResetError")
                ends_for(site.client, "cut")
            else:
                talk.talks.set()
                goes_on(site, talk, "within its time")
                talk.finish()


if __name__ == "__main__":
    main(hub_killed, hub_restarted, legs_cut, way_is_silent, switched_off, time_is_over)
