# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hub records: each request for a stream, each end, each change, once (records_file.py reads it)."""
import json
import os
import re
import signal

from ends import Server, read_all
from enroll import Invitation, new_key
from harness import check, check_equal, eventually, main, run
from hub_wire import QUICK, check_echo, check_error, with_hub
from records_file import Records, paths, read, stream_of
from registry_rest import KEY, with_registry

INVOKE = ["time", "operationName", "category", "resourceId", "resultType", "resultDescription", "level", "durationMs",
          "properties", "location", "streamId", "user", "address", "reason", "hash"]
PROPERTIES = ["deviceId", "moduleId", "sdkVersion", "requestSize", "responseSize", "statusCode", "requestName",
              "direction"]
END = ["time", "operationName", "category", "resourceId", "level", "durationMs", "properties", "streamId", "user",
       "address", "deviceAddress", "bytesToDevice", "bytesToService", "reason", "detail", "rule", "hash"]


def invoked(records, what, result="Success", reason="", user="service", device="dev1", stream="ssh"):
    """The one record of the request that was just answered."""
    record = records.one("DeviceStreams", what)
    check_equal(list(record), INVOKE, f"{what}: members")
    check_equal(list(json.loads(record["properties"])), PROPERTIES, f"{what}: properties")
    check_equal((record["operationName"], record["resultType"], record["reason"], record["user"]),
                ("invoke", result, reason, user), what)
    check_equal(record["level"], "Information" if result == "Success" else "Error", f"{what}: level")
    check_equal(record["resultDescription"] == "", result == "Success", f"{what}: description")
    check_equal(stream_of(record), (device, "", stream), f"{what}: of what")
    check(re.fullmatch(r"127\.0\.0\.1:\d+", record["address"]), f"{what}: {record['address']}")
    check(re.fullmatch(r"\d+", record["durationMs"]), f"{what}: duration")
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"]), f"{what}: time")
    check_equal(record["resourceId"], "/streamhub/localhost", "resource")
    return record


@with_hub(QUICK)
def openings(hub):
    """a request for a stream makes one record, whatever comes of it; a stream that was open makes one more"""
    records = Records(hub.site)
    eventually(lambda: read(records.folder)[-1]["operationName"] == "start", "a start comes first")
    hub.add("dev1")
    records.new()
    for body in (b"", b"x", b"x" * 1000):  # dropped, and counted
        check_error(hub.post(body=body).read(), 404103, "DeviceNotOnline")
        offline = invoked(records, "offline", "404103", "offline")
        check_equal(json.loads(offline["properties"])["requestSize"], str(len(body)), "requestSize")
    check_equal(hub.post(device="nowhere").read().status, 404, "status")
    invoked(records, "unknown", "404001", "not-found", device="nowhere")
    check_equal(hub.post(stream="a%22%0ab").read().status, 400, "status")
    invoked(records, "no name", "400004", "protocol", stream='a"\\x0ab')
    check_equal(hub.post(token="SharedAccessSignature sr=x&sig=y&se=1").read().status, 401, "status")
    invoked(records, "unauthorized", "401003", "unauthorized", user="")

    device = hub.device()
    records.new()
    post = hub.post()
    device.answer(device.request(), 400)
    check_equal(post.read().get("iothub-streaming-is-accepted"), "False", "rejected")
    invoked(records, "rejected", reason="rejected")
    post = hub.post(response=0.3)
    device.request()
    check_equal(post.read().status, 504, "status")
    invoked(records, "timed out", "504101", "timed-out")
    post = hub.post()
    device.request()
    post.close()
    invoked(records, "cancelled", "504101", "cancelled")

    request, answer = hub.accepted(device)
    accepted = invoked(records, "accepted")
    check_equal(json.loads(accepted["properties"])["sdkVersion"], "2020-05-31-preview", "api-version")
    near, far = hub.device_leg(request), hub.service_leg(answer)
    check_echo(near, far, 100000)
    far.send(b"x")
    near.receive(1)
    far.close(1000)
    ended = records.one("DeviceStreams", "its end")
    check_equal(list(ended), END, "members of an end")
    check_equal((ended["streamId"], ended["user"], ended["reason"]),
                (accepted["streamId"], "service", "service-closed"), "its end")
    check_equal((ended["bytesToDevice"], ended["bytesToService"]), (100001, 100000), "bytes")
    check_equal(stream_of(ended), ("dev1", "", "ssh"), "of what")
    check(re.search(r"ended \(service-closed\) after \d+ ms, 100001 bytes to the device, 100000 to the service",
                    hub.hub.log()), "the log says the same")
    check(re.fullmatch(r"127\.0\.0\.1:\d+", ended["deviceAddress"]), "the device's address")
    check(f"/sid/{accepted['streamId']}/" in request.path, "the id in the url")

    hub.accepted(device)
    invoked(records, "never paired")
    eventually(lambda: hub.streams() == 0, "it is given up")
    check_equal(records.new(), [], "no end of what was never open")


# -- changes of the registry and of the hub ------------------------------------------------------

UID = f"uid:{os.getuid()}"
REGISTRY = ["time", "operationName", "category", "by", "address", "what", "detail", "hash"]
HUB = ["time", "operationName", "category", "by", "detail", "hash"]

VERBS = (
    # what is typed; operation, what, detail; None: it makes no record
    ("device add gw-1", ("device.add", "gw-1", "authentication(type)")),
    ("device add gw-1 --module m", ("device.add", "gw-1/m", "authentication(type)")),
    ("device add gw-1", None),  # there already
    ("device list", None),
    ("device show gw-1", None),
    ("device disable gw-1", ("device.set", "gw-1", "enabled=no")),
    ("device enable gw-1", ("device.set", "gw-1", "enabled=yes")),
    ("device disable gw-1 --module m", ("device.set", "gw-1/m", "enabled=no")),
    ("device set gw-1 --tag site=berlin --comment secret", ("device.set", "gw-1", "tags(site), comment")),
    ("device set no-such --tag site=berlin", None),
    ("device regenerate gw-1 primary", ("device.key", "gw-1", "regenerate=primary")),
    ("device regenerate gw-1 both --module m", ("device.key", "gw-1/m", "regenerate=both")),
    ("device rekey gw-1", ("device.rekey", "gw-1", "")),
    ("connection-string device gw-1", ("device.secret", "gw-1", "")),
    ("device set gw-1 --thumbprint " + "0" * 64, ("device.set", "gw-1", None)),
    ("device rekey gw-1", None),  # it has no key
    ("device export", None),
    ("device export --keys", ("export", "", "the keys of all devices")),
    ("device remove gw-1 --module m", ("device.remove", "gw-1/m", "")),
    ("device remove gw-1", ("device.remove", "gw-1", "")),
    ("device remove gw-1", None),
    ("user add alice --rights service-connect", ("user.add", "alice", "rights=service-connect")),
    ("user list", None),
    ("user set alice --devices gw-*", ("user.set", "alice", "scope(devices)")),
    ("user regenerate alice secondary", ("user.key", "alice", "regenerate=secondary")),
    ("connection-string user alice", ("user.secret", "alice", "")),
    ("user remove alice", ("user.remove", "alice", "")),
    ("user remove alice", None),
    ("invite list", None),
    ("invite revoke site", ("invitation.revoke", "site", "")),
)


def stripped(record):
    return record["operationName"], record["what"], record["detail"]


def typed(hub, words):
    return run([hub.site.streamhub, "--state-dir", hub.site.hub.state_dir, *words.split(" ")])


def check_change(record, what, by, address=""):
    check_equal(list(record), REGISTRY, f"{what}: members")
    check_equal(record["by"], by, f"{what}: who")
    check(record["address"] == address or address and re.fullmatch(address, record["address"]), f"{what}: from where")


@with_hub()
def verbs(hub):
    """each verb that changes the registry makes one record, with who and what; one that fails or only shows makes none"""
    records = Records(hub.site)
    records.new(1)
    done = typed(hub, f"invite group site --devices * --uses 3 --output {hub.site.dir}/site.invite")
    made = records.new(2, "Registry")
    check_equal([record["operationName"] for record in made], ["invitation.add", "invitation.secret"],
                f"an invitation ({done.stderr})")
    for words, wanted in VERBS:
        done = typed(hub, words)
        made = records.new(1 if wanted else None, "Registry", f"{words} ({done.stdout}{done.stderr})")
        check_equal(len(made), 1 if wanted else 0, f"{words}: records {made} ({done.stderr})")
        for record in made:
            check_change(record, words, UID)
            check_equal(stripped(record)[:2], wanted[:2], words)
            check(wanted[2] in (None, record["detail"]), f"{words}: detail {record['detail']!r}")
    path = os.path.join(hub.site.dir, "devices.jsonl")
    with open(path, "w", encoding="ascii") as file:
        file.write("".join(json.dumps({"id": f"many-{number}"}) + "\n" for number in range(100)))
    for words, detail in (("--dry-run", None), ("", "imported devices: 100 added, 0 changed"), ("", None)):
        done = typed(hub, f"device import {path} {words}".strip())
        made = records.new(1 if detail else None, "Registry")
        check_equal([stripped(record) for record in made], [("import", "", detail)] if detail else [],
                    f"import {words} ({done.stdout} {done.stderr})")


ROUTES = (
    # method, path, body, If-Match; status; operation, what, detail
    ("PUT", "/devices/gw-1", {"deviceId": "gw-1"}, None, 200, ("device.add", "gw-1", "")),
    ("PUT", "/devices/gw-1", {"deviceId": "gw-1"}, None, 409, None),
    ("PUT", "/devices/gw-1/modules/m", {"deviceId": "gw-1", "moduleId": "m"}, None, 200, ("device.add", "gw-1/m", "")),
    ("GET", "/devices/gw-1", None, None, 200, None),
    ("PUT", "/devices/gw-1", {"deviceId": "gw-1", "status": "disabled"}, "*", 200,
     ("device.set", "gw-1", "disabled")),
    ("PUT", "/devices/gw-1", {"deviceId": "gw-1", "status": "enabled"}, "*", 200, ("device.set", "gw-1", "enabled")),
    ("PUT", "/devices/gw-1", {"deviceId": "gw-1", "authentication": {
        "type": "sas", "symmetricKey": {"primaryKey": KEY, "secondaryKey": ""}}}, "*", 200,
     ("device.key", "gw-1", "primary key")),
    ("PUT", "/devices/gw-1", {"deviceId": "gw-1", "status": "disabled"}, '"1"', 412, None),
    ("PATCH", "/twins/gw-1", {"tags": {"site": "berlin"}}, None, 200, ("device.set", "gw-1", "tags or comment")),
    ("PUT", "/twins/gw-1", {"tags": {"site": "bonn"}}, None, 200, ("device.set", "gw-1", "tags or comment")),
    ("PATCH", "/twins/no-such", {"tags": {"site": "berlin"}}, None, 404, None),
    ("GET", "/twins/gw-1", None, None, 200, None),
    ("POST", "/devices/query", {"query": "SELECT * FROM devices"}, None, 200, None),
    ("DELETE", "/devices/gw-1/modules/m", None, "*", 204, ("device.remove", "gw-1/m", "")),
    ("DELETE", "/devices/gw-1", None, "*", 204, ("device.remove", "gw-1", "")),
    ("DELETE", "/devices/gw-1", None, "*", 404, None),
)


@with_registry
def routes(hub):
    """each REST route that changes the registry makes one record, with the user and the address; others make none"""
    hub.users()
    records = Records(hub.site)
    records.new(1)
    for method, path, body, match, status, wanted in ROUTES:
        what = f"{method} {path} {body} {match}"
        answer = hub.rest(method, path, body=body, headers=[("If-Match", match)] if match else [])
        check_equal(answer.status, status, f"{what}: {answer.body!r}")
        made = records.new(1 if wanted else None, "Registry")
        check_equal([stripped(record) for record in made], [wanted] if wanted else [], what)
        for record in made:
            check_change(record, what, "all", r"127\.0\.0\.1:\d+")
    hub.got("POST", "/devices", body=[{"id": f"bulk-{number}", "importMode": "create"} for number in range(20)])
    made = records.new(20, "Registry")
    check_equal([stripped(record) for record in made],
                [("device.add", f"bulk-{number}", "") for number in range(20)], "many at once, each its own")
    failed = [{"id": "bulk-0", "importMode": "create"}, {"id": "bulk-1", "importMode": "delete"}]
    check_equal(hub.rest("POST", "/devices", body=failed).status, 400, "one of two")
    check_equal([stripped(record) for record in records.new(1, "Registry")], [("device.remove", "bulk-1", "")], "one")

    group = Invitation(hub.site, "group", "factory", "--devices", "*", "--uses", "5")
    records.new(2)
    key = new_key()
    for status, wanted in ((200, [("enroll", "joined", "device")]), (200, [])):
        check_equal(group.put("joined", key)[0], status, "joins")
        made = records.new(len(wanted) or None, "Registry")
        check_equal([stripped(record) for record in made], wanted, "enrolment")
        for record in made:
            check_change(record, "enrolment", "group:factory", r"127\.0\.0\.1:\d+")


@with_hub()
def of_the_hub(hub):
    """each change of the hub itself makes one record: reload, drain, level of the log, a stream closed, the stop"""
    records = Records(hub.site)
    check_equal([record["operationName"] for record in records.new(1, "Hub")], ["start"], "first")
    device = hub.device()
    legs = hub.opened(device)
    records.new(1, "DeviceStreams")
    stream = json.loads(hub.hub.admin("stream", "list", "--json"))[0]["id"]
    for words, by, operation, detail in (
            ("reload", UID, "reload", ""),
            ("log-level debug", UID, "log-level", "level=debug"),
            ("log-level", None, None, None),
            ("log-level no-such", None, None, None),
            ("drain --timeout 1", UID, "drain", "draining=yes"),
            (f"stream close {stream}", UID, "stream.close", f"{stream} of service to dev1")):
        done = typed(hub, words)
        made = records.new(1 if operation else None, "Hub", words)
        check_equal([(record["operationName"], record["by"], record["detail"]) for record in made],
                    [(operation, by, detail)] if operation else [], f"{words} ({done.stderr})")
        for record in made:
            check_equal(list(record), HUB, f"{words}: members")
    legs[0].drop()
    hub.hub.popen.send_signal(signal.SIGHUP)
    check_equal(stripped_hub(records.one("Hub", "SIGHUP")), ("reload", "signal", ""), "SIGHUP")
    hub.open.close()
    check_equal(hub.hub.stop(), 0, "the hub's exit status")
    made = [stripped_hub(record) for record in records.new() if record["category"] == "Hub"]
    check_equal(made, [("stop", "signal", "when its streams have ended")], "the stop")
    hub.restart()
    check_equal([record["operationName"] for record in records.new(1, "Hub")], ["start"], "the next start")


def stripped_hub(record):
    return record["operationName"], record["by"], record["detail"]



@with_hub()
def own_key(hub):
    """a key that a device gets over its connection: who asked for it, and each step of the device's that changed the registry"""
    hub.restart("[hub]\nrekey-grace = 0.2\n")
    records = Records(hub.site)
    gateway = hub.site.start_daemon("gateway")
    gateway.add_hub("office", hub.hub.add_device("gw-1"), hub.hub.ca)
    hub.site.wait_online("gw-1")
    records.new(1, "Registry")
    typed(hub, "device rekey gw-1")
    made = records.new(2, "Registry", "asked, and put in force")
    check_equal([(record["by"], *stripped(record)) for record in made[:1]], [(UID, "device.rekey", "gw-1", "")], "asked")
    while len(made) < 3:
        made += records.new(1, "Registry", "the former key's end")
    check_equal([(record["by"], *stripped(record)) for record in made[1:]],
                [("device:gw-1", "device.key", "gw-1", "the device has logged in with the new one"),
                 ("device:gw-1", "device.key", "gw-1", "the former one is good no more")], "each step")


@with_hub()
def rule(hub):
    """the end of a stream names the rule of the device that let it in; the log of the hub does too"""
    records = Records(hub.site)
    hub.site.gateway = hub.site.start_daemon("gateway")
    hub.site.gateway.add_hub("office", hub.hub.add_device("gw-1"), hub.hub.ca)
    hub.site.wait_online("gw-1")
    hub.site.expose("first", Server(lambda c: c.sendall(read_all(c)), hub.site).address)
    hub.site.expose("echo", Server(lambda c: c.sendall(read_all(c)), hub.site).address)
    rules = {item["stream"]: item["id"] for item in hub.site.gateway.ctl_json("accept-policy", "list")["rules"]}
    records.new(1)
    for stream in ("first", "echo"):
        leg = hub.service_leg(hub.post("gw-1", stream).read())
        leg.close(1000)
        ended = records.new(2, "DeviceStreams", stream)[-1]
        check_equal((ended["operationName"], ended["rule"]), ("end", str(rules[stream])), stream)
    post = hub.post("gw-1", "none")
    check_equal(post.read().get("iothub-streaming-is-accepted"), "False", "no rule for it")
    check_equal(records.one("DeviceStreams", "rejected")["reason"], "policy", "why")


@with_hub()
def kept(hub):
    """records=off keeps none; the size and number of files take force at a reload; what is kept verifies"""
    folder = os.path.join(hub.site.dir, "kept")
    hub.restart(f"[hub]\nrecords = off\nrecords-folder = {folder}\n")
    hub.add("dev1")
    check_error(hub.post().read(), 404103, "DeviceNotOnline")
    check(not os.path.exists(folder), "nothing is kept")
    hub.restart(f"[hub]\nrecords-folder = {folder}\nstreams-burst = 100000\n")
    records = Records(hub.site, folder)
    check_error(hub.post().read(), 404103, "DeviceNotOnline")
    records.new(1, "DeviceStreams")
    check_equal(os.stat(folder).st_mode & 0o777, 0o700, "the folder's mode")
    check_equal(len(paths(folder)), 1, "one file")
    with open(os.path.join(hub.site.dir, "hub.conf"), "a", encoding="ascii") as file:
        file.write("records-size = 64K\nrecords-files = 2\n")
    check_equal(typed(hub, "reload").returncode, 0, "reload")
    for _ in range(450):
        check_error(hub.post().read(), 404103, "DeviceNotOnline")
    eventually(lambda: len(paths(folder)) == 3 and paths(folder)[0] > folder + "/records-0000000001", "the first one goes")
    check(all(os.path.getsize(path) < 64 * 1024 + 1024 * 256 for path in paths(folder)), "their sizes")
    read(folder)
    done = typed(hub, f"log verify --config {hub.site.dir}/hub.conf")
    check_equal(done.returncode, 0, f"streamhub log verify: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    main(openings, verbs, routes, of_the_hub, own_key, rule, kept)
