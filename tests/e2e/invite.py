# SPDX-License-Identifier: LGPL-2.1-or-later
"""Joining a hub by an invitation: one file at each end, and one verb that offers a service."""
import json
import os
import stat
import subprocess

from ends import Server, connect, echo, read_exactly
from harness import Site, check, check_equal, eventually, main, run, write_private


def one_stream(site, port):
    with connect(port) as near:
        near.sendall(b"hello")
        check_equal(read_exactly(near, 5), b"hello", "the echo")


def connected(daemon):
    return daemon.ctl_json("hub", "list")[0]["state"] == "connected"


def joining():
    """invite, hub add, offer: a stream; a restart needs neither file; the trust is in the invitation"""
    with Site(gateway=False, client=False) as site:
        paths = {kind: os.path.join(site.dir, kind + ".invite") for kind in ("gateway", "client")}
        site.hub.admin("invite", "device", "gw-1", "--output", paths["gateway"])
        site.hub.admin("invite", "user", "alice", "--output", paths["client"])
        for path in paths.values():
            check_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode of " + path)
        site.gateway, site.client = site.start_daemon("gateway"), site.start_daemon("client")
        site.gateway.ctl_ok("hub", "add", "office", paths["gateway"])
        site.client.ctl_ok("hub", "add", "office", paths["client"])
        site.gateway.ctl_ok("offer", "echo", Server(echo, site).address, "--initiator", "alice")
        site.wait_online("gw-1")
        port = site.client.tunnel("gw-1", "echo")
        one_stream(site, port)
        for path in paths.values():
            os.unlink(path)
        for name in ("gateway", "client"):
            daemon = getattr(site, name)
            check_equal(daemon.stop(), 0, "exit status")
            site.processes.remove(daemon)
            setattr(site, name, site.start_daemon(name))
        eventually(lambda: connected(site.gateway), "the gateway is back")
        site.wait_online("gw-1")
        one_stream(site, port)
        with open(os.path.join(site.dir, "client-state", "state"), encoding="utf-8") as file:
            check("SharedAccessKey" not in file.read(), "a key is in the file state")


def refusals():
    """what is no invitation, an offer of a name that is taken; with --existing it is the same identity"""
    with Site(gateway=False) as site:
        first, again, bad = (os.path.join(site.dir, name) for name in ("first", "again", "bad"))
        site.hub.admin("invite", "device", "gw-1", "--with-key", "--output", first)
        done = run([site.streamhub, "--state-dir", site.hub.state_dir, "invite", "device", "gw-1", "--output", again])
        check_equal((done.returncode, os.path.exists(again)), (6, False), "a second time")
        check("--existing" in done.stderr, done.stderr)
        site.hub.admin("invite", "device", "gw-1", "--existing", "--output", again)
        with open(first, encoding="ascii") as one, open(again, encoding="ascii") as other:
            text = one.read()
            check_equal(other.read(), text, "the second invitation")
        for tail in (text, "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"):
            write_private(bad, text + tail)
            done = site.client.ctl("hub", "add", "second", bad)
            check_equal(done.returncode, 2, "a text with more behind the certificates")
            check("SharedAccessKey" not in done.stderr, "the key is shown")
        check_equal(site.client.ctl("hub", "add", "x", first, "--connection-string-file",
                                    first).returncode, 2, "two files")
        rules = site.client.ctl_json("accept-policy", "list")
        site.client.ctl_ok("target", "add", "taken", "tcp:127.0.0.1:1")
        check_equal(site.client.ctl("offer", "taken", "tcp:127.0.0.1:2").returncode, 6, "taken")
        check_equal(site.client.ctl("offer", "new", "tcp:127.0.0.1:2", "--initiator",
                                    "x" * 5000).returncode, 2, "a rule that is refused")
        check_equal(site.client.ctl_json("accept-policy", "list"), rules, "the rules")
        check_equal(len(site.client.ctl_json("target", "list")), 1, "targets")


def users_that_exist():
    """invite user never hands out a key that somebody has, nor rights that nobody asked for, unasked"""
    with Site(gateway=False, client=False) as site:
        hub = [site.streamhub, "--state-dir", site.hub.state_dir]

        def invite(*arguments):
            return run([*hub, "invite", *arguments], cwd=site.dir)

        def policies():
            return {row["name"]: row["rights"] for row in json.loads(site.hub.admin("user", "list", "--json"))}

        before = policies()
        for name in before:
            done = invite("user", name, "--output", "-")
            check_equal((done.returncode, done.stdout), (6, ""), name)
            for word in ("--existing", "user remove", "another name"):
                check(word in done.stderr, f"{name}: {done.stderr}")
        check("registry-write" in invite("user", "iothubowner").stderr, "the rights are not told")
        check_equal(os.path.exists(os.path.join(site.dir, "iothubowner.invite")), False, "a file")
        done = invite("user", "iothubowner", "--existing", "--output", "-")
        check_equal(done.returncode, 0, done.stderr)
        check("SharedAccessKeyName=iothubowner;" in done.stdout, done.stdout)
        check("registry-write" in done.stderr and "SharedAccessKey" not in done.stderr, done.stderr)
        check_equal(invite("user", "nobody", "--existing").returncode, 4, "one that is not there")

        # A new one: what is printed is what would be written, and nothing beside it.
        done = invite("user", "alice", "--output", "-")
        check_equal((done.returncode, done.stderr), (0, ""), "standard output")
        check(done.stdout.startswith("HostName=") and done.stdout.endswith("-----END CERTIFICATE-----\n"),
              done.stdout)
        check("SharedAccessKey" not in done.stdout and "InvitationKey=" in done.stdout, done.stdout)
        check_equal(policies(), before, "nobody is there before she joins")
        check_equal(os.path.exists(os.path.join(site.dir, "-")), False, "a file of that name")
        check_equal(invite("user", "alice").returncode, 6, "a second time")
        check_equal(invite("user", "alice", "--existing").returncode, 4, "a key of nobody")
        done = invite("user", "carl", "--with-key", "--output", "-")
        check_equal((done.returncode, policies()), (0, {**before, "carl": ["service-connect"]}), "with a key")
        again = invite("user", "carl", "--existing", "--output", "-")
        check_equal(again.stdout, done.stdout, "the same key")
        check_equal(invite("user", "carl", "--with-key").returncode, 6, "a second time")
        for arguments in (("--with-key", "--uses", "2"), ("--existing", "--expires", "1d"), ("--existing", "--tag", "a=b")):
            check_equal(invite("user", "carl", *arguments).returncode, 2, arguments)

        # A file that is in the way: said, left as it is, and the name is not taken by the attempt.
        path = os.path.join(site.dir, "bob.invite")
        write_private(path, "mine")
        for kind, *more in (("user",), ("device",), ("user", "--with-key"), ("device", "--with-key")):
            done = invite(kind, "bob", *more)
            check_equal(done.returncode, 6, done.stderr)
            check(path.rsplit("/", 1)[1] in done.stderr and "--output" in done.stderr, done.stderr)
        check("bob" not in policies(), "a user without an invitation")
        check_equal(json.loads(site.hub.admin("device", "list", "--json")), [], "devices")
        with open(path, encoding="ascii") as file:
            check_equal(file.read(), "mine", "the file")
        os.unlink(path)
        check_equal([i["state"] for i in json.loads(site.hub.admin("invite", "list", "--json"))],
                    ["open", "revoked"], "alice's, and the failed ones")
        check_equal(invite("user", "bob").returncode, 0, "the next attempt")
        site.hub.admin("invite", "revoke", "bob")
        os.unlink(path)
        check_equal(invite("user", "bob", "--with-key").returncode, 0, "with a key")

        # Connection strings go to standard output by the same name; a full one is an error.
        shown = site.hub.admin("connection-string", "user", "bob", "--output", "-")
        check_equal(shown, site.hub.admin("connection-string", "user", "bob"), "--output -")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([*hub, "connection-string", "user", "bob"], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        check_equal(done.returncode, 1, "a full standard output")


if __name__ == "__main__":
    main(joining, refusals, users_that_exist)
