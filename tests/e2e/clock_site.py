# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes with a clock of their own: libfaketime gives one the time that a file says; its monotonic
clock is left alone."""
import glob
import os

from harness import Site, check


def libfaketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    check(found, "there is no libfaketime (Debian: faketime)")
    return found[0]


class ClockSite(Site):
    """What is started while `faked` is set sees the time that set_clock() says, each by its name."""

    faked = None
    zone = None

    def environment(self, **more):
        if self.zone:
            more["TZ"] = self.zone
        if self.faked:
            path = os.path.join(self.dir, self.faked + ".clock")
            if not os.path.exists(path):
                self.set_clock(self.faked, "+0")
            more.update(LD_PRELOAD=libfaketime(), FAKETIME_TIMESTAMP_FILE=path,
                        FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_NO_CACHE="1")
        return super().environment(**more)

    def set_clock(self, name, offset):
        path = os.path.join(self.dir, name + ".clock")
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(offset + "\n")
        os.replace(path + ".new", path)
