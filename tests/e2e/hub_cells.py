# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every cell of docs/wire-protocol.md, section 4a, that a client can reach, in the order of the states."""
import contextlib
import os
import signal
import threading

import wire
from harness import check, check_equal, eventually, main
from hub_wire import (CAPABLE, PLAIN_END, QUICK, check_accepted, check_echo, check_error,
                      hub_settled, with_hub)


# -- the table: waiting ------------------------------------------------------------------------

@with_hub()
def waiting(hub):
    """waiting: offline at once, after the connect time-out, or asked when the device subscribes"""
    hub.add("dev1")
    check_error(hub.post().read(), 404103, "DeviceNotOnline")
    check_error(hub.post(connect="0.3").read(), 404103, "DeviceNotOnline")
    device = hub.device(subscribe=False)
    check_error(hub.post().read(), 404103, "DeviceNotOnline")
    post = hub.post(connect=50)
    check(device.has_no_request(), "not asked before it subscribes")
    check_equal(device.subscribe(wire.POST_FILTER, qos=1), [1], "granted")
    device.answer(device.request(), 200)
    check_accepted(post.read())


@with_hub()
def waiting_client_gone(hub):
    """waiting: a service that goes away is forgotten"""
    hub.add("dev1")
    post = hub.post(stream="given-up", connect=50)
    other = hub.post(stream="wanted", connect=50)
    eventually(lambda: hub.streams() == 2, "both wait")
    post.close()
    device = hub.device(subscribe=False)
    eventually(lambda: hub.streams() == 1, "only the second is left")
    device.subscribe()
    request = device.request()
    check_equal(request.name, "wanted", "the stream that is left")
    check(device.has_no_request(), "only one")
    device.answer(request, 400)
    check_equal(other.read().get("iothub-streaming-is-accepted"), "False", "answer")


@with_hub(QUICK)
def waiting_deadline(hub):
    """waiting: 60 s since the POST end it, whatever it asked for (here 2 s)"""
    hub.add("dev1")
    check_error(hub.post(connect=50).read(), 404103, "DeviceNotOnline")


# -- asked -------------------------------------------------------------------------------------

@with_hub()
def asked_again(hub):
    """asked: on a new connection the request comes again, same rid and token, until its leg has come"""
    device = hub.device()
    post = hub.post()
    first = device.request()
    device.close()
    again = hub.device(subscribe=False)
    check(again.session_present, "session present")
    second = again.request()
    check_equal((second.rid, second.token), (first.rid, first.token), "rid and token")
    newer = hub.device(subscribe=False)
    check(again.is_closed(), "the newer connection wins")
    check_equal(newer.request().token, first.token, "token")
    hub.device_leg(second)
    newer.subscribe()
    check(newer.has_no_request(), "not again after its leg")
    newer.answer(second, 200, qos=1)
    check_accepted(post.read())


@with_hub()
def asked_rejected(hub):
    """asked: answer 400 rejects, and a leg that came is closed with 1000"""
    device = hub.device()
    post = hub.post()
    request = device.request()
    leg = hub.device_leg(request)
    device.answer(request, 400)
    answer = post.read()
    check_equal((answer.status, answer.get("iothub-streaming-is-accepted"), answer.body),
                (200, "False", b""), "answer")
    check_equal(leg.closed()[0], 1000, "close code")


@with_hub()
def asked_leg_first(hub):
    """asked: the device's leg may come first, is not read, and is no acceptance"""
    device = hub.device()
    post = hub.post()
    request = device.request()
    leg = hub.device_leg(request, protocol="MQTT")
    check_equal(leg.response.get("Sec-WebSocket-Protocol"), "MQTT", "subprotocol")
    leg.send(b"early")
    check(post.reader.is_quiet(), "a leg alone is not acceptance")
    device.answer(request, 200)
    answer = post.read()
    check_accepted(answer)
    peer = hub.service_leg(answer)
    check_equal(peer.message(), b"early", "what the device sent early")
    check_echo(leg, peer)


@with_hub()
def asked_leg_lost(hub):
    """asked: an answer 200 after the device's leg was lost is 404104"""
    device = hub.device()
    post = hub.post()
    request = device.request()
    hub.device_leg(request).drop()
    hub_settled(hub)
    device.answer(request, 200)
    check_error(post.read(), 404104, "DeviceConnectionClosedRemotely")


@with_hub()
def asked_client_gone(hub):
    """asked: the service goes away; a leg is closed, the token is void"""
    device = hub.device()
    post = hub.post()
    request = device.request()
    leg = hub.device_leg(request)
    post.close()
    check_equal(leg.closed(), PLAIN_END, "the device's leg")
    post = hub.post()
    request = device.request()
    post.close()
    hub_settled(hub)
    check_equal(hub.leg(request.path, request.token).status, 401, "a token that was revoked")
    device.answer(request, 200)
    check(device.ping(), "an answer too late does no harm")


@with_hub()
def asked_time_out(hub):
    """asked: no answer in time is 504101, and a late leg hears of it"""
    device = hub.device()
    post = hub.post(response="0.4")
    request = device.request()
    leg = hub.device_leg(request)
    check_error(post.read(), 504101, "GatewayTimeout")
    check_equal(leg.closed(), PLAIN_END, "the device's leg")
    post = hub.post(response="0.2")
    request = device.request()
    check_error(post.read(), 504101, "GatewayTimeout")
    check_equal(hub.device_leg(request).closed(), PLAIN_END, "a late leg")
    capable = hub.device("able", client_type=CAPABLE)
    post = hub.post("able", response="0.2")
    request = capable.request()
    check_error(post.read(), 504101, "GatewayTimeout")
    check_equal(hub.device_leg(request).closed(), (1011, "timed-out"), "a late leg")
    check_equal(hub.leg(request.path, request.token).status, 401, "a token works once")


@with_hub(QUICK)
def asked_deadline(hub):
    """asked: 60 s since the POST end it (here 2 s)"""
    device = hub.device()
    post = hub.post(response=50)
    leg = hub.device_leg(device.request())
    check_error(post.read(), 504101, "GatewayTimeout")
    check_equal(leg.closed(), PLAIN_END, "the device's leg")


# -- accepted ----------------------------------------------------------------------------------

@with_hub()
def accepted_early_data(hub):
    """accepted: what the service sends before the device's leg is there is held"""
    device = hub.device()
    request, answer = hub.accepted(device)
    peer = hub.service_leg(answer)
    peer.send(b"hello " * 1000)
    check(peer.reader.is_quiet(), "held")
    leg = hub.device_leg(request)
    check_equal(leg.receive(6000), b"hello " * 1000, "early data")
    check_echo(leg, peer)


@with_hub()
def accepted_early_data_only(hub):
    """accepted: a service that sends and leaves is delivered to the device when it comes"""
    device = hub.device()
    request, answer = hub.accepted(device)
    peer = hub.service_leg(answer)
    peer.send(b"bye")
    peer.close(1000)
    peer.drop()
    hub_settled(hub)
    leg = hub.device_leg(request)
    check_equal(leg.message(), b"bye", "early data")
    check_equal(leg.closed(), PLAIN_END, "then the end")


@with_hub()
def accepted_more_answers(hub):
    """accepted and open: further answers change nothing"""
    device = hub.device()
    request, answer = hub.accepted(device)
    device.answer(request, 200)
    device.answer(request, 400)
    device.subscribe()
    check(device.has_no_request(), "no further request")
    leg, peer = hub.device_leg(request), hub.service_leg(answer)
    device.answer(request, 400)
    device.answer(request, 200)
    check(device.ping(), "PINGRESP")
    check_echo(leg, peer)


@with_hub()
def accepted_device_lost(hub):
    """accepted: the device's leg is lost; the service's is closed, now or when it comes"""
    device = hub.device()
    request, answer = hub.accepted(device)
    hub.device_leg(request).drop()
    hub_settled(hub)
    check_equal(hub.service_leg(answer).closed(), PLAIN_END, "a service's leg that comes late")
    check_equal(hub.leg(request.path, request.token).status, 401, "a token works once")


@with_hub()
def accepted_link_lost(hub):
    """accepted and open: a lost control link ends no stream, nor does a service that hangs up"""
    device = hub.device()
    request, answer = hub.accepted(device)
    device.close()
    leg = hub.device_leg(request)
    hub.device()
    peer = hub.service_leg(answer)
    check_echo(leg, peer)
    hub.device()
    check_echo(leg, peer)


@with_hub(QUICK)
def accepted_deadline(hub):
    """accepted: 60 s since the POST end it (here 2 s), whichever leg is missing"""
    device = hub.device()
    request, answer = hub.accepted(device)
    check_equal(hub.device_leg(request).closed(), PLAIN_END, "the device's leg")
    path = "/" + answer.get("iothub-streaming-url").split("/", 3)[3]
    check_equal(hub.leg(path, answer.get("iothub-streaming-auth-token")).status, 401,
                "a token after its time")
    request, answer = hub.accepted(device)
    check_equal(hub.service_leg(answer).closed(), PLAIN_END, "the service's leg")
    leg, peer = hub.opened(device)
    check(leg.reader.is_quiet(2.5), "an open stream has no deadline")
    check_echo(leg, peer)


# -- open --------------------------------------------------------------------------------------

@with_hub()
def open_tokens_spent(hub):
    """open: neither token works again, nor for another path"""
    device = hub.device()
    request, answer = hub.accepted(device)
    token = answer.get("iothub-streaming-auth-token")
    path = "/" + answer.get("iothub-streaming-url").split("/", 3)[3]
    other, _ = hub.accepted(device)
    for bad_path, bad_token in ((path, request.token), (request.path, token),
                                (other.path, request.token), (path, "A" * 43), (path, ""),
                                (path, token + "A"), (path.replace("/d/dev1/", "/d/dev2/"), token)):
        check_equal(hub.leg(bad_path, bad_token).status, 401, f"{bad_path} {bad_token}")
    leg, peer = hub.device_leg(request), hub.service_leg(answer)
    check_echo(leg, peer)
    check_equal(hub.leg(path, token).status, 401, "a spent token")
    check_equal(hub.leg(request.path, request.token).status, 401, "a spent token")
    check_echo(leg, peer)


@with_hub()
def open_drained(hub):
    """open: what a peer sent before it left is delivered before the end"""
    device = hub.device()
    leg, peer = hub.opened(device)
    data = os.urandom(3000000)
    sender = threading.Thread(target=lambda: (peer.send(data), peer.close(1000)))
    sender.start()
    check(leg.receive(len(data)) == data, "other bytes came out")
    check_equal(leg.closed(), PLAIN_END, "then the end")
    sender.join()


@with_hub()
def open_many(hub):
    """open: many streams at once keep their bytes apart"""
    device = hub.device()
    pairs = [hub.opened(device) for _ in range(30)]
    for number, (leg, peer) in enumerate(pairs):
        leg.send(b"%d" % number)
        peer.send(b"%d" % -number)
    for number, (leg, peer) in enumerate(pairs):
        check_equal((leg.message(), peer.message()), (b"%d" % -number, b"%d" % number), "bytes")


# -- revoked, stopped --------------------------------------------------------------------------

@with_hub()
def revoked(hub):
    """disabled or removed devices and policies: every state ends at once"""
    for number, (verb, code, name) in enumerate((("disable", 401002, "IotHubUnauthorizedAccess"),
                                                 ("remove", 404001, "DeviceNotFound"))):
        away, here = f"away{number}", f"here{number}"
        hub.add(away)
        device = hub.device(here)
        leg, peer = hub.opened(device)
        request, _ = hub.accepted(device)
        half = hub.device_leg(request)
        asked = hub.post(here)
        early = hub.device_leg(device.request())
        waits = hub.post(away, connect=50)
        hub_settled(hub)
        hub.hub.admin("device", verb, away)
        check_error(waits.read(), code, name)
        hub.hub.admin("device", verb, here)
        check_error(asked.read(), code, name)
        for one in (leg, peer, half, early):
            check_equal(one.closed()[0], 1008, "close code")
        check(device.is_closed(), "the control link ends")
        check_equal(hub.device(here).connack, 5, "CONNACK")
        check_error(hub.post(here).read(), code, name)
    device = hub.device("dev1")
    hub.hub.admin("user", "add", "second", "--rights", "service-connect")
    token = hub.service_token(key=hub.key("policy", "second"), policy="second")
    post = hub.post(token=token)
    request = device.request()
    hub.hub.admin("user", "remove", "second")
    check_error(post.read(), 401002, "IotHubUnauthorizedAccess")
    check_error(hub.post(token=token).read(), 401003, "IotHubUnauthorized")


@with_hub(QUICK.replace("stream-deadline = 2", "stream-deadline = 60"))
def hub_stops(hub):
    """the hub stops: 503 for those that wait, then 1001 after the grace"""
    hub.add("away")
    device = hub.device()
    leg, peer = hub.opened(device)
    request, answer = hub.accepted(device)
    late, _ = hub.accepted(device)
    half = hub.device_leg(request)
    asked, waits = hub.post(), hub.post("away", connect=50)
    early = hub.device_leg(device.request())
    idle = wire.Http(hub.port, hub.ca)
    hub_settled(hub)
    hub.hub.popen.send_signal(signal.SIGTERM)
    for post in (asked, waits):
        refusal = post.read()
        check_error(refusal, 503001, "ServiceUnavailable")
        check(int(refusal.get("Retry-After")) > 0, "Retry-After")
    check_equal(early.closed()[0], 1001, "close code")
    check_error(hub.post().read(), 503001, "ServiceUnavailable")
    check_equal(hub.device("away").connack, 3, "CONNACK")
    other = hub.service_leg(answer)
    check_echo(half, other)
    late = hub.device_leg(late)
    check_echo(leg, peer)
    with contextlib.suppress(wire.Closed):
        check_equal(idle.reader.take(1), b"", "an idle connection")
    for one in (half, other, late, leg, peer):
        check_equal(one.closed()[0], 1001, "close code after the grace")
    check_equal(hub.hub.popen.wait(30), 0, "exit status")


if __name__ == "__main__":
    main(waiting, waiting_client_gone, waiting_deadline, asked_again, asked_rejected,
         asked_leg_first, asked_leg_lost, asked_client_gone, asked_time_out, asked_deadline,
         accepted_early_data, accepted_early_data_only, accepted_more_answers,
         accepted_device_lost, accepted_link_lost, accepted_deadline, open_tokens_spent,
         open_drained, open_many, revoked, hub_stops)
