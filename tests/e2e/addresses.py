# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hub is called: public-address and streaming-host, at the start and by reload, and who follows."""
import json
import os
import re

import wire
from harness import Site, check, check_equal, main, run, run_ok
from hub_wire import Wire

PUBLIC = "hub.example.org"


class Named(Site):
    """A hub whose certificate has a second name."""

    def start_hub(self, arguments=(), ports=("0", "0"), name="hub"):
        state = os.path.join(self.dir, "hub-state")
        if not os.path.exists(state):
            run_ok([self.streamhub, "init", "--state-dir", state, "--host-name", self.HOST_NAME,
                    "--san", f"DNS:{PUBLIC}", "--san", f"IP:{self.ADDRESS}"])
        return super().start_hub(arguments, ports, name)


def write(hub, *lines):
    with open(os.path.join(hub.site.dir, "hub.conf"), "w", encoding="ascii") as file:
        file.write("\n".join(["[hub]", "device-return-time = 0", *lines, ""]))


def reload(hub):
    return run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "reload"])


def told(hub):
    """What each who is told an address is told."""
    path = os.path.join(hub.site.dir, "invite")
    with_invite = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "invite", "user", "service",
                       "--existing", "--output", path])
    check_equal(with_invite.returncode, 0, with_invite.stderr)
    with open(path, encoding="ascii") as file:
        invited = re.search(r"HostName=([^;]*)", file.read()).group(1)
    os.unlink(path)
    status = json.loads(hub.hub.admin("status", "--json"))
    endpoints = json.loads(hub.hub.admin("endpoints", "--json"))["streaming_endpoints"]
    device = hub.device()
    request, answer = hub.accepted(device)
    url = answer.get("iothub-streaming-url").split("/")
    check_equal(request.properties["$url"].split("/")[2], url[2], "what the device is told")
    hub.device_leg(request)
    hub.service_leg(answer)
    device.close()
    named = wire.parse_connection_string(hub.hub.connection_string("device", "dev1"))["HostName"]
    check_equal(named, invited, "connection string and invitation")
    check_equal(status["host_name"], invited, "status")
    check_equal(endpoints, [f"https://{status['streaming_host']}"], "endpoints")
    return invited, url[2], url[5]


def followed():
    """by reload and at the start: invitations, endpoints, status, and the urls of both sides; tokens of every name pass"""
    with Named(gateway=False, client=False) as site:
        hub = Wire(site)
        hub.restart("[hub]\n")
        own = hub.port
        rows = [
            ((), (f"localhost:{own}", f"localhost:{own}", "localhost")),
            ((f"public-address = {PUBLIC.upper()}",), (f"{PUBLIC}:{own}", f"{PUBLIC}:{own}", PUBLIC)),
            ((f"public-address = {PUBLIC}:443",), (PUBLIC, f"{PUBLIC}:443", PUBLIC)),
            ((f"public-address = {PUBLIC}:4443", "streaming-host = streams.example.org:8444"),
             (f"{PUBLIC}:4443", "streams.example.org:8444", PUBLIC)),
            (("streaming-host = 192.0.2.7",), (f"localhost:{own}", f"192.0.2.7:{own}", "localhost")),
            (("public-address =", "streaming-host ="), (f"localhost:{own}", f"localhost:{own}", "localhost")),
        ]
        for lines, wanted in rows:
            write(hub, *lines)
            done = reload(hub)
            check_equal(done.returncode, 0, done.stderr)
            check_equal(told(hub), wanted, f"after a reload with {lines}")
            for name in ("localhost", PUBLIC):
                post = hub.post("nobody", token=wire.sas(name, hub.service_key, policy="service"))
                check_equal(post.read().status, 404, f"a token for {name} with {lines}")
        for lines, wanted in rows[1:3]:
            hub.open.close()
            check_equal(hub.hub.stop(), 0, "exit status")
            site.processes.remove(hub.hub)
            write(hub, *lines)
            hub.hub = site.start_hub(["--config", os.path.join(site.dir, "hub.conf")], ports=(str(own), "0"))
            check_equal(told(hub), wanted, f"after a start with {lines}")
        # The option comes before the setting.
        hub.open.close()
        check_equal(hub.hub.stop(), 0, "exit status")
        site.processes.remove(hub.hub)
        write(hub, "streaming-host = 192.0.2.7")
        hub.hub = site.start_hub(["--config", os.path.join(site.dir, "hub.conf"), "--streaming-host",
                                  "192.0.2.8:1"], ports=(str(own), "0"))
        check_equal(told(hub)[1], "192.0.2.8:1", "the option")


def refused():
    """what nobody could use is refused by reload with the reason, and what was in force stays"""
    with Named(gateway=False, client=False) as site:
        hub = Wire(site)
        hub.restart("[hub]\n")
        write(hub, f"public-address = {PUBLIC}:4443")
        check_equal(reload(hub).returncode, 0, "the good one")
        before = told(hub)
        for line, says in (
            ("public-address = https://hub.example.org", "hub.conf:3: public-address wants a host name or an IPv4 address"),
            ("public-address = [2001:db8::1]:443", "public-address wants"),
            ("public-address = hub.example.org:0", "public-address wants"),
            ("public-address = elsewhere.example", "not for the hub's name elsewhere.example"),
            ("streaming-host = two words", "streaming-host wants"),
            ("public-adress = hub.example.org", "no such setting: public-adress"),
        ):
            write(hub, line)
            done = reload(hub)
            check(done.returncode != 0 and says in done.stderr, f"{line}: {done.returncode} {done.stderr}")
            check_equal(told(hub), before, f"after {line}")


if __name__ == "__main__":
    main(followed, refused)
