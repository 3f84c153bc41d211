# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a hub's object counts, in both roles: streams, bytes, reconnects, and where streams were sent."""
from bus_app import App
from ends import Server, echo, read_exactly
from harness import Site, check, check_equal, eventually, main


def shown(daemon):
    return daemon.ctl_json("hub", "list")[0]


def counts(daemon):
    hub = shown(daemon)
    return tuple(hub[key] for key in ("streams_opened", "streams_rejected", "bytes_in", "bytes_out"))


def streams_and_bytes():
    """open streams count at once, ended ones go on to count; those that did not open are told apart"""
    with Site() as site:
        site.expose("echo", Server(lambda c: c.sendall(read_exactly(c, 5) * 2), site).address)
        app = App(site, site.client)
        check_equal((counts(site.client), counts(site.gateway)), ((0, 0, 0, 0), (0, 0, 0, 0)), "before")
        check_equal(shown(site.client)["streaming_endpoints"], [], "endpoints before")
        connection, _ = app.open(site.DEVICE, "echo")
        connection.sendall(b"hello")
        check_equal(read_exactly(connection, 10), b"hellohello", "the answer")
        check_equal(counts(site.client), (1, 0, 10, 5), "while it is open")
        connection.close()
        eventually(lambda: not site.client.streams() and not site.gateway.streams(), "it ends")
        check_equal(counts(site.client), (1, 0, 10, 5), "when it has ended")
        check_equal(counts(site.gateway), (1, 0, 5, 10), "at the gateway")
        check_equal(site.client.ctl("connect", site.DEVICE, "other").returncode, 12, "exit code")
        check_equal(counts(site.client), (1, 1, 10, 5), "after one that was rejected")
        eventually(lambda: counts(site.gateway) == (1, 1, 5, 10), "the gateway counts it")
        where = [f"localhost:{site.hub.https_port}"]
        check_equal(shown(site.client)["streaming_endpoints"], where, "endpoints")
        check_equal(shown(site.gateway)["streaming_endpoints"], where, "endpoints at the gateway")
        text = " ".join(site.client.ctl_ok("hub", "show", "office").split())
        for words in ("Streams opened: 1", "Streams not opened: 1", where[0]):
            check(words in text, f"no {words!r} in {text}")
        check("10 bytes" in site.client.ctl_ok("hub", "list"), "the list has no bytes")


def endpoints_are_announced():
    """a new endpoint is told by PropertiesChanged, once; counts never are"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        app = App(site, site.client)
        changes = app.changes("/io/streamd/Streamd1/hub/office")
        for _ in range(3):
            connection, _ = app.open(site.DEVICE, "echo")
            connection.close()
        where = [f"localhost:{site.hub.https_port}"]
        eventually(lambda: any(c.get("StreamingEndpoints") == where for c in changes), "it is announced")
        eventually(lambda: not site.client.streams(), "they end")
        check_equal(counts(site.client)[0], 3, "streams")
        check(len(changes) <= 2, f"told too often: {changes}")
        for change in changes:
            check(set(change) <= {"State", "Since", "LastError", "StreamingEndpoints"}, change)


def reconnects():
    """a device that comes back to its hub counts that"""
    with Site(client=False) as site:
        check_equal(shown(site.gateway)["reconnects"], 0, "reconnects")
        ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
        site.hub.stop()
        eventually(lambda: shown(site.gateway)["state"] != "connected", "it is lost")
        site.start_hub(ports=ports, name="hub-again")
        site.gateway.ctl_ok("hub", "connect", "office")
        eventually(lambda: shown(site.gateway)["state"] == "connected", "it is back")
        check_equal(shown(site.gateway)["reconnects"], 1, "reconnects")


def forgotten():
    """a hub that is removed and added again begins at nothing"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        site.client.ctl_ok("connect", site.DEVICE, "echo")
        eventually(lambda: counts(site.client)[0] == 1, "it counts")
        site.client.ctl_ok("hub", "remove", "office")
        site.client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)
        check_equal(counts(site.client), (0, 0, 0, 0), "afterwards")


if __name__ == "__main__":
    main(streams_and_bytes, endpoints_are_announced, reconnects, forgotten)
