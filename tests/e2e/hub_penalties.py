# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who has shown bad credentials has to wait, with the identity that he claimed (requirement R4)."""
import base64
import os
import time

import wire
from harness import check, check_equal, eventually, main
from hub_wire import with_hub

REFUSED = 5
WRONG = base64.b64encode(os.urandom(32)).decode()


def connack(hub, name, key):
    device = wire.Device(hub.mqtts_port, hub.ca, name, key)
    device.close()
    return device.connack


@with_hub("[hub]\npenalty = 2\n")
def waits(hub):
    """a wrong key: the right one is refused as well for a while, other identities are not"""
    key, other = hub.add("dev1"), hub.add("dev2")
    since = time.monotonic()
    check_equal(connack(hub, "dev1", WRONG), REFUSED, "with a wrong key")
    check_equal(connack(hub, "dev1", key), REFUSED, "with the right one, too soon")
    eventually(lambda: connack(hub, "dev1", key) == 0, "it is let in again")
    check(time.monotonic() - since >= 2, "it had not to wait")
    check_equal(connack(hub, "dev3", WRONG), REFUSED, "with a wrong key")
    check_equal(connack(hub, "dev2", other), 0, "another device")
    check_equal(hub.post("nobody").read().status, 404, "a service")


@with_hub("[hub]\npenalty = 600\n")
def forgiven(hub):
    """a device that the operator enables again, or adds, need not wait"""
    key = hub.add("dev1")
    check_equal(connack(hub, "dev1", WRONG), REFUSED, "with a wrong key")
    check_equal(connack(hub, "dev1", key), REFUSED, "too soon")
    hub.hub.admin("device", "disable", "dev1")
    hub.hub.admin("device", "enable", "dev1")
    check_equal(connack(hub, "dev1", key), 0, "after it was enabled")
    check_equal(connack(hub, "dev3", WRONG), REFUSED, "a device that is not there yet")
    check_equal(connack(hub, "dev3", hub.add("dev3")), 0, "after it was added")


@with_hub("[hub]\npenalty = 600\n")
def services(hub):
    """a service with a wrong key waits as its policy; the answer is the same as before"""
    bad = hub.service_token(key=WRONG)
    first, second = hub.post(token=bad).read(), hub.post().read()
    check_equal((first.status, second.status), (401, 401), "statuses")
    check_equal(first.get("iothub-errorcode"), second.get("iothub-errorcode"), "error codes")


@with_hub("[hub]\npenalty = 600\n")
def known(hub):
    """where somebody is connected, a neighbour's mistakes cost nobody anything"""
    device = hub.device("dev1")
    key = hub.add("dev2")
    for _ in range(12):
        check_equal(connack(hub, "dev2", WRONG), REFUSED, "with a wrong key")
    check_equal(connack(hub, "dev2", key), 0, "with the right one")
    check(device.ping(), "PINGRESP")


@with_hub("[hub]\npenalty = 1\npenalty-identities = 3\n")
def guessing(hub):
    """a source that fails as one identity after the other gets no connection for a while"""
    key = hub.add("dev1")
    for number in range(3):
        check_equal(connack(hub, f"guess-{number}", WRONG), REFUSED, "a guess")

    def is_let_in():
        try:
            return connack(hub, "dev1", key) == 0
        except (OSError, wire.Closed):
            return False

    check(not is_let_in(), "it was let in at once")
    eventually(is_let_in, "it is let in later")


if __name__ == "__main__":
    main(waits, forgiven, services, known, guessing)
