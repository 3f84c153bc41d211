# SPDX-License-Identifier: LGPL-2.1-or-later
"""What there is before an upgrade, and has to be there after the way back; for upgrade.sh.

upgrade.py registry FILE          every row of a hub's registry, as SQL
upgrade.py streamctl WORD...      what that streamctl lists, without what changes by itself"""
import json
import sqlite3
import subprocess
import sys

LISTS = ("hub", "target", "accept-policy", "tunnel")
# Of a connection, of a process, or of what went through.
VOLATILE = ("state", "since", "connected", "last", "opened", "streams", "count", "error", "attempt", "server", "address",
            "bytes", "expires", "renew", "token", "version", "time", "next", "id", "revision")


def registry():
    """Read beside a hub that runs."""
    with sqlite3.connect(f"file:{sys.argv[2]}?mode=ro", uri=True) as database:
        print("\n".join(sorted(database.iterdump())))


def settled(value):
    """VALUE without what is volatile."""
    if isinstance(value, list):
        return [settled(item) for item in value]
    if isinstance(value, dict):
        return {key: settled(item) for key, item in value.items()
                if not any(word in key.lower() for word in VOLATILE) or key == "device_id"}
    return value


def streamctl():
    for kind in LISTS:
        said = subprocess.run([*sys.argv[2:], "--json", kind, "list"], check=True, capture_output=True, text=True).stdout
        print(kind, json.dumps(settled(json.loads(said)), indent=1, sort_keys=True))


{"registry": registry, "streamctl": streamctl}[sys.argv[1]]()
