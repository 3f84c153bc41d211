# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names on streamhub's command line: a module as DEVICE/MODULE for every verb that takes one, and a hub that is
called by an IPv6 address."""
import json
import os
import subprocess

import wire
from harness import Site, check, check_equal, main, run, run_ok
from hub_wire import Wire


def modules():
    """ID/MODULE is ID with --module MODULE, for each verb; without the device, what to do is said"""
    with Site(hub_arguments=["--grace", "1"], gateway=False, client=False) as site:
        hub = Wire(site)

        def verb(*words, code=0):
            done = run([site.streamhub, "--state-dir", hub.hub.state_dir, *words], cwd=site.dir)
            check_equal(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
            return done.stdout if code == 0 else done.stderr

        text = verb("device", "add", "d1/m1", code=4)
        check("no device 'd1'" in text and "streamhub device add d1" in text, text)
        verb("device", "add", "d1")
        check("Added module d1/m1" in verb("device", "add", "d1/m1"), "it is a module")
        check("'d1/m1'" in verb("device", "add", "d1/m1", code=6), "it is there already")
        check_equal(json.loads(verb("device", "show", "d1/m1", "--json"))["module_id"], "m1", "show")
        check_equal(verb("device", "show", "d1/m1"), verb("device", "show", "d1", "--module", "m1"), "the same")
        string = verb("connection-string", "device", "d1/m1")
        check("ModuleId=m1" in string, "the module's")
        check_equal(verb("connection-string", "device", "d1", "--module", "m1"), string, "the same string")
        key = wire.parse_connection_string(string)["SharedAccessKey"]

        def connack():
            return wire.Device(hub.port, hub.ca, "d1/m1", key).connack

        check_equal(connack(), 0, "let in")
        check("Disabled module d1/m1" in verb("device", "disable", "d1/m1"), "disable")
        check_equal(connack(), 5, "disabled")
        check("Enabled module d1/m1" in verb("device", "enable", "d1/m1"), "enable")
        check_equal(connack(), 0, "enabled")
        rekeyed = json.loads(verb("device", "rekey", "d1/m1", "--json"))
        check_equal([(one["device_id"], one["module_id"], one["result"]) for one in rekeyed], [("d1", "m1", "pending")], "rekey")
        check("d1/m1" in verb("device", "regenerate", "d1/m1", "both"), "regenerate")
        check(verb("connection-string", "device", "d1/m1") != string, "another key")
        check("Changed module d1/m1" in verb("device", "set", "d1/m1", "--thumbprint", "ab" * 32), "set")
        check("a module has the tags of its device" in verb("device", "set", "d1/m1", "--comment", "x", code=2), "labels")
        verb("invite", "device", "d1/m2")
        check(os.path.exists(os.path.join(site.dir, "d1+m2.invite")), "the invitation's file")
        check("Removed module d1/m1" in verb("device", "remove", "d1/m1"), "remove")
        verb("device", "show", "d1/m1", code=4)
        verb("device", "show", "d1")
        for words in (("device", "add", "d1/"), ("device", "add", "/m1"), ("device", "show", "d1/m1/x"),
                      ("device", "remove", "d1/m 1"), ("connection-string", "device", "d1/"),
                      ("invite", "device", "d1//m"), ("device", "enable", "/")):
            check("is not a name" in verb(*words, code=2), f"{words}")
        for words in (("device", "add", "d1/m1"), ("device", "show", "d1/m1"), ("device", "regenerate", "d1/m1", "both"),
                      ("connection-string", "device", "d1/m1"), ("invite", "device", "d1/m1")):
            check("leave --module out" in verb(*words, "--module", "m2", code=2), f"{words}")


def first_name():
    """init and renew refuse an IPv6 address as the first name, as serve does, and take it behind another"""
    with Site(gateway=False, client=False) as site:
        state = os.path.join(site.dir, "other")
        done = run([site.streamhub, "init", "--state-dir", state, "--host-name", "::1"])
        check_equal(done.returncode, 2, done.stderr)
        check("IPv4 address first" in done.stderr and not os.path.exists(state), done.stderr)
        run_ok([site.streamhub, "init", "--state-dir", state, "--host-name", "localhost", "--host-name", "::1",
                "--san", "IP:2001:db8::1"])
        done = run([site.streamhub, "certificate", "renew", "--state-dir", state, "--host-name", "::1", "--host-name",
                    "localhost"])
        check_equal(done.returncode, 2, done.stderr)
        check("IPv4 address first" in done.stderr, done.stderr)
        run_ok([site.streamhub, "certificate", "renew", "--state-dir", state])
        done = run_ok(["openssl", "x509", "-in", os.path.join(state, "server.pem"), "-noout", "-ext", "subjectAltName"])
        check("DNS:localhost" in done and "IP Address:0:0:0:0:0:0:0:1" in done
              and "IP Address:2001:DB8:0:0:0:0:0:1" in done, done)
        site.hub.stop()
        hub = Served(site, state)
        check_equal(hub.stop(), 0, "it serves, and stops")


class Served:
    """A hub of that state folder."""

    def __init__(self, site, state):
        self.popen = subprocess.Popen([site.streamhub, "serve", "--state-dir", state, "--listen", "127.0.0.1:0",
                                       "--mqtt-listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, env=site.environment())
        lines = []
        while b"ready\n" not in lines:
            lines.append(self.popen.stdout.readline())
            check(lines[-1], f"it is not ready: {lines}")

    def stop(self):
        self.popen.terminate()
        self.popen.stdout.close()
        return self.popen.wait(60)


if __name__ == "__main__":
    main(modules, first_name)
