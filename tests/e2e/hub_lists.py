# SPDX-License-Identifier: LGPL-2.1-or-later
"""`streamhub device list` of a large registry: its first line is there at once, neither it nor the hub
holds more than a page, and what is printed is whole however many pages it took."""
import contextlib
import json
import os
import re
import sqlite3
import subprocess
import time

import wire
from harness import LONG, RSS_LIMIT_KIB, SANITIZED, Site, check, check_equal, main, peak_of, run

DEVICES = 1_000_000 if LONG else 2_000 if SANITIZED else 20_000
GROWTH_KIB = 4 * 1024       # of the hub
FIRST_LINE_MS = 3000        # a page of 200, on a machine that does other things too
WIDE = "zz-" + "w" * 80     # wider than all on the first page
PER_THOUSAND_S = 1.5
COLUMNS = "(id, module, enabled, primary_key, secondary_key, generation_id, etag, created)"


def fill(hub, count):
    """As many devices, from another process than the hub; the last one has a module and a long name."""
    key = os.urandom(32)
    with sqlite3.connect(os.path.join(hub.state_dir, "registry.sqlite"), timeout=30) as registry:
        registry.executemany(
            f"INSERT INTO device {COLUMNS} VALUES (?, '', 1, ?, ?, ?, ?, ?)",
            ((f"dev-{i:07}", key, key, i + 1, i + 1, 1_700_000_000_000_000) for i in range(count)))
        registry.executemany(
            f"INSERT INTO device {COLUMNS} VALUES (?, ?, 1, ?, ?, 1, 1, 1700000000000000)",
            ((WIDE, module, key, key) for module in ("", "late")))
    registry.close()


def read_all(process):
    lines, peak = [], 0
    for line in process.stdout:
        if len(lines) % 1000 == 0:
            peak = peak_of(process.pid, peak)
        lines.append(line)
    return lines, peak


def listed(site, *arguments):
    """Lines, and what it took: seconds to the first line and in all, the peak of its memory."""
    argv = [site.streamhub, "--state-dir", site.hub.state_dir, "device", "list", *arguments]
    since = time.monotonic()
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=site.environment()) as process:
        lines = [process.stdout.readline()]
        first = time.monotonic() - since
        more, peak = read_all(process)
        lines += more
    check_equal(process.returncode, 0, "its exit code")
    taken = (first, time.monotonic() - since, peak)
    print(f"# measured: {len(lines)} lines of device list {' '.join(arguments)}: the first after "
          f"{1000 * taken[0]:.0f} ms, all in {taken[1]:.1f} s, at most {taken[2] / 1024:.1f} MiB")
    check(first < FIRST_LINE_MS / 1000, f"the first line came after {first:.1f} s")
    check(SANITIZED or 0 < peak < RSS_LIMIT_KIB / 2, f"it took {peak} KiB")
    check(taken[1] < 10 + PER_THOUSAND_S * DEVICES / 1000, f"it took {taken[1]:.0f} s")
    return [line.decode().rstrip("\n") for line in lines]


def is_table(lines):
    check_equal(lines[0].split(), ["DEVICE", "MODULE", "STATUS", "STATE", "LAST", "SEEN", "TAKE-OVERS", "TAGS"], "the titles")
    check_equal([line.split()[0] for line in lines[1:]],
                [f"dev-{i:07}" for i in range(DEVICES)] + [WIDE, WIDE], "the devices")
    column = lines[0].index("STATUS")
    check(all(line[column:].startswith("enabled") for line in lines[1:-2]), "the columns are not straight")
    check_equal(lines[-1].split()[:3], [WIDE, "late", "enabled"], "the module on the last page")


def is_json(lines):
    devices = json.loads("\n".join(lines))
    check_equal((len(devices), len(lines)), (DEVICES + 2, DEVICES + 4), "an array, and a line for each")
    check_equal([device["device_id"] for device in devices[:-2]],
                [f"dev-{i:07}" for i in range(DEVICES)], "the devices")
    check_equal(json.loads(lines[1].rstrip(",")), devices[0], "a line by itself")
    check_equal(devices[-1]["module_id"], "late", "the module on the last page")


def long_list():
    """page by page: the first line at once, constant memory at both ends, as a table and as JSON"""
    with Site(gateway=False, client=False) as site:
        fill(site.hub, DEVICES)
        before = site.hub.status_kib("VmRSS")
        site.hub.reset_peak()
        is_table(listed(site))
        is_json(listed(site, "--json"))
        growth = site.hub.peak_kib() - before
        print(f"# measured: the hub grew by {growth} KiB")
        check(SANITIZED or growth < GROWTH_KIB, f"the hub grew by {growth} KiB")


def see(hub):
    """Every third device was seen, the last one first; and one was refused."""
    with contextlib.closing(sqlite3.connect(os.path.join(hub.state_dir, "registry.sqlite"), timeout=30)) as registry:
        registry.executemany("UPDATE device_seen SET unseen = ? WHERE of_device = ?",
                             ((-1_700_000_000_000_000 - i, f"dev-{i:07}") for i in range(0, DEVICES, 3)))
        registry.execute("UPDATE device_seen SET refused = 1700000000000000 WHERE of_device = 'dev-0000001'")
        registry.commit()


def sorted_list():
    """by when each was seen last and by state: the first line at once, constant memory at both ends"""
    with Site(gateway=False, client=False) as site:
        fill(site.hub, DEVICES)
        see(site.hub)
        before = site.hub.status_kib("VmRSS")
        site.hub.reset_peak()
        seen = [f"dev-{i:07}" for i in range(0, DEVICES, 3)]
        others = [f"dev-{i:07}" for i in range(DEVICES) if i % 3]
        lines = listed(site, "--sort", "last-seen", "--columns", "device,last-seen")
        check_equal([line.split()[0] for line in lines[1:]], seen[::-1] + others + [WIDE, WIDE], "the newest first")
        lines = listed(site, "--sort", "state", "--columns", "state,device")
        check_equal([line.split()[1] for line in lines[1:]],
                    ["dev-0000001"] + seen + others[1:] + [WIDE, WIDE], "refused, away, never")
        growth = site.hub.peak_kib() - before
        print(f"# measured: the hub grew by {growth} KiB")
        check(SANITIZED or growth < GROWTH_KIB, f"the hub grew by {growth} KiB")


def short_lists():
    """no device, one page exactly, one more: nothing is lost at the edges"""
    with Site(gateway=False, client=False) as site:
        check_equal(site.hub.admin("device", "list"), "No devices\n", "none")
        check_equal(site.hub.admin("device", "list", "--json"), "[]\n", "none")
        for i in range(201):
            if i in (1, 199, 200):
                with sqlite3.connect(os.path.join(site.hub.state_dir, "registry.sqlite")) as registry:
                    have = registry.execute("SELECT count(*) FROM device").fetchone()[0]
                    registry.executemany("INSERT INTO device VALUES (?, '', 1, ?, ?, 1, 1, 1, '', '')",
                                         ((f"d{n:03}", b"k" * 32, b"k" * 32) for n in range(have, i + 1)))
                registry.close()
                check_equal(len(json.loads(site.hub.admin("device", "list", "--json"))), i + 1, "JSON")
                lines = site.hub.admin("device", "list").splitlines()
                check_equal(len(lines), i + 2, "lines")
                check(re.match(r"DEVICE +(MODULE +)?STATUS", lines[0]), "the titles")


def filtered():
    """a filter that leaves pages empty, the first ones too: one whole array, the titles once, an end without any"""
    with Site(gateway=False, client=False) as site:
        with contextlib.closing(sqlite3.connect(os.path.join(site.hub.state_dir, "registry.sqlite"), timeout=30)) as db:
            db.executemany(f"INSERT INTO device {COLUMNS} VALUES (?, '', 1, ?, ?, 1, 1, 1)",
                           ((f"dev-{i:03}", b"k" * 32, b"k" * 32) for i in range(650)))
            db.commit()
        for name in ("dev-300", "dev-649"):
            site.hub.admin("device", "set", name, "--tag", "site=berlin", "--tag", f"name={name}")
        # The first tag is looked up; the others, and the state, are looked at page by page.
        for arguments, names in ((["--tag", "site=berlin"], ["dev-300", "dev-649"]),
                                 (["--state", "never", "--tag", "name=dev-649"], ["dev-649"]),
                                 (["--state", "connected"], []), (["--tag", "site=rome"], []),
                                 (["--sort", "last-seen", "--tag", "name=dev-649"], ["dev-649"]),
                                 (["--sort", "state", "--tag", "site=berlin"], ["dev-300", "dev-649"])):
            shown = json.loads(site.hub.admin("device", "list", "--json", *arguments))
            check_equal([one["device_id"] for one in shown], names, f"{arguments}, JSON")
            lines = site.hub.admin("device", "list", *arguments).splitlines()
            check_equal([line.split()[0] for line in lines[1:]] if names else lines[-1:],
                        names or ["No devices"], f"{arguments}: {lines}")
        with wire_device(site, "dev-649"):
            shown = json.loads(site.hub.admin("device", "list", "--json", "--state", "connected"))
            check_equal([one["device_id"] for one in shown], ["dev-649"], "behind three pages of others")
            lines = site.hub.admin("device", "list", "--state", "connected").splitlines()
            check_equal([line.split()[0] for line in lines], ["DEVICE", "dev-649"], "the titles once")


@contextlib.contextmanager
def wire_device(site, name):
    key = wire.parse_connection_string(site.hub.connection_string("device", name))["SharedAccessKey"]
    device = wire.Device(site.hub.mqtts_port, site.hub.ca, name, key)
    check_equal(device.connack, 0, "CONNACK")
    yield
    device.close()


def nobody_reads():
    """a reader that goes ends it quietly; what cannot be written is told"""
    with Site(gateway=False, client=False) as site:
        fill(site.hub, 2000)
        verb = f"{site.streamhub} --state-dir {site.hub.state_dir} device list"
        done = run(["bash", "-c", f"{verb} | head -n 3; echo ${{PIPESTATUS[0]}}"])
        check_equal((len(done.stdout.splitlines()), done.stdout.splitlines()[-1], done.stderr),
                    (4, "141", ""), "head")
        for form in "", " --json":
            done = run(["bash", "-c", f"{verb}{form} >/dev/full"])
            check_equal((done.returncode, done.stderr),
                        (1, "streamhub: cannot write to standard output: No space left on device\n"), "a full disk")


main(long_list, sorted_list, short_lists, filtered, nobody_reads)
