# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device and a service by hand: TLS, HTTP, WebSocket and MQTT as bytes (docs/wire-protocol.md).

Nothing of ours is used here, so that what the hub says is read by somebody else. Every wait has a
limit, after which the case fails.
"""
import base64
import contextlib
import hashlib
import hmac
import os
import select
import socket
import ssl
import struct
import threading
import time
import urllib.parse

WAIT = 60.0
QUIET = 0.3  # how long nothing has to come, where nothing may come

POST_FILTER = "$iothub/streams/POST/#"
RES_FILTER = "$iothub/streams/res/#"


class Closed(Exception):
    """The peer has ended the connection."""


def parse_connection_string(text):
    return dict(part.split("=", 1) for part in text.strip().split(";"))


def sas(resource, key, seconds=3600, policy=None, encode=True):
    """A token as Node (encoded) or C (not encoded) makes it."""
    expiry = str(int(time.time()) + seconds)
    signed = urllib.parse.quote(resource, safe="") if encode else resource
    digest = hmac.new(base64.b64decode(key), f"{signed}\n{expiry}".encode(), hashlib.sha256).digest()
    signature = urllib.parse.quote(base64.b64encode(digest).decode(), safe="")
    token = f"SharedAccessSignature sr={signed}&sig={signature}&se={expiry}"
    return token + (f"&skn={policy}" if policy else "")


class TwoThreads(ssl.SSLSocket):
    """One thread may read while another writes. OpenSSL takes one call at a time for a connection:
    of two at once, the reader may see the writer's state as its own, and an end that never came."""
    turns = None

    def share(self):
        self.patience = self.gettimeout()
        super().settimeout(0)
        self.turns = threading.Lock()
        return self

    def settimeout(self, seconds):
        if self.turns:
            self.patience = seconds
        else:
            super().settimeout(seconds)

    def setblocking(self, flag):
        self.settimeout(None if flag else 0)

    def recv(self, *args):
        return self.in_turn(super().recv, *args)

    def send(self, *args):  # sendall() calls it
        return self.in_turn(super().send, *args)

    def in_turn(self, call, *args):
        """Waits for the network while others may call, for its patience at most."""
        limit = None if self.patience is None else time.monotonic() + self.patience
        while True:
            try:
                with self.turns:
                    return call(*args)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wants:
                if self.patience == 0:
                    raise
                self.wait(wants, limit)

    def wait(self, wants, limit):
        waiting = select.poll()
        waiting.register(self, select.POLLIN if isinstance(wants, ssl.SSLWantReadError) else select.POLLOUT)
        left = None if limit is None else (limit - time.monotonic()) * 1000
        if left is not None and left <= 0 or not waiting.poll(left):
            raise TimeoutError("the network did nothing in time")


def connect(port, ca, alpn=None, host="localhost", source=None, certificate=None):
    """A TLS connection to the hub, maybe from another address of this machine, or with a certificate
    of its own: (FILE, KEY FILE)."""
    context = ssl.create_default_context(cafile=ca)
    context.sslsocket_class = TwoThreads
    if certificate:
        context.load_cert_chain(*certificate)
    context.sslsocket_class = TwoThreads
    if alpn:
        context.set_alpn_protocols(alpn)
    plain = socket.create_connection(("127.0.0.1", port), timeout=WAIT,
                                     source_address=(source, 0) if source else None)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=host).share()


class Reader:
    """Exactly so many bytes of a socket, or Closed."""

    def __init__(self, sock, start=b""):
        self.sock = sock
        self.held = start

    def more(self):
        try:
            data = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from None
        if not data:
            raise Closed("end")
        self.held += data

    def take(self, count):
        while len(self.held) < count:
            self.more()
        data, self.held = self.held[:count], self.held[count:]
        return data

    def until(self, mark):
        while mark not in self.held:
            self.more()
        data, self.held = self.held.split(mark, 1)
        return data

    def is_quiet(self, seconds=QUIET):
        """Whether nothing comes for a while."""
        if self.held:
            return False
        self.sock.settimeout(seconds)
        try:
            self.more()
            return False
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(WAIT)


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # a list of (lower-case name, value)
        self.body = body

    def get(self, name):
        """The field's value; it must not be there twice."""
        values = [value for key, value in self.headers if key == name.lower()]
        if len(values) > 1:
            raise AssertionError(f"{name} came {len(values)} times")
        return values[0] if values else None


class Http:
    """One connection to the hub that speaks HTTP/1.1."""

    def __init__(self, port, ca, alpn=None, certificate=None):
        self.sock = connect(port, ca, alpn, certificate=certificate)
        self.reader = Reader(self.sock)

    def send(self, method, target, headers=(), body=b""):
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        self.sock.sendall("\r\n".join(lines + ["", ""]).encode() + body)

    def read(self, body=True):
        """BODY: not of the answer to a HEAD."""
        head = self.reader.until(b"\r\n\r\n").decode().split("\r\n")
        status = int(head[0].split()[1])
        headers = [(line.split(":", 1)[0].lower(), line.split(":", 1)[1].strip()) for line in head[1:]]
        length = int(dict(headers).get("content-length", "0"))
        return Response(status, headers, self.reader.take(length) if body and status != 101 else b"")

    def ask(self, *args, **kwargs):
        self.send(*args, **kwargs)
        return self.read()

    def close(self):
        self.sock.close()


class WebSocket:
    """A leg, or MQTT's carrier: the client's side of RFC 6455."""

    def __init__(self, port, ca, target, token=None, protocol=None, headers=(), certificate=None):
        self.http = Http(port, ca, certificate=certificate)
        self.sock = self.http.sock
        fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                  ("Sec-WebSocket-Key", base64.b64encode(os.urandom(16)).decode()),
                  ("Sec-WebSocket-Version", "13"), *headers]
        if token:
            fields.append(("Authorization", f"Bearer {token}"))
        if protocol:
            fields.append(("Sec-WebSocket-Protocol", protocol))
        self.response = self.http.ask("GET", target, fields)
        self.status = self.response.status
        self.reader = self.http.reader

    def send(self, payload, opcode=2, fin=True):
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([(0x80 if fin else 0) | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += struct.pack(">BH", 0x80 | 126, size)
        else:
            head += struct.pack(">BQ", 0x80 | 127, size)
        pattern = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")
        self.sock.sendall(head + mask + masked)

    def close(self, code=None, text=""):
        """Sends a close frame."""
        self.send(b"" if code is None else struct.pack(">H", code) + text.encode(), opcode=8)

    def drop(self):
        """Ends the socket without a word."""
        self.sock.close()

    def frame(self):
        first, second = self.reader.take(2)
        if second & 0x80:
            raise AssertionError("the hub masks")
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.reader.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.reader.take(8))[0]
        return first & 0x0F, self.reader.take(size)

    def message(self):
        """The next data frame's bytes; answers pings. A close frame is (code, text)."""
        while True:
            opcode, payload = self.frame()
            if opcode in (0, 1, 2):
                return payload
            if opcode == 9:
                with contextlib.suppress(OSError):  # it may have closed since; what it said before can be read
                    self.send(payload, opcode=10)
            if opcode == 8:
                return (struct.unpack(">H", payload[:2])[0] if payload else None,
                        payload[2:].decode())

    def receive(self, count):
        """Exactly so many bytes of data, however they are cut."""
        data = b""
        while len(data) < count:
            piece = self.message()
            if isinstance(piece, tuple):
                raise Closed(f"closed after {len(data)} bytes: {piece}")
            data += piece
        if len(data) != count:
            raise AssertionError(f"{len(data)} bytes instead of {count}")
        return data

    def closed(self):
        """The close frame; there must be no data before it."""
        got = self.message()
        if not isinstance(got, tuple):
            raise AssertionError(f"data instead of a close: {got[:40]!r}")
        return got


def mqtt_text(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">H", len(data)) + data


def mqtt_packet(first, body):
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([first]) + length + body


class Request:
    """A request to open a stream, as the device reads it."""

    def __init__(self, first, topic, payload):
        if first != 0x30 or payload:
            raise AssertionError("a request has the first byte 0x30 and no payload")
        levels = topic.split("/")
        if levels[:3] != ["$iothub", "streams", "POST"] or len(levels) != 5:
            raise AssertionError(topic)
        self.name = levels[3]
        pairs = [pair.split("=") for pair in levels[4][1:].split("&")]
        if levels[4][0] != "?" or any(len(pair) != 2 or not all(pair) for pair in pairs):
            raise AssertionError(topic)
        self.properties = {key: urllib.parse.unquote(value) for key, value in pairs}
        if len(self.properties) != len(pairs):
            raise AssertionError("a property twice: " + topic)
        self.rid = self.properties["$rid"]
        self.token = self.properties["$auth"]
        url = urllib.parse.urlsplit(self.properties["$url"])
        if url.scheme != "wss" or not url.port or len(url.path) < 2 or url.query:
            raise AssertionError(self.properties["$url"])
        self.path = url.path


class Device:
    """An MQTT 3.1.1 client by hand, straight in TLS or over a WebSocket."""

    def __init__(self, port, ca, device, key, websocket=None, clean=False, keep_alive=240,
                 user=None, client_type="by-hand", password=None, resource=None, seconds=3600,
                 alpn=None, query="", source=None, certificate=None):
        self.next_id = 0
        self.requests = []
        self.name = device
        self.carrier = None
        if websocket:
            self.carrier = WebSocket(port, ca, "/$iothub/websocket" + query, protocol=websocket,
                                     certificate=certificate)
            if self.carrier.status != 101:
                raise AssertionError(f"no WebSocket: {self.carrier.status}")
            self.sock, self.reader = self.carrier.sock, None
            self.held = b""
        else:
            self.sock = connect(port, ca, alpn, source=source, certificate=certificate)
            self.reader = Reader(self.sock)
        if user is None:
            client_type = urllib.parse.quote(client_type, safe="")
            user = f"localhost/{device}/?api-version=2020-05-31-preview&DeviceClientType={client_type}"
        if password is None and key is not None:
            path = "/modules/".join(device.split("/", 1))
            password = sas(resource or f"localhost/devices/{path}", key, seconds)
        flags = (0x80 if password is None else 0xC0) | (0x02 if clean else 0)
        self.send(0x10, mqtt_text("MQTT") + bytes([4, flags]) + struct.pack(">H", keep_alive)
                  + mqtt_text(device) + mqtt_text(user)
                  + (b"" if password is None else mqtt_text(password)))
        first, body = self.read()
        if first != 0x20 or len(body) != 2:
            raise AssertionError(f"no CONNACK: {first:#x} {body!r}")
        self.session_present, self.connack = bool(body[0]), body[1]

    def send_raw(self, data):
        if self.carrier:
            self.carrier.send(data)
        else:
            self.sock.sendall(data)

    def send(self, first, body):
        self.send_raw(mqtt_packet(first, body))

    def take(self, count):
        if self.reader:
            return self.reader.take(count)
        while len(self.held) < count:
            piece = self.carrier.message()
            if isinstance(piece, tuple):
                raise Closed(f"closed: {piece}")
            self.held += piece
        data, self.held = self.held[:count], self.held[count:]
        return data

    def read(self):
        first = self.take(1)[0]
        size = shift = 0
        while True:
            digit = self.take(1)[0]
            size |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                return first, self.take(size)

    def expect(self, wanted):
        """The next packet of that first byte; requests that come before it are kept."""
        while True:
            first, body = self.read()
            if first >> 4 == wanted >> 4:
                if first != wanted:
                    raise AssertionError(f"flags {first:#x}")
                return body
            if first >> 4 != 3:
                raise AssertionError(f"packet {first:#x} instead of {wanted:#x}")
            self.keep(first, body)

    def keep(self, first, body):
        size = struct.unpack(">H", body[:2])[0]
        self.requests.append(Request(first, body[2:2 + size].decode(), body[2 + size:]))

    def subscribe(self, *filters, qos=0):
        filters = filters or (POST_FILTER, RES_FILTER)
        self.next_id += 1
        body = struct.pack(">H", self.next_id)
        for one in filters:
            body += mqtt_text(one) + bytes([qos])
        self.send(0x82, body)
        answer = self.expect(0x90)
        if answer[:2] != struct.pack(">H", self.next_id):
            raise AssertionError("SUBACK of another packet")
        return list(answer[2:])

    def unsubscribe(self, *filters):
        self.next_id += 1
        self.send(0xA2, struct.pack(">H", self.next_id) + b"".join(map(mqtt_text, filters)))
        return self.expect(0xB0)

    def publish(self, topic, payload=b"", qos=0):
        body = mqtt_text(topic)
        if qos:
            self.next_id += 1
            body += struct.pack(">H", self.next_id)
        self.send(0x30 | qos << 1, body + payload)
        if qos:
            return self.expect(0x40) == struct.pack(">H", self.next_id)
        return True

    def ping(self):
        self.send(0xC0, b"")
        return self.expect(0xD0) == b""

    def request(self):
        """The next request for a stream."""
        while not self.requests:
            first, body = self.read()
            self.keep(first, body)
        return self.requests.pop(0)

    def has_no_request(self):
        """Whether none has come by now: a PINGRESP would come after it."""
        self.ping()
        return not self.requests

    def answer(self, request, status, rest="", qos=0):
        return self.publish(f"$iothub/streams/res/{status}/?$rid={request.rid}{rest}", qos=qos)

    def is_closed(self):
        """Whether the hub ends the connection, and not only falls silent."""
        try:
            while True:
                self.read()
        except TimeoutError:
            return False
        except (Closed, OSError):
            return True

    def close(self):
        self.sock.close()
