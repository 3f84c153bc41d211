# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hub listens on, and what it says to those whose TLS it does not take (requirements R1, R4)."""
import socket
import ssl

import wire
from ends import free_port
from harness import Failure, Site, check, check_equal, main
from hub_wire import CAPABLE, Wire, with_hub

ALERT, HANDSHAKE_FAILURE, PROTOCOL_VERSION, NO_APPLICATION_PROTOCOL = 21, 40, 70, 120
NO_PROTOCOL = "no application protocol"  # as OpenSSL has it


def shake_hands(hub, offered):
    """What is agreed with a client that offers these, or the alert that it gets."""
    context = ssl.create_default_context(cafile=hub.ca)
    if offered:
        context.set_alpn_protocols(offered)
    with socket.create_connection(("127.0.0.1", hub.port), timeout=wire.WAIT) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as sock:
                return sock.selected_alpn_protocol()
        except ssl.SSLError as error:
            return str(error)


@with_hub()
def alpn(hub):
    """who offers nothing is taken, and who offers something of ours; h2 alone is told no"""
    for offered, wanted in (
            ([], None), (["http/1.1"], "http/1.1"), (["mqtt"], "mqtt"),
            (["h2", "http/1.1"], "http/1.1"), (["http/1.1", "h2"], "http/1.1"), (["h2", "mqtt"], "mqtt"),
            (["h2"], NO_PROTOCOL), (["h2", "h3"], NO_PROTOCOL), (["http/1.0"], NO_PROTOCOL)):
        got = shake_hands(hub, offered)
        check(got == wanted or wanted == NO_PROTOCOL and NO_PROTOCOL in got,
              f"offering {offered}: {got}")
    http = wire.Http(hub.port, hub.ca, alpn=["h2", "http/1.1"])
    check_equal(http.ask("GET", "/nothing").status, 501, "HTTP after h2 was offered too")


def client_hello(context):
    """The first bytes of a client with this context."""
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def alert_after(hub, data):
    """The description of the fatal alert that the hub sends as the first and only thing after it."""
    with socket.create_connection(("127.0.0.1", hub.port), timeout=wire.WAIT) as plain:
        plain.sendall(data)
        reader = wire.Reader(plain)
        head = reader.take(5)
        check_equal(head[0], ALERT, f"the record's type after {data[:20]!r}")
        level, description = reader.take(int.from_bytes(head[3:], "big"))
        check_equal(level, 2, "fatal")
        check_equal(plain.recv(1), b"", "the end")
        return description


@with_hub()
def alerts(hub):
    """a handshake that fails ends with an alert that says why, and then the connection"""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    weak = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA:@SECLEVEL=0")
    two = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    two.set_alpn_protocols(["h2"])
    check_equal(alert_after(hub, client_hello(old)), PROTOCOL_VERSION, "TLS 1.1")
    check_equal(alert_after(hub, client_hello(weak)), HANDSHAKE_FAILURE, "no cipher in common")
    check_equal(alert_after(hub, client_hello(two)), NO_APPLICATION_PROTOCOL, "h2 alone")
    check_equal(shake_hands(hub, []), None, "another client")


def reaches(port, address):
    try:
        socket.create_connection((address, port), timeout=wire.WAIT).close()
        return True
    except ConnectionRefusedError:
        return False


def both_families():
    """0.0.0.0 and [::] with one port, in either order; [::] alone takes both; an address of IPv6 does not"""
    for listen, four, six in ((("0.0.0.0", "[::]"), True, True), (("[::]", "0.0.0.0"), True, True),
                              (("127.0.0.1", "[::]"), True, True), (("[::]",), True, True),
                              (("[::1]",), False, True), (("0.0.0.0",), True, False)):
        port = free_port()
        arguments = [word for address in listen for word in ("--listen", f"{address}:{port}")]
        with Site(hub_arguments=arguments, gateway=False, client=False):
            check_equal((reaches(port, "127.0.0.1"), reaches(port, "::1")), (four, six), f"{listen}")


def same_port_twice():
    """an address that is taken is an error that names it"""
    port = free_port()
    try:
        with Site(hub_arguments=["--listen", f"[::]:{port}", "--mqtt-listen", f"[::]:{port}"],
                  gateway=False, client=False):
            raise AssertionError("it started")
    except Failure as error:
        check(f"[::]:{port}" in str(error), str(error))


def mapped():
    """an IPv4 peer of a socket that takes both is told as an IPv4 address: to the device, in the log, and
    to who counts wrong keys"""
    port = free_port()
    with Site(hub_arguments=["--listen", f"[::]:{port}"], gateway=False, client=False) as site:
        hub = Wire(site)
        hub.port = port
        device = hub.device(client_type=CAPABLE)
        hub.post("dev1", caps="initiator")
        sender = device.request().properties["$from"]
        check(sender.startswith("127.0.0.1:"), f"$from={sender}")
        check("Device dev1 is connected from 127.0.0.1:" in site.hub.log(), site.hub.log())
        check("::ffff" not in site.hub.log(), site.hub.log())
        wrong = hub.service_token(key=wire.base64.b64encode(bytes(32)).decode())
        check_equal(hub.post(token=wrong).read().status, 401, "by the socket for both")
        hub.port = site.hub.https_port
        check_equal(hub.post(token=wrong).read().status, 429, "by the socket for IPv4 alone")


if __name__ == "__main__":
    main(alpn, alerts, both_families, same_port_twice, mapped)
