# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may lead a stream back to a gateway, and what both ends learn when one ends while the other is away
(docs/wire-protocol.md, section 8a). The service of the refusals is made by hand."""
import signal
import socket
import threading

from ends import Server, connect, echo, read_exactly
from harness import Site, check, check_equal, eventually, main
from hub_wire import Wire, check_accepted
from resume_wire import SERVICE, again, first, new_key, part, say, word
from survive import ended, ends_for, states, suspended, talk_over
from survive import again as stop_hub


class Held:
    """A stream that a service by hand has opened to the gateway's echo, and whose leg it has dropped."""

    def __init__(self, site, hub):
        self.site, self.hub, self.key = site, hub, new_key()
        answer = hub.post(site.DEVICE, "echo", caps=SERVICE, more=first(self.key)).read()
        check_accepted(answer)
        check("resume" in answer.get("streamd-caps"), f"streamd-caps: {answer.get('streamd-caps')}")
        self.id = answer.get("streamd-stream-id")
        self.leg = hub.service_leg(answer)
        self.consumed = 0
        self.begin("r 0 32768")
        self.leg.send(b"hello")
        self.hears(b"hello")
        self.drop()

    def begin(self, text):
        say(self.leg, text)
        check(word(self.leg).startswith("r "), "the gateway's first word")

    def hears(self, wanted):
        """These bytes come, and words between them."""
        got = b""
        while len(got) < len(wanted):
            is_text, payload = part(self.leg)
            got += b"" if is_text is True else payload
        check_equal(got, wanted, "bytes")
        self.consumed += len(got)

    def drop(self):
        self.leg.drop()
        eventually(lambda: states(self.site.gateway) == ["suspended"], "the gateway's stream is suspended")

    def ask(self, attempt, key=None, stream=None, **kwargs):
        """The answer to a POST that leads it back."""
        return self.hub.post(self.site.DEVICE, kwargs.pop("name", "echo"), caps=SERVICE,
                             more=again(key or self.key, stream or self.id, attempt), **kwargs).read()

    def is_refused(self, reason, *args, **kwargs):
        got = self.ask(*args, **kwargs)
        check_equal((got.get("iothub-streaming-is-accepted"), got.get("streamd-reject-reason")), ("False", reason), "the answer")

    def comes_back(self, attempt, **kwargs):
        answer = self.ask(attempt, **kwargs)
        check_accepted(answer)
        self.leg = self.hub.service_leg(answer)
        self.begin(f"r {self.consumed} {self.consumed + 32768}")
        self.leg.send(b"again")
        self.hears(b"again")
        eventually(lambda: states(self.site.gateway) == ["open"], "the gateway's stream is open")


class Gateway:
    """A site with a gateway and an echo, and services by hand."""

    def __init__(self, *rule):
        self.rule = rule

    def __enter__(self):
        self.site = Site(client=False)
        self.site.__enter__()
        self.site.expose("echo", Server(echo, self.site).address, *self.rule)
        return self.site, Wire(self.site)

    def __exit__(self, *exc):
        return self.site.__exit__(*exc)


def only_with_its_key():
    """somebody else's key, an id of nobody's, another stream's name and an old attempt never get a leg"""
    with Gateway() as (site, hub):
        held = Held(site, hub)
        held.is_refused("resume-unknown", 1, key=new_key())
        held.is_refused("resume-unknown", 1, stream="0" * 32)
        held.is_refused("resume-unknown", 1, name="other")
        held.comes_back(3)
        held.drop()
        for attempt in (1, 2, 3):
            held.is_refused("resume-stale", attempt)
        check_equal(states(site.gateway), ["suspended"], "a refusal ends nothing")
        held.comes_back(4)
        held.is_refused("resume-stale", 4)
        held.leg.send(b"more")
        held.hears(b"more")


def foreign_user():
    """another user with the same rights, who knows the id, does not get the stream; nor is it disturbed"""
    with Gateway() as (site, hub):
        held = Held(site, hub)
        site.hub.admin("user", "add", "other", "--rights", "service-connect")
        string = site.hub.connection_string("user", "other")
        key = string.split("SharedAccessKey=")[1].split(";")[0]
        held.is_refused("resume-unknown", 5, key=new_key(), token=hub.service_token(policy="other", key=key))
        held.comes_back(1)


def rule_changed():
    """the rule that had accepted it is gone, or is another one: it is not led back"""
    with Gateway() as (site, hub):
        held = Held(site, hub)
        site.gateway.ctl_ok("accept-policy", "remove", "1000")
        eventually(lambda: ended(site.gateway) == ["policy"], "the gateway's stream ends with its rule")
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "echo", "--accept", "echo")
        held.is_refused("ended policy", 1)


def target_changed():
    """its target is gone, and so is the way back"""
    with Gateway() as (site, hub):
        held = Held(site, hub)
        site.gateway.ctl_ok("target", "remove", "echo")
        check_equal(states(site.gateway), ["suspended"], "nobody has asked")
        held.is_refused("resume-unknown", 1, key=new_key())
        check_equal(states(site.gateway), ["suspended"], "a stranger ends nothing")
        held.is_refused("no-target", 1)
        eventually(lambda: ended(site.gateway) == ["no-target"], "the gateway's stream ends, too")
        held.is_refused("ended no-target", 2)


def closed_at_the_gateway():
    """what ended at the gateway while the service was away is answered with its reason, to who has the key"""
    with Gateway() as (site, hub):
        held = Held(site, hub)
        site.gateway.ctl_ok("stream", "close", str(site.gateway.streams()[0]["id"]))
        eventually(lambda: ended(site.gateway) == ["closed-by-user"], "the gateway's stream is closed")
        held.is_refused("resume-unknown", 1, key=new_key())
        held.is_refused("ended closed-by-user", 1)
        held.is_refused("ended closed-by-user", 1)


def target_resets():
    """the target resets its connection while the hub is away: the application's ends with the gateway's reason"""
    with Site() as site:
        reached, connections = threading.Event(), []

        def serve(connection):
            connections.append(connection)
            reached.set()
            read_exactly(connection, 1)
            eventually(lambda: connection.fileno() < 0, "the end", 600)

        site.expose("held", Server(serve, site).address)
        near = connect(site.client.tunnel(site.DEVICE, "held"))
        check(reached.wait(30), "the target was not reached")
        near.sendall(b"a")
        eventually(lambda: states(site.client) == ["open"], "it is open")
        ports = stop_hub(site, signal.SIGKILL)
        suspended(site)
        connections[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connections[0].close()
        eventually(lambda: ended(site.gateway) == ["local-cut"], "the gateway's stream ends at once")
        check_equal(states(site.client), ["suspended"], "the client does not know yet")
        site.start_hub(ports=ports)
        try:
            check(near.recv(1) and False, "bytes came")
        except ConnectionResetError:
            pass
        ends_for(site.client, "local-cut")


def closed_at_the_client():
    """what its user closes while the hub is away ends here at once, and at the gateway as soon as it can be told"""
    with Site() as site:
        talk = talk_over(site)
        talk.hush()
        ports = stop_hub(site, signal.SIGKILL)
        suspended(site)
        site.client.ctl_ok("stream", "close", str(site.client.streams()[0]["id"]))
        eventually(lambda: ended(site.client) == ["closed-by-user"], "the client's stream is closed")
        check_equal(states(site.gateway), ["suspended"], "the gateway does not know yet")
        site.start_hub(ports=ports)
        eventually(lambda: ended(site.gateway) == ["closed-by-user"], "the gateway is told")
        talk.ends(talk.outcome or "ConnectionResetError")


def hub_does_not_want():
    """with resume = no at the hub a stream ends with its leg"""
    with Site() as site:
        site.hub.stop(signal.SIGTERM)
        config = f"{site.dir}/no-resume.conf"
        with open(config, "w", encoding="ascii") as file:
            file.write(site.HUB_SETTINGS + "resume = no\n")
        site.start_hub(["--config", config], ports=(str(site.hub.https_port), str(site.hub.mqtts_port)))
        site.wait_online(site.DEVICE)
        talk = talk_over(site)
        talk.hush()
        stop_hub(site, signal.SIGKILL)
        talk.ends("ConnectionResetError")
        for daemon in (site.gateway, site.client):
            eventually(lambda daemon=daemon: ended(daemon) == ["cut"], f"{daemon.name}'s stream was cut")


if __name__ == "__main__":
    main(only_with_its_key, foreign_user, rule_changed, target_changed, closed_at_the_gateway, target_resets,
         closed_at_the_client,
         hub_does_not_want)
