# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests that wait for a device that is not connected delay no other. Shown by the order of
events: the ten that wait are all still waiting when the last of a hundred streams has ended."""
import os
import subprocess

from ends import Server, connect, echo, in_threads, read_all, read_exactly
from harness import PATIENCE, Site, check, check_equal, eventually, main

WAITING = 10
STREAMS = 100


def wait_for(site, device):
    """A `streamctl connect --wait` that is pending at the hub."""
    return site.client.start_ctl("connect", "--wait=60", device, "echo", stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def one_stream(port):
    data = os.urandom(1000)
    with connect(port) as near:
        near.sendall(data)
        check_equal(read_exactly(near, len(data)), data, "the echo")


def ten_waiting(before_the_end):
    """Ten requests wait, a hundred streams open and end; then what before_the_end does."""
    with Site() as site:
        server = Server(echo, site)
        site.expose("echo", server.address)
        asleep = [f"asleep-{i}" for i in range(WAITING)]
        identities = [site.hub.add_device(device) for device in asleep]
        port = site.client.tunnel(site.DEVICE, "echo")
        one_stream(port)
        before = site.count()
        waiting = [wait_for(site, device) for device in asleep]
        eventually(lambda: len(site.client.streams()) == WAITING, "ten requests are pending")
        for _ in range(STREAMS // 10):
            in_threads(*[lambda: one_stream(port) for _ in range(10)])
        check_equal([p.poll() for p in waiting], [None] * WAITING, "the ten that wait")
        before_the_end(site, waiting, identities)
        site.wait_count(before)


def given_up():
    """ten wait, a hundred streams open and end meanwhile; the ten are given up and leave nothing"""

    def give_up(_site, waiting, _identities):
        for process in waiting:
            process.terminate()
        for process in waiting:
            check(process.wait(PATIENCE) != 0, "exit code of a connect that was ended")

    ten_waiting(give_up)


def device_arrives():
    """ten wait, a hundred streams open and end meanwhile; the device comes, and its stream opens"""

    def arrive(site, waiting, identities):
        late = site.start_daemon("late")
        late.ctl_ok("target", "add", "echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        late.ctl_ok("accept-policy", "set-default", "accept")
        late.add_hub("office", identities[0], site.hub.ca)
        out, err = waiting[0].communicate(b"at last", timeout=PATIENCE)
        check_equal((waiting[0].returncode, out), (0, b"at last"), f"the one that waited ({err})")
        for process in waiting[1:]:
            process.kill()
            process.communicate()
        late.ctl_ok("hub", "remove", "office")

    ten_waiting(arrive)


if __name__ == "__main__":
    main(given_up, device_arrives)
