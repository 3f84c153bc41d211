# SPDX-License-Identifier: LGPL-2.1-or-later
"""GET /devices (docs/wire-protocol.md, section 6) as streamd asked for it before 0.2, for policies with
registry-read only, and never a key (registry_rest.py has what others get); and streamctl's list, which asks POST /devices/query (scopes.py): page by page."""
import concurrent.futures
import json

import wire
from harness import Site, check, check_equal, main, run_ok

PAGE = 200  # REST_DEVICES_PAGE
MORE = 10   # devices on the second page


def get(hub, policy, path="/devices?api-version=2021-04-12", resource="localhost", key=None):
    """The answer to a GET of a streamd of 0.1 with that policy's credential; None: without one."""
    fields = [("User-Agent", "streamd/0.1.0")]
    if policy:
        key = key or wire.parse_connection_string(hub.connection_string("user", policy))["SharedAccessKey"]
        fields.append(("Authorization", wire.sas(resource, key, policy=policy)))
    http = wire.Http(hub.https_port, hub.ca)
    answer = http.ask("GET", path, fields)
    http.close()
    return answer


def who_may_read():
    """registry-read lists; service-connect alone is 403, no or a bad credential 401; no key is told"""
    with Site(client=False) as site:
        hub = site.hub
        hub.admin("device", "add", "gw-2")
        hub.admin("device", "disable", "gw-2")
        hub.admin("device", "add", "gw-2", "--module", "m")
        for policy in ("registryRead", "registryReadWrite", "iothubowner"):
            answer = get(hub, policy)
            check_equal(answer.status, 200, policy)
            check_equal(json.loads(answer.body), [
                {"deviceId": "gw-1", "status": "enabled", "connectionState": "Connected"},
                {"deviceId": "gw-2", "status": "disabled", "connectionState": "Disconnected"}], "the list")
            check_equal(answer.get("streamd-more"), None, "more")
        for policy in ("service", "device"):
            check_equal(get(hub, policy).status, 403, policy)
        # Asking often what one may not read is no attack on the hub: the address is not shut out.
        for _ in range(30):
            check_equal(get(hub, "service").status, 403, "again")
        check_equal(get(hub, None).status, 401, "no credential")
        check_equal(get(hub, "registryRead", key="A" * 44).status, 401, "another key")
        check_equal(get(hub, "registryReadWrite", resource="localhost/twins").status, 401,
                    "another resource")
        check_equal(get(hub, "registryRead", resource="localhost/devices").status, 200, "the resource itself")


def page_by_page():
    """more than a page: streamd-after goes on, streamctl puts them together, and shells offer them"""
    with Site(gateway=False) as site:
        hub, client = site.hub, site.client
        names = [f"pump-{i:03}" for i in range(PAGE + MORE)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: hub.admin("device", "add", name), names))
        first = get(hub, "registryRead")
        check_equal((len(json.loads(first.body)), first.get("streamd-more")), (PAGE, "True"), "the first page")
        check(len(first.body) < 64 * 1024, "an answer that clients take")
        second = get(hub, "registryRead", path="/devices?after=" + first.get("streamd-after"))
        check_equal([row["deviceId"] for row in json.loads(second.body)], names[PAGE:], "the second page")
        check_equal(second.get("streamd-more"), None, "the last page")

        check_equal([row["device_id"] for row in client.ctl_json("device", "list")], names, "all of them")
        check_equal(complete(site, "connect", "pump-20"), names[PAGE:], "completion")
        # An invited user sees what it reaches, and no more.
        hub.admin("device", "set", "pump-003", "--tag", "site=berlin")
        hub.admin("user", "add", "alice", "--rights", "service-connect", "--tag", "site=berlin")
        client.add_hub("narrow", hub.connection_string("user", "alice"), hub.ca)
        check_equal([row["device_id"] for row in client.ctl_json("device", "list", "--hub", "narrow")],
                    ["pump-003"], "those of a scope")
        check_equal(complete(site, "connect", "--hub", "narrow", ""), ["pump-003"], "completion in a scope")
        client.ctl_ok("hub", "remove", "narrow")
        client.add_hub("fleet", hub.connection_string("user", "device"), hub.ca)
        done = client.ctl("device", "list", "--hub", "fleet")
        check_equal(done.returncode, 5, done.stderr)
        check("may not list" in done.stderr, done.stderr)
        check_equal(complete(site, "connect", "--hub", "fleet", ""), [], "what may not be listed")
        client.ctl_ok("hub", "remove", "fleet")
        lines = client.ctl_ok("device", "list").splitlines()
        check_equal((lines[0].split(), lines[1].split()), (["DEVICE", "STATE"], ["pump-000", "not", "connected"]),
                    "the table")
        hub.stop()
        check_equal(client.ctl("device", "list").returncode, 14, "the hub is away")


def complete(site, *words):
    shown = run_ok([site.streamctl, "--complete", *words], env=site.client.env)
    return [line.split("\t")[0] for line in shown.splitlines()]


main(who_may_read, page_by_page)
