# SPDX-License-Identifier: LGPL-2.1-or-later
"""The POST that leads a stream back (docs/wire-protocol.md, section 8a): who answers it and how, what it costs, and where it
is written; and that the key is written nowhere."""
import glob
import json
import os

import wire
from canary import forms
from harness import check, check_equal, eventually, main, run
from hub_wire import check_accepted, check_error, with_hub
from records_file import Records
from resume_wire import DEVICE, NO_RESUME, SERVICE, Pair, again, answer, first, new_key, part, say, word

ID = "0123456789abcdef0123456789abcdef"


def check_unknown(got):
    check_equal((got.status, got.get("iothub-streaming-is-accepted")), (200, "False"), "answer")
    check_equal(got.get("streamd-reject-reason"), "resume-unknown", "reason")


@with_hub()
def devices(hub):
    """a device with `resume` is asked and decides; another one is not asked, and does not know the stream"""
    device, key = hub.device(client_type=DEVICE), new_key()
    for reason in ("resume-unknown", "resume-stale", "policy", "no-target", "revoked"):
        post = hub.post(caps=SERVICE, more=again(key, ID, 2147483647))
        request = device.request()
        check_equal(request.properties["$resume"], ID + ".2147483647", "$resume")
        check_equal(request.properties["$rkey"], key, "$rkey")
        check(request.properties["$sid"] != ID, "the opening has an id of its own")
        answer(device, request, 400, reason=reason)
        got = post.read()
        check_equal((got.get("iothub-streaming-is-accepted"), got.get("streamd-reject-reason")), ("False", reason), "its answer")
    post = hub.post(caps=SERVICE, more=again(key, ID))
    answer(device, device.request(), 400, reason="ended%20device-closed")
    check_equal(post.read().get("streamd-reject-reason"), "ended device-closed", "its answer")
    for name, text in (("old", NO_RESUME), ("plain", "by-hand"), ("no-sid", DEVICE.replace(",sid", ""))):
        other = hub.device(name, client_type=text)
        check_unknown(hub.post(name, caps=SERVICE, more=again(key, ID)).read())
        check(other.has_no_request(), f"{name} is not asked")
    check_error(hub.post("dev1x", caps=SERVICE, more=again(key, ID)).read(), 404001, "DeviceNotFound")
    hub.add("away")
    check_error(hub.post("away", caps=SERVICE, more=again(key, ID)).read(), 404103, "DeviceNotOnline")
    post = hub.post("away", caps=SERVICE, connect=20, more=again(key, ID))
    away = hub.device("away", client_type=NO_RESUME)
    check_unknown(post.read())
    check(away.has_no_request(), "it is not asked when it comes")
    check_error(hub.post(caps=SERVICE, token=hub.service_token(key=wire.base64.b64encode(bytes(32)).decode()),
                         more=again(key, ID)).read(), 401003, "IotHubUnauthorized")


@with_hub("[hub]\nresume = no\n")
def switched_off(hub):
    """a hub that does not want it knows of no stream, whatever the device says"""
    device = hub.device(client_type=DEVICE)
    check_unknown(hub.post(caps=SERVICE, more=again(new_key(), ID)).read())
    check(device.has_no_request(), "nobody is asked")


@with_hub()
def malformed(hub):
    """a field that is malformed is 400, and the answer says which one"""
    device, key = hub.device(client_type=DEVICE), new_key()
    for caps, fields, name in (
            (SERVICE, [("streamd-resume", f"{ID} 0"), *first(key)], "streamd-resume is"),
            (SERVICE, [("streamd-resume", f"{ID} 2147483648"), *first(key)], "streamd-resume is"),
            (SERVICE, [("streamd-resume", f"{ID}.1"), *first(key)], "streamd-resume is"),
            (SERVICE, [("streamd-resume", "a" * 65 + " 1"), *first(key)], "streamd-resume is"),
            (SERVICE, [("streamd-resume", ""), *first(key)], "streamd-resume is"),
            (SERVICE, [("streamd-resume", f"{ID} 1")], "streamd-resume needs streamd-resume-key"),
            (SERVICE, first(key + "A"), "streamd-resume-key is"),
            (SERVICE, first(key[:-1]), "streamd-resume-key is"),
            (SERVICE, again(key, ID, info="1"), "streamd-resume-info is"),
            (SERVICE, again(key, ID, info="-1 2"), "streamd-resume-info is"),
            ("half-close, reason", again(key, ID), "streamd-resume needs half-close, reason and resume"),
            (None, again(key, ID), "streamd-resume needs half-close, reason and resume")):
        got = hub.post(caps=caps, more=fields).read()
        check_error(got, 400004, "ArgumentInvalid")
        text = json.loads(json.loads(got.body)["Message"])["message"]
        check(text.startswith(name), f"{fields}: {text}")
        check(key not in got.body.decode(), "the key is not in it")
    check(device.has_no_request(), "nobody is asked")


@with_hub()
def written(hub):
    """records, log, list and metrics say which stream went on, and what was claimed of the pause"""
    device, records = hub.device(client_type=DEVICE), Records(hub.site)
    old = Pair(hub, device)
    old.begin()
    old.service.drop()
    part(old.device)
    records.new(2, "DeviceStreams")
    pair = Pair(hub, device, old.key, again(old.key, old.id, 1, "1200 65536"))
    check(pair.id != old.id, "an id of its own")
    pair.begin()
    invoke = records.one("DeviceStreams", "the POST")
    check_equal((invoke["operationName"], invoke["streamId"], invoke["resumes"]), ("invoke", pair.id, old.id), "the POST's record")
    row = json.loads(hub.hub.admin("stream", "show", pair.id, "--json"))
    check_equal(row["resumes"], old.id, "stream show")
    check(old.id in hub.hub.admin("stream", "show", pair.id), "stream show, for people")
    row, = json.loads(hub.hub.admin("stream", "list", "--json"))
    check_equal(row["resumes"], old.id, "stream list")
    check(old.id in hub.hub.admin("stream", "list"), "stream list, for people")
    pair.service.close(1000, "service-closed")
    part(pair.device)
    end = records.one("DeviceStreams", "the end")
    check_equal((end["operationName"], end["streamId"], end["resumes"], end["pauseMs"], end["replayed"]),
                ("end", pair.id, old.id, 1200, 65536), "the end's record")
    log = hub.hub.admin("log")
    check_equal(log.count(f"goes on with {old.id}"), 2, f"streamhub log\n{log}")
    lines = [json.loads(line) for line in hub.hub.admin("log", "--json").splitlines()]
    check_equal([line.get("resumes") for line in lines if line.get("streamId") == pair.id], [old.id] * 2, "streamhub log --json")
    for reason in ("resume-unknown", "resume-stale"):
        post = hub.post(caps=SERVICE, more=again(old.key, ID))
        answer(device, device.request(), 400, reason=reason)
        post.read()
        refused = records.one("DeviceStreams", "a refusal")
        check_equal((refused["reason"], refused["resumes"]), (reason, ID), "its record")
    metrics = hub.hub.admin("metrics")
    for result, why, count in (("accepted", "", 1), ("refused", "resume-unknown", 1), ("refused", "resume-stale", 1),
                               ("refused", "policy", 0)):
        line = f'streamhub_resumptions_total{{result="{result}",why="{why}"}} {count}\n'
        check(line in metrics, line)
    check_equal(json.loads(hub.hub.admin("status", "--json"))["resumptions"], {"accepted": 1, "refused": 2}, "status")


def resumed(hub, device, status, token=None, reason="", key=None):
    post = hub.post(caps=SERVICE, token=token, more=again(key or new_key(), ID))
    request = device.request()
    answer(device, request, status, reason=reason)
    return post.read()


def refused_rate(hub, fields, token=None):
    got = hub.post(caps=SERVICE, token=token, more=fields).read()
    check_error(got, 429001, "ThrottlingException")
    return json.loads(json.loads(got.body)["Message"])["message"]


def opens(hub, device, token=None):
    post = hub.post(caps=SERVICE, token=token)
    answer(device, device.request(), 400, reason="policy")
    return post.read().status == 200


@with_hub("[hub]\nstream-deadline = 2\n")
def rates(hub):
    """a stream that is led back is no opening; one that the device does not know is; and a device that takes whatever comes
    gets its user no more than a measured amount"""
    hub.hub.admin("user", "add", "slow", "--rights", "service-connect", "--opens-per-minute", "6", "--streams-max", "4")
    token = hub.service_token(policy="slow", key=hub.key("user", "slow"))
    device = hub.device(client_type=DEVICE)
    for _ in range(5):
        check(opens(hub, device, token), "an opening")
    for _ in range(2):
        check_accepted(resumed(hub, device, 200, token))
    check(opens(hub, device, token), "the sixth opening: those were none")
    check("more streams a minute" in refused_rate(hub, first(new_key()), token), "the seventh")
    check_accepted(resumed(hub, device, 200, token))
    check_accepted(resumed(hub, device, 200, token))
    for _ in range(2):  # 4 at once, and 4 without a pause between
        text = refused_rate(hub, again(new_key(), ID), token)
        check("as many streams at once" in text or "leads streams back too fast" in text, text)
    hub.hub.admin("user", "add", "guesser", "--rights", "service-connect", "--opens-per-minute", "3")
    guesser = hub.service_token(policy="guesser", key=hub.key("user", "guesser"))
    for _ in range(3):
        check_unknown(resumed(hub, device, 400, guesser, "resume-unknown"))
    check("more streams a minute" in refused_rate(hub, first(new_key()), guesser), "three that were not known are three openings")


@with_hub("[hub]\nstreams-max = 20\nuser-share = 25\nstreams-per-second = 1\nstreams-burst = 2\n")
def yes_to_all(hub):
    """the same bounds without a scope: as many at once as the user may have, and then as openings"""
    device, taken = hub.device(client_type=DEVICE), 0
    while taken < 40:
        post = hub.post(caps=SERVICE, more=again(new_key(), ID))
        eventually(lambda: not device.has_no_request() or not post.reader.is_quiet(0.01), "somebody is told")
        if device.requests:
            request = device.request()
            answer(device, request, 200)
            check_accepted(post.read())
            hub.device_leg(request).drop()
            taken += 1
            continue
        check_error(post.read(), 429001, "ThrottlingException")
        break
    check(4 <= taken <= 12, f"{taken} were taken")


@with_hub("[hub]\nstreams-per-device = 2\n")
def in_its_place(hub):
    """the hub may hold the legs that are lost for a while: the stream that is led back is none more at once, another one is"""
    hub.hub.admin("user", "add", "single", "--rights", "service-connect", "--streams-max", "1")
    token = hub.service_token(policy="single", key=hub.key("user", "single"))
    device = hub.device(client_type=DEVICE)
    old = Pair(hub, device, token=token)
    old.begin()
    check("as many streams at once" in refused_rate(hub, first(new_key()), token), "a new one")
    check("as many streams at once" in refused_rate(hub, again(old.key, ID), token), "another one that is led back")
    again_by = Pair(hub, device, old.key, again(old.key, old.id), token=token)
    again_by.begin()  # its former legs are still there
    check("the device is at its limit" in refused_rate(hub, first(new_key())).lower(), "of the device, both count")
    for leg in (old.device, old.service):
        leg.drop()
    eventually(lambda: len(json.loads(hub.hub.admin("stream", "list", "--json"))) == 1, "the former legs are gone")
    check("as many streams at once" in refused_rate(hub, again(old.key, ID, 2), token), "another one, now")
    third = Pair(hub, device, old.key, again(old.key, old.id, 2), token=token)
    third.begin()
    third.service.send(b"on it goes")
    check_equal(part(third.device), (False, b"on it goes"), "data")


@with_hub()
def at_next_hub(hub):
    """a hub that is started anew knows nothing, and leads the stream back"""
    hub.add("dev1")
    old = Pair(hub, hub.device(client_type=DEVICE))
    old.begin()
    hub.restart()
    device = hub.device(client_type=DEVICE)
    pair = Pair(hub, device, old.key, again(old.key, old.id))
    check_equal((pair.request.properties["$resume"], pair.request.properties["$rkey"]), (f"{old.id}.1", old.key), "asked")
    pair.begin()
    pair.service.send(b"on it goes")
    check_equal(part(pair.device), (False, b"on it goes"), "data")


@with_hub()
def draining(hub):
    """a hub that takes no new streams leads those back that were open"""
    device = hub.device(client_type=DEVICE)
    old = Pair(hub, device)
    old.begin()
    done = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "drain", "--timeout", "0"])
    check(json.loads(hub.hub.admin("status", "--json"))["draining"], f"draining: {done.stderr}")
    check_error(hub.post(caps=SERVICE, more=first(new_key())).read(), 503001, "ServiceUnavailable")
    old.service.drop()
    part(old.device)
    Pair(hub, device, old.key, again(old.key, old.id)).begin()


@with_hub()
def key_is_written_nowhere(hub):
    """the key of a stream is in no log, record, registry or answer to the operator"""
    device, key = hub.device(client_type=DEVICE), new_key()
    hub.hub.admin("log-level", "debug")
    pair = Pair(hub, device, key)
    pair.begin()
    said = [hub.hub.admin(*verb) for verb in (("stream", "list", "--json"), ("stream", "show", pair.id), ("status", "--json"), ("metrics",))]
    pair.service.drop()
    part(pair.device)
    check_accepted(resumed(hub, device, 200, key=key))
    resumed(hub, device, 400, reason="resume-unknown", key=key)
    hub.post(caps=SERVICE, more=[("streamd-resume", "x"), ("streamd-resume-key", key)]).read()
    hub.post("nobody", caps=SERVICE, more=again(key, ID)).read()
    said.append(hub.hub.admin("log", "--json"))
    files = [path for path in glob.glob(os.path.join(hub.site.dir, "**"), recursive=True) if os.path.isfile(path)]
    check(any(path.endswith(".log") for path in files) and any("records" in path for path in files), f"{files}")
    eventually(lambda: len(Records(hub.site).new(4, "DeviceStreams")) >= 4, "the records")
    for path in files:
        with open(path, "rb") as file:
            said.append(file.read().decode("latin-1"))
    raw = wire.base64.urlsafe_b64decode(key + "=")
    for text in said:
        for form in (*forms(key), raw.hex(), raw.decode("latin-1")):
            check(form.lower()[:20] not in text.lower(), "the key is there")
    check(any(pair.id in text for text in said), "the id is, so that it can be found")


if __name__ == "__main__":
    main(devices, switched_off, malformed, written, rates, yes_to_all, in_its_place, at_next_hub, draining, key_is_written_nowhere)
