# SPDX-License-Identifier: LGPL-2.1-or-later
"""The streams of a hub as its operator sees them, and ends them: every state, many of them, a thread of the hub that
is stuck, and the end at both ends."""
import contextlib
import ctypes
import json
import os
import socket
import time

import wire
from ends import Server, connect, echo, read_exactly
from harness import Failure, SANITIZED, Site, check, check_equal, eventually, main, run
from hub_wire import CAPABLE, Wire, check_echo, hub_settled, with_hub

KEYS = {"id", "number", "device", "stream", "user", "address", "state", "waits_for", "age", "bytes_from_device",
        "bytes_from_service"}
REASON = "closed-by-operator"
ANSWER = 1.0  # s: RELAY_ANSWER
PAGE_MAX = 200


def ask(hub, path, method="GET"):
    """(status, JSON) of the admin socket itself."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(30)
        admin.connect(os.path.join(hub.state_dir, "admin.sock"))
        admin.sendall(f"{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        answer = b""
        while part := admin.recv(65536):
            answer += part
    head, body = answer.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), json.loads(body)


def listed(hub):
    return json.loads(hub.admin("stream", "list", "--json"))


def shown(hub, stream):
    return json.loads(hub.admin("stream", "show", stream["id"], "--json"))


def close(hub, stream):
    return run([hub.site.streamhub, "--state-dir", hub.state_dir, "stream", "close", stream["id"]])


# -- states ------------------------------------------------------------------------------------


def accepted(hub, device):
    """As hub.accepted, with an end on each side that can be told reasons."""
    post = hub.post(device.name, caps="half-close,reason")
    request = device.request()
    device.answer(request, 200, "&$streamd=half-close.reason")
    return request, post.read()


def in_every_state(hub):
    """{what it waits for: (what sees its end, ...)}"""
    hub.add("away")
    device = hub.device(client_type=CAPABLE)
    request, answer = accepted(hub, device)
    pair = hub.device_leg(request), hub.service_leg(answer)
    asked = hub.post(caps="half-close,reason")
    early = hub.device_leg(device.request())
    half = hub.device_leg(accepted(hub, device)[0])
    other = hub.service_leg(accepted(hub, device)[1])
    accepted(hub, device)
    waits = hub.post("away", connect=50, caps="half-close,reason")
    hub_settled(hub)
    return {"data": pair, "device-answer": (asked, early), "device-link": (waits,), "service-leg": (half,),
            "device-leg": (other,), "both-legs": ()}


STATES = {"device-link": "waiting", "device-answer": "asked", "device-leg": "accepted", "service-leg": "accepted",
          "both-legs": "accepted", "data": "open"}


@with_hub()
def states(hub):
    """in every state: what it waits for, its legs and timers; the keys are the same"""
    in_every_state(hub)
    found = {stream["waits_for"]: stream for stream in listed(hub.hub)}
    check_equal(set(found), set(STATES), "what is waited for")
    for waits, stream in found.items():
        check_equal(set(stream), KEYS, f"keys while {waits}")
        check_equal(stream["state"], STATES[waits], waits)
        check_equal((stream["device"], stream["stream"], stream["user"]),
                    ("away" if waits == "device-link" else "dev1", "ssh", "service"), "whose it is")
        check(stream["address"].startswith("127.0.0.1:"), stream["address"])
        check(0 <= stream["age"] < 60e6, f"age {stream['age']}")
        whole = shown(hub.hub, stream)
        check(KEYS < set(whole), f"keys of {waits}: {sorted(whole)}")
        check_equal((whole["device_leg"], whole["service_leg"]),
                    (waits in ("data", "service-leg", "device-answer"), waits in ("data", "device-leg")), f"legs, {waits}")
        check_equal("deadline_in" in whole, waits != "data", f"a deadline while {waits}")
        check_equal("answer_in" in whole, waits == "device-answer", f"an answer while {waits}")
        check_equal("directions" in whole, waits == "data", f"directions while {waits}")
        for name in "answer_in", "deadline_in":
            check(0 <= whole.get(name, 0) <= 60e6, f"{name} {whole.get(name)}")
    check_equal([s["number"] for s in listed(hub.hub)], sorted(s["number"] for s in found.values()), "the order")
    text = hub.hub.admin("stream", "list")
    check(all(waits in text for waits in STATES), text)
    check("waits_for: dev" in hub.hub.admin("stream", "show", found["device-answer"]["id"]), "show for people")


@with_hub()
def close_in_every_state(hub):
    """closed in every state: the POST, each leg and a leg that comes late are told that the operator did it"""
    ends = in_every_state(hub)
    for stream in listed(hub.hub):
        done = close(hub.hub, stream)
        check_equal((done.returncode, done.stdout, done.stderr), (0, f"Closed stream {stream['id']}\n", ""), stream["waits_for"])
        for end in ends[stream["waits_for"]]:
            if isinstance(end, wire.Http):
                answer = end.read()
                check_equal((answer.status, answer.get("iothub-streaming-is-accepted"), answer.get("streamd-reject-reason")),
                            (200, "False", REASON), "the POST")
            else:
                check_equal(end.closed(), (1008, REASON), f"a leg, {stream['waits_for']}")
        check_equal(close(hub.hub, stream).returncode, 4, "closed again")
    check_equal(listed(hub.hub), [], "what is left")
    check_equal(hub.streams(), 0, "streams")
    device = hub.device("dev2", client_type=CAPABLE)
    request, answer = accepted(hub, device)
    close(hub.hub, listed(hub.hub)[0])
    check_equal(hub.device_leg(request).closed(), (1011, REASON), "a leg that comes late")
    check_equal(hub.service_leg(answer).closed(), (1011, REASON), "the other one")
    plain = hub.device("dev3")
    legs = hub.opened(plain)
    close(hub.hub, listed(hub.hub)[0])
    check_equal([leg.closed()[0] for leg in legs], [1011, 1011], "plain legs")
    log = hub.hub.log()
    check_equal(log.count("was closed by user"), 8, f"records of who did it:\n{log}")


@with_hub()
def refused(hub):
    """ids and pages that make no sense"""
    device = hub.device()
    hub.opened(device)
    for word in "x", "", "0" * 32, "a/b", "%", "ä", "x" * 1000:
        for verb in "show", "close":
            done = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "stream", verb, word])
            check_equal(done.returncode, 4, f"{verb} {word[:40]!r}: {done.stderr}")
    for query in "limit=0", f"limit={PAGE_MAX + 1}", "limit=x", "limit=-1", "after=-1", "after=x", "after=99999999999999999999":
        check_equal(ask(hub.hub, f"/v1/streams?{query}")[0], 400, query)
    check_equal(ask(hub.hub, f"/v1/streams?limit={PAGE_MAX}")[0], 200, "the largest page")
    check_equal(len(listed(hub.hub)), 1, "streams")


# -- many --------------------------------------------------------------------------------------


@with_hub("[hub]\npending-per-device = 1024\npending-per-user-and-device = 1024\nstreams-per-user-and-device = 1024\n")
def many(hub):
    """401 streams, more than four pages of the verb: each once, in order, also while some end; memory of a page"""
    count = 401
    hub.add("away")
    posts = [hub.post("away", stream=f"s{number}", connect=50) for number in range(count)]
    eventually(lambda: hub.streams() == count, "all of them wait")
    hub.hub.reset_peak()
    before = hub.hub.peak_kib()
    begin = time.monotonic()
    streams = listed(hub.hub)
    took = time.monotonic() - begin
    numbers = [stream["number"] for stream in streams]
    check_equal(len(set(numbers)), count, "different ones")
    check_equal(numbers, sorted(numbers), "the order")
    check_equal(len({stream["stream"] for stream in streams}), count, "names")
    rows = hub.hub.admin("stream", "list").splitlines()
    check_equal(len(rows), count + 1, "rows and a head")
    more = hub.hub.peak_kib() - before
    print(f"# {count} streams in {took:.2f} s; the hub {more} KiB more")
    if not SANITIZED:
        check(more < 2048, f"the hub took {more} KiB more")
    for limit in 1, 7, PAGE_MAX:
        seen, after = [], 0
        while True:
            status, page = ask(hub.hub, f"/v1/streams?limit={limit}&after={after}")
            check_equal(status, 200, "status")
            check(len(page["streams"]) <= limit, "the size of a page")
            seen += [stream["number"] for stream in page["streams"]]
            after = seen[-1]
            if not page["more"]:
                break
            if limit == 7 and len(seen) == 7 * 10:
                # What has been seen and what has not ends in between, the edge of the page among it.
                for index in 69, 70, 100, 400:
                    check_equal(close(hub.hub, streams[index]).returncode, 0, "close")
        wanted = [n for n in numbers if limit == 1 or n not in {numbers[i] for i in (70, 100, 400)}]
        if limit == PAGE_MAX:
            wanted.remove(numbers[69])
        check_equal(seen, wanted, f"pages of {limit}")
    check_equal(ask(hub.hub, f"/v1/streams?after={numbers[-1]}"), (200, {"streams": [], "more": False}), "behind the last")
    check_equal(sum(post.read().get("streamd-reject-reason") is not None for post in
                    (posts[i] for i in (69, 70, 100, 400))), 0, "a plain service is told nothing beyond the protocol")


# -- both ends ---------------------------------------------------------------------------------


def ended(daemon, name):
    return next((s for s in daemon.ctl_json("stream", "list") if s["stream_name"] == name and s["closed_at"]), None)


def echoing(port):
    """A stream that is open at the hub: the next one has a higher number."""
    connection = connect(port)
    connection.sendall(b"there")
    check_equal(read_exactly(connection, 5), b"there", "the echo")
    return connection


def both_ends():
    """an open stream of two streamd: both say who ended it, the applications see a cut, and the hub's record says so"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        with contextlib.ExitStack() as both:
            stream, bystander = [both.enter_context(echoing(port)) for _ in range(2)]
            found = eventually(lambda: [s for s in listed(site.hub) if s["bytes_from_device"] == 5] if
                               len(listed(site.hub)) == 2 else None, "both are there")
            check_equal([s["bytes_from_service"] for s in found], [5, 5], "bytes each way")
            begin = time.monotonic()
            check_equal(close(site.hub, found[0]).returncode, 0, "close")
            try:
                check_equal(stream.recv(1), None, "the application reads")
            except ConnectionResetError:
                pass
            took = time.monotonic() - begin
            for daemon in site.gateway, site.client:
                one = eventually(lambda: ended(daemon, "echo"), f"its end at the {daemon.name}")
                check_equal((one["close_reason"], one["close_text"]), (REASON, "the hub's operator closed the stream"),
                            f"at the {daemon.name}")
            bystander.sendall(b"still")
            check_equal(read_exactly(bystander, 5), b"still", "the other stream")
            check(f"{REASON}" in site.hub.log(), "the hub's record")
            check_equal(len(listed(site.hub)), 1, "what is left")
        print(f"# measured: the application was told after {took * 1000:.0f} ms")
        done = site.client.ctl("connect", site.DEVICE, "echo", stdin=None, input="")
        check_equal(done.returncode, 0, "the next one")


# -- a thread that is stuck --------------------------------------------------------------------

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
LIBC = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def standing(thread):
    """The thread alone stands still."""
    trace(PTRACE_SEIZE, thread)
    try:
        trace(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, 0x40000000)  # __WALL
        yield
    finally:
        trace(PTRACE_DETACH, thread)


def trace(request, thread):
    if LIBC.ptrace(request, thread, None, None) != 0:
        raise Failure(f"ptrace {request:#x}: {os.strerror(ctypes.get_errno())}")


def reactors(process):
    """Thread ids by their number: hub-0, hub-1."""
    found = {}
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{thread}/comm", encoding="ascii") as file:
            name = file.read().strip()
        if name.startswith("hub"):
            found[name] = int(thread)
    return [found[name] for name in sorted(found)]


def bridges(hub, device, count):
    device = hub.device(device)
    for _ in range(count):
        leg, peer = hub.opened(device)
        check_echo(leg, peer, 1000)


def stuck_reactor():
    """one of two threads stands still: its streams are listed without its answer, in time; the others with theirs"""
    with Site(hub_arguments=["--grace", "1", "--threads", "2"], gateway=False, client=False) as site:
        hub = Wire(site)
        threads = reactors(site.hub)
        check_equal(len(threads), 2, "reactors")
        # While one stands still all that comes is the other's.
        with standing(threads[1]):
            bridges(hub, "one", 3)
        with standing(threads[0]):
            bridges(hub, "other", 3)
            begin = time.monotonic()
            streams = listed(site.hub)
            took = time.monotonic() - begin
            whole = {stream["id"]: shown(site.hub, stream) for stream in streams}
            stuck = [stream for stream in streams if stream["waits_for"] == "reactor"]
            print(f"# measured: {len(stuck)} of 6 on the stuck thread, listed in {took:.2f} s")
            check_equal([stream["device"] for stream in stuck], ["one"] * 3, "those of the thread")
            check(ANSWER <= took < ANSWER + 4, f"the answer took {took:.2f} s")
            for stream in streams:
                one = whole[stream["id"]]
                check_equal(one["answered"], stream not in stuck, "answered")
                check_equal("directions" in one, stream not in stuck, "directions")
                check_equal((stream["bytes_from_device"], stream["bytes_from_service"]), (1000, 1000), "offsets all the same")
            check_equal(close(site.hub, stuck[0]).returncode, 0, "it can be closed")
        eventually(lambda: len(listed(site.hub)) == 5, "the closed one ends")
        check_equal({stream["waits_for"] for stream in listed(site.hub)}, {"data"}, "afterwards")


if __name__ == "__main__":
    main(*[states, close_in_every_state, refused, many, both_ends] + ([] if SANITIZED else [stuck_reactor]))
