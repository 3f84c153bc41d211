# SPDX-License-Identifier: LGPL-2.1-or-later
"""`streamhub log` and `log verify` over records that were made by hand: what is shown and what is not, following through
rotation, what was tampered with, and what a million records take."""
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

from harness import LONG, SANITIZED, check, check_equal, eventually, main, peak_of, run
from record_lines import CURRENT, NONE, Writer, chained, change, end, lost, request, stamp

RECORDS = 1_000_000 if LONG else 10_000 if SANITIZED else 60_000
GROWTH_KIB = 4 * 1024
HOUR, DAY = 3600, 86400
TUESDAY = 1795478400  # 2026-11-24 0 o'clock, UTC


class Log:
    """A state folder with records, and the verb."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="streamd-e2e-")
        self.records = Writer(os.path.join(self.dir, "records"))
        self.streamhub = os.path.abspath(os.environ["STREAMHUB"])
        keep = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
        self.env = {name: os.environ[name] for name in keep if name in os.environ} | {"LANG": "C.UTF-8", "TZ": "Europe/Berlin"}

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        shutil.rmtree(self.dir)

    def argv(self, *words):
        return [self.streamhub, "--state-dir", self.dir, "log", *words]

    def run(self, *words, code=0):
        done = run(self.argv(*words), env=self.env)
        check_equal(done.returncode, code, f"log {words}: {done.stdout}{done.stderr}")
        return done

    def lines(self, *words):
        """Those that --json prints, and nothing is said beside them."""
        done = self.run("--json", *words)
        check_equal(done.stderr, "", f"log {words}")
        return done.stdout.splitlines(True)

    def faults(self, *words, code=1):
        """What verify finds: (file, line, kind) each."""
        told = json.loads(self.run("verify", "--json", *words, code=code).stdout)
        check_equal((told["whole"], told["fault_count"]), (not told["faults"], len(told["faults"])), "the verdict")
        return [(fault.get("file"), fault.get("line"), fault["fault"]) for fault in told["faults"]]


def hashes(lines):
    """The records, short enough to be shown."""
    return [json.loads(line)["hash"][:8] for line in lines]


def a_week(records):
    """What happened around Tuesday, in three files."""
    records.start(TUESDAY - DAY)
    records.put(request(TUESDAY - 2 * HOUR, "gw-7", "anna"))
    records.put(change(TUESDAY - HOUR, "device.set", "carl", "gw-7", "tags", "192.0.2.8"))
    records.rotate(TUESDAY + HOUR)
    records.put(end(TUESDAY + 6 * HOUR, "gw-7", "anna", 8 * HOUR))
    records.put(request(TUESDAY + 7 * HOUR, "gw-8", "anna", "404103", "DeviceNotOnline", "offline"))
    records.put(request(TUESDAY + 23 * HOUR, "gw-7", "bob", module="logger"))
    records.rotate(TUESDAY + DAY)
    records.put(change(TUESDAY + 25 * HOUR, "user.add", "uid:0", "dora", "rights"))
    records.put(end(TUESDAY + 30 * HOUR, "gw-7", "bob", 7 * HOUR, "device-lost", True, module="logger", detail="the link ended"))
    records.put(request(TUESDAY + 31 * HOUR, "gw-7", "dora"))
    records.put(lost(TUESDAY + 32 * HOUR, 12, TUESDAY))
    records.put(change(TUESDAY + 33 * HOUR, "reload", "uid:0", detail="settings", category="Hub"))


TABLE = """\
WHEN                 WHAT           DEVICE       STREAM  USER   ADDRESS    RESULT                       DURATION  TO DEVICE  TO USER
2026-11-23 01:00:00  start                                                 0.2.0
2026-11-23 23:00:00  request        gw-7         echo    anna   192.0.2.7  ok                              74 ms
2026-11-24 00:00:00  device.set     gw-7                 carl   192.0.2.8  tags
2026-11-24 02:00:00  file                                                  after file 1
2026-11-24 07:00:00  end            gw-7         echo    anna   192.0.2.7  closed                      8 h 0 min    1.2 KiB  5.5 KiB
2026-11-24 08:00:00  request        gw-8         echo    anna   192.0.2.7  404103 offline                  74 ms
2026-11-25 00:00:00  request        gw-7/logger  echo    bob    192.0.2.7  ok                              74 ms
2026-11-25 01:00:00  file                                                  after file 2
2026-11-25 02:00:00  user.add dora                       uid:0             rights
2026-11-25 07:00:00  end            gw-7/logger  echo    bob    192.0.2.7  device-lost: the link ended  7 h 0 min    1.2 KiB  5.5 KiB
2026-11-25 08:00:00  request        gw-7         echo    dora   192.0.2.7  ok                              74 ms
2026-11-25 09:00:00  lost                                                  12 records since 2026-11-24T00:00:00.000Z
2026-11-25 10:00:00  reload                              uid:0             settings
"""


def table():
    """a table in local time, and the lines as they are"""
    with Log() as log:
        a_week(log.records)
        widened = [line.split() for line in TABLE.splitlines()]
        shown = log.run().stdout
        check_equal([line.split() for line in shown.splitlines()], widened, "the table")
        starts = [line.index("0.2.0") for line in shown.splitlines() if "0.2.0" in line]
        check_equal(shown.splitlines()[0].index("RESULT"), starts[0], "the columns are straight")
        check_equal("".join(log.lines()), "".join(log.records.lines), "the lines")
        check_equal(log.run("--no-legend").stdout.splitlines()[0].split()[2], "start", "without titles")
        check_equal(log.run("--user", "nobody").stdout, "No records.\n", "none")
        check_equal(log.run("--user", "nobody", "--json").stdout, "", "none")


def questions():
    """who opened this gateway, who was on it last Tuesday; every filter by itself and together"""
    with Log() as log:
        a_week(log.records)
        have = hashes(log.records.lines)

        def expect(words, wanted):
            check_equal(hashes(log.lines(*words.split(","))), [have[i] for i in wanted], words)

        expect("--device,gw-7", [1, 2, 4, 6, 9, 10])
        expect("--device,gw-7/logger", [6, 9])
        # anna was on it from Monday on, and bob beyond midnight; in Berlin Tuesday begins at 23 o'clock in UTC
        expect("--device,gw-7,--since,2026-11-24,--until,2026-11-25", [2, 4, 6, 9])
        expect("--device,gw-7,--since,2026-11-24,--until,2026-11-25,--kind,ends", [4, 9])
        expect("--device,gw-7,--since,2026-11-25 00:30,--until,2026-11-25 06:00", [9])
        expect("--device,gw-7,--since,2026-11-25 07:30,--until,2026-11-25 07:45", [])
        expect("--user,anna", [1, 4, 5])
        expect("--user,dora", [8, 10])
        expect("--result,failed", [5, 9])
        expect("--result,ok", [1, 4, 6, 10])
        expect("--result,404103", [5])
        expect("--result,device-lost", [9])
        expect("--kind,changes", [0, 2, 3, 7, 8, 11, 12])
        expect("--kind,requests,--kind,ends,--user,bob", [6, 9])
        expect("--since,2026-11-25 02:00:00", [8, 9, 10, 11, 12])
        expect("--since,2026-11-25 01:00 UTC", [8, 9, 10, 11, 12])
        expect("--until,2026-11-23 12:00", [0])
        expect("--since,@1795600000", [])
        expect("--since,1h", [])
        for count in (0, 1, 5, 6, 12, 13, 14, 1000):
            expect(f"--lines,{count}", list(range(13))[max(13 - count, 0):])
            expect(f"-n,{count},--device,gw-7", [1, 2, 4, 6, 9, 10][max(6 - count, 0):])
        expect("-n,2,--since,2026-11-25 08:00", [11, 12])


def refusals():
    """wrong arguments, no folder, nobody who may read it"""
    with Log() as log:
        for words, text in [(["--since", "bogus"], "--since bogus: want a time such as"), (["--until", ""], "--until"),
                            (["--since", "today", "--until", "yesterday"], "--since is after --until"),
                            (["--kind", "all"], "--kind is requests, ends or changes"), (["--lines", "-1"], "--lines"),
                            (["--lines", "x"], "--lines"), (["--device", "a b"], "'a b' is not a name"), (["--user", ""], "--user"),
                            (["--result", ""], "--result is ok, failed"), (["verify", "--head", "abc"], "--head abc: want the 64"),
                            (["verify", "--device", "a"], "--device does not go with 'log verify'"), (["sometimes"], "too much")]:
            check(text in log.run(*words, code=2).stderr, f"{words}: {log.run(*words, code=2).stderr}")
        os.rmdir(log.records.folder)
        for words in ([], ["verify"], ["--follow"]):
            check("there are no records in" in log.run(*words, code=4).stderr, f"{words} without a folder")
        os.mkdir(log.records.folder, 0o700)
        check("there are no records in" in log.run("verify", code=4).stderr, "an empty folder")
        check_equal(log.run().stdout, "No records.\n", "an empty folder")
        os.chmod(log.dir, 0o755)
        nobody = {} if os.geteuid() else {"user": 65534, "group": 65534}
        if nobody == {}:
            os.chmod(log.records.folder, 0)
        with tempfile.TemporaryDirectory(prefix="streamd-e2e-") as place:
            os.chmod(place, 0o755)
            program = shutil.copy(log.streamhub, place)  # where whoever has no rights may go
            for words in ([], ["verify"], ["--follow"]):
                done = run([program, *log.argv(*words)[1:]], env=log.env, cwd="/", **nobody)
                check_equal(done.returncode, 5, f"{words}: {done.stderr}")
                check("as root or as the hub's user" in done.stderr, done.stderr)


@contextlib.contextmanager
def following(log, *words):
    """The verb, and a function that reads what it has printed so far."""
    with subprocess.Popen(log.argv("--json", "--follow", *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=log.env) as process:
        os.set_blocking(process.stdout.fileno(), False)
        told = bytearray()

        def read():
            told.extend(process.stdout.read() or b"")
            return told.decode().splitlines(True)

        try:
            yield process, read
        finally:
            process.kill()


def follow():
    """over rotation and partial lines nothing is lost or repeated; it ends in order"""
    order = random.Random(3)
    with Log() as log:
        a_week(log.records)
        before = len(log.records.lines)
        with following(log, "-n", "0") as (process, read):
            eventually(lambda: log.records.put(request(TUESDAY + 2 * DAY, "gw-7", "anna")) and read(), "it reads")
            first = log.records.lines.index(read()[0])
            check(first >= before, "nothing of before")
            for i in range(600):
                line, log.records.head = chained(log.records.head, request(TUESDAY + 2 * DAY + i, "gw-7", "anna"))
                cut = order.choice([0, 0, order.randrange(len(line))])
                for part in (line[:cut], line[cut:]):
                    log.records.tear(part)
                log.records.lines.append(line)
                if order.random() < 0.05:
                    log.records.rotate(TUESDAY + 2 * DAY + i)
            eventually(lambda: len(read()) >= len(log.records.lines) - first, "all lines")
            check_equal(hashes(read()), hashes(log.records.lines[first:]), "what is followed")
            check(log.records.number > 10, "rotations")
            process.send_signal(signal.SIGINT)
            check_equal((process.wait(10), process.stderr.read()), (0, b""), "after SIGINT")
        with following(log) as (process, read):
            eventually(lambda: len(read()) >= 10, "the last ten")
            check_equal(hashes(read()), hashes(log.records.lines[-10:]), "those of before")
            process.stdout.close()  # whoever reads it goes, and nothing more is written
            process.wait(10)
            check_equal(process.stderr.read(), b"", "it goes quietly")
        with following(log, "--device", "gw-9") as (process, read):
            log.records.put(request(TUESDAY, "gw-8", "anna"))
            wanted = log.records.put(request(TUESDAY, "gw-9", "anna"))
            eventually(lambda: len(read()) == 1, "the one that is asked for")
            check_equal(read(), [wanted], "the one that is asked for")
            process.send_signal(signal.SIGTERM)
            check_equal(process.wait(10), 0, "after SIGTERM")


def put_back(folder, kept):
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)


def edit(path, change_lines):
    with open(path, encoding="utf-8") as file:
        lines = file.readlines()
    change_lines(lines)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines)


def tampered():
    """what was changed, removed, put in, swapped, cut: found at its line; what retention and a kill leave is none"""
    with Log() as log:
        records, kept = log.records, os.path.join(log.dir, "kept")
        a_week(records)
        records.tear('{"time":"2026')
        records.tear("\n")
        records.start(TUESDAY + 3 * DAY, torn=True)
        records.put(request(TUESDAY + 3 * DAY, "gw-7", "anna"))
        head = records.head
        shutil.copytree(records.folder, kept)
        one, two = os.path.basename(records.path(1)), os.path.basename(records.path(2))
        whole = log.run("verify").stdout
        check(f"Whole: 15 records, 2 starts of the hub, 3 files\nHead: {head}\n" in whole, whole)
        check("took nothing: 12\n" in whole and "marked: 1\n" in whole, whole)
        foreign = chained(NONE, request(TUESDAY, "gw-7", "evil"))[0]
        swap = lambda lines: lines.__setitem__(slice(1, 3), lines[2:0:-1])
        for what, number, doing, found in [
                ("changed", 2, lambda lines: lines.__setitem__(1, lines[1].replace("anna", "anne")), (two, 2, "changed")),
                ("removed", 2, lambda lines: lines.pop(2), (two, 3, "changed")),
                ("the first removed", 1, lambda lines: lines.pop(0), (one, 1, "missing")),
                ("the last of a file removed", 1, lambda lines: lines.pop(), (two, 1, "missing")),
                ("swapped", 2, swap, (two, 2, "changed")),
                ("put in", 2, lambda lines: lines.insert(2, foreign), (two, 3, "changed")),
                ("cut off in the middle", 2, lambda lines: lines.__setitem__(1, lines[1][:99] + "\n"), (two, 2, "torn"))]:
            edit(records.path(number), doing)
            check_equal(log.faults()[0], found, what)
            text = log.run("verify", code=1)
            check(f"{found[0]}:{found[1]}: " in text.stdout and "are not whole" in text.stderr, f"{what}: {text}")
            put_back(records.folder, kept)
        os.unlink(records.path(2))
        check_equal(log.faults(), [(CURRENT, 1, "file")], "a file in the middle removed")
        os.unlink(records.path(1))
        check_equal(log.faults(code=0), [], "the oldest removed")
        check("begin after files that are not kept" in log.run("verify").stdout, "it says so")
        put_back(records.folder, kept)
        edit(records.path(), lambda lines: lines.pop())
        check_equal(log.faults(code=0), [], "the end cut off: nothing tells it")
        check_equal(log.faults("--head", head), [(None, None, "head")], "but a hash that was noted")
        check(head in log.run("verify", "--head", head, code=1).stdout, "which it names")
        put_back(records.folder, kept)
        older = json.loads(records.lines[3])["hash"]
        check_equal(log.faults("--head", head, "--head", older.upper(), code=0), [], "hashes that are there")
        none = log.run("verify", "--journal=" + log.dir).stdout  # where no journal is
        check("Hashes to be found: 0\n" in none, none)
        with open(records.path(), "r+b") as file:
            file.truncate(os.path.getsize(records.path()) - 9)
        check("last line is not finished" in log.run("verify").stdout, "a line that is being written")
        check_equal(log.run().stderr, "", "and the log shows the others")


def fill(records, count):
    """COUNT records: a request and an end each, of a thousand devices, in ten files and the current one."""
    a_file = count // 11 + 1
    for number in range(11):
        if number:
            records.rotate(TUESDAY + number * HOUR)
        else:
            records.start(TUESDAY)
        with open(records.path(), "a", encoding="utf-8") as file:
            for i in range(number * a_file, min((number + 1) * a_file, count)):
                about = (TUESDAY + i * 11 * HOUR / count, f"gw-{i % 1000}", "anna")
                line, records.head = chained(records.head, end(*about, 10) if i % 2 else request(*about))
                file.write(line)


def taken(log, *words):
    """Lines, seconds to the first and to the last, the peak of its memory."""
    since = time.monotonic()
    with subprocess.Popen(log.argv(*words), stdout=subprocess.PIPE, env=log.env) as process:
        lines = [process.stdout.readline()]
        first, peak = time.monotonic() - since, 0
        for line in process.stdout:
            if len(lines) % 100 == 0:
                peak = peak_of(process.pid, peak)
            lines.append(line)
        peak = peak_of(process.pid, peak)
    check_equal(process.returncode, 0, f"{words}")
    whole = time.monotonic() - since
    print(f"# measured: log {' '.join(words)}: {len(lines)} lines, the first after {1000 * first:.0f} ms, all in {whole:.2f} s, "
          f"at most {peak / 1024:.1f} MiB")
    return [line.decode() for line in lines], first, whole, peak


def large():
    """many records in eleven files: the first line at once, memory that stays, how fast it verifies"""
    with Log() as log:
        fill(log.records, RECORDS)
        size = sum(os.path.getsize(os.path.join(log.records.folder, name)) for name in os.listdir(log.records.folder))
        lines, first, _, _ = taken(log, "--device", "gw-77", "--json")
        check_equal(len(lines), RECORDS // 1000, "records of a device")
        check(first < 2, "the first line")
        late = stamp(TUESDAY + 10.5 * HOUR)[:19].replace("T", " ") + " UTC"
        lines, first, _, _ = taken(log, "--since", late, "--json")
        check(RECORDS / 25 < len(lines) < RECORDS / 15, f"records of the last half hour: {len(lines)}")
        check(first < 2, "the first line")
        lines, first, _, peak = taken(log)
        check_equal(len(lines), RECORDS + 12, "all, and the titles")
        check(first < 2, "the first line")
        less = taken(log, "-n", "1000")[3]
        check(SANITIZED or peak < less + GROWTH_KIB, f"it grew from {less} to {peak} KiB")
        lines, _, whole, _ = taken(log, "verify")
        check(lines[-2].startswith(f"Whole: {RECORDS + 11} records"), str(lines))
        print(f"# measured: verify, {size / 2**20:.0f} MiB, {size / 2**20 / whole:.0f} MiB/s")


if __name__ == "__main__":
    main(table, questions, refusals, follow, tampered, large)
