# SPDX-License-Identifier: LGPL-2.1-or-later
"""When an opening is begun again (daemon/link/service-open.h), and when it is not: a hub by hand that fails
in one way and then, or never, answers. What counts is how many POSTs it saw, what the user reads, and when."""
import struct
import time

from ends import Server
from evil_hub import EvilHub, accepted, answers, field, upgrade
from harness import SANITIZED, Site, check, check_equal, main

SLACK = 12 if SANITIZED else 2  # s, for a busy machine
NOT_FOUND = ("HTTP/1.1 404 Not Found\r\niothub-errorcode: DeviceNotFound\r\nContent-Length: 0\r\n\r\n")
BUSY = "HTTP/1.1 503 Service Unavailable\r\niothub-errorcode: ServiceUnavailable\r\n{}Content-Length: 0\r\n\r\n"
UNKNOWN, UNREACHABLE, TIMED_OUT, OTHER = 4, 14, 13, 1  # exit codes


def closes(connection, head):  # pylint: disable=unused-argument
    """Ends the connection without a byte."""


def halves(connection, head):  # pylint: disable=unused-argument
    """Ends it in the middle of an answer."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nioth")


class Scripted(EvilHub):
    """Does one act after the other, and the last one for ever."""

    def __init__(self, site, *acts):
        self.acts = list(acts)
        super().__init__(site, self.next_act)

    def next_act(self, connection, head):
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        act(connection, head)

    def posts(self):
        return [head for head in self.heads if head.startswith("POST ")]


def leg(hub, then):
    """Says yes, and plays the leg: THEN(connection) after its 101."""

    def act(connection, head):
        if head.startswith("POST "):
            connection.sendall(accepted(f"wss://localhost:{hub[0].port}/leg").replace(
                "Content-Length", "streamd-caps: reason\r\nContent-Length").encode())
            next_head = b""
            while not next_head.endswith(b"\r\n\r\n"):
                byte = connection.recv(1)
                if not byte:
                    return
                next_head += byte
            then(connection, next_head.decode())
        else:
            then(connection, head)

    return act


def close_frame(code, text):
    payload = struct.pack(">H", code) + text
    return bytes([0x88, len(payload)]) + payload


def stopping(connection, head):
    connection.sendall(upgrade(head) + close_frame(1001, b"hub-stopping"))


def unknown_token(connection, head):  # pylint: disable=unused-argument
    connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")


def silent(connection, head):
    connection.sendall(upgrade(head))
    while connection.recv(4096):
        pass


def attempt(site, hub, *arguments):
    """streamctl connect through that hub: (result, seconds)."""
    site.client.add_hub("other", hub.service(), site.hub.ca)
    start = time.monotonic()
    done = site.client.ctl("connect", *arguments, "--hub", "other", "dev", "s")
    took = time.monotonic() - start
    site.client.ctl_ok("hub", "remove", "other")
    return done, took


def once():
    """a fault that passes is got over, an answer that was begun is not asked for again"""
    rows = [
        ("closed before a byte", [closes, answers(NOT_FOUND)], 2, UNKNOWN, 0, 3),
        ("503, Retry-After: 1", [answers(BUSY.format("Retry-After: 1\r\n")), answers(NOT_FOUND)], 2, UNKNOWN, 1, 3),
        ("503", [answers(BUSY.format("")), answers(NOT_FOUND)], 2, UNKNOWN, 0, 3),
        ("503, Retry-After in words", [answers(BUSY.format("Retry-After: soon\r\n")), answers(NOT_FOUND)],
         2, UNKNOWN, 0, 3),
        ("half an answer", [halves, answers(NOT_FOUND)], 1, None, 0, 3),
        ("500", [answers("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"), answers(NOT_FOUND)], 1, OTHER, 0, 3),
    ]
    with Site(gateway=False) as site:
        for what, acts, posts, code, least, most in rows:
            hub = Scripted(site, *acts)
            done, took = attempt(site, hub)
            print(f"# {what}: {len(hub.posts())} POSTs, {done.returncode} after {took:.2f} s")
            check_equal(len(hub.posts()), posts, f"POSTs ({what})")
            check(done.returncode == code or (code is None and done.returncode != UNKNOWN),
                  f"{what}: {done.returncode} {done.stderr}")
            check(least <= took < most + SLACK, f"{what}: {took:.2f} s")


def for_ever():
    """a fault that stays ends the opening within its own time-out, with what was wrong"""
    hub = []
    rows = [
        ("503", [answers(BUSY.format("Retry-After: 1\r\n"))], 3, UNREACHABLE, "stopping or overloaded", 1, 3),
        ("closed", [closes], 3, UNREACHABLE, "closed before the answer", 1, 3),
        ("Retry-After: 3600", [answers(BUSY.format("Retry-After: 3600\r\n"))], 1, UNREACHABLE, "overloaded", 0, 1),
        ("an unknown token", [leg(hub, unknown_token)], 4, OTHER, "401", 0, 3),
        ("a leg that is closed with 1001", [leg(hub, stopping)], 4, UNREACHABLE, "stopping", 0, 3),
        ("a leg without a word", [leg(hub, silent)], 1, TIMED_OUT, "did not connect to the hub in time", 3, 4.5),
    ]
    with Site(gateway=False) as site:
        for what, acts, posts, code, word, least, most in rows:
            hub[:] = [Scripted(site, *acts)]
            done, took = attempt(site, hub[0], "--timeout", "3")
            seen = hub[0].posts()
            print(f"# {what}: {len(seen)} POSTs, {done.returncode} after {took:.2f} s: {done.stderr.strip()}")
            check(len(seen) == posts if posts in (1, 4) else len(seen) >= 2, f"{what}: {len(seen)} POSTs")
            check_equal(done.returncode, code, f"exit code ({what}: {done.stderr})")
            check(word in done.stderr, f"{what}: {done.stderr}")
            check(least <= took < most + SLACK, f"{what}: {took:.2f} s")
            left = [int(field(one, "iothub-streaming-response-timeout-in-seconds")) for one in seen]
            check(left == sorted(left, reverse=True) and left[0] == 3, f"what is left of the time: {left}")


def nobody_listens():
    """a hub where nobody listens: waited for while it was there the last time, told at once when it was not"""
    with Site(gateway=False) as site:
        hub = Scripted(site, answers(NOT_FOUND))
        site.client.add_hub("other", hub.service(), site.hub.ca)
        ask = ("connect", "--hub", "other", "--timeout", "20", "dev", "s")
        check_equal(site.client.ctl(*ask).returncode, UNKNOWN, "exit code while it is there")
        hub.server.close()
        for least, most in ((4, 6), (0, 1)):
            start = time.monotonic()
            done = site.client.ctl(*ask)
            took = time.monotonic() - start
            print(f"# nobody listens: {done.returncode} after {took:.2f} s")
            check_equal(done.returncode, UNREACHABLE, f"exit code ({done.stderr})")
            check(least <= took < most + SLACK, f"after {took:.2f} s")


def cut_in_the_handshake():
    """a connection that ends before TLS is up is begun again, within the time-out"""
    with Site(gateway=False) as site:
        seen = []
        server = Server(lambda plain: (seen.append(plain.recv(1)), plain.close()), site)
        site.client.add_hub("other", f"HostName=localhost:{server.port};SharedAccessKeyName=service;"
                            "SharedAccessKey=" + "A" * 43 + "=", site.hub.ca)
        start = time.monotonic()
        done = site.client.ctl("connect", "--hub", "other", "--timeout", "2", "dev", "s")
        took = time.monotonic() - start
        print(f"# {len(seen)} connections in {took:.2f} s: {done.stderr.strip()}")
        check_equal(done.returncode, UNREACHABLE, f"exit code ({done.stderr})")
        check("before TLS was up" in done.stderr, done.stderr)
        check(1 < took < 2 + SLACK and len(seen) >= 3, f"{len(seen)} connections in {took:.2f} s")


if __name__ == "__main__":
    main(once, for_ever, nobody_listens, cut_in_the_handshake)
