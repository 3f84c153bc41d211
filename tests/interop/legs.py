# SPDX-License-Identifier: LGPL-2.1-or-later
"""The legs of a stream as an independent WebSocket library speaks them: python3-websockets, which
checks every header and frame of ours and offers permessage-deflate, which nobody may take."""
import asyncio
import os
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))

# pylint: disable=wrong-import-position
import websockets  # noqa: E402
from harness import check, check_equal, main  # noqa: E402
from hub_wire import with_hub  # noqa: E402

SIZES = (1, 64, 125, 126, 65535, 65536, 65537, 1000000)


# The library has another client since version 14, with other names for these.
NEWER = int(websockets.__version__.split(".")[0]) >= 14
HEADERS = "additional_headers" if NEWER else "extra_headers"


def open_leg(hub, path, token):
    context = ssl.create_default_context(cafile=hub.ca)
    return websockets.connect(f"wss://localhost:{hub.port}{path}", ssl=context, max_size=None,
                              **{HEADERS: {"Authorization": f"Bearer {token}"}},
                              subprotocols=["MQTT"], ping_interval=0.05, ping_timeout=30)


def extensions(leg):
    return (leg.protocol if NEWER else leg).extensions


async def receive(leg, size):
    data = b""
    while len(data) < size:
        piece = await leg.recv()
        check(isinstance(piece, bytes), "a message that is not binary")
        check(0 < len(piece) <= 65536, f"a message of {len(piece)} bytes")
        data += piece
    return data


async def exchange(sender, receiver):
    for size in SIZES:
        data = os.urandom(size)
        got, _ = await asyncio.gather(receive(receiver, size), sender.send(data))
        check(got == data, f"{size} other bytes came out")


async def both_legs(hub, request, answer):
    path = "/" + answer.get("iothub-streaming-url").split("/", 3)[3]
    token = answer.get("iothub-streaming-auth-token")
    async with open_leg(hub, request.path, request.token) as leg, open_leg(hub, path, token) as peer:
        for one in (leg, peer):
            check_equal((extensions(one), one.subprotocol), ([], "MQTT"), "negotiated")
        await asyncio.gather(exchange(leg, peer), exchange(peer, leg))
        await leg.send([b"a", b"b" * 70000, b"c"])  # fragments
        check_equal(await receive(peer, 70002), b"a" + b"b" * 70000 + b"c", "fragments")
        await leg.send("text")
        check_equal(await receive(peer, 4), b"text", "text is bytes")
        await peer.close(1000)
        await leg.wait_closed()
        check_equal((leg.close_code, leg.close_reason), (1011, "WS disconnected"), "the end")


@with_hub()
def library(hub):
    """python3-websockets: all sizes both ways at once, fragments, pings, the close"""
    device = hub.device()
    request, answer = hub.accepted(device)
    asyncio.run(both_legs(hub, request, answer))


if __name__ == "__main__":
    main(library)
