# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service: asks for streams with one of the field's HTTP clients, and carries them with a WebSocket library (leg.py).

Usage: service.py curl|httpx|aiohttp LIBRARY. The first line it reads is "HOST<tab>PORT<tab>CA"; each line
after that is a stream to ask for, "TOKEN<tab>DEVICE<tab>STREAM<tab>TOTAL<tab>IDLE", for which it prints a JSON object:
status, headers, body, and when it was accepted what came of sending TOTAL random bytes to an echo, and 64 more after
IDLE seconds."""
import asyncio
import hashlib
import os
import ssl
import subprocess
import sys
import threading
import time

from leg import BIGGEST, LIBRARIES
from lines import say, words

PATIENCE = 60


def by_curl(url, headers, ca):
    """Curl reads its headers from standard input: a token in a command line could be seen by others."""
    fields = "".join(f'header = "{name}: {value}"\n' for name, value in headers.items())
    done = subprocess.run(["curl", "--silent", "--show-error", "--include", "--request", "POST", "--http1.1", "--data", "",
                           "--cacert", ca, "--config", "-", url], input=fields, stdout=subprocess.PIPE, text=True,
                          check=True)
    head, body = done.stdout.replace("\r\n", "\n").split("\n\n", 1)
    first, *rest = head.splitlines()
    return int(first.split()[1]), dict(line.split(": ", 1) for line in rest), body


def by_httpx(url, headers, ca):
    import httpx
    with httpx.Client(verify=ssl.create_default_context(cafile=ca), timeout=PATIENCE) as client:
        answer = client.post(url, headers=headers)
    return answer.status_code, answer.headers, answer.text


def by_aiohttp(url, headers, ca):
    import aiohttp

    async def post():
        async with aiohttp.ClientSession() as session, session.post(
                url, headers=headers, ssl=ssl.create_default_context(cafile=ca)) as answer:
            return answer.status, dict(answer.headers), await answer.text()
    return asyncio.run(post())


class Echo:
    """What comes back, counted by a thread."""

    def __init__(self, leg):
        self.leg, self.total, self.biggest, self.digest = leg, 0, 0, hashlib.sha256()
        self.more = threading.Condition()
        threading.Thread(target=self.receive, daemon=True).start()

    def receive(self):
        while data := self.leg.receive():
            with self.more:
                self.digest.update(data)
                self.total += len(data)
                self.biggest = max(self.biggest, len(data))
                self.more.notify()

    def wait(self, total):
        with self.more:
            return self.more.wait_for(lambda: self.total >= total, PATIENCE)


def carry(leg, total, idle):
    echo, sent, digest = Echo(leg), 0, hashlib.sha256()

    def send(size):
        data = os.urandom(size)
        digest.update(data)
        leg.send(data)

    while sent < total:
        send(BIGGEST)
        sent += BIGGEST
    echo.wait(sent)
    time.sleep(idle)
    send(64)
    echo.wait(sent + 64)
    leg.close()
    return {"sent": digest.hexdigest(), "echoed": echo.digest.hexdigest(), "total": echo.total, "biggest": echo.biggest}


def ask(post, library, hub, token, device, stream, total, idle):
    host, port, ca = hub
    url = f"https://{host}:{port}/twins/{device}/streams/{stream}?api-version=2020-05-31-preview"
    status, headers, body = post(url, {"Authorization": token}, ca)
    answer = {"status": status, "headers": {name.lower(): value for name, value in headers.items()}, "body": body}
    if answer["headers"].get("iothub-streaming-is-accepted") == "True":
        leg = LIBRARIES[library](answer["headers"]["iothub-streaming-url"],
                                 answer["headers"]["iothub-streaming-auth-token"], ca)
        answer["echo"] = carry(leg, int(total), float(idle))
    return answer


def main():
    post = {"curl": by_curl, "httpx": by_httpx, "aiohttp": by_aiohttp}[sys.argv[1]]
    hub = words(sys.stdin.readline())
    for line in sys.stdin:
        say(**ask(post, sys.argv[2], hub, *words(line)))


main()
