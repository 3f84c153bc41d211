# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stream that stands still, as gateway, hub and client tell it: who waits for whom, for each side that is full and
each process that stands; a thread that is stuck; what is told of one that is not open yet."""
import json
import os
import signal
import threading
import time

from ends import Server, connect, read_exactly
from harness import NO_RESUME, SANITIZED, Site, check, check_equal, eventually, main
from hub_streams import ANSWER, REASON, listed, shown, standing

END_WAIT = 10  # s
QUIET = 0.4  # s in which nothing moves any more
BLOCK = b"x" * 65536
UP, DOWN = "up", "down"  # from the app to the target, and back

# side full: what is waited for at (gateway, hub, client)
CELLS = {
    (): ("data", "data", "data"),
    (UP,): ("local-reads", "device-reads", "hub-reads"),
    (DOWN,): ("hub-reads", "service-reads", "local-reads"),
    (UP, DOWN): ("both-read", "both-read", "both-read"),
}
# The direction at each place, and the sides that it goes from and to.
WAYS = {
    UP: (("hub_to_local", "hub", "local"), ("service_to_device", "service", "device"), ("local_to_hub", "local", "hub")),
    DOWN: (("local_to_hub", "local", "hub"), ("device_to_service", "device", "service"), ("hub_to_local", "hub", "local")),
}
KEYS = {"state", "waits_for", "age", "bytes_from_local", "bytes_from_hub", "hub_stream", "endpoint", "local_end", "answered",
        "open_for", "timer_in", "limits", "directions", "sides"}
FLOW = {"waits_for", "bytes", "held", "undecoded", "mid_frame", "ended", "told", "still_for"}
SIDE = {"open", "lost", "peer", "websocket", "hung_up", "queued", "unread", "unsent", "unacknowledged", "window", "rtt",
        "retransmits", "probes"}
LEG = {"half_close", "reasons", "spoke", "heard_ago", "said_ago", "pinged_ago"}


class Plain(Site):
    """Streams of relays at all three: one that survives its legs waits for credit, and not for a reader."""
    DAEMON_SETTINGS = NO_RESUME


class Ends:
    """An app and a target that both rest, with a stream between them."""

    def __init__(self, site):
        self.arrived = threading.Event()
        self.target = None
        site.expose("rest", Server(self._rest, site).address)
        self.app = connect(site.client.tunnel(site.DEVICE, "rest"))
        site.closers.append(self.app.close)
        self.app.sendall(b"a")
        check(self.arrived.wait(30), "the target was not reached")
        self.target.sendall(b"b")
        check_equal(read_exactly(self.app, 1), b"b", "the first byte")

    def _rest(self, connection):
        connection.settimeout(30)
        read_exactly(connection, 1)
        self.target = connection
        self.arrived.set()
        eventually(lambda: connection.fileno() < 0 or self.app.fileno() < 0, "the end", 600)

    def fill(self, ways):
        """Sends until nothing is taken any more."""
        sockets = [{UP: self.app, DOWN: self.target}[way] for way in ways]
        for end in sockets:
            end.setblocking(False)
        moved = time.monotonic()
        while time.monotonic() - moved < QUIET:
            for end in sockets:
                try:
                    if end.send(BLOCK) > 0:
                        moved = time.monotonic()
                except BlockingIOError:
                    pass
            time.sleep(0.002)


def debug_of(daemon):
    """The debug dump of its one open stream."""
    stream = next(s for s in daemon.ctl_json("stream", "list") if s["state"] in ("open", "closing"))
    whole = daemon.ctl_json("stream", "show", "--debug", str(stream["id"]))
    check_equal(whole["id"], stream["id"], "its properties are there as well")
    return whole["debug"]


def hub_debug(site):
    return shown(site.hub, listed(site.hub)[0])


def all_three(site):
    return debug_of(site.gateway), hub_debug(site), debug_of(site.client)


def check_place(name, dump, ways, place):
    for way in (UP, DOWN):
        key, source, sink = WAYS[way][place]
        flow, to = dump["directions"][key], dump["sides"][sink]
        full = way in ways
        check_equal(flow["waits_for"], sink if full else source, f"{name}, {key}, full: {ways}")
        check_equal(flow["held"] > 0, full, f"{name}, {key}: bytes that wait")
        check_equal(to["unsent"] + to["unacknowledged"] > 0, full, f"{name}, {key}: in the kernel towards {sink}")
        check_equal("gives_up_in" in flow, False, f"{name}, {key}: nobody has ended")
        check(flow["bytes"] >= 1, f"{name}, {key}: {flow['bytes']} bytes")
        if full:
            check(flow["still_for"] >= QUIET * 0.5e6, f"{name}, {key}: still for {flow['still_for']} us")


def matrix():
    """either side full, both, none: gateway, hub and client each name who waits for what, with the same stream's id"""
    for ways, wanted in CELLS.items():
        with Plain() as site:
            ends = Ends(site)
            ends.fill(ways)
            begin = time.monotonic()
            dumps = all_three(site)
            took = time.monotonic() - begin
            for place, name in enumerate(("gateway", "hub", "client")):
                check_equal(dumps[place]["waits_for"], wanted[place], f"{name}, full: {ways}")
                check_place(name, dumps[place], ways, place)
            check_equal({dumps[0]["hub_stream"], dumps[2]["hub_stream"]}, {dumps[1]["id"]}, "the stream's id")
            # What went into one place and not into the next lies in between.
            for way in (UP, DOWN):
                order = (2, 1, 0) if way == UP else (0, 1, 2)
                offsets = [dumps[place]["directions"][WAYS[way][place][0]]["bytes"] for place in order]
                check_equal(offsets, sorted(offsets, reverse=True), f"offsets on the way {way}")
                check_equal(offsets[0] > offsets[2], way in ways, f"bytes in between, {way}: {offsets}")
            print(f"# {ways or 'none'}: {' / '.join(wanted)}, the three in {took:.2f} s")


def structure():
    """every key of the dump, and no other; as text the same"""
    with Plain() as site:
        Ends(site)
        for daemon in site.gateway, site.client:
            dump = debug_of(daemon)
            check_equal(set(dump), KEYS, f"keys at the {daemon.name}")
            check_equal(dump["endpoint"], f"localhost:{site.hub.https_port}", "endpoint")
            check_equal(set(dump["directions"]), {"local_to_hub", "hub_to_local"}, "directions")
            for flow in dump["directions"].values():
                check_equal(set(flow), FLOW, "keys of a direction")
            check_equal(set(dump["sides"]["local"]), SIDE, "keys of the local side")
            check_equal(set(dump["sides"]["hub"]), SIDE | LEG, "keys of the leg")
            check_equal(dump["limits"], {}, "limits")
            check_equal((dump["bytes_from_local"], dump["bytes_from_hub"]), (1, 1), "offsets")
        dump = hub_debug(site)
        for side in dump["sides"].values():
            check_equal(set(side), SIDE | LEG, "keys of a leg at the hub")
            check(side["window"] > 0, f"the window {side['window']}")
        ident = str(next(s["id"] for s in site.client.ctl_json("stream", "list") if s["state"] == "open"))
        text = site.client.ctl_ok("stream", "show", "--debug", ident)
        for line in ("\nwaits_for: data\n", "  local_to_hub:\n    waits_for: local\n", "    websocket: true\n"):
            check(line in text, f"{line!r} is missing in\n{text}")
        check("websocket" not in site.client.ctl_ok("stream", "show", ident), "without --debug")
        check_equal(site.client.ctl("stream", "show", "--debug", "99999").returncode, 4, "no such stream")


def limits():
    """the limits of a stream, and what is left of them"""
    with Plain() as site:
        real, given = site.gateway.ctl_ok, ("--max-bytes", "1000", "--stall-timeout", "1h", "--max-duration", "1h")

        def with_limits(*words):
            return real(*words, *(given if words[:2] == ("target", "add") else ()))

        site.gateway.ctl_ok = with_limits
        Ends(site)
        found = debug_of(site.gateway)["limits"]
        check_equal((found["bytes_left"], found["stall"]), (998, 3600 * 10**6), f"limits {found}")
        check(0 < found["duration_left"] <= 3600 * 10**6, f"limits {found}")
        check_equal(debug_of(site.client)["limits"], {}, "at the other end")


def reason_at(daemon):
    """The reason of its one stream, once it has ended."""
    return eventually(lambda: daemon.ctl_json("stream", "list")[0]["close_reason"], f"the end at the {daemon.name}")


def closed_while_it_stands():
    """the operator ends a stream that stands still: whoever is read is told why at once; the other end within end-wait"""
    for ways, told in (((UP,), "client"), ((DOWN,), "gateway"), ((UP, DOWN), None)):
        with Plain() as site:
            ends = Ends(site)
            ends.fill(ways)
            begin = time.monotonic()
            site.hub.admin("stream", "close", listed(site.hub)[0]["id"])
            if told:
                check_equal(reason_at(getattr(site, told)), REASON, f"{ways} full: at the {told}")
                check(time.monotonic() - begin < 3, f"{ways} full: it took {time.monotonic() - begin:.1f} s")
            reasons = {daemon.name: reason_at(daemon) for daemon in (site.gateway, site.client)}
            took = time.monotonic() - begin
            print(f"# measured: {ways} full: {reasons} after {took:.1f} s")
            check(set(reasons.values()) <= {REASON, "cut"}, f"{ways} full: {reasons}")
            check(took < 2 * END_WAIT + 5, f"{ways} full: it took {took:.1f} s")
            eventually(lambda: listed(site.hub) == [], "nothing is left at the hub", 2 * END_WAIT)


def process_stands():
    """a process that stands still: the others name the side on which it is"""
    cells = {  # who stands, the way that is full: (gateway, hub, client)
        ("hub", UP): (None, None, "hub-reads"),
        ("hub", DOWN): ("hub-reads", None, None),
        ("client", DOWN): ("hub-reads", "service-reads", None),
        ("gateway", UP): (None, "device-reads", "hub-reads"),
    }
    for (who, way), wanted in cells.items():
        with Plain() as site:
            ends = Ends(site)
            process = getattr(site, who)
            process.popen.send_signal(signal.SIGSTOP)
            try:
                ends.fill((way,))
                if wanted[0]:
                    check_equal(debug_of(site.gateway)["waits_for"], wanted[0], f"{who} stands: at the gateway")
                if wanted[1]:
                    check_equal(hub_debug(site)["waits_for"], wanted[1], f"{who} stands: at the hub")
                if wanted[2]:
                    check_equal(debug_of(site.client)["waits_for"], wanted[2], f"{who} stands: at the client")
            finally:
                process.popen.send_signal(signal.SIGCONT)


def reactors(process):
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{thread}/comm", encoding="ascii") as file:
            name = file.read().strip()
        if name.startswith("streamd-") and name != "streamd-door":
            yield int(thread)


def stuck_thread():
    """a thread of streamd that stands still: the answer comes in time, without what only that thread knows"""
    with Plain() as site:
        Ends(site)
        answers = []
        for thread in reactors(site.client):
            with standing(thread):
                begin = time.monotonic()
                dump = debug_of(site.client)
                answers.append((dump["answered"], time.monotonic() - begin, dump))
        stuck = [(took, dump) for answered, took, dump in answers if not answered]
        print(f"# measured: {len(answers)} threads, {len(stuck)} of them the stream's; {stuck[0][0]:.2f} s")
        check_equal(len(stuck), 1, "the one that has the stream")
        took, dump = stuck[0]
        check(ANSWER <= took < ANSWER + 4, f"the answer took {took:.2f} s")
        check_equal((dump["waits_for"], dump["bytes_from_local"]), ("reactor", 1), "what is told all the same")
        check("directions" not in dump, "directions")
        check_equal(debug_of(site.client)["answered"], True, "afterwards")


def not_open_yet():
    """a stream that waits for the hub's answer, and one that has ended"""
    with Plain() as site:
        site.hub.add_device("away")
        waiting = site.client.start_ctl("connect", "away", "x", "--wait=30", stdin=-3, stdout=-3, stderr=-3)
        eventually(site.client.streams, "it is asked for")
        stream = site.client.streams()[0]
        whole = site.client.ctl_json("stream", "show", "--debug", str(stream["id"]))["debug"]
        check_equal((whole["state"], whole["waits_for"]), ("initiating", "hub-answer"), "what it waits for")
        check("answered" not in whole and "directions" not in whole, f"keys {sorted(whole)}")
        check_equal([s["waits_for"] for s in listed(site.hub)], ["device-link"], "at the hub")
        waiting.kill()
        waiting.wait()
        eventually(lambda: not site.client.streams(), "it has ended")
        whole = site.client.ctl_json("stream", "show", "--debug", str(stream["id"]))["debug"]
        check_equal(whole["waits_for"], "nothing", "of one that has ended")
        json.dumps(whole)


if __name__ == "__main__":
    main(*[matrix, structure, limits, process_stands, not_open_yet,
            closed_while_it_stands] + ([] if SANITIZED else [stuck_thread]))
