# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hub that breaks the protocol, or wants more than it may have, against streamd in both roles: the
user reads what is wrong, no credential goes astray, nothing stays behind, streamd lives on."""
import base64
import contextlib
import hashlib
import os
import socket
import ssl
import struct
import threading
import time

from ends import Server
from harness import PATIENCE, Site, check, check_equal, eventually, listed, main, run_ok

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = base64.b64encode(bytes(32)).decode()


class EvilHub:
    """A TLS server with the real hub's certificate; act(connection, head) plays its part."""

    def __init__(self, site, act):
        self.heads = []
        self.act = act
        self.lock = threading.Lock()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        state = os.path.join(site.dir, "hub-state")
        self.context.load_cert_chain(os.path.join(state, "server.pem"),
                                     os.path.join(state, "server-key.pem"))
        self.server = Server(self._serve, site)
        self.port = self.server.port

    def service(self):
        return f"HostName=localhost:{self.port};SharedAccessKeyName=service;SharedAccessKey={KEY}"

    def device(self):
        return f"HostName=localhost:{self.port};DeviceId=gw;SharedAccessKey={KEY}"

    def _serve(self, plain):
        plain.settimeout(PATIENCE)
        with contextlib.suppress(OSError), \
                self.context.wrap_socket(plain, server_side=True) as connection:
            head = read_head(connection)
            if head is None:
                return
            with self.lock:
                self.heads.append(head)
            self.act(connection, head)


def read_head(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return None
        head += byte
    return head.decode()


def field(head, name):
    for line in head.split("\r\n"):
        if line.lower().startswith(name.lower() + ":"):
            return line.split(":", 1)[1].strip()
    return None


def accept_key(head):
    digest = hashlib.sha1((field(head, "Sec-WebSocket-Key") + GUID).encode()).digest()
    return base64.b64encode(digest).decode()


def upgrade(head, *more):
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Accept: {accept_key(head)}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answers(text):
    """An act that sends these bytes and waits for the other side to go."""

    def act(connection, head):
        connection.sendall(text(head) if callable(text) else text.encode())
        while connection.recv(4096):
            pass

    return act


def accepted(url, token="token"):
    return ("HTTP/1.1 200 OK\r\niothub-streaming-is-accepted: True\r\n"
            f"iothub-streaming-url: {url}\r\niothub-streaming-auth-token: {token}\r\n"
            "Content-Length: 0\r\n\r\n")


class Thief(Server):
    """Takes connections and keeps whatever it is told."""

    def __init__(self, site):
        self.stolen = b""
        super().__init__(self._steal, site)

    def _steal(self, connection):
        connection.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            while data := connection.recv(4096):
                self.stolen += data


def service_answers():
    """a service: redirects, foreign and unencrypted legs, and broken answers are errors that say so"""
    with Site(gateway=False) as site:
        thief = Thief(site)
        loot = f"http://127.0.0.1:{thief.port}/"
        rows = [
            (f"HTTP/1.1 302 Found\r\nLocation: {loot}\r\nContent-Length: 0\r\n\r\n", 16, "302"),
            (accepted(f"ws://127.0.0.1:{thief.port}/leg"), 16, "url"),
            (accepted(f"wss://127.0.0.1:{thief.port}/leg"), 16, "not the hub's"),
            (accepted("wss://localhost:1/a\tb"), 16, ""),
            (accepted("wss://localhost:443/leg", "to\x7fken"), 16, ""),
            ("HTTP/1.1 307 x\r\nLocation: https://portal.example/?u=hub\r\nContent-Length: 0\r\n\r\n", 16,
             "redirects to portal.example"),
            ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", 16,
             "in the hub's place with a web page"),
            ("HTTP/1.1 404 x\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", 16,
             "a web server answers there that is not a hub"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 16, "not a hub"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 16, ""),
            ("HTTP/1.1 200 OK\r\n" + "x: y\r\n" * 9000 + "\r\n", 16, ""),
            ("HTTP/1.1 999 What\r\n\r\n", 16, ""),
            ("SSH-2.0-OpenSSH_9.2\r\n\r\n", 16, ""),
        ]
        for text, code, word in rows:
            hub = EvilHub(site, answers(text))
            site.client.add_hub("evil", hub.service(), site.hub.ca)
            done = site.client.ctl("connect", "--hub", "evil", "gw", "echo")
            print(f"# {done.returncode}: {done.stderr.strip().splitlines()[:1]}")
            check(done.returncode not in (0, 2, 3, -6, -11), f"{text[:60]!r}: {done.returncode}")
            check(code in (None, done.returncode), f"{text[:60]!r}: {done.returncode}, not {code}")
            check(word.lower() in done.stderr.lower(), f"{done.stderr!r} has no {word!r}")
            site.client.ctl_ok("hub", "remove", "evil")
        check(b"Authorization" not in thief.stolen and b"token" not in thief.stolen,
              f"stolen: {thief.stolen!r}")
        check(b"GET" not in thief.stolen and b"POST" not in thief.stolen, "a request in the clear")


def untrusted_gets_nothing():
    """nothing is said to a hub whose certificate is not trusted"""
    with Site(gateway=False) as site:
        hub = EvilHub(site, answers(""))
        thief = Thief(site)
        elsewhere = hub.service().replace(str(hub.port), str(thief.port))
        site.client.add_hub("no-tls", elsewhere, site.hub.ca)
        site.client.ctl_ok("hub", "add", "system", "--connection-string-file", "-",
                           stdin=None, input=hub.service())
        for name in ("no-tls", "system"):
            done = site.client.ctl("connect", "--hub", name, "gw", "echo")
            print(f"# {done.returncode}: {done.stderr.strip().splitlines()[:1]}")
            check(done.returncode in (13, 14, 15, 16), f"{name}: {done.returncode}")
        check_equal(hub.heads, [], "requests over TLS that is not trusted")
        check(b"SharedAccess" not in thief.stolen, "a token in the clear")


# -- a device's control link: MQTT in WebSocket messages -------------------------------------------


def frame(payload):
    head = b"\x82" + (bytes([len(payload)]) if len(payload) < 126 else
                      b"\x7e" + struct.pack(">H", len(payload)))
    return head + payload


CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x04\x00\x01\x00\x00"


def publish(topic, first=0x30, payload=b""):
    body = struct.pack(">H", len(topic)) + topic.encode() + payload
    length = len(body)
    digits = bytearray()
    while True:
        digits.append(length % 128 | (128 if length > 127 else 0))
        length //= 128
        if not length:
            break
    return bytes([first]) + bytes(digits) + body


def read_frames(connection):
    """The payloads of the client's messages, as one run of bytes."""
    data = b""
    while True:
        try:
            more = connection.recv(65536)
        except OSError:
            return data
        if not more:
            return data
        data += more


def control_link(*packets):
    """An act: upgrade, then these packets, each in a message of its own."""

    def act(connection, head):
        connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
        for packet in packets:
            connection.sendall(frame(packet))
        read_frames(connection)

    return act


def the_hub(daemon):
    return listed(daemon.ctl_json("hub", "list"), "hubs")[0]


def device_links():
    """a device: broken control links are named, and tried again, without an end of streamd"""
    with Site(gateway=False, client=False) as site:
        site.gateway = site.start_daemon("gateway")
        rows = [
            (control_link(b"\x20\x02\x00\x05"), "refused", "identity"),
            (control_link(b"\x20\x02\x00\x03"), "disconnected", "asks to wait"),
            (control_link(b"\x20\x02\x02\x00"), "disconnected", "CONNACK"),
            (control_link(b"\x90\x04\x00\x01\x00\x00"), "disconnected", "SUBACK"),
            (control_link(CONNACK, b"\x90\x02\x00\x01"), "disconnected", "SUBACK"),
            (control_link(CONNACK, b"\x90\x04\x00\x02\x00\x00"), "disconnected", "SUBACK"),
            (control_link(CONNACK, b"\x90\x04\x00\x01\x80\x80"), "disconnected", "no device streams"),
            (control_link(b"\x20\xff\xff\xff\xff\x7f"), "disconnected", ""),
            (control_link(b"\x30\xff\xff\xff\x7f"), "disconnected", ""),
            (control_link(b"\x10\x00"), "disconnected", ""),
            (answers(lambda head: upgrade(head, "Sec-WebSocket-Extensions: permessage-deflate")),
             "disconnected", "WebSocket"),
            (answers("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"),
             "disconnected", "WebSocket"),
            (answers("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"), "refused", "401"),
            (answers("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), "disconnected", "503"),
        ]
        for act, state, word in rows:
            hub = EvilHub(site, act)
            site.gateway.add_hub("evil", hub.device(), site.hub.ca)
            eventually(lambda: the_hub(site.gateway)["last_error"], "an error is shown")
            eventually(lambda s=state: the_hub(site.gateway)["state"] in (s, "connecting"), state)
            shown = the_hub(site.gateway)
            print(f"# {shown['state']}: {shown['last_error']}")
            check(word.lower() in shown["last_error"].lower(),
                  f"{shown['last_error']!r} has no {word!r}")
            eventually(lambda h=hub: len(h.heads) > 1, "it tries again")
            site.gateway.ctl_ok("hub", "remove", "evil")


def bad_requests():
    """a device: malformed requests are dropped, foreign legs get nothing, good ones are answered"""
    got = []

    def act(connection, head):
        if "/$iothub/websocket" not in head.split("\r\n")[0]:
            return
        connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
        connection.sendall(frame(CONNACK) + frame(SUBACK))
        base = "$iothub/streams/POST/"
        url = "wss%3A%2F%2Flocalhost%3A1%2Fleg"
        for topic in (
                base, base + "echo/", base + "echo/?", base + "echo/?$rid=1",
                base + f"echo/?$rid=1&$url={url}", base + f"echo/?$rid=1&$url={url}&$auth=",
                base + f"echo/?$rid=1&$rid=2&$url={url}&$auth=t",
                base + "echo/?$rid=1&$url=ws%3A%2F%2Fh%3A1%2Fleg&$auth=t",
                base + "echo/?$rid=1&$url=wss%3A%2F%2Fh%3A1%2Fl%0D%0Ag&$auth=t",
                base + "e/c/h/o/?$rid=1", base + f"echo/?$rid={'9' * 3000}&$url={url}&$auth=t",
                "$iothub/twin/res/200/?$rid=1", "x"):
            connection.sendall(frame(publish(topic)))
        for number in range(7, 9):
            connection.sendall(frame(publish(base + f"echo/?$rid={number}&$url={url}&$auth=t")))
        got.append(unmasked(connection))

    def unmasked(connection):
        """What the client says, until two answers have come."""
        data, said = b"", b""
        while said.count(b"/streams/res/200/") + said.count(b"/streams/res/400/") < 2:
            more = connection.recv(65536)
            if not more:
                break
            data += more
            said = unmask(data)
        return said

    with Site(gateway=False, client=False) as site:
        site.gateway = site.start_daemon("gateway")
        site.expose("echo", Server(lambda c: c.recv(1), site).address)
        hub = EvilHub(site, act)
        site.gateway.add_hub("evil", hub.device(), site.hub.ca)
        eventually(lambda: got, "two answers")
        said = got[0]
        check(b"$rid=7" in said and b"$rid=8" in said, f"the answers: {said!r}")
        check(b"$rid=1&" not in said and b"$rid=1\x00" not in said, f"a bad one: {said!r}")
        check(b"$streamd" not in said and b"$reason" not in said,
              "a plain hub was told what it does not know")
        site.gateway.ctl_ok("hub", "remove", "evil")
        eventually(lambda: not site.gateway.streams(), "no stream is left")


def notices():
    """a device: notices that are malformed, too large, too early or of an unknown kind change nothing"""
    topic = "$iothub/streamd/notice/"

    def notice(payload):
        return frame(publish(topic, payload=payload))

    def act(connection, head):
        connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
        connection.sendall(notice(b'{"kind":"taken-over"}') + frame(CONNACK))
        for payload in (
                b"", b"{}", b"[]", b"null", b"{", b'{"kind":1}', b'{"kind":"UP"}', b"\xff" * 100,
                b'{"kind":"a","kind":"taken-over"}', b'{"kind":"some-day","x":[1,{"y":null}]}',
                b'{"kind":"taken-over","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
                b'{"kind":"taken-over","x":"' + b"x" * (16 << 10) + b'"}'):
            connection.sendall(notice(payload))
        connection.sendall(frame(publish(topic + "more", payload=b'{"kind":"taken-over"}')))
        connection.sendall(frame(SUBACK))
        read_frames(connection)

    with Site(gateway=False, client=False) as site:
        site.gateway = site.start_daemon("gateway")
        hub = EvilHub(site, act)
        site.gateway.add_hub("evil", hub.device(), site.hub.ca)
        eventually(lambda: the_hub(site.gateway)["state"] == "connected", "connected")
        check_equal(the_hub(site.gateway)["last_error"], "", "an error")
        check_equal(len(hub.heads), 1, "links")


def silent_after_a_cut():
    """a device: when a stream is cut it asks whether the control link still lives, and leaves a dead one"""
    pinged = threading.Event()
    cut = threading.Event()

    def control(connection):
        url = f"wss%3A%2F%2Flocalhost%3A{hub.port}%2Fleg"
        connection.sendall(frame(CONNACK) + frame(SUBACK))
        connection.sendall(frame(publish(f"$iothub/streams/POST/echo/?$rid=1&$url={url}&$auth=t")))
        data = b""
        while more := connection.recv(65536):
            data += more
            if cut.is_set() and b"\xc0\x00" in unmask(data):
                pinged.set()

    def act(connection, head):
        if "/leg" not in head.split("\r\n", maxsplit=1)[0]:
            connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
            control(connection)
            return
        connection.sendall(upgrade(head))
        connection.sendall(frame(b"hello"))
        connection.recv(1)  # the echo: it is open
        cut.set()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def links():
        return len([head for head in hub.heads if "/leg" not in head])

    with Site(gateway=False, client=False) as site:
        site.gateway = site.start_daemon("gateway")
        site.expose("echo", Server(lambda c: c.sendall(c.recv(5)) or c.recv(1), site).address)
        hub = EvilHub(site, act)
        site.gateway.add_hub("evil", hub.device(), site.hub.ca)
        check(pinged.wait(PATIENCE), "no ping after the cut")
        eventually(lambda: links() > 1, "a new control link")
        site.gateway.ctl_ok("hub", "remove", "evil")


def unmask(data):
    """The payloads of whole frames."""
    out = b""
    while len(data) >= 6:
        length, at = data[1] & 127, 2
        if length == 126:
            length, at = struct.unpack(">H", data[2:4])[0], 4
        if len(data) < at + 4 + length:
            break
        mask = data[at:at + 4]
        body = data[at + 4:at + 4 + length]
        out += bytes(b ^ mask[i % 4] for i, b in enumerate(body))
        data = data[at + 4 + length:]
    return out


class Counter:
    """A listener that counts who connects and says nothing."""

    def __init__(self, site, address, port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family)
        self.port = self.listener.getsockname()[1]
        self.count = 0
        site.closers.append(self.listener.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.listener.accept()[0].close()
                self.count += 1


def foreign_urls(site, port):
    """Urls that no hub localhost:PORT may send a stream to, and whoever would be reached there."""
    counters = [Counter(site, "127.0.0.1"), Counter(site, "::1"), Counter(site, "127.0.0.2", port)]
    here, six, other = (counter.port for counter in counters)
    return counters, [
        f"wss://127.0.0.1:{here}/x", f"wss://localhost:{here}/x", f"wss://localhost.:{here}/x",
        f"wss://[::1]:{six}/x", f"wss://localhost:{six}/x", f"wss://[::ffff:127.0.0.1]:{here}/x",
        f"wss://127.1:{here}/x", f"wss://0x7f.1:{here}/x", f"wss://2130706433:{here}/x",
        f"wss://127.0.0.2:{other}/x", f"wss://0177.0.0.2:{other}/x", f"wss://127.0.0.1:{port}/x",
        f"wss://hub.localhost:{port}/x", "wss://127.0.0.1/x", "wss://169.254.169.254/x",
        "wss://eu.streams.azure-devices.net/x", "wss://127.0.0.1:22/x", "wss://localhost:22/x"]


def foreign_urls_of_requests():
    """a device: a url that is not the hub's is refused as bad-url, and nobody hears a SYN of it"""
    said = []

    def act(connection, head):
        if "/$iothub/websocket" not in head.split("\r\n", maxsplit=1)[0]:
            return
        connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
        connection.sendall(frame(CONNACK) + frame(SUBACK))
        for number, url in enumerate(urls):
            escaped = url.replace(":", "%3A").replace("/", "%2F").replace("[", "%5B").replace(
                "]", "%5D")
            connection.sendall(frame(publish(
                f"$iothub/streams/POST/echo/?$rid=r{number}&$url={escaped}&$auth=t"
                "&$streamd=reason")))
        data = b""
        while unmask(data).count(b"&$reason=bad-url") < len(urls):
            more = connection.recv(65536)
            if not more:
                break
            data += more
        said.append(unmask(data))
        read_frames(connection)

    with Site(gateway=False, client=False) as site:
        site.gateway = site.start_daemon("gateway")
        target = Counter(site, "127.0.0.1")
        site.expose("echo", f"tcp:127.0.0.1:{target.port}")
        hub = EvilHub(site, act)
        counters, urls = foreign_urls(site, hub.port)
        site.gateway.add_hub("evil", hub.device(), site.hub.ca)
        eventually(lambda: said, "an answer to each")
        for number in range(len(urls)):
            check(f"/streams/res/400/?$rid=r{number}&$reason=bad-url".encode() in said[0],
                  f"{urls[number]}: {said[0]!r}")
        check(b"bad-url%20" not in said[0], "a text for the hub")
        check_equal([counter.count for counter in [*counters, target]], [0] * 4, "connections")
        site.gateway.ctl_ok("hub", "remove", "evil")


def foreign_urls_of_answers():
    """a service: the same of the url in a POST's answer; StreamHosts lets a host in that it names"""
    with Site(gateway=False) as site:
        sent = []
        hub = EvilHub(site, answers(lambda head: accepted(sent[-1]).encode()))
        counters, urls = foreign_urls(site, hub.port)
        site.client.add_hub("evil", hub.service(), site.hub.ca)
        for url in urls:
            sent.append(url)
            done = site.client.ctl("connect", "--hub", "evil", "gw", "echo")
            check_equal(done.returncode, 16, f"{url}: {done.stderr}")
            check("not the hub's" in done.stderr, f"{url}: {done.stderr}")
        check_equal([counter.count for counter in counters], [0] * 3, "connections")
        check_equal(len(hub.heads), len(urls), "requests")
        site.client.ctl_ok("hub", "remove", "evil")
        site.client.add_hub("wide", hub.service(), site.hub.ca, "--stream-hosts", "127.0.0.*,x.y")
        sent.append(f"wss://127.0.0.2:{hub.port}/x")
        done = site.client.ctl("connect", "--hub", "wide", "gw", "echo")
        check("not the hub's" not in done.stderr, done.stderr)
        # More than once: a connection that ends before an answer begins the opening again.
        check(counters[2].count >= 1, "no connection to a host that the owner named")
        done = site.client.ctl("hub", "add", "bad", "--connection-string-file", "-", "--stream-hosts",
                               "https://x", stdin=None, input=hub.service())
        check_equal(done.returncode, 2, done.stderr)


def older_hub():
    """a service: a hub that knows no POST /devices/query is asked by GET; one that refuses is not asked again"""
    with Site(gateway=False) as site:
        for status, word, code in (("404 Not Found", "d1", 0), ("405 Method Not Allowed", "d1", 0),
                                   ("501 Not Implemented", "d1", 0), ("403 Forbidden", "may not list", 5)):
            def text(head, status=status):
                if head.startswith("POST"):
                    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
                return b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n[{"deviceId":"d1"}]'

            hub = EvilHub(site, answers(text))
            name = f"h{status[:3]}"
            site.client.add_hub(name, hub.service(), site.hub.ca)
            done = site.client.ctl("device", "list", "--hub", name)
            check_equal(done.returncode, code, f"{status}: {done.stderr}")
            check(word in done.stdout + done.stderr, f"{status}: {done.stdout}{done.stderr}")
            check_equal([head.split()[0] for head in hub.heads], ["POST"] + ["GET"] * (code == 0), status)


def endless_lists():
    """a service: a list of devices that goes in circles, or whose pages never end, ends for its user"""

    def page(number, after, devices="[]"):
        return (f"HTTP/1.1 200 OK\r\nstreamd-more: True\r\nstreamd-after: {after}\r\n"
                f"Content-Length: {len(devices)}\r\n\r\n{devices}").encode() if number else b""

    def hub_of(site, name, text):
        hub = EvilHub(site, answers(lambda head: text(len(hub.heads))))
        site.client.add_hub(name, hub.service(), site.hub.ca)
        return hub

    rows = {
        "same": (lambda n: page(n, "a"), 16, "circle", 2),
        "turns": (lambda n: page(n, "ab"[n % 2]), 16, "circle", 3),
        "nothing": (lambda n: page(n, ""), 16, "malformed", 1),
        "endless": (lambda n: page(n, f"d{n}", f'[{{"deviceId":"d{n}"}}]'), 16, "does not end", 1000),
    }
    with Site(gateway=False) as site:
        hubs = {name: hub_of(site, name, row[0]) for name, row in rows.items()}
        for name, (_, code, word, pages) in rows.items():
            begin = time.monotonic()
            done = site.client.ctl("device", "list", "--hub", name)
            print(f"# {name}: {time.monotonic() - begin:.1f} s, {done.stderr.strip()}")
            check_equal(done.returncode, code, f"{name}: {done.stderr}")
            check(word in done.stderr, f"{name}: {done.stderr}")
            # The probe of a new hub asks nothing, so each request is a page.
            check_equal(len(hubs[name].heads), pages, f"pages of {name}")
        begin = time.monotonic()
        run_ok([site.streamctl, "--complete", "connect", "--hub", "endless", ""], env=site.client.env)
        check(time.monotonic() - begin < 5, "completion waits")


if __name__ == "__main__":
    main(endless_lists, older_hub, foreign_urls_of_requests, foreign_urls_of_answers, service_answers, untrusted_gets_nothing, device_links, bad_requests, notices, silent_after_a_cut)
