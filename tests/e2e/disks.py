# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small disks of a test, in a mount namespace of its own."""
import contextlib
import os
import signal
import time

import wire
from harness import Site, check, check_equal, run, run_ok
from hub_wire import Wire

DISK = "4m"
LOG_S = 1  # REGISTRY_SQLITE_FOLD


def enter():
    """Begins this program again where it may mount; comes back from it only there."""
    if os.environ.get("STREAMD_MOUNTS"):
        return
    os.environ["STREAMD_MOUNTS"] = "1"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvp("unshare", ["unshare", *user, "--mount", "--propagation", "private", "/usr/bin/python3",
                          *os.sys.argv])


def fill(folder):
    """Until not a byte more goes in: the file `filler`."""
    with contextlib.suppress(OSError), open(os.path.join(folder, "filler"), "ab", 0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


class SmallDisk(Site):
    """A hub whose state folder is a disk of its own, small; `before` does something to it first."""

    def __init__(self, before=None, arguments=()):
        super().__init__(hub_arguments=arguments, gateway=False, client=False)
        self.state = os.path.join(self.dir, "hub-state")
        self.before = before

    def start_hub(self, arguments=(), ports=("0", "0"), name="hub"):
        if not os.path.exists(self.state):
            os.mkdir(self.state, 0o700)
            run_ok(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", self.state])
            self.closers.insert(0, lambda: run_ok(["umount", "--lazy", self.state]))
            run_ok([self.streamhub, "init", "--state-dir", self.state, "--host-name", "localhost"])
            self.arguments = arguments
            if self.before:
                self.before(self)
        return super().start_hub(arguments, ports, name)

    def fill(self):
        fill(self.state)

    def make_room(self):
        os.unlink(os.path.join(self.state, "filler"))

    def remount(self, how):
        run_ok(["mount", "-o", f"remount,{how}", self.state])

    def add(self, device):
        return run([self.streamhub, "--admin-socket", self.socket, "device", "add", device])

    @property
    def socket(self):
        return self.arguments[1] if self.arguments else os.path.join(self.state, "admin.sock")

    def first_life(self, killed):
        """Of a hub that has two devices, the second disabled at the last moment; it is stopped, or
        killed before that is anywhere but in the log."""
        first = super().start_hub(name="first")
        hub = Wire(self)
        self.keys = {name: hub.add(name) for name in ("good", "bad")}
        time.sleep(LOG_S + 0.5)  # so that the log is empty before the last change
        hub.hub.admin("device", "disable", "bad")
        first.stop(signal.SIGKILL if killed else signal.SIGTERM)
        log = os.path.join(self.state, "registry.sqlite-wal")
        check_equal(os.path.exists(log) and os.path.getsize(log) > 0, killed, "something in the log")

    def connack(self, name):
        device = wire.Device(self.hub.mqtts_port, self.hub.ca, name, self.keys[name])
        device.close()
        return device.connack

    def serves(self):
        check_equal(self.connack("good"), 0, "who is let in")
        check(self.connack("bad") in (5, 3), "who is not")  # 3: again, and too soon
