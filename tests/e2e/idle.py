# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an idle device and an idle stream cost on the wire: every IP packet of both directions is
counted on its way, acknowledgements and probes of the kernels included. And that no kernel is left
to probe on its own: a socket that does is asked of ss on both sides.

With STREAMD_LONG=1 a device is watched until its pause has grown, and then for an hour."""
import netspace

netspace.enter()

# pylint: disable=wrong-import-position
import time

from ends import Server, echo, read_exactly
from harness import LONG, Site, check, eventually, main, run_ok
from hub_wire import Wire

DAY, HOUR = 86400, 3600
PAUSES = (240, 360, 540, 810)  # until 900 s, each survived twice (daemon/net/keep-alive.h)
PAUSE = 900
RENEWALS = DAY / (0.8 * DAY)
BYTES, PACKETS = 50000, 400
WATCH = 20  # s: longer than a kernel waited that still asked for a sign of life
QUIET = 0.5


class Cost:
    """Bytes and packets, IP headers included."""

    def __init__(self, size=0, packets=0):
        self.size, self.packets = size, packets

    def __add__(self, other):
        return Cost(self.size + other.size, self.packets + other.packets)

    def __sub__(self, other):
        return Cost(self.size - other.size, self.packets - other.packets)

    def __mul__(self, factor):
        return Cost(self.size * factor, self.packets * factor)

    def __str__(self):
        return f"{self.size:.0f} bytes in {self.packets:.0f} packets"


def counted(net):
    return Cost(*net.counted())


def device_site(net, transport, keys=""):
    """A site whose gateway has its control link over that transport."""
    site = netspace.NetSite(net)

    def choose():
        site.keys["gateway"] = f"Transport={transport}\nMqttPort={site.hub.mqtts_port}\n{keys}"

    site.hub_started = choose
    return site


def settled(net):
    """What is counted once nothing has come for a moment."""
    last, since = counted(net), time.monotonic()
    while time.monotonic() - since < QUIET:
        time.sleep(0.05)
        now = counted(net)
        if now.packets != last.packets:
            last, since = now, time.monotonic()
    return last


def next_burst(net, patience):
    """What the next burst of packets costs."""
    before = settled(net)
    eventually(lambda: counted(net).packets != before.packets, "a burst of packets", patience)
    return settled(net) - before


def check_quiet(lines):
    """No kernel asks for signs of life here."""
    loud = [line for line in lines if "timer:(keepalive" in line]
    check(not loud, "a kernel probes: " + "; ".join(loud))


def sockets(prefix, expression):
    out = run_ok([*prefix, "ss", "-Htno", "state", "established", *expression])
    return out.splitlines()


def check_site_quiet(net, site):
    """All sockets between the hub and the others, from both sides."""
    ports = (site.hub.https_port, site.hub.mqtts_port)
    found = 0
    for name, end in (("hub", "sport"), ("gateway", "dport"), ("client", "dport")):
        for port in ports:
            lines = sockets(net.within(name), [end, "=", f":{port}"])
            check_quiet(lines)
            found += len(lines)
    check(found >= 2, "no socket was seen")


def ping_cost(transport):
    """What a pause costs: its ping, and nothing else in all of it."""
    with netspace.Net() as net, device_site(net, transport, f"KeepAlive={WATCH}") as site:
        net.count("gateway", "hub")
        before = settled(net)
        time.sleep(WATCH + 2)
        cost = settled(net) - before
        check_site_quiet(net, site)
    check(2 <= cost.packets <= 6, f"one ping was to be seen in {WATCH + 2} s: {cost}")
    return cost


def renewal_cost(transport):
    """A new connection with a new token, and the end of the old one."""
    with netspace.Net() as net, device_site(net, transport, "TokenLife=5"):
        net.count("gateway", "hub")
        return max((next_burst(net, 60) for _ in range(2)), key=lambda cost: cost.size)


def device_hours(transport):
    """The hours that a day is told from: those in which the pause grows, and one after them."""
    with netspace.Net() as net, device_site(net, transport) as site:
        start = counted_from_now(net)
        time.sleep(2 * sum(PAUSES) + 60)
        growing = counted(net) - start
        time.sleep(HOUR)
        hour = counted(net) - start - growing
        check_site_quiet(net, site)
    return growing, hour


def counted_from_now(net):
    net.count("gateway", "hub")
    return settled(net)


def device_cost(transport):
    ping, renewal = ping_cost(transport), renewal_cost(transport)
    day = ping * (DAY / PAUSE) + renewal * RENEWALS
    first_pings = 2 * len(PAUSES) + (DAY - 2 * sum(PAUSES)) / PAUSE
    first = ping * first_pings + renewal * (RENEWALS + len(PAUSES) + 1)
    print(f"# measured: {transport}: {ping} a ping, {renewal} a renewal; a day: {day}; the first: {first}")
    if LONG:
        growing, hour = device_hours(transport)
        day, first = hour * 24 + renewal, growing + hour * 23 + renewal
        print(f"# measured: {transport}: {growing} while the pause grows, {hour} an hour; "
              f"a day: {day}; the first: {first}")
    check(day.size <= BYTES and day.packets <= PACKETS, f"a day of {transport}: {day}")
    check(first.size <= BYTES, f"the first day of {transport}: {first}")


def wss():
    """an idle device on wss: 50 KB and 400 packets a day"""
    device_cost("wss")


def mqtts():
    """an idle device on mqtts: 50 KB and 400 packets a day"""
    device_cost("mqtts")


def stream():
    """an idle stream: its pings, and no kernel's probes beside them"""
    with netspace.Net() as net, netspace.NetSite(net) as site:
        site.serve("echo", Server, echo)
        with site.connect(site.client.tunnel(site.DEVICE, "echo")) as near:
            near.sendall(b"tick")
            check(read_exactly(near, 4) == b"tick", "the echo is wrong")
            net.count("gateway", "hub")
            net.count("client", "hub")
            before = settled(net)
            time.sleep(HOUR if LONG else 2 * WATCH + 2)
            cost = settled(net) - before
            check_site_quiet(net, site)
    day = cost * (DAY / (HOUR if LONG else 2 * WATCH))
    print(f"# measured: an idle stream and its device: {cost}, both legs; a day: {day}")
    check(day.size <= 8e6, f"an idle stream costs {day} a day")


def hub_sockets():
    """the hub's kernel asks for signs of life while an answer is waited for, and of nobody else"""
    run_ok(["ip", "link", "set", "lo", "up"])
    with Site(gateway=False, client=False) as site:
        hub = Wire(site)
        ours = ["sport", "=", f":{hub.port}"]
        plain = hub.device("plain", port=hub.mqtts_port)
        framed = hub.device("framed", websocket="mqtt")
        check(plain.ping() and framed.ping(), "PINGRESP")
        check_quiet(sockets([], ["sport", "=", f":{hub.mqtts_port}"]) + sockets([], ours))
        post = hub.post("framed")
        request = framed.request()
        waits = [line for line in sockets([], ours) if "timer:(keepalive" in line]
        check(len(waits) == 1, f"while the POST waits: {waits}")
        framed.answer(request, 200)
        answer = post.read()
        check_quiet(sockets([], ours))
        leg = hub.device_leg(request)
        check_quiet(sockets([], ours))
        other = hub.service_leg(answer)
        other.send(b"x")
        check(leg.message() == b"x", "the stream")
        check_quiet(sockets([], ours))


main(wss, mqtts, stream, hub_sockets)
