# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the test and the clients of this folder talk. A client reads one command a line, its words separated by tabs, the
first of them "connect"; it says what happens as one JSON object a line: {"event": ...} of itself, {"done": ...} once
for each command. The first thing that it says is {"event": "started"}.

    connect HOST PORT "tcp"|"ws" CA ID USER PASSWORD KEEP-ALIVE    subscribe FILTER QOS
    password PASSWORD  (from the next connection on)               publish TOPIC QOS PAYLOAD
    telemetry TOPIC COUNT  (all at once; done when each is acknowledged)                      quit

A PASSWORD "cert:PATH" is none: the device has a certificate, which is in that file with its key.
"""
import json
import sys
import threading

lock = threading.Lock()


def say(**what):
    with lock:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def certificate(password):
    """The file of the certificate, None with a password."""
    return password[5:] if password.startswith("cert:") else None


def words(line):
    return line.rstrip("\n").split("\t")
