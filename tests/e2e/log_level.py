# SPDX-License-Identifier: LGPL-2.1-or-later
"""The level of the log while it runs: of the hub through its admin socket, of streamd over D-Bus. It is in force at
once, lasts until the next start, and at no level is there a secret."""
import json
import os

from canary import PAYLOAD, key_of, leaks
from ends import Server, connect, echo, read_exactly
from harness import Site, check, check_equal, main, run

os.environ.pop("STREAMD_TEST_DEBUG")  # canary's: here every process begins as it does for users

LEVELS = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
# Only told at the level debug: of each opening, by the hub and by the gateway.
AT_DEBUG = {"hub": "asks for", "gateway": "is asked for"}


def level_of_hub(site, *words):
    return site.hub.admin("log-level", *words).strip()


def once(site, port):
    with connect(port) as stream:
        stream.sendall(PAYLOAD.encode())
        check_equal(read_exactly(stream, len(PAYLOAD)), PAYLOAD.encode(), "the echo")


def told(process, text):
    return process.log().count(text)


def set_while_it_runs():
    """each level is set and shown; debug tells more at once, err nothing, and a restart begins with info"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        both = (("hub", site.hub, lambda *words: level_of_hub(site, *words)),
                ("gateway", site.gateway, lambda *words: site.gateway.ctl_ok("log-level", *words).strip()))
        said = {"hub": "", "gateway": "The log level is {}"}
        for name, process, level in both:
            check_equal(level(), "info", f"the {name}'s at first")
            once(site, port)
            check_equal(told(process, AT_DEBUG[name]), 0, f"what the {name} tells at debug")
            for each in LEVELS:
                check_equal(level(each), said[name].format(each), f"the {name} to {each}")
                check_equal(level(), each, f"the {name}'s")
            once(site, port)
            check_equal(told(process, AT_DEBUG[name]), 1, f"what the {name} tells at debug:\n{process.log()}")
            level("err")
            before = process.log()
            once(site, port)
            check_equal(process.log(), before, f"the {name} at err")
            level("info")
        check_equal(json.loads(level_of_hub(site, "--json")), {"level": "info", "target": "console"}, "JSON")
        level_of_hub(site, "debug")
        site.hub.stop()
        site.processes.remove(site.hub)
        site.start_hub()
        check_equal(level_of_hub(site), "info", "after a restart")


def refused():
    """what is no level is refused with those that there are, and nothing changes"""
    with Site(gateway=False, client=False) as site:
        level_of_hub(site, "warning")
        for word in "loud", "", "DEBUG", "7", "debug ", "a" * 1000:
            done = run([site.streamhub, "--state-dir", site.hub.state_dir, "log-level", word])
            check_equal(done.returncode, 2, f"{word!r}: {done.stderr}")
            check(all(level in done.stderr for level in LEVELS), done.stderr)
        check_equal(level_of_hub(site), "warning", "the level")


def no_secret():
    """a hub that is set to debug under its streams writes no key, token or payload"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        for daemon in site.gateway, site.client:
            daemon.ctl_ok("log-level", "debug")
        level_of_hub(site, "debug")
        secrets = {"key of the gateway": key_of(site.hub.connection_string("device", site.DEVICE)),
                   "key of the policy": key_of(site.hub.connection_string("policy", "service")), "payload": PAYLOAD}
        once(site, site.client.tunnel(site.DEVICE, "echo"))
        site.hub.admin("policy", "add", "new", "--rights", "service-connect")
        secrets["key of the new policy"] = key_of(site.hub.connection_string("policy", "new"))
        check(told(site.hub, AT_DEBUG["hub"]) > 0, "the hub is not at debug")
        check_equal(leaks(site.dir, secrets), [], "secrets in logs")
        for process in site.main_processes():
            for mark in "SharedAccessSignature", "sig=", "Bearer ":
                check(mark not in process.log(), f"a token in the log of {process.name}")


if __name__ == "__main__":
    main(set_while_it_runs, refused, no_secret)
