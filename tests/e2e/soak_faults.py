# SPDX-License-Identifier: LGPL-2.1-or-later
"""What befalls a site while streams go through it: a proxy that cuts and freezes, processes that
stop for a while, a target that goes away, a device that is disabled. All of it from one seed."""
import asyncio
import contextlib
import signal
import socket
import struct
import threading
import time


class Proxy:
    """A TCP proxy on loopback whose connections can be cut with RST or held for a while."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.upstream = None
        self.pairs = set()
        self.flowing = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.ready = threading.Event()
        self.thread.start()
        self.ready.wait()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._listen())
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def _listen(self):
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        self.port = self.server.sockets[0].getsockname()[1]
        self.ready.set()

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            abort(writer)
            return
        pair = (writer, far_writer)
        self.pairs.add(pair)
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer),
                             return_exceptions=True)
        self.pairs.discard(pair)
        for end in pair:
            end.close()

    async def _pump(self, reader, writer):
        try:
            while data := await reader.read(1 << 16):
                await self.flowing.wait()
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except OSError:
            abort(writer)

    def cut(self, random, share):
        """Resets about that share of the connections, at both of their ends."""
        chosen = random.random()

        def do():
            for number, pair in enumerate(list(self.pairs)):
                if (number * 0.618 + chosen) % 1.0 < share:
                    for end in pair:
                        abort(end)

        self.loop.call_soon_threadsafe(do)

    def hold(self, on):
        """Nothing passes until it is let go again."""
        action = self.flowing.clear if on else self.flowing.set
        self.loop.call_soon_threadsafe(action)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


def abort(writer):
    """RST."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Faults:
    """One fault after the other, drawn from RANDOM, until it is ended."""

    PAUSE = (1.0, 5.0)  # s from the end of one to the beginning of the next
    LENGTH = (0.2, 2.0)  # s that what lasts lasts; below every time limit of the site

    def __init__(self, site, random, legs, link, target):
        self.site, self.random, self.legs, self.link, self.target = site, random, legs, link, target
        self.kinds = [self.cut_legs, self.cut_legs, self.cut_link, self.hold_legs, self.hold_link,
                      self.stop_gateway, self.stop_client, self.stop_hub, self.target_away,
                      self.reload, self.disable]
        self.done = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.error = None

    def start(self):
        self.thread.start()

    def stop(self):
        """No more of them; what was going on is put right again."""
        self.over.set()
        self.thread.join()
        if self.error:
            raise self.error

    def _run(self):
        while not self.over.wait(self.random.uniform(*self.PAUSE)):
            kind = self.random.choice(self.kinds)
            self.done.append(kind.__name__)
            try:
                kind()
            except Exception as error:  # pylint: disable=broad-except
                self.error = error
                return

    def _last(self):
        time.sleep(self.random.uniform(*self.LENGTH))

    def cut_legs(self):
        self.legs.cut(self.random, self.random.choice((0.1, 0.4, 1.0)))

    def cut_link(self):
        self.link.cut(self.random, 1.0)

    def _hold(self, proxy):
        proxy.hold(True)
        self._last()
        proxy.hold(False)

    def hold_legs(self):
        self._hold(self.legs)

    def hold_link(self):
        self._hold(self.link)

    def _stop(self, process):
        process.popen.send_signal(signal.SIGSTOP)
        self._last()
        process.popen.send_signal(signal.SIGCONT)

    def stop_gateway(self):
        self._stop(self.site.gateway)

    def stop_client(self):
        self._stop(self.site.client)

    def stop_hub(self):
        self._stop(self.site.hub)

    def target_away(self):
        self.target.away(True)
        self._last()
        self.target.away(False)

    def reload(self):
        self.site.hub.popen.send_signal(signal.SIGHUP)

    def disable(self):
        """Seldom: coming back from a refusal takes its time."""
        if self.random.random() < 0.8:
            return
        self.site.hub.admin("device", "disable", self.site.DEVICE)
        self._last()
        self.site.hub.admin("device", "enable", self.site.DEVICE)
