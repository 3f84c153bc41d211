# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hub records: each request for a stream, each end, each change, once (records_file.py reads it)."""
import json
import re

from harness import check, check_equal, eventually, main
from hub_wire import QUICK, check_echo, check_error, with_hub
from records_file import Records, stream_of

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
    check_equal(records.new(1)[-1]["operationName"], "start", "first")
    hub.add("dev1")
    records.new()
    check_error(hub.post().read(), 404103, "DeviceNotOnline")
    invoked(records, "offline", "404103", "offline")
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
    check(re.fullmatch(r"127\.0\.0\.1:\d+", ended["deviceAddress"]), "the device's address")
    check(f"/sid/{accepted['streamId']}/" in request.path, "the id in the url")

    hub.accepted(device)
    invoked(records, "never paired")
    eventually(lambda: hub.streams() == 0, "it is given up")
    check_equal(records.new(), [], "no end of what was never open")


if __name__ == "__main__":
    main(openings)
