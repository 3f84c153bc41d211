# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stream that both sides said yes to, and one of them never comes: the other one, and the hub, say
not-paired, within the time-out that the initiator gave."""
import subprocess
import threading
import time

import wire
from ends import Server, echo
from harness import Site, check, check_equal, eventually, main
from hub_wire import CAPABLE, WITH_SID, Wire, check_accepted

TIMED_OUT = 13  # exit code


def says_yes(device):
    """A device by hand that accepts everything and never brings its leg."""
    def run():
        try:
            while True:
                request = device.request()
                sid = request.properties.get("$sid")
                device.answer(request, 200, (f"&$sid={sid}" if sid else "") + "&$streamd=reason")
        except (wire.Closed, OSError):
            pass

    threading.Thread(target=run, daemon=True).start()


def device_never_comes():
    """the device says yes and never comes: streamctl ends within its --timeout, with not-paired"""
    with Site(gateway=False) as site:
        hub = Wire(site)
        for name, client_type in (("new", WITH_SID), ("old", CAPABLE), ("plain", "by-hand")):
            says_yes(hub.device(name, client_type=client_type))
            for timeout, arguments in ((3, ("--timeout", "3")), (2, ("--timeout", "2", "--wait=20"))):
                start = time.monotonic()
                done = site.client.ctl("connect", *arguments, name, "ssh")
                took = time.monotonic() - start
                print(f"# {name}, --timeout {timeout}: after {took:.2f} s: {done.stderr.strip()}")
                check_equal(done.returncode, TIMED_OUT, f"exit code ({done.stderr})")
                check("did not connect to the hub in time" in done.stderr, done.stderr)
                check(timeout - 0.1 <= took < timeout + 3, f"after {took:.2f} s")
        shown = site.client.ctl_json("stream", "list")
        shown = shown if isinstance(shown, list) else shown["streams"]
        check_equal({one["close_reason"] for one in shown}, {"not-paired"}, "reasons at the initiator")
        eventually(lambda: hub.streams() == 0, "no stream is left at the hub")
        check_equal(site.hub.log().count("(not-paired)"), 6, "records of the hub: " + site.hub.log())


def service_never_comes():
    """the initiator never comes: the gateway and the hub say not-paired, and the target is let go"""
    with Site(client=False) as site:
        hub = Wire(site)
        server = Server(echo, site)
        site.expose("echo", server.address)
        start = time.monotonic()
        check_accepted(hub.post(site.DEVICE, "echo", caps="half-close, reason", response=2).read())
        eventually(lambda: not site.gateway.streams(), "the gateway's stream has ended")
        took = time.monotonic() - start
        print(f"# the gateway's stream ended after {took:.2f} s")
        check(1.9 <= took < 5, f"after {took:.2f} s")
        shown = site.gateway.ctl_json("stream", "list")
        shown = shown if isinstance(shown, list) else shown["streams"]
        check_equal([one["close_reason"] for one in shown], ["not-paired"], "reason at the gateway")
        eventually(lambda: "(not-paired)" in site.hub.log(), "the hub's record")


def late_is_in_time():
    """a device that comes just within the time is in time, and nothing is said before it is there"""
    with Site(gateway=False) as site:
        hub = Wire(site)
        device = hub.device("gw-1", client_type=WITH_SID)
        process = site.client.start_ctl("connect", "--timeout", "6", "gw-1", "ssh",
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        request = device.request()
        sid = request.properties["$sid"]
        device.answer(request, 200, f"&$sid={sid}&$streamd=reason")
        time.sleep(3)
        states = {one.get("State") or one.get("state") for one in site.client.streams()}
        check("open" not in states, f"not open before the device is there: {states}")
        leg = hub.device_leg(request)
        leg.send(b"hello")
        check_equal(process.stdout.read(5), b"hello", "what the device sent")
        process.stdin.write(b"to you")
        process.stdin.flush()
        check_equal(leg.message(), b"to you", "what the application sent")
        leg.close(1000)
        check_equal(process.wait(30), 0, "exit code")


def first_word():
    """the hub's first word on a leg is a ping when the other leg is there, to those who know of it alone"""
    with Site(gateway=False, client=False) as site:
        hub = Wire(site)
        able, plain = hub.device("able", client_type=CAPABLE), hub.device("plain")
        for device, caps in ((able, "half-close, reason"), (able, None), (plain, "reason"), (plain, None)):
            post = hub.post(device.name, caps=caps)
            request = device.request()
            device.answer(request, 200, "&$streamd=reason" if device is able else "")
            answer = post.read()
            check_accepted(answer)
            peer = hub.service_leg(answer)
            check(peer.reader.is_quiet(), "not a word before the other leg is there")
            leg = hub.device_leg(request)
            for end, knows in ((peer, caps is not None), (leg, device is able)):
                if knows:
                    check_equal(end.frame(), (9, b""), f"the first frame ({device.name}, {caps})")
                else:
                    check(end.reader.is_quiet(), f"nothing to a plain one ({device.name}, {caps})")
            leg.send(b"x")
            check_equal(peer.message(), b"x", "what the device sent")


if __name__ == "__main__":
    main(device_never_comes, service_never_comes, late_is_in_time, first_word)
