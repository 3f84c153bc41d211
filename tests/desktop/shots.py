#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures of streamd-desktop, for people to look at: each page and dialog, in windows of several sizes, light, dark
and with high contrast, in the languages, with no device, some, and many. `ninja -C build/check desktop-shots` makes
all of them in build/check/desktop-shots; with arguments it makes the ones named.

usage: shots.py FOLDER [--size WxH…] [--scheme NAME…] [--language XX…] [--devices N…] [--page NAME…] [--text PERCENT]"""
import argparse
import contextlib
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

# pylint: disable=wrong-import-position
from ctl_language import real_locale
from ends import Server, connect
from harness import Site, check
from screen import App, Screen, dots, patiently
from x11 import Windows

SCHEMES = {"light": {}, "dark": {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"},
           "contrast": {"ADW_DEBUG_HIGH_CONTRAST": "1"},
           "dark-contrast": {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark", "ADW_DEBUG_HIGH_CONTRAST": "1"}}
PAGES = ("tunnels", "streams", "devices", "services", "hubs", "tunnel-dialog", "transfer-dialog", "consent")
STILL_MS = 700  # what moves when a page or a size changes has come to rest by then
DESK = "desk-3"
ACTIONS = {"tunnel-dialog": "new-tunnel", "transfer-dialog": "new-transfer"}


def echo(connection):
    with contextlib.suppress(OSError):
        while data := connection.recv(1 << 16):
            connection.sendall(data)


class Scene:
    """A site with so many devices, and what moves in it."""

    def __init__(self, devices):
        self.devices = devices
        self.site = Site(gateway=devices > 0, client=False)
        self.over = threading.Event()

    def __enter__(self):
        site = self.site.__enter__()
        config = os.path.join(site.dir, "many.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write("[limits]\nListenersPerUser=250\n")
        site.client = site.start_daemon("client", ["--config", config])
        if not self.devices:
            return self
        site.client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)
        server = Server(echo, self.site)
        for target in ("ssh", "web"):
            self.site.expose(target, server.address)
        self._be_asked(server)
        for number in range(self.devices - 2):
            self.site.hub.add_device(f"pump-{number + 1:03}")
        for number in range(self.devices - 2 if self.devices > 3 else 0):
            self.site.client.tunnel(f"pump-{number + 1:03}", "ssh")
        self._move("ssh", 20_000)
        self._move("web", 700_000)
        self._fail()
        return self

    def _be_asked(self, server):
        client = self.site.client
        client.add_hub("workshop", self.site.hub.add_device(DESK), self.site.hub.ca)
        client.ctl_ok("target", "add", "rdp", server.address)
        client.ctl_ok("accept-policy", "add", "--stream", "rdp", "--ask=rdp")
        self.site.wait_online(DESK)

    def _move(self, stream, most):
        """A stream through a tunnel in which as many bytes move each second, or fewer."""
        port = self.site.client.tunnel(self.site.DEVICE, stream)

        def run():
            with contextlib.suppress(OSError), connect(port) as near:
                while not self.over.wait(0.1):
                    near.sendall(os.urandom(random.randrange(most // 10)))
                    near.recv(1 << 20)

        threading.Thread(target=run, daemon=True).start()

    def _fail(self):
        """A stream that ended with an error, for the device is not there."""
        port = self.site.client.tunnel("pump-001", "web")
        with contextlib.suppress(OSError), connect(port) as near:
            near.recv(1)

    def knock(self):
        return self.site.client.start_ctl("connect", "--hub", "office", DESK, "rdp", stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __exit__(self, *error):
        self.over.set()
        self.site.__exit__(*error)


class Shoot:
    """One app: one scheme, one language, one scene; windows of all the sizes."""

    def __init__(self, scene, screen, wanted, scheme, language):  # pylint: disable=too-many-arguments
        self.scene, self.screen, self.wanted = scene, screen, wanted
        self.windows = Windows(screen.display)
        self.name = f"{scheme}-{language}-{scene.devices}"
        env = {**scene.site.client.env, **real_locale(), **SCHEMES[scheme], **dots(scene.site, wanted.text),
               "LANGUAGE": language}
        # The way of the tests to find the app is AT-SPI; the pictures need only the windows.
        self.app = App(screen, env)
        patiently(self.windows.all, "there is a window")
        time.sleep(2)  # of a flow, so that there are rates to be seen

    def main(self):
        return self.windows.all()[0]

    def keep(self, page, size):
        window = self.windows.all()[-1]
        path = os.path.join(self.wanted.folder, f"{page}-{size[0]}x{size[1]}-{self.name}.png")
        time.sleep(STILL_MS / 1000)
        with open(path, "wb") as file:
            file.write(self.windows.picture(window).png())

    def pages(self, size):
        for page in self.wanted.page:
            if page not in ACTIONS and page != "consent":
                self.app.act("page", page)
                self.keep(page, size)

    def dialog(self, page, size):
        caller = self.scene.knock() if page == "consent" else None
        if page in ACTIONS:
            self.app.act(ACTIONS[page])
        patiently(lambda: len(self.windows.all()) == 2, f"{page} is there")
        dialog = self.windows.all()[-1]
        if size[0] < dialog.width:  # a telephone shows it alone
            self.windows.place(dialog, *size)
        self.keep(page, size)
        self.screen.keys(9)
        patiently(lambda: len(self.windows.all()) == 1, f"{page} goes")
        if caller:
            caller.wait(60)

    def run(self):
        for size in self.wanted.size:
            self.windows.place(self.main(), *size)
            self.pages(size)
            for page in self.wanted.page:
                if page in ACTIONS or page == "consent" and self.scene.devices:
                    self.dialog(page, size)
        check(self.app.process.alive(), self.app.process.log())
        self.app.process.stop()
        self.app.process.ended_by_us = True


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--size", nargs="+", default=["360x640", "800x600", "1400x900"])
    parser.add_argument("--scheme", nargs="+", default=list(SCHEMES), choices=list(SCHEMES))
    parser.add_argument("--language", nargs="+", default=["en", "zh_CN", "ja", "el", "sv"])
    parser.add_argument("--devices", nargs="+", type=int, default=[0, 3, 200])
    parser.add_argument("--page", nargs="+", default=list(PAGES), choices=list(PAGES))
    parser.add_argument("--text", type=int, default=100, help="its size in percent")
    wanted = parser.parse_args()
    wanted.size = [tuple(map(int, size.split("x"))) for size in wanted.size]
    return wanted


def run(wanted):
    os.makedirs(wanted.folder, exist_ok=True)
    for devices in wanted.devices:
        with Scene(devices) as scene:
            screen = Screen(scene.site, scene.site.client.bus.address, size="1440x960")
            for scheme in wanted.scheme:
                for language in wanted.language:
                    Shoot(scene, screen, wanted, scheme, language).run()


if __name__ == "__main__":
    run(parse())
