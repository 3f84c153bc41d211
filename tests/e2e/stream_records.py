# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hub and the two streamd say of one stream: the same id, user, address, reason and bytes, each in its records."""
import contextlib
import re
import socket

from ends import Server, connect, read_all, read_exactly, reset
from harness import Site, check, check_equal, eventually, main, run
from records_file import Records

LINE = re.compile(r"Stream (\d+): (\S+) of gw-1 at hub office, for (\S+) from (\S+), (?:ended|was cut) \((\S+)\) after (\d+) ms, "
                  r"(\d+) bytes in, (\d+) out")
REFUSED = re.compile(r"Stream (\d+): (\S+) from (\S+) \((\S+)\) at hub office is rejected by (.+): (\S+)\n")
FAILED = re.compile(r"Stream (\d+): (\S+) of gw-1 at hub office, for (\S+) from (\S+), did not open \((\S+)\)")
DOWN = re.compile(r"Target (\S+) did not accept stream (\d+), for (\S+) from (\S+): (\S+)\n")


def hub_id(daemon, number):
    """By which the hub knows the stream of that number, as its streamd says."""
    return daemon.ctl_json("stream", "show", number, "--debug")["debug"]["hub_stream"]


def told(daemon, pattern, seen):
    """The next line of the log of that kind."""
    return eventually(lambda: [m.groups() for m in pattern.finditer(daemon.log())][len(seen):], f"{daemon.name} tells")[0]


def serve(connection):
    """Says 5 bytes, and does what it is told: ends, resets, or reads to the end."""
    word = read_exactly(connection, 3)
    connection.sendall(b"12345")
    if word == b"end":
        connection.shutdown(socket.SHUT_WR)
        read_all(connection)
    elif word == b"rst":
        reset(connection)
    else:
        with contextlib.suppress(ConnectionResetError):
            read_all(connection)


def use(port, word):
    """One stream: 3 bytes and whatever else there, 5 bytes back."""
    with connect(port) as near:
        near.sendall(word)
        with contextlib.suppress(ConnectionResetError):
            check_equal(read_exactly(near, 5), b"12345", "what came back")
            if word == b"bye":
                near.shutdown(socket.SHUT_WR)
            if word == b"cut":
                reset(near)
            else:
                read_all(near)


def ended():
    """streams that end by the target, by the client and by each other cut: both ends and the hub have the same of it"""
    with Site() as site:
        server = Server(serve, site)
        site.expose("echo", server.address)
        port = site.client.tunnel(site.DEVICE, "echo")
        records, seen = Records(site), []
        for word in (b"end", b"bye", b"rst", b"cut"):
            records.new()
            use(port, word)
            mine = told(site.gateway, LINE, seen)
            other = told(site.client, LINE, seen)
            seen.append(mine)
            number, stream, user, address, reason, duration, bytes_in, bytes_out = mine
            accepted, hub = records.new(2, "DeviceStreams")
            check_equal((accepted["operationName"], hub["operationName"]), ("invoke", "end"), f"{word}: the hub's records")
            check_equal((accepted["streamId"], accepted["user"], accepted["address"]), (hub["streamId"], user, address), f"{word}: accepted")
            check_equal((stream, user, reason, int(bytes_in), int(bytes_out)),
                        ("echo", hub["user"], hub["reason"], hub["bytesToDevice"], hub["bytesToService"]), f"{word}: gateway")
            check_equal(address, hub["address"], f"{word}: the address")
            check_equal(hub_id(site.gateway, number), hub["streamId"], f"{word}: the gateway's id")
            check_equal(hub_id(site.client, other[0]), hub["streamId"], f"{word}: the client's id")
            check_equal((other[6], other[7]), (bytes_out, bytes_in), f"{word}: crosswise")
            check_equal((int(bytes_in), int(bytes_out)), (3, 5), f"{word}: bytes")
            check(abs(int(duration) - int(hub["durationMs"])) < 2000, f"{word}: {duration} ms, the hub {hub['durationMs']} ms")
            check_equal(server.errors, [], "the target")


def refused():
    """streams that the policy rejects, that have no target, and whose target is down: the same"""
    with Site() as site:
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "no", "--reject", "not today")
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "nowhere", "--accept", "nowhere")
        site.expose("down", "tcp:127.0.0.1:9")
        records = Records(site)
        for stream, pattern, reason in (("no", REFUSED, "policy"), ("nowhere", FAILED, "no-target"), ("down", DOWN, "target-refused")):
            records.new()
            done = run(site.client.argv("connect", site.DEVICE, stream), env=site.client.env, stdin=None, input="")
            check_equal(done.returncode, 12, f"{stream}: {done.stderr}")
            mine = told(site.gateway, pattern, [])
            other = told(site.client, FAILED, [None] * (len(FAILED.findall(site.client.log())) - 1))
            number, user, address, code = (mine[1:] if pattern is DOWN else (mine[0], mine[2], mine[3], mine[-1]))
            hub, = records.new(1, "DeviceStreams")
            check_equal(hub["operationName"], "invoke", f"{stream}: the hub's record")
            check_equal((user, address, code), (hub["user"], hub["address"], reason), f"{stream}: gateway")
            check_equal(hub["reason"], reason, f"{stream}: the hub's reason")
            check_equal(hub_id(site.gateway, number), hub["streamId"], f"{stream}: the gateway's id")
            check_equal(hub_id(site.client, other[0]), hub["streamId"], f"{stream}: the client's id")
            check_equal(other[4], reason, f"{stream}: the client's reason")


if __name__ == "__main__":
    main(ended, refused)
