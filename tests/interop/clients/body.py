# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client that sends a body whose length it does not know: in chunks.

Usage: body.py curl|httpx. The first line it reads is "HOST<tab>PORT<tab>CA"; each line after that is a PATCH,
"TOKEN<tab>PATH<tab>BODY", for which it prints a JSON object: status and body."""
import ssl
import subprocess
import sys
import tempfile

from lines import say, words

PIECE = 1000


def by_curl(url, headers, body, ca):
    """Its headers are in a file that nobody else can read, since its standard input is the body."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as config:
        config.writelines(f'header = "{name}: {value}"\n' for name, value in headers.items())
        config.flush()
        done = subprocess.run(["curl", "--silent", "--show-error", "--http1.1", "--request", "PATCH", "--upload-file", "-",
                               "--write-out", "\n%{http_code}", "--cacert", ca, "--config", config.name, url], input=body,
                              stdout=subprocess.PIPE, text=True, check=True)
    text, status = done.stdout.rsplit("\n", 1)
    return int(status), text


def by_httpx(url, headers, body, ca):
    import httpx
    with httpx.Client(verify=ssl.create_default_context(cafile=ca), timeout=60) as client:
        answer = client.patch(url, headers=headers, content=(body[at:at + PIECE].encode() for at in range(0, len(body), PIECE)))
    return answer.status_code, answer.text


def main():
    patch = {"curl": by_curl, "httpx": by_httpx}[sys.argv[1]]
    host, port, ca = words(sys.stdin.readline())
    for line in sys.stdin:
        token, path, body = words(line)
        status, text = patch(f"https://{host}:{port}{path}", {"Authorization": token, "Content-Type": "application/json"},
                             body, ca)
        say(status=status, body=text)


main()
