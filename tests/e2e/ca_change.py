# SPDX-License-Identifier: LGPL-2.1-or-later
"""The change of a hub's authority without a visit, of both kinds: what the hub shows and to whom, who is
told and keeps it, what streamd trusts until when; and what it does not believe. And a change of address."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import ssl
import subprocess
import time
from urllib.parse import quote

from clock_site import ClockSite
from ends import Server, connect, echo, read_exactly
from evil_hub import CONNACK, SUBACK, EvilHub, frame, publish, read_frames, upgrade
from harness import Site, check, check_equal, eventually, main, run, run_ok, write_private

DAY = 24 * 60 * 60


def verb(site, *words):
    return run([site.streamhub, "--state-dir", site.hub.state_dir, *words])


def verb_ok(site, *words):
    done = verb(site, *words)
    check_equal(done.returncode, 0, done.stderr)
    return done.stdout


def hub_of(daemon, name="office"):
    return daemon.ctl_json("hub", "show", name)


def state(site, name):
    return os.path.join(site.dir, "hub-state", name)


def make_old(site):
    """The authority as 0.1.0 made it, with a path length of 0, and a certificate of the hub from it."""
    folder = state(site, "")
    port = str(site.hub.https_port)
    check_equal(site.hub.stop(), 0, "exit status")
    site.processes.remove(site.hub)
    os.unlink(state(site, "ca.pem"))
    run_ok(["openssl", "req", "-x509", "-new", "-key", folder + "ca-key.pem", "-days", "3650", "-subj", "/CN=streamhub CA",
            "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-out", folder + "ca.pem"])
    verb_ok(site, "certificate", "renew", "--host-name", "localhost")
    site.start_hub(ports=(port, "0"))


class Change(ClockSite):
    """A gateway and a client that were invited, each with a clock of its own, and a stream between them."""

    def __init__(self, linked):
        super().__init__(gateway=False, client=False)
        self.linked = linked

    def __enter__(self):
        super().__enter__()
        if not self.linked:
            make_old(self)
        for name, kind, who in (("gateway", "device", "gw-1"), ("client", "user", "alice")):
            path = os.path.join(self.dir, name + ".invite")
            self.hub.admin("invite", kind, who, "--output", path)
            self.start(name).ctl_ok("hub", "add", "office", path)
        self.gateway.ctl_ok("offer", "echo", Server(echo, self).address)
        self.wait_online("gw-1")
        self.port = self.client.tunnel("gw-1", "echo")
        return self

    def start(self, name):
        self.faked = name
        setattr(self, name, self.start_daemon(name))
        self.faked = None
        return getattr(self, name)

    def again(self, name):
        check_equal(getattr(self, name).stop(), 0, "exit status")
        self.processes.remove(getattr(self, name))
        return self.start(name)

    def stream(self):
        with connect(self.port) as near:
            near.sendall(b"hello")
            check_equal(read_exactly(near, 5), b"hello", "the echo")

    def known(self):
        """What `ca rotate` says of each end."""
        rows = json.loads(verb_ok(self, "ca", "rotate", "--json"))
        return {row.get("device_id") or row["name"]: row["knows"] for row in rows}

    def authority(self, name):
        return hub_of(getattr(self, name))["next_authority"]

    def trusted_by(self, ca):
        """Whether a client that trusts CA alone takes what the hub shows: by OpenSSL, and by GnuTLS."""
        port = str(self.hub.https_port)
        one = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:" + port, "-servername", "localhost",
                              "-verify_hostname", "localhost", "-CAfile", ca, "-no-CApath", "-no-CAstore",
                              "-verify_return_error", "-brief"], input="", capture_output=True, text=True, check=False,
                             timeout=10)
        other = subprocess.run(["gnutls-cli", "--x509cafile", ca, "--sni-hostname", "localhost", "--verify-hostname",
                                "localhost", "-p", port, "127.0.0.1"], input="", capture_output=True, text=True,
                               check=False, timeout=10)
        return one.returncode == 0, other.returncode == 0

    def days_later(self, name, days):
        """The clock of that end goes on; it connects again, which makes it look."""
        self.set_clock(name, f"+{int(days * DAY)}")
        daemon = getattr(self, name)
        daemon.ctl_ok("hub", "disconnect", "office")
        daemon.ctl_ok("hub", "connect", "office")
        eventually(lambda: hub_of(daemon)["state"] == "connected", f"{name} is connected")


def copy(site, name):
    path = os.path.join(site.dir, "kept-" + name)
    with open(state(site, name), "rb") as source, open(path, "wb") as out:
        out.write(source.read())
    return path


def change(linked):
    with Change(linked) as site:
        old = copy(site, "ca.pem")
        check_equal(site.trusted_by(old), (True, True), "before")
        links = site.hub.log().count("is connected")
        with connect(site.port) as lasting:
            lasting.sendall(b"before")
            check_equal(read_exactly(lasting, 6), b"before", "the echo")
            said = verb_ok(site, "ca", "rotate")
            check(("in use" if linked else "stays in use") in said, said)
            following = copy(site, "ca-next.pem")
            check_equal(site.trusted_by(old), (True, True), "the old one during the change")
            check_equal(site.trusted_by(following), (linked, linked), "the next one during the change")
            told_everybody(site, linked)
            lasting.sendall(b"after")
            check_equal(read_exactly(lasting, 5), b"after", "the echo")
            check_equal(site.hub.log().count("is connected"), links, "links of the device")
        waits(site, linked)
        with connect(site.port) as lasting:
            lasting.sendall(b"before")
            check_equal(read_exactly(lasting, 6), b"before", "the echo")
            verb_ok(site, "ca", "rotate", "--finish")
            check_equal(site.trusted_by(old), (False, False), "the old one afterwards")
            check_equal(site.trusted_by(following), (True, True), "the next one afterwards")
            lasting.sendall(b"last")
            check_equal(read_exactly(lasting, 4), b"last", "the echo")
        ends(site, linked)
        late(site, old, following)


def told_everybody(site, linked):
    """Both ends keep it, and the hub knows that they do; a client that cannot be told is listed."""
    eventually(lambda: site.authority("gateway") == "pending", "the gateway has it")
    eventually(lambda: site.known()["gw-1"] == "yes", "the hub knows that")
    check_equal(site.authority("client"), "", "a client that has asked nothing")
    site.stream()
    eventually(lambda: site.authority("client") == "pending", "the client has it")
    site.stream()
    eventually(lambda: site.known().get("alice") == "yes", "the hub knows that")
    check("its next authority is pending" in site.gateway.ctl_ok("status"), "the status")
    until = hub_of(site.gateway)["next_authority_time"]
    check(6.9 * DAY < until / 1e6 - time.time() < 7.1 * DAY, f"until {until}")
    site.hub.admin("device", "add", "gw-2")
    site.hub.admin("user", "add", "bob", "--rights", "service-connect")
    plain(site)
    known = site.known()
    check_equal((known["gw-2"], known["bob"]), ("away", "plain"), "those that were not told")
    check("needs a visit" in verb_ok(site, "ca", "rotate"), "in words")
    check_equal(json.loads(verb_ok(site, "ca", "show", "--json"))["change"], "linked" if linked else "told", "ca show")


def plain(site):
    """A client of somebody else's asks for a stream, and knows nothing of statements."""
    parts = dict(part.split("=", 1) for part in site.hub.connection_string("user", "bob").split(";"))
    expiry = int(time.time()) + 600
    signed = f"localhost\n{expiry}".encode()
    mac = hmac.new(base64.b64decode(parts["SharedAccessKey"]), signed, hashlib.sha256).digest()
    token = f"SharedAccessSignature sr=localhost&sig={quote(base64.b64encode(mac), safe='')}&se={expiry}&skn=bob"
    trust = ssl.create_default_context(cafile=state(site, "ca.pem"))
    connection = http.client.HTTPSConnection("localhost", site.hub.https_port, context=trust)
    connection.request("POST", "/twins/gw-2/streams/echo?api-version=x", headers={
        "Authorization": token, "iothub-streaming-response-timeout-in-seconds": "1"})
    answer = connection.getresponse()
    check_equal((answer.status, answer.getheader("streamd-statement")), (404, None), "a plain client's answer")
    connection.close()


def waits(site, linked):
    """Neither time alone nor a proof alone is enough; both are. Kept over a restart."""
    site.again("gateway")
    eventually(lambda: hub_of(site.gateway)["state"] == "connected", "the gateway is back")
    check_equal(site.authority("gateway"), "pending", "after a restart")
    site.days_later("gateway", 6.9)
    time.sleep(0.3)
    check_equal(site.authority("gateway"), "pending", "before the time")
    site.days_later("gateway", 7.1)
    if linked:
        eventually(lambda: site.authority("gateway") == "", "trusted alone after seven days")
    else:
        time.sleep(0.3)
        check_equal(site.authority("gateway"), "pending", "the next one has proved nothing yet")
    site.set_clock("gateway", "+0")
    site.wait_online("gw-1")
    site.stream()


def ends(site, linked):
    """Nobody was visited: streams go on, and after the time both trust the next one alone."""
    site.stream()
    site.days_later("gateway", 0)
    site.wait_online("gw-1")
    site.stream()
    if not linked:
        site.days_later("gateway", 7.1)
        eventually(lambda: site.authority("gateway") == "", "trusted alone, once it has proved itself")
    check_equal(site.client.ctl_ok("hub", "set", "office", "--accept-ca"), "office: the next authority alone is trusted now\n", "said")
    check_equal(site.authority("client"), "", "accepted by hand")
    told = "Hub office: its next authority alone is trusted (before: its present authority is trusted, and the next one), by "
    eventually(lambda: site.client.log().count(told) == 1, "who accepted it")
    done = site.client.ctl("hub", "set", "office", "--accept-ca")
    check("no next authority" in done.stderr, done.stderr)
    site.set_clock("gateway", "+0")
    for name in ("gateway", "client"):
        site.again(name)
    eventually(lambda: hub_of(site.gateway)["state"] == "connected", "the gateway is back")
    site.wait_online("gw-1")
    site.stream()
    done = verb(site, "ca", "rotate", "--finish")
    check("no change of the authority has begun" in done.stderr, done.stderr)


def late(site, old, following):
    """An end that missed it is refused, and one that is invited now is not."""
    path = os.path.join(site.dir, "late.invite")
    site.hub.admin("invite", "device", "gw-3", "--with-key", "--output", path)
    with open(path, encoding="ascii") as file, open(following, encoding="ascii") as ca:
        text = file.read()
        check(ca.read().strip() in text, "the next authority is not in the invitation")
    site.gateway.ctl_ok("hub", "add", "new", path)
    eventually(lambda: hub_of(site.gateway, "new")["state"] == "connected", "invited afterwards")
    site.gateway.ctl_ok("hub", "remove", "new")
    with open(old, encoding="ascii") as ca:
        write_private(os.path.join(site.dir, "missed.invite"), text.split("-----BEGIN")[0] + ca.read())
    site.gateway.ctl_ok("hub", "add", "missed", os.path.join(site.dir, "missed.invite"))
    eventually(lambda: "issuer" in hub_of(site.gateway, "missed")["last_error"], "the one that missed it says so")


def linked():
    """an authority that may sign the next one: shown at once, old and new clients take it; ends told, and trusting"""
    change(True)


def told():
    """one that may not, of 0.1.0: the old one is shown until --finish, and what was told is enough then"""
    change(False)


def files():
    """trust that comes from a file or the configuration is told about, and never changed"""
    with Site() as site:
        verb_ok(site, "ca", "rotate")
        eventually(lambda: hub_of(site.gateway)["next_authority"] == "file", "told")
        check("renew the CA file" in site.gateway.ctl_ok("status"), "the status")
        check_equal(site.gateway.log().count("get the new certificate"), 1, "lines in the log")
        done = site.gateway.ctl("hub", "set", "office", "--accept-ca")
        check("comes from a CA file" in done.stderr, done.stderr)
        known = {row.get("device_id") or row["name"]: row["knows"]
                 for row in json.loads(verb_ok(site, "ca", "rotate", "--json"))}
        check_equal(known["gw-1"], "told", "what the hub knows")


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sign(body, key):
    """A statement as the hub's authority would sign it."""
    head = "streamd-statement-1." + b64(body.encode())
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=head.encode(), capture_output=True,
                               check=True).stdout
    return head + "." + b64(signature)


def der(path):
    return subprocess.run(["openssl", "x509", "-in", path, "-outform", "DER"], capture_output=True, check=True).stdout


def body_of(serial, names="localhost", root=None, kind="authority"):
    rest = f"root {b64(root)}\n" if kind == "authority" else "host elsewhere.example\nport 443\n"
    return f"kind {kind}\nserial {serial}\nnames {names}\n{rest}"


def lies():
    """a hub that was taken over: foreign keys, other hubs, garbage, too much, no authority, an older serial"""
    with Site(gateway=False, client=False) as site:
        key = state(site, "ca-key.pem")
        foreign = os.path.join(site.dir, "foreign")
        run_ok(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "99",
                "-subj", "/CN=foreign", "-addext", "keyUsage=critical,keyCertSign", "-keyout", foreign + ".key", "-out", foreign + ".pem"])
        root = der(foreign + ".pem")
        good = sign(body_of(100, root=root), key)
        bad = [
            sign(body_of(100, root=root), foreign + ".key"),  # by the next one itself
            sign(body_of(100, root=root), state(site, "server-key.pem")),  # by all that a hub has
            sign(body_of(100, names="other.example", root=root), key),
            sign(body_of(100, root=der(state(site, "server.pem"))), key),  # no authority
            sign(body_of(100, root=b"\x30\x03\x02\x01\x01"), key),
            sign(body_of(100, kind="address"), foreign + ".key"),
            good[:-8], good + "A", good.replace("statement-1", "statement-2"), "x" * 5000, "", "streamd-statement-1..",
            good.split(".")[0] + "." + b64(body_of(101, root=root).encode()) + "." + good.split(".")[2],
        ]
        sent = []

        def notice(text):
            return frame(publish("$iothub/streamd/notice/",
                                 payload=json.dumps({"kind": "statement", "text": text}).encode()))

        def act(connection, head):
            connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt") + frame(CONNACK) + frame(SUBACK))
            for text in sent:
                connection.sendall(notice(text))
            read_frames(connection)

        site.gateway = site.start_daemon("gateway")
        hub = EvilHub(site, act)
        invite = os.path.join(site.dir, "evil.invite")
        with open(state(site, "ca.pem"), encoding="ascii") as ca:
            write_private(invite, hub.device() + "\n" + ca.read())
        sent[:] = bad
        site.gateway.ctl_ok("hub", "add", "evil", invite)
        eventually(lambda: hub_of(site.gateway, "evil")["state"] == "connected", "connected")
        time.sleep(0.3)
        shown = hub_of(site.gateway, "evil")
        check_equal((shown["next_authority"], shown["next_address"], shown["state"]), ("", "", "connected"), "after lies")
        again(site, hub, sent, [good])
        eventually(lambda: hub_of(site.gateway, "evil")["next_authority"] == "pending", "the truth")
        time_of_good = hub_of(site.gateway, "evil")["next_authority_time"]
        again(site, hub, sent, [sign(body_of(99, root=der(state(site, "ca.pem"))), key), good])
        time.sleep(0.3)
        shown = hub_of(site.gateway, "evil")
        check_equal((shown["next_authority"], shown["next_authority_time"]), ("pending", time_of_good), "after older ones")
        # The next one may not be signed by the one before it that is only pending.
        again(site, hub, sent, [sign(body_of(200, root=der(state(site, "ca.pem"))), foreign + ".key")])
        time.sleep(0.3)
        check_equal(hub_of(site.gateway, "evil")["next_authority_time"], time_of_good, "signed by what is pending")
        check(not hub_of(site.gateway, "evil")["last_error"], "an error")


def again(site, hub, sent, texts):
    """At its next link the evil hub says this."""
    sent[:] = texts
    links = len(hub.heads)
    site.gateway.ctl_ok("hub", "disconnect", "evil")
    site.gateway.ctl_ok("hub", "connect", "evil")
    eventually(lambda: len(hub.heads) > links, "the next link")
    eventually(lambda: hub_of(site.gateway, "evil")["state"] == "connected", "connected")


def address():
    """the hub moves to another name and port, which its authority has told: both ends come there, and a restart remembers"""
    with Change(True) as site:
        first = site.hub.https_port
        free = Server(echo)
        second = free.port
        free.close()
        done = verb(site, "ca", "announce", f"elsewhere.example:{second}")
        check("not for the hub's name elsewhere.example" in done.stderr, done.stderr)
        check_equal(verb(site, "ca", "announce", "-").returncode, 4, "nothing to take back")
        verb_ok(site, "certificate", "renew", "--host-name", "localhost", "--host-name", "127.0.0.1")
        verb_ok(site, "ca", "announce", f"127.0.0.1:{second}")
        site.stream()
        for name in ("gateway", "client"):
            eventually(lambda: hub_of(getattr(site, name))["next_address"] == f"127.0.0.1:{second}", f"{name} is told")  # pylint: disable=cell-var-from-loop
        check_equal(site.hub.stop(), 0, "exit status")
        site.processes.remove(site.hub)
        site.start_hub(["--streaming-host", "127.0.0.1"], ports=(str(second), "0"))
        site.wait_online("gw-1")
        eventually_stream(site)
        site.again("gateway")
        site.again("client")
        site.wait_online("gw-1")
        eventually_stream(site)
        check_equal(site.hub.https_port != first, True, "the hub has moved")


def eventually_stream(site):
    def works():
        try:
            site.stream()
            return True
        except OSError:
            return False
    eventually(works, "a stream")


if __name__ == "__main__":
    main(linked, told, files, lies, address)
