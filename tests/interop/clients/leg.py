# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device's leg on one of Python's WebSocket libraries: sends back what comes.

Usage: leg.py websockets|websocket-client|aiohttp; reads a line "URL<tab>TOKEN<tab>CA", says what happens (lines.py).
It may be started before there is a stream: it has its library by the time that it is told of one."""
import asyncio
import importlib
import ssl
import sys
import threading

from lines import say, words

BIGGEST = 65536


class Looped:
    """A library for asyncio, in a thread of its own with a loop."""

    def __init__(self, url, token, ca):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.leg = self.run(self.connect(url, ssl.create_default_context(cafile=ca),
                                         {"Authorization": f"Bearer {token}"}))

    def run(self, awaitable):
        return asyncio.run_coroutine_threadsafe(awaitable, self.loop).result()


class Websockets(Looped):
    """Not websockets.sync, whose two threads use one connection at once: with TLS 1.3, under load, a request in a hundred
    is never sent."""

    async def connect(self, url, tls, headers):
        from websockets.asyncio.client import connect
        return await connect(url, ssl=tls, max_size=None, additional_headers=headers)

    def send(self, data):
        self.run(self.leg.send(data))

    def receive(self):
        """The next message, None at the end."""
        from websockets.exceptions import ConnectionClosed
        try:
            return self.run(self.leg.recv())
        except ConnectionClosed:
            return None

    def close(self):
        self.run(self.leg.close())


class Aiohttp(Looped):
    async def connect(self, url, tls, headers):
        import aiohttp
        self.binary = aiohttp.WSMsgType.BINARY
        self.session = aiohttp.ClientSession()
        return await self.session.ws_connect(url, ssl=tls, max_msg_size=0, headers=headers)

    def send(self, data):
        self.run(self.leg.send_bytes(data))

    def receive(self):
        message = self.run(self.leg.receive())
        return message.data if message.type == self.binary else None

    def close(self):
        self.run(self.leg.close())
        self.run(self.session.close())


class WebsocketClient:
    def __init__(self, url, token, ca):
        import websocket
        self.binary = websocket.ABNF.OPCODE_BINARY
        self.closed = websocket.WebSocketConnectionClosedException
        self.leg = websocket.create_connection(url, sslopt={"ca_certs": ca}, enable_multithread=True,
                                               header=[f"Authorization: Bearer {token}"])

    def send(self, data):
        self.leg.send(data, self.binary)

    def receive(self):
        try:
            return self.leg.recv() or None
        except self.closed:
            return None

    def close(self):
        self.leg.send_close()


LIBRARIES = {"websockets": Websockets, "websocket-client": WebsocketClient, "aiohttp": Aiohttp}
MODULES = {"websockets": "websockets.asyncio.client", "websocket-client": "websocket", "aiohttp": "aiohttp"}


def main():
    importlib.import_module(MODULES[sys.argv[1]])
    line = sys.stdin.readline()
    if not line:
        return
    url, token, ca = words(line)
    try:
        leg = LIBRARIES[sys.argv[1]](url, token, ca)
    except Exception as error:  # pylint: disable=broad-except
        say(event="refused", why=repr(error))
        return
    say(event="open")
    total = biggest = 0
    while data := leg.receive():
        total += len(data)
        biggest = max(biggest, len(data))
        for at in range(0, len(data), BIGGEST):
            leg.send(data[at:at + BIGGEST])
    say(event="closed", total=total, biggest=biggest)


if __name__ == "__main__":
    main()
