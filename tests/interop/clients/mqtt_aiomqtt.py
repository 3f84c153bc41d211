# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device on aiomqtt, which leaves coming back to its user; see lines.py."""
import asyncio
import contextlib
import ssl
import sys

import aiomqtt
from lines import certificate, say, words


class Device:
    def __init__(self, _, host, port, transport, ca, identity, user, password, keep_alive):
        own = certificate(password)
        self.password = None if own else password
        tls = ssl.create_default_context(cafile=ca)
        if own:
            tls.load_cert_chain(own)
        self.make = lambda: aiomqtt.Client(
            host, int(port), username=user, password=self.password, identifier=identity, clean_session=False,
            keepalive=int(keep_alive), tls_context=tls,
            transport="websockets" if transport == "ws" else "tcp", websocket_path="/$iothub/websocket")
        self.client = None
        self.up = asyncio.Event()

    async def stay(self):
        """Connected for ever, with the password of the time."""
        while True:
            try:
                async with self.make() as self.client:
                    say(event="connected", code=0)
                    self.up.set()
                    async for message in self.client.messages:
                        say(event="message", topic=message.topic.value, payload=message.payload.decode())
            except aiomqtt.MqttError as error:
                self.up.clear()
                say(event="lost", why=str(error))
                await asyncio.sleep(1)

    async def do(self, command, *arguments):
        """Once more when the connection was lost meanwhile."""
        if command == "password":
            self.password = arguments[0]
            say(done=command)
        while command != "password":
            await self.up.wait()
            try:
                return await self.try_to(command, *arguments)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    async def try_to(self, command, *arguments):
        if command == "subscribe":
            codes = await self.client.subscribe(arguments[0], qos=int(arguments[1]))
            say(done=command, codes=[getattr(code, "value", code) for code in codes])
        elif command == "publish":
            await self.client.publish(arguments[0], arguments[2], qos=int(arguments[1]))
            say(done=command)
        elif command == "telemetry":
            count = int(arguments[1])
            await asyncio.gather(*(self.client.publish(arguments[0], f"m{number}", qos=1, timeout=60)
                                   for number in range(count)))
            say(done=command, acknowledged=count)


async def main():
    say(event="started")
    device = Device(*words(sys.stdin.readline()))
    staying = asyncio.create_task(device.stay())
    while (line := await asyncio.to_thread(sys.stdin.readline)) and line != "quit\n":
        await device.do(*words(line))
    staying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await staying


asyncio.run(main())
