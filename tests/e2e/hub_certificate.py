# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hub's certificate while it serves: show, install, reload. What clients would not take is refused
with the reason and the old one stays; what is taken is shown at once, cuts nothing, and can start."""
import hashlib
import json
import os
import shutil
import signal
import ssl
import tempfile
import time

import certificates
from ends import Server, connect, echo, read_exactly
from harness import Site, check, check_equal, eventually, main, run

PAST, FUTURE = "20200101000000Z", "20991231235959Z"


def shown(site):
    """The SHA-256 of what the hub shows."""
    text = ssl.get_server_certificate(("127.0.0.1", site.hub.https_port))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


def verb(site, *words):
    return run([site.streamhub, "--state-dir", site.hub.state_dir, *words])


def ping(connection, data):
    connection.sendall(data)
    check_equal(read_exactly(connection, len(data)), data, "the echo")


def installed():
    """twenty certificates under an open stream: each is shown at once, and nothing is cut; a restart has the last"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        slowest = 0
        with connect(port) as stream:
            ping(stream, b"before")
            links = site.hub.log().count("is connected")
            for number in range(20 if os.environ.get("STREAMD_LONG") else 4):
                certificate, key = certificates.make(site)
                begin = time.monotonic()
                done = verb(site, "certificate", "install", certificate, key)
                check_equal(done.returncode, 0, done.stderr)
                digest = json.loads(verb(site, "certificate", "show", "--json").stdout)["sha256"]
                check_equal(shown(site), digest, "what is shown")
                slowest = max(slowest, time.monotonic() - begin)
                ping(stream, b"after %d" % number)
                with connect(port) as other:
                    ping(other, b"a new one")
            check_equal(site.hub.log().count("is connected"), links, "connections of devices")
        print(f"# the slowest in {slowest:.2f} s")
        check_equal(site.hub.stop(), 0, "exit status")
        site.processes.remove(site.hub)
        port = str(site.hub.https_port)
        site.start_hub(ports=(port, "0"))
        check_equal(shown(site), digest, "after the restart")


def refused():
    """expired, not yet valid, another name, another key, no issuer, no file: by install, by reload, stopped or not"""
    with Site(gateway=False, client=False) as site:
        before = shown(site)
        state = site.hub.state_dir
        good = certificates.make(site)
        other = certificates.make(site)
        rows = [
            (certificates.make(site, begin=PAST, end="20210101000000Z"), "has expired: it was valid until 2021-01-01"),
            (certificates.make(site, begin="20980101000000Z", end=FUTURE), "is not valid before 2098-01-01"),
            (certificates.make(site, name="elsewhere.example"), "not for the hub's name localhost"),
            ((good[0], other[1]), "match"),
            (("/nonexistent", good[1]), "No such file"),
            ((good[1], good[1]), "not a certificate"),
            ((good[0], good[0]), "cannot be used"),
        ]
        broken = os.path.join(site.dir, "broken.pem")
        with open(broken, "wb") as out:
            for path in (good[0], other[0]):
                with open(path, "rb") as file:
                    shutil.copyfileobj(file, out)
        rows.append(((broken, good[1]), "the chain is broken"))
        files = [os.path.join(state, name) for name in ("server.pem", "server-key.pem")]
        kept = [open(path, "rb").read() for path in files]  # pylint: disable=consider-using-with
        for pair, word in rows:
            done = verb(site, "certificate", "install", *pair)
            check_equal(done.returncode, 2, done.stderr)
            check(word in done.stderr, f"{word!r} is not in {done.stderr!r}")
            check_equal(shown(site), before, "what is shown")
            check_equal([open(path, "rb").read() for path in files], kept, "the files")  # pylint: disable=consider-using-with
            check(not [name for name in os.listdir(state) if name.endswith(".new")], "something is left")
            # By hand and by reload: the same judgement, and the hub goes on with what it had.
            if not all(map(os.path.exists, pair)):
                continue
            for source, path in zip(pair, files):
                shutil.copyfile(source, path)
            done = verb(site, "reload")
            check_equal(done.returncode, 2, done.stderr)
            check(word in done.stderr, f"{word!r} is not in {done.stderr!r}")
            check_equal(shown(site), before, "what is shown after a reload")
            for path, data in zip(files, kept):
                with open(path, "wb") as file:
                    file.write(data)
        check_equal(verb(site, "reload").returncode, 0, "reload of what was there")
        stops_and_starts(site, good, rows[0][0])


def stops_and_starts(site, good, expired):
    """Install while no hub runs: judged in the same way."""
    check_equal(site.hub.stop(), 0, "exit status")
    site.processes.remove(site.hub)
    done = verb(site, "certificate", "install", *expired)
    check_equal(done.returncode, 2, done.stderr)
    check("has expired" in done.stderr, done.stderr)
    done = verb(site, "certificate", "install", *good)
    check_equal(done.returncode, 0, done.stderr)
    check("not running" in done.stdout, done.stdout)
    port = str(site.hub.https_port)
    site.start_hub(ports=(port, "0"))
    with open(good[0], encoding="ascii") as file:
        check_equal(ssl.get_server_certificate(("127.0.0.1", int(port))), file.read(), "what is shown")


def settings():
    """a reload with settings that cannot start is refused as a whole, with file and line"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "hub.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("[hub]\nstreams-max=9\n")
        bad_settings(path)


def bad_settings(path):
    with Site(["--config", path], gateway=False, client=False) as site:
        check_equal(verb(site, "reload").returncode, 0, "as it is")
        with open(path, "a", encoding="ascii") as file:
            file.write("no-such=1\n")
        done = verb(site, "reload")
        check_equal(done.returncode, 2, done.stderr)
        check("no such setting: no-such" in done.stderr and path in done.stderr, done.stderr)
        os.kill(site.hub.pid, signal.SIGHUP)
        eventually(lambda: site.hub.log().count("next start would fail") >= 2, "told by SIGHUP as well")


if __name__ == "__main__":
    main(installed, refused, settings)
