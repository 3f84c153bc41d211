# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which answer belongs to which request (docs/wire-protocol.md, sections 4a and 8): an answer that is
late, repeated, or that another start of the hub asked for, opens nothing."""
import json
import signal

from ends import Server, connect, echo, read_exactly
from harness import Site, check, check_equal, eventually, main
from hub_wire import CAPABLE, WITH_SID, check_accepted, check_echo, check_error, with_hub

PLAIN_MOST, CAPABLE_MOST = 99999, 2**31 - 1


def ignored(hub):
    """How many answers the hub has counted that changed nothing."""
    return json.loads(hub.hub.admin("status", "--json"))["ignored_answers"]


def sid_of(request):
    return request.properties.get("$sid")


@with_hub()
def wrong_answers(hub):
    """an answer counts for the stream whose rid and sid it has; others are counted and ignored"""
    device = hub.device(client_type=WITH_SID)
    post = hub.post(caps="half-close, reason")
    request = device.request()
    check(f"/sid/{sid_of(request)}/" in request.path, f"$sid is that of the url: {request.properties}")
    wrong = ("", "&$sid=" + "0" * 32, f"&$sid={sid_of(request)}0", f"&$sid={sid_of(request).upper()}A")
    for number, rest in enumerate(wrong, 1):
        device.answer(request, 200 if number % 2 else 400, rest)
        check(device.ping(), "PINGRESP")
        check_equal(ignored(hub), number, f"ignored after {rest!r}")
    check(post.reader.is_quiet(), "none of them was the answer")
    right = f"&$sid={sid_of(request)}&$streamd=reason"
    device.answer(request, 200, right)
    answer = post.read()
    check_accepted(answer)
    check_equal(answer.get("streamd-stream-id"), sid_of(request), "the id that the service is told")
    device.answer(request, 200, right)
    device.answer(request, 400, f"&$sid={sid_of(request)}")
    check(device.ping(), "PINGRESP")
    check_equal(ignored(hub), len(wrong) + 2, "ignored after the same again")
    check_echo(hub.device_leg(request), hub.service_leg(answer))


@with_hub()
def older_devices(hub):
    """a device that does not know sid is told none, and its answer counts by the rid"""
    for name, client_type, most in (("old", CAPABLE, CAPABLE_MOST), ("plain", "by-hand", PLAIN_MOST)):
        device = hub.device(name, client_type=client_type)
        rids = []
        for status in (200, 400, 200):
            post = hub.post(name)
            request = device.request()
            check_equal(sid_of(request), None, "$sid")
            rids.append(int(request.rid))
            before = ignored(hub)
            device.answer(request, 200, "&$sid=" + "0" * 32)
            check(device.ping(), "PINGRESP")
            check_equal(ignored(hub), before + 1, "ignored: of another stream")
            device.answer(request, status)
            check_equal(post.read().get("iothub-streaming-is-accepted"), str(status == 200), "answer")
        print(f"# {name}: rids {rids}")
        check(all(1 <= rid <= most for rid in rids), f"rids {rids}")
        check_equal(rids[2], (rids[0] + 1) % most + 1, f"counts up: {rids}")


@with_hub()
def device_was_away(hub):
    """numbers are not used again when the device was away and had no stream left"""
    rids = []
    for _ in range(5):
        device = hub.device(client_type=WITH_SID, clean=True)
        post = hub.post()
        request = device.request()
        rids.append(int(request.rid))
        device.answer(request, 400, f"&$sid={sid_of(request)}")
        check_equal(post.read().get("iothub-streaming-is-accepted"), "False", "answer")
        device.close()
        check_error(hub.post(connect="0.2").read(), 404103, "DeviceNotOnline")
    check_equal(rids, [(rids[0] - 1 + i) % CAPABLE_MOST + 1 for i in range(5)], "rids")


@with_hub()
def two_starts(hub):
    """what the hub was answered before it was started again opens nothing afterwards"""
    device = hub.device(client_type=WITH_SID)
    hub.post()
    old = device.request()
    hub.restart()
    device = hub.device(client_type=WITH_SID)
    post = hub.post()
    request = device.request()
    print(f"# rid {old.rid}, after the restart {request.rid}")
    check(old.rid != request.rid, "another rid")
    before = ignored(hub)
    device.answer(old, 200, f"&$sid={sid_of(old)}&$streamd=reason")
    device.answer(request, 200, f"&$sid={sid_of(old)}&$streamd=reason")  # as if the rid were the same
    check(device.ping(), "PINGRESP")
    check_equal(ignored(hub), before + 2, "ignored")
    check(post.reader.is_quiet(), "neither of them was the answer")
    device.answer(request, 200, f"&$sid={sid_of(request)}&$streamd=reason")
    check_accepted(post.read())


@with_hub()
def lost_answer(hub):
    """an answer that was lost with its link is asked for again, also when the leg has come"""
    device = hub.device(client_type=WITH_SID)
    post = hub.post()
    first = device.request()
    leg = hub.device_leg(first)
    device.close()
    again = hub.device(client_type=WITH_SID)
    second = again.request()
    check_equal((second.rid, second.token, sid_of(second)), (first.rid, first.token, sid_of(first)),
                "the same request")
    again.answer(second, 200, f"&$sid={sid_of(second)}&$streamd=reason")
    answer = post.read()
    check_accepted(answer)
    check_echo(leg, hub.service_leg(answer))


def both_programs():
    """a gateway with an open stream, two starts of the hub: no stale answer, and streams open"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        for how in (signal.SIGKILL, signal.SIGTERM):
            port = site.client.tunnel(site.DEVICE, "echo")
            with connect(port) as near:
                near.sendall(b"before")
                check_equal(read_exactly(near, 6), b"before", "the echo")
                ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
                site.hub.stop(how)
                site.start_hub((), ports)
                site.wait_online(site.DEVICE)
            with connect(port) as near:
                near.sendall(b"after")
                check_equal(read_exactly(near, 5), b"after", "the echo")
            status = json.loads(site.hub.admin("status", "--json"))
            check_equal(status["ignored_answers"], 0, "stale answers")
            eventually(lambda: not site.client.streams(), "the streams have ended")
            site.client.close_tunnels()


if __name__ == "__main__":
    main(wrong_answers, older_devices, device_was_away, two_starts, lost_answer, both_programs)
