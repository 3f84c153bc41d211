# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records of a hub, made as their document says and not by the hub: what its reader is tested with. Times are seconds since the
epoch."""
import datetime
import hashlib
import json
import os

NONE = "0" * 64
CURRENT = "records.jsonl"


def stamp(time):
    """As records have it: UTC, milliseconds."""
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(time * 1000) % 1000:03d}Z"


def dense(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def hash_of(before, body):
    return hashlib.sha256(before.encode() + body.encode()).hexdigest()


def chained(before, members):
    """The line of a record, with its line end, and its hash."""
    body = dense(members)[:-1]
    digest = hash_of(before, body)
    return f'{body},"hash":"{digest}"}}\n', digest


def request(time, device, user, code=None, name="", reason="", stream="echo", module="", **more):
    properties = {"deviceId": device, "moduleId": module, "sdkVersion": "2021-04-12", "requestSize": "0", "responseSize": "0",
                  "statusCode": None, "requestName": stream, "direction": "c2d"}
    return {"time": stamp(time), "operationName": "invoke", "category": "DeviceStreams", "resourceId": "/streamhub/localhost",
            "resultType": code or "Success", "resultDescription": name, "level": "Error" if code else "Information",
            "durationMs": "74", "properties": dense(properties), "location": "", "streamId": more.get("stream_id", "s"), "user": user,
            "address": more.get("address", "192.0.2.7"), "reason": reason}


def end(time, device, user, duration, reason="closed", failed=False, stream="echo", module="", detail=""):
    properties = {"deviceId": device, "moduleId": module, "requestName": stream, "direction": "c2d"}
    return {"time": stamp(time), "operationName": "end", "category": "DeviceStreams", "resourceId": "/streamhub/localhost",
            "level": "Error" if failed else "Information", "durationMs": str(int(duration * 1000)), "properties": dense(properties),
            "streamId": "s", "user": user, "address": "192.0.2.7", "deviceAddress": "192.0.2.9", "bytesToDevice": 1234,
            "bytesToService": 5678, "reason": reason, "detail": detail, "rule": ""}


def change(time, operation, by, what="", detail="", address="", category="Registry"):
    about = {"by": by, "address": address, "what": what, "detail": detail} if category == "Registry" else {"by": by, "detail": detail}
    return {"time": stamp(time), "operationName": operation, "category": category, **about}


def lost(time, count, since):
    return {"time": stamp(time), "operationName": "lost", "category": "Hub", "count": count, "since": stamp(since)}


class Writer:
    """The folder of a hub's records."""

    def __init__(self, folder):
        self.folder, self.head, self.number, self.lines = folder, NONE, 0, []
        os.makedirs(folder, mode=0o700, exist_ok=True)

    def path(self, number=None):
        return os.path.join(self.folder, f"records-{number:010d}.jsonl" if number else CURRENT)

    def put(self, members):
        """One record; its line."""
        line, self.head = chained(self.head, members)
        with open(self.path(), "ab") as file:
            file.write(line.encode())
        self.lines.append(line)
        return line

    def start(self, time, torn=False):
        """A start of the hub."""
        return self.put({"time": stamp(time), "operationName": "start", "category": "Hub", "version": "0.2.0", "previous": self.head,
                         "torn": torn})

    def tear(self, text):
        """What is left of a line when the hub was killed."""
        with open(self.path(), "ab") as file:
            file.write(text.encode())

    def rotate(self, time):
        self.number += 1
        os.rename(self.path(), self.path(self.number))
        return self.put({"time": stamp(time), "operationName": "file", "category": "Hub", "previous": self.head, "number": self.number})
