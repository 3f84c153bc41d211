# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proxies that are down, refuse, leave, lie, hang or never end: each has its own message, within its time
and a bounded size; and a proxy that comes back is used again."""
import contextlib
import itertools
import os
import ssl
import threading
import time

from ends import free_port, in_threads
from harness import PATIENCE, Site, check, check_equal, eventually, main, run_ok, write_private
from proxies import Hostile, ProxySite, Recorder, Tinyproxy, wait_state

TALK = 64 << 20  # what an endless proxy would like to say; the kernel holds some MiB of it
DIAL = 10  # s; streamd's limit for a connection


def says(text, *, drain=True):
    """An act that answers with these bytes; then it waits for the other side, or leaves."""

    def act(connection, _head):
        connection.sendall(text)
        while drain and connection.recv(4096):
            pass

    return act


def hangs(connection, _head):
    while connection.recv(4096):
        pass


def drips(connection, _head):
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
        connection.sendall(bytes([byte]))
        time.sleep(0.5)


def in_turn(*acts):
    """The first connection meets the first act, the next one the next, and then again."""
    turns = itertools.cycle(acts)
    lock = threading.Lock()

    def act(connection, head):
        with lock:
            one = next(turns)
        one(connection, head)

    return act


class Endless:
    """Headers without an end; keeps whether a connection took all of them."""

    def __init__(self):
        self.all_sent = False

    def __call__(self, connection, _head):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(TALK >> 10):
            connection.sendall(b"X-More: " + b"x" * 1014 + b"\r\n")
        self.all_sent = True


def intercepts(site):
    """A proxy that opens TLS itself, with a certificate of another authority."""
    state = os.path.join(site.dir, "other-hub")
    run_ok([site.streamhub, "init", "--state-dir", state, "--host-name", "hub.proxy.test"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(state, "server.pem"), os.path.join(state, "server-key.pem"))
    seen = bytearray()

    def act(connection, _head):
        connection.sendall(b"HTTP/1.1 200 Yes\r\n\r\n")
        with contextlib.suppress(OSError), \
                context.wrap_socket(connection, server_side=True) as inside:
            while data := inside.recv(4096):
                seen.extend(data)

    return act, seen


def fails(site, name, url, code, *words):
    """`streamctl connect` through that proxy ends with that code and says those words."""
    site.client.add_hub(name, site.hub.connection_string("user", "service"), site.hub.ca,
                        "--proxy", url)
    started = time.monotonic()
    done = site.client.ctl("connect", "--hub", name, site.DEVICE, "echo")
    took = time.monotonic() - started
    print(f"# {done.returncode} after {took:.1f} s: {' '.join(done.stderr.split())}")
    check_equal(done.returncode, code, f"exit code for {name} ({done.stderr.strip()})")
    for word in words:
        check(word in done.stderr, f"{name}: no {word!r} in {done.stderr!r}")
    check(took < DIAL + PATIENCE / 2, f"{name} took {took:.1f} s")
    site.client.ctl_ok("hub", "remove", name)


def told():
    """each way to fail has its own message and exit code, in time and bounded in bytes"""
    with ProxySite(gateway=False, client=False) as site:
        site.client = site.start_daemon("client")
        endless = Endless()
        open_tls, seen = intercepts(site)
        rows = [
            ("s-502", says(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), 14, "cannot reach the hub", "502"),
            ("s-503", says(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), 14, "503"),
            ("s-403", says(b"HTTP/1.1 403 No\r\n\r\n"), 18, "allows no connection"),
            ("s-407", says(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"), 18,
             "wants credentials"),
            # How one signs in there is asked once more: the second answer may be any other one.
            ("kerberos", says(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Negotiate\r\n\r\n"), 18,
             "wants a sign-in by Negotiate"),
            ("s-407-hangs", in_turn(says(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: NTLM\r\n\r\n"), hangs), 18,
             "wants credentials"),
            ("s-407-drips", in_turn(says(b"HTTP/1.1 407 Who\r\n\r\n"), drips), 18, "wants credentials"),
            ("s-407-leaves", in_turn(says(b"HTTP/1.1 407 Who\r\n\r\n"), says(b"", drain=False)), 18, "wants credentials"),
            ("s-407-yes", in_turn(says(b"HTTP/1.1 407 Who\r\n\r\n"), says(b"HTTP/1.1 200 Yes\r\n\r\n")), 18,
             "wants credentials"),
            ("s-302", says(b"HTTP/1.1 302 There\r\nLocation: http://127.0.0.1/\r\n\r\n"), 14, "302"),
            ("leaves", says(b"", drain=False), 14, "closed connection unexpectedly"),
            ("garbage", says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), 14, "Bad HTTP proxy reply"),
            ("yes-leaves", says(b"HTTP/1.1 200 Yes\r\n\r\n", drain=False), 14,
             "through the proxy", "had said yes"),
            ("yes-garbage", says(b"HTTP/1.1 200 Yes\r\n\r\nwelcome to this proxy\r\n"), 16,
             "through the proxy"),
            ("opens-tls", open_tls, 15, "may open TLS itself"),
            ("endless", endless, 14, "too big"),
            ("hangs", hangs, 13, "did not answer in time"),
            ("drips", drips, 13, "did not answer in time"),
        ]
        calls = [(lambda name=name, act=act, rest=rest:
                  fails(site, name, Hostile(site, act).url, *rest)) for name, act, *rest in rows]
        calls.append(lambda: fails(site, "down", f"http://127.0.0.1:{free_port()}", 14,
                                   "cannot be reached", "refused"))
        calls.append(lambda: fails(site, "no-name", "http://proxy.invalid:3128", 14,
                                   "the proxy proxy.invalid:3128 cannot be reached"))
        calls.append(lambda: fails(site, "no-socks", Hostile(site, hangs).url
                                   .replace("http", "socks5"), 13, "did not answer in time"))
        # One before, so that what GLib opens once and keeps is there.
        fails(site, "first", Hostile(site, rows[0][1]).url, 14)
        fds = site.client.fds()
        in_threads(*calls)
        check(not endless.all_sent, "the endless answer was read to its end")
        check_equal(bytes(seen), b"", "what the interceptor was told")
        eventually(lambda: site.client.fds() <= fds, "no descriptor is left")
        site.check_memory()


def malformed():
    """a proxy that cannot be used is refused when it is named: over TLS, with a password, of no kind"""
    with Site(gateway=False, client=False) as site:
        site.client = site.start_daemon("client")
        path = os.path.join(site.dir, "me.cs")
        write_private(path, site.hub.connection_string("user", "service"))
        for url, word in [("https://127.0.0.1:3128", "over TLS"),
                          ("http://me:secret@127.0.0.1:3128", "no place for a password"),
                          ("socks4://127.0.0.1:1080", "not supported"),
                          ("http://127.0.0.1", "host and port"),
                          ("http://127.0.0.1:3128/path", "host and port"),
                          ("http://a b:1", "proxy"), ("nonsense", "URL of a proxy")]:
            done = site.client.ctl("hub", "add", "x", "--connection-string-file", path,
                                   "--proxy", url)
            check_equal(done.returncode, 2, f"exit code for {url} ({done.stderr.strip()})")
            check(word in done.stderr, f"no {word!r} in {done.stderr!r}")
            check("secret" not in done.stderr, "the password is shown")
        plain = site.environment
        site.environment = lambda **more: {**plain(**more), "https_proxy": "https://127.0.0.1:1"}
        other = site.start_daemon("other")
        other.ctl_ok("hub", "add", "x", "--connection-string-file", path, "--ca", site.hub.ca)
        said = wait_state(other, "x", "disconnected")["last_error"]
        check("over TLS" in said and "https_proxy" in said, f"last error: {said!r}")


def comes_back():
    """a proxy that dies and comes back: the gateway is online again by itself"""
    with ProxySite(gateway=False, client=False) as site:
        proxy = Tinyproxy(site)
        recorder = Recorder(site, proxy.port)
        site.gateway = site.start_daemon("gateway")
        site.gateway.add_hub("office", site.hub.add_device(site.DEVICE), site.hub.ca,
                             "--proxy", recorder.url)
        site.wait_online(site.DEVICE)
        proxy.stop()
        # The hub's end goes with the proxy.
        eventually(lambda: not site.is_online(site.DEVICE), "it is offline")
        said = eventually(lambda: site.gateway.ctl_json("hub", "list")[0]["last_error"], "an error")
        check(said, "nothing is said of the loss")
        recorder.proxy_port = Tinyproxy(site).port
        site.wait_online(site.DEVICE)


if __name__ == "__main__":
    main(told, malformed, comes_back)
