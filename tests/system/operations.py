# SPDX-License-Identifier: LGPL-2.1-or-later
"""The load of the operations, and what it says about each of them.

operations.py load TUNNELS LOG: every 50 ms one more stream through the next tunnel, there and back and closed; and
streams that stay, with bytes all the time. TUNNELS has a line for each, "USER DEVICE PORT once|stays|both", and may
change. LOG gets a line for each stream, "once|stays USER DEVICE BEGUN ENDED ok|cut|wrong PIECES REFUSED": what was cut has not
brought its bytes back, REFUSED is how often nobody listened at the tunnel. SIGTERM ends it.

operations.py judge LOG STEPS FAILED: STEPS has what the operator did ("step NAME MEANT", "typed", "now", "fails USER
DEVICE", "done", "end", each after a time), FAILED the journal's records of streams that did not open, in JSON. Says what
each step cost, a line "NAME|COMMANDS|SECONDS|STREAMS ENDED|OPENINGS|CUT|FAILED|MEANT TO FAIL|GAP|SLOWEST|REFUSED" for each, and
after it, with a "!", whatever was not meant.

operations.py agree RECORDS JOURNAL...: RECORDS has the ends of streams as a hub recorded them, JOURNAL the gateway's, both
in JSON. Says where the two do not say the same of a stream."""
import asyncio
import collections
import fnmatch
import json
import os
import random
import signal
import sys
import time

PAUSE = 0.05
PIECE = 64
STAYING = 1024
REST = 0.1  # between two pieces of a stream that stays
PATIENCE = 60
LET_GO = 2.0  # s: what is not allowed any more has ended, and does not open
CUT_MAX = 5  # openings that can have been at the moment of the cut

Stream = collections.namedtuple("Stream", "kind user device begun ended result pieces refused")


class Load:
    """All streams, and the file that tells of them."""

    def __init__(self, tunnels, log):
        self.path, self.stamp, self.once, self.staying = tunnels, None, [], set()
        self.log = open(log, "w", encoding="ascii", buffering=1)  # pylint: disable=consider-using-with
        self.stopping = asyncio.Event()
        self.tasks = set()

    def start(self, coroutine):
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def look(self):
        """New tunnels, if there are any."""
        stamp = os.stat(self.path).st_mtime_ns
        if stamp == self.stamp:
            return
        self.stamp = stamp
        with open(self.path, encoding="ascii") as file:
            rows = [line.split() for line in file]
        self.once = [row[:3] for row in rows if row[3] in ("once", "both")]
        random.shuffle(self.once)
        for row in rows:
            if row[3] in ("stays", "both") and tuple(row[:2]) not in self.staying:
                self.staying.add(tuple(row[:2]))
                self.start(self.stay(*row[:3]))

    async def run(self):
        """Until it is told to end."""
        begun, number = time.monotonic(), 0
        while not self.stopping.is_set():
            self.look()
            self.start(self.stream("once", *self.once[number % len(self.once)]))
            number += 1
            await asyncio.sleep(max(0, begun + number * PAUSE - time.monotonic()))
        await asyncio.gather(*self.tasks)

    async def stay(self, user, device, port):
        """One after the other; three that never brought anything back, and nobody tries any more."""
        for _ in range(3):
            while not self.stopping.is_set() and await self.stream("stays", user, device, port):
                await asyncio.sleep(REST)

    async def stream(self, kind, user, device, port):
        """How many pieces came back."""
        begun, result, pieces, refused, writer = time.time(), "cut", 0, 0, None
        try:
            while writer is None:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
                except ConnectionRefusedError:
                    refused += 1
                    if time.time() - begun > PATIENCE:
                        raise
                    await asyncio.sleep(PAUSE)
            while not pieces or kind == "stays" and not self.stopping.is_set():
                piece = os.urandom(STAYING if kind == "stays" else PIECE)
                writer.write(piece)
                back = await asyncio.wait_for(reader.readexactly(len(piece)), PATIENCE)
                if back != piece:
                    result = "wrong"
                    break
                pieces += 1
                if kind == "stays":
                    await asyncio.sleep(REST)
            else:
                result = "ok"
        except (OSError, EOFError, asyncio.TimeoutError):
            pass
        if writer:
            writer.close()
        self.log.write(f"{kind} {user} {device} {begun:.3f} {time.time():.3f} {result} {pieces} {refused}\n")
        return pieces


async def load(tunnels, log):
    """Runs until SIGTERM."""
    it = Load(tunnels, log)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, it.stopping.set)
    await it.run()


class Step:
    """What was done, and what was meant to end by it."""

    def __init__(self, name, meant, begun):
        self.name, self.meant, self.begun = name, meant, begun
        self.commands, self.now, self.done, self.finished = 0, begun, begun, None
        self.faults = []

    def means(self, stream):
        return any(fnmatch.fnmatch(f"{stream.user} {stream.device}", one.replace("/", " "))
                   for one in self.meant.split(","))

    def has(self, moment):
        return self.begun <= moment < self.finished


def read_steps(path):
    """(steps, what may not be opened any more: (since, user, device))"""
    steps, fails = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            moment, what, *rest = line.rstrip("\n").split("\t")
            moment = float(moment)
            if what == "step":
                steps.append(Step(rest[0], rest[1], moment))
            elif what == "typed":
                steps[-1].commands += 1
            elif what == "now":
                steps[-1].now = moment
            elif what == "done":
                steps[-1].done = moment
            elif what == "fails":
                fails.append((moment, *rest))
            else:
                steps[-1].finished = moment
    return steps, fails


def read_streams(path):
    with open(path, encoding="ascii") as file:
        rows = [line.split() for line in file]
    return [Stream(*row[:3], float(row[3]), float(row[4]), row[5], int(row[6]), int(row[7])) for row in rows]


class Judge:
    """What the load saw of each step."""

    def __init__(self, streams, steps, fails):
        self.streams, self.steps, self.fails = streams, steps, fails
        self.openings = [s for s in streams if s.kind == "once"]

    def forbidden(self, user, device, moment):
        """How long before MOMENT it was forbidden; negative: it was not."""
        return max((moment - since for since, *who in self.fails
                    if fnmatch.fnmatch(user, who[0]) and fnmatch.fnmatch(device, who[1])), default=-1)

    def gap(self, step):
        """The longest time without a stream that opened, whose middle is in the step."""
        ended = sorted(s.ended for s in self.openings if s.result == "ok")
        return max((b - a for a, b in zip(ended, ended[1:]) if step.has((a + b) / 2)), default=0)

    def moment(self, one):
        """Which step it belongs to: one that was cut to what was being done when it was cut, not when it began."""
        cut_in_one = one.result == "cut" and any(step.has(one.ended) for step in self.steps)
        return one.ended if cut_in_one else one.begun

    def judge_openings(self, step):
        """(openings, cut when they were open, failed, meant to fail, the slowest, how often nobody listened)"""
        cut = failed = meant = 0
        mine = [s for s in self.openings if step.has(self.moment(s))]
        for one in mine:
            since = self.forbidden(one.user, one.device, one.ended)
            if since >= 0 and one.result == "cut":
                meant += 1
            elif self.forbidden(one.user, one.device, one.begun) > LET_GO and one.result == "ok":
                step.faults.append(f"opened, and may not: {one}")
            elif one.result == "cut" and step.means(one):
                cut += 1
            elif one.result != "ok":
                failed += 1
                step.faults.append(f"failed: {one}")
        if cut > CUT_MAX:
            step.faults.append(f"{cut} openings were cut: more than can have been open")
        slowest = max((s.ended - s.begun for s in mine if s.result == "ok"), default=0)
        return len(mine), cut, failed, meant, slowest, sum(s.refused for s in mine)

    def judge_staying(self, step):
        """How many of those that stay have ended in the step."""
        ended = [s for s in self.streams if s.kind == "stays" and s.pieces and step.has(s.ended) and s.result != "ok"]
        for one in ended:
            if one.result == "wrong" or not step.means(one):
                step.faults.append(f"a stream ended, and was not meant to: {one}")
            elif one.ended - step.now > LET_GO and step.meant != "*":
                step.faults.append(f"it ended {one.ended - step.now:.1f} s later: {one}")
        if step.meant != "none" and not ended:
            step.faults.append("none ended")
        return len(ended)

    def judge_failed(self, records):
        """Streams that streamd could not open. Those that it was opening when it was stopped were cut for the load,
        which counts them."""
        for text in records:
            record = json.loads(text)
            moment = int(record["__REALTIME_TIMESTAMP"]) / 1e6
            user, device = record["STREAMD_HUB"], record["STREAMD_DEVICE"]
            steps = [step for step in self.steps if step.has(moment)]
            if self.forbidden(user, device, moment) < 0 and steps and record["STREAMD_REASON"] != "stopping":
                steps[0].faults.append(f"streamd: {record['MESSAGE']}")


def judge(log, steps, failed):
    """Prints the table."""
    it = Judge(read_streams(log), *read_steps(steps))
    with open(failed, encoding="utf-8") as file:
        it.judge_failed(file)
    for step in it.steps:
        openings, cut, bad, meant, slowest, refused = it.judge_openings(step)
        ended = it.judge_staying(step)
        print(f"{step.name}|{step.commands}|{step.done - step.begun:.1f}|{ended}|{openings}|{cut}|{bad}|{meant}|"
              f"{it.gap(step):.2f}|{slowest:.2f}|{refused}")
        for fault in step.faults:
            print(f"!{step.name}: {fault}")
    alive = [s for s in it.streams if s.kind == "stays" and s.result == "ok"]
    print(f"#{len(it.openings)} openings; of those that stay, {sum(s.pieces for s in it.streams if s.kind == 'stays')} "
          f"pieces came back as they were, and {len(alive)} were open to the end")


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.startswith("{")]


def parts_of(ends):
    """The ends that hubs recorded, by stream: one that went on over another leg has several, the last one says why."""
    streams = {}
    for end in sorted(ends, key=lambda end: end["time"]):
        streams.setdefault(end.get("resumes", end["streamId"]), []).append(end)
    return streams


def differences(parts, row):
    """(what, at the hub, at the gateway) of a stream. The times of both begin at other moments: half a second a part is
    forgiven; and a piece that was on its way in a leg that was cut, or went twice."""
    told = {"user": row["STREAMD_INITIATOR"], "address": row["STREAMD_PEER"], "reason": row["STREAMD_REASON"]}
    hub = {"user": parts[0]["user"], "address": parts[0]["address"], "reason": parts[-1]["reason"]}
    yield from ((name, hub[name], value) for name, value in told.items() if hub[name] != value)
    cut = len(parts) - (parts[-1]["reason"] == "completed")
    for name, field in (("bytesToDevice", "STREAMD_BYTES_IN"), ("bytesToService", "STREAMD_BYTES_OUT")):
        carried = sum(part[name] for part in parts)
        if abs(carried - int(row[field])) > 2 * STAYING * cut:
            yield name, carried, row[field]
    pauses = sum(int(part.get("pauseMs", 0)) + 500 for part in parts)
    lasted = sum(int(part["durationMs"]) for part in parts)
    if not lasted - 500 * len(parts) <= int(row["STREAMD_DURATION_MS"]) <= lasted + pauses:
        yield "ms", f"{lasted} and up to {pauses}", row["STREAMD_DURATION_MS"]


def agree(records, journal):
    """Stream by stream."""
    at_gateway = {row["STREAMD_STREAM_ID"]: row for row in read_json(journal) if "STREAMD_BYTES_IN" in row}
    streams = parts_of(row for row in read_json(records) if row["operationName"] == "end")
    for one in set(at_gateway) - set(streams):
        print(f"!{one} is not in the records of the hubs")
    for one, parts in streams.items():
        if one not in at_gateway:
            print(f"!{one} is not in the gateway's journal")
            continue
        for what, hub, gateway in differences(parts, at_gateway[one]):
            print(f"!{one}: {what} is {hub!r} at the hub, {gateway!r} at the gateway")
    print(f"measured: {len(streams)} streams compared" if streams else "!no stream")


if sys.argv[1] == "load":
    asyncio.run(load(*sys.argv[2:]))
elif sys.argv[1] == "agree":
    agree(*sys.argv[2:])
else:
    judge(*sys.argv[2:])
