#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hub promises those that have not authenticated yet, and what they cost it (requirements R1, R5,
R13, R15): each bound at the bound and one past it."""
import contextlib
import json
import os
import ssl
import subprocess
import time

import wire
from harness import check, check_equal, eventually, main
from hub_wire import with_hub

CONNECT_MAX = 16384  # bytes of a first packet, header included
CROWD = 1024  # connections, as many as may be there by default
CROWD_MAX = 100 * 1000 * 1000  # bytes for all of them
EACH_MAX = 64 * 1024  # bytes for one beside its TLS state
# None of them ends while the crowd is counted, and one source may bring it.
CROWDED = f"""[hub]
handshake-timeout = 60
request-timeout = 60
unauthenticated-max = {2 * CROWD}
unauthenticated-per-source = {2 * CROWD}
connections-per-second = 100000
connections-burst = 100000
"""


def openssl(hub, *options, typed=""):
    """What s_client says about one connection, on which TYPED is typed."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{hub.port}", "-servername", "localhost",
               "-CAfile", hub.ca, *options]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=wire.WAIT, check=False,
                          env={"PATH": os.environ["PATH"]})


@with_hub()
def tls(hub):
    """TLS 1.3 without early data, TLS 1.2 without renegotiation, forward secrecy in both, no compression"""
    request = "GET / HTTP/1.1\nHost: x\n\n"  # the hub answers with 400 and closes, behind its tickets
    new = openssl(hub, "-tls1_3", "-ign_eof", typed=request).stdout
    check("Max Early Data: 0" in new, f"a ticket without early data: {new}")
    check("Early data was not sent" in new, new)
    check_equal(new.count("Max Early Data:"), new.count("Max Early Data: 0\n"), "early data")
    old = openssl(hub, "-tls1_2", "-ign_eof", typed=request).stdout
    check("ECDHE" in old and ("GCM" in old or "CHACHA20" in old), old)
    for said in (new, old):
        check("Compression: NONE" in said and "Verify return code: 0" in said, said)
    again = openssl(hub, "-tls1_2", typed="R\n")
    check("RENEGOTIATING" in again.stdout + again.stderr, again.stdout)
    check(again.returncode != 0, f"it let us: {again.stderr}")


def strangers(hub):
    return json.loads(hub.hub.admin("status", "--json"))["unauthenticated_connections"]


def settled_rss(hub):
    """Resident bytes of the hub, once they do not change any more."""
    seen = [hub.hub.status_kib("VmRSS")]

    def still():
        time.sleep(0.3)
        seen.append(hub.hub.status_kib("VmRSS"))
        return seen[-1] == seen[-2]

    eventually(still, "memory that stays as it is")
    return seen[-1] * 1024


@with_hub(CROWDED)
def crowd(hub):
    """1,024 connections that are idle, and the same when each has sent nearly all that a head may have"""
    wire.connect(hub.port, hub.ca).close()
    before = settled_rss(hub)
    held = [wire.connect(hub.port, hub.ca) for _ in range(CROWD)]
    for sock in held:
        hub.open.callback(sock.close)
    eventually(lambda: strangers(hub) >= CROWD, "all are there")
    idle = settled_rss(hub) - before
    head = b"POST /twins/x/streams/y HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 7000 + b"\r\nY: " + b"y" * 7000
    for sock in held:
        sock.sendall(head)
    more = settled_rss(hub) - before - idle
    check(strangers(hub) >= CROWD, "they are still there")
    print(f"# {CROWD} idle connections cost {idle / 1e6:.1f} MB; {len(head)} bytes of a head in each {more / 1e6:.1f} MB more")
    check(idle <= CROWD_MAX, f"{idle} bytes for {CROWD} connections")
    check(len(head) * CROWD // 2 <= more <= EACH_MAX * CROWD, f"{more} bytes for what they sent")


def closed_after(hub, size):
    """Seconds until the hub closes a connection that has sent nothing but the length of a CONNECT of SIZE bytes."""
    sock = wire.connect(hub.mqtts_port, hub.ca, ["mqtt"])
    started = time.monotonic()
    left = size - 3
    sock.sendall(bytes([0x10, left & 0x7F | 0x80, left >> 7]))
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        check_equal(sock.recv(1), b"", "it is closed")
    return time.monotonic() - started


@with_hub("[hub]\nhandshake-timeout = 2\nrequest-timeout = 2\n")
def first_packet(hub):
    """a CONNECT of 16 KiB is waited for until the deadline; one that is a byte longer is not waited for"""
    waited, refused = closed_after(hub, CONNECT_MAX), closed_after(hub, CONNECT_MAX + 1)
    print(f"# closed after {waited:.2f} s of 2 s, and after {refused:.2f} s")
    check(1.5 <= waited <= 2 + 3, f"at the bound: closed after {waited:.2f} s")
    check(refused < 1.5, f"past the bound: closed after {refused:.2f} s")


@with_hub()
def taken_over(hub):
    """the newer connection wins, the older one is closed, and the log says so with the device's name"""
    older = hub.device("dev1")
    newer = hub.device("dev1")
    check(older.is_closed(), "the older one")
    check(newer.ping(), "the newer one")
    eventually(lambda: "Device dev1 connected again from 127.0.0.1:" in hub.hub.log(), "the log")


if __name__ == "__main__":
    main(tls, crowd, first_packet, taken_over)
