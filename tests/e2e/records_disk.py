# SPDX-License-Identifier: LGPL-2.1-or-later
"""The records while the disk is full, read-only, broken or slow, and while the hub is killed under load."""
import collections
import contextlib
import os
import signal
import threading
import time

from disks import enter, fill
from harness import LONG, SANITIZED, Site, check, check_equal, eventually, main, run_ok
from hub_wire import Wire, check_error
from records_file import Records, paths, read

BLOCKED, RESUMED, LOST = "records cannot be written", "records are written again", "records were lost"
GROWS, WITHIN = "records cannot be rotated, and grows", "records is within its size again"
AT_ONCE = 200
PROMPT = 2.5        # s for an answer that waits for no disk: a sync takes 3
KILLS = 50 if LONG else 8
LOAD = 1.4          # s of load before a kill
SURE = 1.0          # s before the kill: what was acknowledged then is there
THREADS = 4


class Disk(Site):
    """A hub whose records are on a small disk of their own."""

    def __init__(self, before=None, size="512k", limit="64M"):
        super().__init__(gateway=False, client=False)
        self.disk = os.path.join(self.dir, "disk")
        self.how = os.path.join(self.dir, "how")
        self.before = before
        self.size = size
        self.limit = limit

    def start_hub(self, arguments=(), ports=("0", "0"), name="hub"):
        if not os.path.exists(self.disk):
            os.mkdir(self.disk, 0o700)
            run_ok(["mount", "-t", "tmpfs", "-o", f"size={self.size},mode=700", "tmpfs", self.disk])
            self.closers.insert(0, lambda: run_ok(["umount", "--lazy", self.disk]))
            if self.before:
                self.before(self)
        path = os.path.join(self.dir, "hub.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"[hub]\ndevice-return-time = 0\nrecords-folder = {self.disk}/records\nrecords-size = {self.limit}\n")
        return super().start_hub(["--config", path, *arguments], ports, name)

    def environment(self, **more):
        if not SANITIZED:  # whose runtime has to come first
            more["LD_PRELOAD"] = os.environ["BAD_DISK_LIBRARY"]
        return super().environment(BAD_DISK=self.how, BAD_DISK_IN=self.disk, **more)

    def says(self, text):
        return self.hub.log().count(text)

    def make(self, how):
        with open(self.how + ".new", "w", encoding="ascii") as file:
            file.write(how)
        os.rename(self.how + ".new", self.how)


def ask(hub, number):
    """So many requests for a device that is away: each is answered, and at once."""
    slowest = 0.0
    for _ in range(number):
        begun = time.monotonic()
        check_error(hub.post().read(), 404103, "DeviceNotOnline")
        slowest = max(slowest, time.monotonic() - begun)
    print(f"# measured: {number} answers, the slowest after {slowest * 1000:.0f} ms")
    check(slowest < PROMPT, f"an answer took {slowest:.2f} s")


def invoked(site):
    return sum(record["operationName"] == "invoke" for record in read(os.path.join(site.disk, "records")))


def trouble(site, begin, end, asked=40):
    """Requests before, during and after it: none waits, each is recorded once; the log says when it begins and ends."""
    hub = Wire(site)
    hub.add("dev1")
    records = Records(site, os.path.join(site.disk, "records"))
    ask(hub, asked)
    eventually(lambda: invoked(site) == asked, "before")
    begin()
    ask(hub, asked)
    eventually(lambda: site.says(BLOCKED) == 1, "the log says so")
    ask(hub, asked)
    time.sleep(2.2)  # it is tried again, and that is not told again
    check_equal((site.says(BLOCKED), site.says(RESUMED)), (1, 0), "lines of the log")
    end()
    eventually(lambda: invoked(site) == 3 * asked, "all are written")
    eventually(lambda: site.says(RESUMED) == 1, "the log says so")
    check_equal((site.says(BLOCKED), site.says(LOST)), (1, 0), "lines of the log")
    check_equal([record for record in records.new() if record["operationName"] == "lost"], [], "lost")


def full():
    """a full disk: streams go on, records wait, and come when there is room"""
    with Disk() as site:
        trouble(site, lambda: fill(site.disk), lambda: os.unlink(os.path.join(site.disk, "filler")), 100)


def broken():
    """a disk with errors: the same"""
    with Disk() as site:
        trouble(site, lambda: site.make("broken"), lambda: site.make(""))


def unsynced():
    """a disk that does not save what it took: that is told, and becomes a record of what may be lost"""
    with Disk() as site:
        hub = Wire(site)
        hub.add("dev1")
        records = Records(site, os.path.join(site.disk, "records"))
        ask(hub, 20)
        eventually(lambda: invoked(site) == 20, "before")
        site.make("unsynced")
        ask(hub, 1)
        eventually(lambda: site.says(BLOCKED) == 1, "the log says so")
        ask(hub, 20)
        site.make("")
        eventually(lambda: site.says(RESUMED) == 1, "the log says so")
        eventually(lambda: invoked(site) == 41, "all are written")
        lost = [record["count"] for record in eventually(records.new, "records") if record["operationName"] == "lost"]
        check(len(lost) == 1 and 1 <= lost[0] < 41,  # those that waited were not written then
              f"records that may be lost: {lost}")
        check_equal(site.says(LOST), 0, "nothing is lost at a stop")


def moved():
    """somebody moves the file away, and puts a folder where it would go: nothing waits, no record is lost"""
    with Disk(size="8m", limit="64K") as site:
        hub = Wire(site)
        hub.add("dev1")
        folder = os.path.join(site.disk, "records")
        ask(hub, 20)
        eventually(lambda: invoked(site) == 20, "before")
        os.rename(os.path.join(folder, "records.jsonl"), os.path.join(folder, "records-0000000001.jsonl"))
        ask(hub, 20)
        eventually(lambda: invoked(site) == 40, "all are written")
        os.mkdir(os.path.join(folder, "records-0000000002.jsonl"))
        ask(hub, AT_ONCE)
        eventually(lambda: site.says(GROWS) == 1, "the log says so")
        eventually(lambda: os.path.getsize(os.path.join(folder, "records.jsonl")) > 100000, "it grows")
        os.rmdir(os.path.join(folder, "records-0000000002.jsonl"))
        time.sleep(1)
        ask(hub, 1)
        eventually(lambda: site.says(WITHIN) == 1, "the log says so")
        check_equal(invoked(site), 41 + AT_ONCE, "records")
        check_equal((site.says(BLOCKED), site.says(LOST)), (0, 0), "lines of the log")
        site.hub.admin("--config", os.path.join(site.dir, "hub.conf"), "log", "verify", "--json")  # whole


def half():
    """a disk that takes half of a write: no half line stays, and none comes twice"""
    with Disk() as site:
        def whole():
            for path in paths(os.path.join(site.disk, "records")):
                with open(path, "rb") as file:
                    check(file.read().endswith(b'"}\n'), "half a line")
            site.make("")

        trouble(site, lambda: site.make("half"), whole)


def read_only():
    """a disk that is read-only at the start: the hub serves, and the records come when it may write"""
    with Disk(before=lambda site: run_ok(["mount", "-o", "remount,ro", site.disk])) as site:
        hub = Wire(site)
        hub.add("dev1")
        ask(hub, 20)
        eventually(lambda: site.says(BLOCKED) == 1, "the log says so")
        run_ok(["mount", "-o", "remount,rw", site.disk])
        eventually(lambda: site.says(RESUMED) == 1, "the log says so")
        eventually(lambda: invoked(site) == 20, "all are written")


def slow():
    """a disk whose sync takes 3 s: no stream waits for it, and a stop not for long; what was written is whole"""
    with Disk() as site:
        hub = Wire(site)
        hub.add("dev1")
        site.make("slow")
        for _ in range(3):
            ask(hub, AT_ONCE // 4)
            time.sleep(0.4)
        eventually(lambda: invoked(site) > 0, "some are written")
        begun = time.monotonic()
        check_equal(site.hub.stop(), 0, "exit status")
        took = time.monotonic() - begun
        print(f"# measured: stopped in {took:.1f} s")
        check(took < 3.0, f"the stop took {took:.1f} s")
        check(invoked(site) == 3 * (AT_ONCE // 4) or site.says(LOST) == 1, "neither written nor told")


class Load:
    """Streams opened and ended by hand; remembers when each was acknowledged."""

    def __init__(self, hub):
        self.hub = hub
        self.opened, self.ended = {}, {}
        self.over = threading.Event()
        self.device = hub.device()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(THREADS)]
        for thread in self.threads:
            thread.start()

    def run(self):
        with contextlib.suppress(Exception):
            while not self.over.is_set():
                self.one()

    def one(self):
        with self.lock:  # so that the request is that of this service
            post = self.hub.post()
            request = self.device.request()
            self.device.answer(request, 200)
        near = self.hub.leg(request.path, request.token)
        answer = post.read()
        check_equal(answer.status, 200, "accepted")
        url = answer.get("iothub-streaming-url")
        mine = url.split("/sid/")[1].split("/")[0]
        self.opened[mine] = time.monotonic()
        far = self.hub.leg("/" + url.split("/", 3)[3], answer.get("iothub-streaming-auth-token"))
        far.send(b"x")
        far.close(1000)
        far.closed()
        self.ended[mine] = time.monotonic()
        near.drop()


def killed():
    """SIGKILL under load, again and again: every chain is whole, nothing is there twice, what was acknowledged is there"""
    opened, ended, keys = {}, {}, {}
    with Site(gateway=False, client=False) as site:
        folder = os.path.join(site.dir, "hub-state", "records")
        for number in range(KILLS):
            hub = Wire(site)
            hub.devices = keys  # of the rounds before
            hub.add("dev1")
            load = Load(hub)
            time.sleep(LOAD)
            when = time.monotonic()
            site.hub.popen.send_signal(signal.SIGKILL)
            site.hub.popen.wait()
            site.hub.ended_by_us = True
            load.over.set()
            site.processes.remove(site.hub)
            opened.update({name: time < when - SURE for name, time in load.opened.items()})
            ended.update({name: time < when - SURE for name, time in load.ended.items()})
            for thread in load.threads:
                thread.join(20)
            hub.open.close()
            site.start_hub(name=f"hub-{number}")
            records = Records(site)
            records.new(1)
        eventually(lambda: sum(r["operationName"] == "start" for r in read(folder)) == KILLS + 1, "every start")
        found = collections.Counter((r["operationName"], r["streamId"]) for r in read(folder) if "streamId" in r)
        torn = sum(r.get("torn") is True for r in read(folder))
        check(len(opened) > 5 * KILLS, f"hardly a stream was opened: {len(opened)}")
        twice = [name for name, count in found.items() if count > 1 and name[1]]
        check_equal(twice, [], "there twice")
        missing = [name for name, sure in opened.items() if sure and not found["invoke", name]]
        late = sum(not found["invoke", name] for name in opened)
        check_equal(missing, [], "acknowledged, and not there")
        check_equal([name for name, sure in ended.items() if sure and not found["end", name]], [], "ended, and not there")
        print(f"# measured: {KILLS} kills, {len(opened)} streams, {late} not recorded, {torn} torn lines")


if __name__ == "__main__":
    enter()
    main(full, broken, unsynced, moved, half, read_only, slow, killed)
