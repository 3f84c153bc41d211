# SPDX-License-Identifier: LGPL-2.1-or-later
"""What docs/operations.md says that a device, a stream and a record cost the hub, measured; and that its
table for whole fleets is what follows from that."""
import json
import os
import re

from harness import SANITIZED, check, check_equal, eventually, main
from hub_wire import with_hub
from page import Page
from wire import Device

PAGE = Page(os.environ["OPERATIONS_PAGE"])
DEVICES = 400
STREAMS = 200
PER_DEVICE = 50
RECORDS = 5000
CPU_MORE = 3  # times what the page says: on a machine that does other work, or is slower
PLENTY = """[hub]
connections-burst = 100000
connections-per-second = 100000
unauthenticated-per-source = 4096
streams-burst = 100000
stream-deadline = 60
keep-alive-timeout = 0.5
"""


def import_devices(hub, count, tag=""):
    """Adds devices to the registry; their keys by name."""
    path = os.path.join(hub.site.dir, "devices.jsonl")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(json.dumps({"id": f"gateway-{number:06}", "tags": {"site": "berlin"}}) + "\n"
                        for number in range(count))
    hub.hub.admin("device", "import", path)
    lines = hub.hub.admin("device", "export", "-", "--keys").splitlines()
    return {one["id"]: one["keys"]["primary"] for one in map(json.loads, lines)}


def settled(process, what):
    """WHAT(process) when it has not changed for a moment."""
    last = []

    def same():
        last.append(what(process))
        return len(last) > 10 and len(set(last[-10:])) == 1

    eventually(same, "it is settled")
    return last[-1]


class Weight:
    """What a process has and has used, once that is settled; also of one thing."""

    def __init__(self, process=None):
        if process:
            self.kib = settled(process, lambda process: process.status_kib("VmRSS"))
            self.fds, self.ms = process.fds(), process.cpu_seconds() * 1000

    def each(self, make):
        one = Weight()
        one.kib, one.fds, one.ms = make("kib"), make("fds"), make("ms")
        return one

    def __sub__(self, other):
        return self.each(lambda name: getattr(self, name) - getattr(other, name))

    def __truediv__(self, count):
        return self.each(lambda name: getattr(self, name) / count)


def number(text):
    return float(re.search(r"[\d,.]*\d", text).group().replace(",", ""))


def near(what, got, said, more=1.25):
    """The page may say a little less, since no two machines are alike, and up to twice as much."""
    print(f"# {what}: {got:.2f}, and the page says {said}")
    if not SANITIZED:
        check(said / 2 <= got <= said * more, f"{what}: {got:.2f}, and the page says {said}")


@with_hub(PLENTY)
def devices_and_streams(hub):
    """memory and descriptors of idle devices and of idle streams, and the disk of records"""
    keys = import_devices(hub, RECORDS)
    said = PAGE.table("what")
    hub.restart(PLENTY)
    process = hub.hub
    size = sum(os.path.getsize(os.path.join(process.state_dir, name))
               for name in os.listdir(process.state_dir) if name.startswith("registry.sqlite"))
    near("bytes of a record", size / RECORDS, number(said["a device in the registry"]["disk"]))
    copy = os.path.join(hub.site.dir, "backup")
    process.admin("backup", copy)
    near("bytes of a record in a backup", os.path.getsize(copy) / RECORDS, number(said["a device in a backup"]["disk"]))
    empty, devices = Weight(process), []
    near("MiB of an empty hub", empty.kib / 1024, number(said["the hub itself"]["memory"]))
    check(empty.fds <= number(said["the hub itself"]["descriptors"]), f"{empty.fds} descriptors")
    for name, key in list(keys.items())[:DEVICES]:
        devices.append(Device(hub.mqtts_port, hub.ca, name, key))
        hub.open.callback(devices[-1].close)
        check_equal(devices[-1].subscribe(), [0, 0], "granted")
    full = Weight(process)
    compare("device", (full - empty) / DEVICES, said["a connected device"])
    for count in range(STREAMS):
        hub.opened(devices[count // PER_DEVICE])
    eventually(lambda: process.fds() <= full.fds + 2 * STREAMS, "the requests' connections are gone")
    compare("stream", (Weight(process) - full) / STREAMS, said["an open stream"])
    hub.open.close()
    eventually(lambda: hub.streams() == 0, "the streams have ended")
    check_equal(process.stop(), 0, "the hub")
    size = os.path.getsize(os.path.join(process.state_dir, "records", "records.jsonl"))
    near("bytes that a stream leaves", size / STREAMS, number(said["a stream in the records"]["disk"]))


def compare(what, weight, row):
    near(f"KiB of a {what}", weight.kib, number(row["memory"]))
    near(f"ms of a {what}", weight.ms, number(row["CPU"]), CPU_MORE)
    check_equal(weight.fds, number(row["descriptors"]), f"descriptors of a {what}")


def fleets():
    """the table of fleets is what follows from the other one"""
    said = PAGE.table("what")
    hub, device, stream = said["the hub itself"], said["a connected device"], said["an open stream"]
    record = number(said["a device in the registry"]["disk"])
    fleet = PAGE.table("devices")
    check_equal(list(fleet), ["100", "1,000", "10,000"], "fleets")
    for name, row in fleet.items():
        count = number(name)
        wanted = {
            "memory": number(hub["memory"]) + (count * number(device["memory"]) + count / 10 * number(stream["memory"])) / 1024,
            "descriptors": number(hub["descriptors"]) + count + count / 10 * 2,
            "disk": count * record / 1e6,
            "CPU when all come back": count * number(device["CPU"]) / 1000,
        }
        for column, figure in wanted.items():
            got = number(row[column])
            check(abs(got - figure) <= figure / 20, f"{name} devices, {column}: {got}, wanted {figure}")


if __name__ == "__main__":
    main(devices_and_streams, fleets)
