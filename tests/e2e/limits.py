# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of accept rules and targets, reached by real streams: each ends the stream with its own
reason, which both ends, the hub and streamctl tell."""
import contextlib
import re
import socket
import threading
import time

from ends import Server, connect, read_exactly
from harness import Site, check, check_equal, eventually, listed, main
from reload import Configured

MEBIBYTE = 1 << 20


def echo(connection):
    with contextlib.suppress(OSError):
        while data := connection.recv(1 << 16):
            connection.sendall(data)


class Sink:
    """Reads to the end and counts."""

    def __init__(self):
        self.counts = []

    def __call__(self, connection):
        count = 0
        with contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                count += len(data)
        self.counts.append(count)


def deaf(closed):
    """A target that takes the connection and reads nothing."""
    def serve(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        closed.wait()
    return serve


def flood(connection):
    """Writes until the connection is gone."""
    block = bytes(1 << 16)
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while True:
            connection.sendall(block)


def cut(connection):
    """Whether the end is a reset; whatever comes before it is read."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        return True
    return False


def last(daemon, name):
    """The stream of that name that was asked for last."""
    streams = [stream for stream in listed(daemon.ctl_json("stream", "list"), "streams")
               if stream["stream_name"] == name]
    return max(streams, key=lambda stream: stream["id"]) if streams else None


def told(site, name, reason):
    """The reason stands in the objects of both ends and in the records of all three."""
    for daemon in (site.gateway, site.client):
        eventually(lambda d=daemon: last(d, name) and last(d, name)["close_reason"],
                   f"{daemon.name} has an end of {name}")
        check_equal(last(daemon, name)["close_reason"], reason, f"{name} at the {daemon.name}")
        check(f"({reason})" in daemon.log(), f"no record of {reason} at the {daemon.name}")
    eventually(lambda: f"({reason})" in site.hub.log(), f"a record of {reason} at the hub")


def expose(site, name, server, *limits):
    """A target and a rule of that name, the limits at one of them."""
    site.gateway.ctl_ok("target", "add", name, server.address)
    site.gateway.ctl_ok("accept-policy", "add", "--stream", name, "--accept", name, *limits)
    return site.client.tunnel(site.DEVICE, name)


def byte_limit():
    """bytes are counted both ways together, and not one too many is carried"""
    with Site() as site:
        sink = Sink()
        up = expose(site, "up", Server(sink, site), "--max-bytes", "3M")
        with connect(up) as connection:
            flood(connection)
        told(site, "up", "byte-limit")
        stream = last(site.gateway, "up")
        check_equal(stream["bytes_in"] + stream["bytes_out"], 3 * MEBIBYTE, "bytes carried")
        eventually(lambda: sink.counts, "the target's end")
        check(sink.counts[0] <= 3 * MEBIBYTE, f"the target got {sink.counts[0]} bytes")

        # At a target; and what streamctl says of it.
        server = Server(echo, site)
        site.gateway.ctl_ok("target", "add", "both", server.address, "--max-bytes", "100K")
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "both", "--accept", "both")
        with open("/dev/zero", "rb") as zero:
            done = site.client.ctl("connect", site.DEVICE, "both", stdin=zero)
        check_equal(done.returncode, 17, "the exit code")
        check("(byte-limit)" in done.stderr, f"streamctl says {done.stderr!r}")
        stream = last(site.gateway, "both")
        check_equal(stream["bytes_in"] + stream["bytes_out"], 100 << 10, "bytes carried")


def time_limits():
    """a stream that is open or idle for too long is closed; one that is not goes on"""
    with Site() as site:
        server = Server(echo, site)
        port = expose(site, "brief", server, "--max-duration", "1s")
        began = time.monotonic()
        with connect(port) as connection:
            threading.Thread(target=flood, args=(connection,), daemon=True).start()
            cut(connection)
        check(time.monotonic() - began >= 1, "it ended before its time")
        told(site, "brief", "time-limit")

        port = expose(site, "quiet", server, "--idle-timeout", "1500ms")
        with connect(port) as connection:
            for _ in range(6):
                connection.sendall(b"x")
                check_equal(read_exactly(connection, 1), b"x", "the echo")
                time.sleep(0.3)
            check(cut(connection), "the idle stream ended in order")
        told(site, "quiet", "idle")


def stalls():
    """a stream whose bytes nobody takes is closed, and the reason reaches whoever did not read"""
    with Site() as site:
        closed = threading.Event()
        site.closers.append(closed.set)
        port = expose(site, "stuck", Server(deaf(closed), site), "--stall-timeout", "1s")
        with connect(port) as connection:
            flood(connection)
        told(site, "stuck", "stalled")

        # The other way round the leg itself is stuck: the hub hears it over the control link, and
        # the client when it reads on.
        port = expose(site, "unread", Server(flood, site), "--stall-timeout", "1s")
        with connect(port) as connection:
            eventually(lambda: last(site.gateway, "unread") and
                       last(site.gateway, "unread")["close_reason"], "the gateway gives up")
            check(cut(connection), "what was not read ended in order")
        told(site, "unread", "stalled")


def rejected(site, port, name):
    """A connection that gets no stream, because a limit is reached."""
    before = last(site.client, name)["id"]
    with connect(port) as connection:
        with contextlib.suppress(ConnectionResetError):
            check_equal(connection.recv(1), b"", "what a rejected stream brings")
    eventually(lambda: last(site.client, name)["id"] > before and
               last(site.client, name)["close_reason"], "its end at the client")
    told(site, name, "limit")


def ping(connection):
    connection.sendall(b"ping")
    check_equal(read_exactly(connection, 4), b"ping", "the echo")


def numbers():
    """streams at once and new ones a minute: one too many is rejected, and the next one is not"""
    with Site() as site:
        server = Server(echo, site)
        port = expose(site, "one", server, "--max-streams", "1")
        with connect(port) as first:
            ping(first)
            rejected(site, port, "one")
            ping(first)
        check("allows 1 streams at once" in last(site.gateway, "one")["close_text"],
              "the gateway does not say which limit it is")
        check("rule" not in last(site.client, "one")["close_text"], "the client knows whose it is")
        eventually(lambda: not site.gateway.streams(), "the first has ended")
        with connect(port) as third:
            ping(third)

        port = expose(site, "often", server, "--max-rate", "2")
        for _ in range(2):
            with connect(port) as connection:
                ping(connection)
        rejected(site, port, "often")


def reloaded():
    """new limits in the file are for new streams, and what is open already counts"""
    with Site(gateway=False) as site:
        server = Server(echo, site)
        gateway = Configured(site, "gateway", site.hub.add_device(site.DEVICE))
        rule = "[rule 10]\nStream=echo\nVerdict=accept\n"
        target = f"[target echo]\nAddress={server.address}\n"
        site.gateway = gateway.start(site, "gateway", gateway.hub + target + rule)
        site.wait_online(site.DEVICE)
        port = site.client.tunnel(site.DEVICE, "echo")
        with connect(port) as first:
            ping(first)
            gateway.reload(gateway.hub + target + "MaxStreams=1\n" + rule + "MaxBytes=100\n")
            rejected(site, port, "echo")
            for _ in range(50):
                ping(first)  # more than 100 bytes
            gateway.reload(gateway.hub + target + rule + "MaxBytes=100\n")
            with connect(port) as second:
                ping(second)
                flood(second)
            told(site, "echo", "byte-limit")
            ping(first)


def addresses():
    """the gateway is told where the initiator comes from, over IPv4 and IPv6, and decides by it"""
    with Site(hub_arguments=("--listen", "[::1]:0"), client=False) as site:
        identity = site.hub.connection_string("user", "service")
        server = Server(echo, site)
        site.gateway.ctl_ok("target", "add", "echo", server.address)
        site.gateway.ctl_ok("accept-policy", "add", "--address", "::1", "--accept", "echo")
        site.client = site.start_daemon("client")
        site.client.add_hub("four", identity, site.hub.ca)
        six = re.sub(r"localhost:\d+", f"localhost:{site.hub.ports['[::1]']}", identity)
        site.client.add_hub("six", six, site.hub.ca, "--stream-hosts",
                            f"localhost:{site.hub.https_port}")
        done = site.client.ctl("connect", "--hub", "four", site.DEVICE, "echo")
        check_equal(done.returncode, 12, "the exit code over IPv4")
        stream = last(site.gateway, "echo")
        check(re.fullmatch(r"127\.0\.0\.1:\d+", stream["initiator_address"]),
              f"over IPv4 it comes from {stream['initiator_address']!r}")
        site.client.ctl_ok("connect", "--hub", "six", site.DEVICE, "echo")
        stream = last(site.gateway, "echo")
        check(re.fullmatch(r"\[::1\]:\d+", stream["initiator_address"]),
              f"over IPv6 it comes from {stream['initiator_address']!r}")
        said = site.gateway.ctl_json("accept-policy", "test", "echo", "--address",
                                     stream["initiator_address"])
        check_equal(said["verdict"], "accept", "what the test says of that address")


if __name__ == "__main__":
    main(byte_limit, time_limits, stalls, numbers, reloaded, addresses)
