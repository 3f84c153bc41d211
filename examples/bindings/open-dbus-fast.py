#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""open-dbus-fast.py DEVICE STREAM: writes a line, prints what comes back and how the stream ended."""
import asyncio
import socket
import sys

from dbus_fast.aio import MessageBus

NAME, ROOT = "io.streamd.Streamd1", "/io/streamd/Streamd1"


async def interface(bus, path, name):
    seen = await bus.introspect(NAME, path)
    return bus.get_proxy_object(NAME, path, seen).get_interface(f"{NAME}.{name}")


async def main():
    bus = await MessageBus(negotiate_unix_fd=True).connect()
    manager = await interface(bus, ROOT, "Manager")
    fd, path = await manager.call_open_stream("", sys.argv[1], sys.argv[2], {})
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    writer.write(b"hello\n")
    writer.write_eof()
    print((await reader.read()).decode(), end="")
    writer.close()
    stream = await interface(bus, path, "Stream")
    while not await stream.get_closed_at():
        await asyncio.sleep(0.01)
    print(await stream.get_close_reason())

asyncio.run(main())
