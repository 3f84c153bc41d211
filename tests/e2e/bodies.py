# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bodies of requests in chunks (requirement R7), at the routes that take a body and at one that does not."""
import json

import wire
from harness import check_equal, main
from hub_wire import check_error
from registry_rest import VERSION, identity, with_registry


def in_chunks(data, *sizes):
    out, at = b"", 0
    for size in (*sizes, len(data)):
        piece = data[at:at + size]
        at += len(piece)
        out += f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if piece else b""
    return out + b"0\r\n\r\n"


@with_registry
def chunked(hub):
    """a body in chunks is the same body: however it is cut, within the same bounds, and the connection goes on"""
    hub.users()
    hub.got("PUT", "/devices/gw-1", body=identity("gw-1"))

    def head(method, path, *fields):
        return "\r\n".join([f"{method} {path}{VERSION} HTTP/1.1", "Host: localhost", f"Authorization: {hub.token('all')}",
                            "Transfer-Encoding: chunked", *fields, "", ""]).encode()

    def patch(site, *sizes, spaces=0):
        return in_chunks(json.dumps({"tags": {"site": site}}).encode() + b" " * spaces, *sizes)

    def site_of(answer):
        check_equal(answer.status, 200, f"{answer.body!r}")
        return json.loads(answer.body)["tags"]["site"]

    http = wire.Http(hub.port, hub.ca)
    http.sock.sendall(head("PATCH", "/twins/gw-1") + patch("one"))
    check_equal(site_of(http.read()), "one", "in one chunk")
    data = head("PATCH", "/twins/gw-1") + patch("two", 1, 2, 3)
    for at in range(len(data)):
        http.sock.sendall(data[at:at + 1])
    check_equal(site_of(http.read()), "two", "byte by byte")
    http.sock.sendall(b"".join(head("PATCH", "/twins/gw-1") + patch(site, 5) for site in ("three", "four")))
    check_equal([site_of(http.read()) for _ in range(2)], ["three", "four"], "two in a row")
    http.sock.sendall(head("PATCH", "/twins/gw-1", "Expect: 100-continue"))
    check_equal(http.read().status, 100, "go on")
    http.sock.sendall(patch("five"))
    check_equal(site_of(http.read()), "five", "behind 100 Continue")
    room = 32 * 1024 - len(json.dumps({"tags": {"site": "six"}}))
    http.sock.sendall(head("PATCH", "/twins/gw-1") + patch("six", 9000, 1, spaces=room))
    check_equal(site_of(http.read()), "six", "as much as there may be")
    http.sock.sendall(head("POST", "/twins/gw-1/streams/ssh") + in_chunks(b"x" * 256 * 1024, 60000, 60000))
    check_error(http.read(), 404103, "DeviceNotOnline")
    http.sock.sendall(head("PATCH", "/twins/gw-1") + patch("seven", 9000, spaces=room - 1))
    check_error(http.read(), 413001, "MessageTooLarge")
    for code, name, data in (
            (413001, "MessageTooLarge", b"40001\r\n"), (400004, "ArgumentInvalid", b"1;x\r\n"),
            (400004, "ArgumentInvalid", b"0\r\nX: y\r\n\r\n"), (400004, "ArgumentInvalid", b"1\nx\n0\n\n")):
        http = wire.Http(hub.port, hub.ca)
        http.sock.sendall(head("POST", "/twins/gw-1/streams/ssh") + data)
        answer = http.read()
        check_error(answer, code, name)
        check_equal(answer.get("Connection"), "close", "the connection ends")
    check_equal(hub.got("GET", "/twins/gw-1")["tags"], {"site": "six"}, "what was refused changed nothing")


if __name__ == "__main__":
    main(chunked)
