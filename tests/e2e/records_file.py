# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hub's records as the tests read them: every file in order, every hash computed again."""
import glob
import hashlib
import json
import os

from harness import check, check_equal, eventually

NONE = "0" * 64
MARK = b',"hash":"'


def paths(folder):
    """The files, the oldest first."""
    return sorted(glob.glob(os.path.join(folder, "records-*.jsonl"))) + [os.path.join(folder, "records.jsonl")]


def read(folder):
    """Every record in order; what is not whole fails."""
    records, head, torn = [], None, None
    for path in paths(folder):
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
        check_equal(lines.pop(), b"", f"{path}: after the last newline")
        for number, line in enumerate(lines, 1):
            where = f"{os.path.basename(path)}:{number}"
            text, mark, rest = line.partition(MARK)
            if not mark or len(rest) != 66:
                check(torn is None, f"{where}: two torn lines")
                torn = where
                continue
            record = json.loads(line)
            check(head is None or torn is None or record["operationName"] == "start", f"{torn} is torn")
            if record["operationName"] in ("start", "file"):
                check(head is None or record["previous"] == head, f"{where}: a record is missing before it")
                head = record["previous"]
            if record["operationName"] == "start":
                check_equal(record["torn"], torn is not None, f"{where}: torn")
            torn = None
            check_equal(record["hash"], hashlib.sha256(head.encode() + text).hexdigest(), f"{where}: its hash")
            check(len(line) < 8192, f"{where} is too long")
            head = record["hash"]
            records.append(record)
    check(torn is None, f"{torn} is torn, and no start comes after it")
    return records


class Records:
    """What a hub has recorded since the last look."""

    def __init__(self, site, folder=None):
        self.folder = folder or os.path.join(site.dir, "hub-state", "records")
        self.seen = 0

    def new(self, wanted=None, category=None, what="records"):
        """The new ones of CATEGORY, once there are as many as WANTED."""
        def look():
            records = read(self.folder) if os.path.exists(paths(self.folder)[-1]) else []
            found = [record for record in records[self.seen:] if category in (None, record["category"])]
            return len(found) >= (wanted or 0) and (len(records), found)

        self.seen, found = eventually(look, f"{what}: {wanted}")
        return found

    def one(self, category, what):
        """The one record of CATEGORY that came of what was just done, and done before the next look."""
        records = self.new(1, category, what)
        check_equal(len(records), 1, f"{what}: records ({records})")
        return records[0]


def stream_of(record):
    """(device, module, stream) of one of DeviceStreams."""
    properties = json.loads(record["properties"])
    check_equal(properties["direction"], "c2d", "direction")
    return properties["deviceId"], properties["moduleId"], properties["requestName"]
