# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices with certificates at the hub: each way to be a device, with each certificate that may come,
through both ports; and what ends when that changes (docs/wire-protocol.md, section 1.7; R18, R19)."""
import json
import os
import re
import time

import wire
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from devices_x509 import Authority, Certificate
from harness import Site, check, check_equal, eventually, main, run
from hub_wire import Wire, check_echo

WAYS = ("wss", "mqtts")


class Certified(Wire):
    """A hub that asks for certificates, an authority that it knows, and one that it does not."""

    def __init__(self, site, settings="penalty = 0\n"):
        super().__init__(site)
        folder = os.path.join(site.dir, "certificates")
        os.mkdir(folder)
        self.folder = folder
        self.root = Authority(folder, "root")
        self.middle = Authority(folder, "middle", self.root)
        self.stranger = Authority(folder, "stranger")
        self.crl = self.root.revoke()
        self.config = (f"[hub]\nclient-certificates = yes\ndevice-ca = {self.root.file}\n"
                       f"device-crl = {self.crl}\n{settings}")
        self.restart(self.config)

    def come(self, device, certificate=None, way="wss", **kwargs):
        """A device that connects with a certificate and no token, unless KEY is given."""
        kwargs.setdefault("key", None)
        one = wire.Device(self.port if way == "wss" else self.mqtts_port, self.ca, device,
                          websocket="mqtt" if way == "wss" else None,
                          certificate=certificate.files if certificate else None, **kwargs)
        self.open.callback(one.close)
        return one

    def own(self, label, *names, **kwargs):
        return Certificate(self.folder, label, names or (label,), **kwargs)

    def refusal(self, device):
        """What the hub has said about why it refused the device: each reason once in a while."""
        return "\n".join(line for line in self.hub.log().splitlines() if f" {device} is refused" in line)


def certified(settings="penalty = 0\n"):
    def decorate(case):
        def run_case():
            with Site(hub_arguments=["--grace", "1"], gateway=False, client=False) as site:
                case(Certified(site, settings))

        run_case.__doc__, run_case.__name__ = case.__doc__, case.__name__
        return run_case

    return decorate


def cells(hub):
    """(device, how it is added, certificate that comes, what the hub says; None: let in)."""
    root, own = hub.root, hub.own
    good = root.issue("good", "ca-good")
    revoked = root.issue("revoked", "ca-revoked")
    hub.root.revoke(revoked)
    nobody = own("nobody")
    self_good, other = own("self-good"), own("self-other")
    late, early = own("self-late", begin=-9, end=-1), own("self-early", begin=2, end=9)
    ca = ["--ca"]
    # A device with thumbprints: the first, the second, of either hash, in any spelling.
    yield "t-256", ["--thumbprint", self_good.thumbprint()], self_good, None
    yield "t-1", ["--thumbprint", self_good.thumbprint(hashes.SHA1)], self_good, None
    yield "t-file", ["--certificate", self_good.files[0]], self_good, None
    colons = ":".join(re.findall("..", self_good.thumbprint().upper()))
    yield "t-second", ["--thumbprint", other.thumbprint(), "--thumbprint", colons], self_good, None
    yield "t-none", ["--thumbprint", self_good.thumbprint()], None, "no certificate was sent"
    yield "t-other", ["--thumbprint", self_good.thumbprint()], other, \
        f"another thumbprint; its certificate has the SHA-256 {other.thumbprint().upper()}"
    yield "t-late", ["--certificate", late.files[0]], late, "the certificate has expired on 20"
    yield "t-early", ["--certificate", early.files[0]], early, "the certificate is not valid before 20"
    yield "t-issued", ["--certificate", good.files[0]], good, None
    # One that is known by its authority.
    yield "ca-good", ca, good, None
    yield "ca-san", ca, root.issue("san", "some machine", san=["other", "ca-san"]), None
    yield "ca-only-san", ca, root.issue("only-san", san=["ca-only-san"]), None
    yield "ca-middle", ca, hub.middle.issue("below", "ca-middle", chain=[hub.middle]), None
    yield "ca-gap", ca, hub.middle.issue("gap", "ca-gap"), "of an unknown authority"
    yield "ca-none", ca, None, "no certificate was sent"
    yield "ca-strange", ca, hub.stranger.issue("strange", "ca-strange"), "of an unknown authority"
    yield "ca-self", ca, own("ca-self"), "of an unknown authority"
    yield "ca-late", ca, root.issue("late", "ca-late", begin=-9, end=-1), "has expired on 20"
    yield "ca-early", ca, root.issue("early", "ca-early", begin=2, end=9), "is not valid before 20"
    yield "ca-other", ca, good, "is for another device: ca-good"
    yield "ca-prefix", ca, root.issue("prefix", "ca-prefi", san=["ca-prefix2"]), "for another device"
    yield "ca-star", ca, root.issue("star", "ca-*", san=["*"]), "for another device: ca-*, *"
    yield "ca-two", ca, root.issue("two", "ca-two", "ca-other"), "more than one common name"
    yield "ca-nameless", ca, root.issue("nameless"), "names no device"
    yield "ca-revoked", ca, revoked, "has been revoked"
    yield "ca-server", ca, root.issue("server", "ca-server", usage=ExtendedKeyUsageOID.SERVER_AUTH), \
        "not made for clients"
    # One that has keys, and what is no certificate's device at all.
    yield "keys", [], good, "the device has keys"
    yield "keys-none", [], None, "neither a token nor a certificate was sent"
    yield "unknown", None, nobody, "no such device"


@certified()
def matrix(hub):
    """every kind of device with every certificate, through both ports: let in, or told apart"""
    rows = list(cells(hub))
    hub.hub.admin("reload")  # the list of what is revoked
    for device, how, _, _ in rows:
        if how is not None:
            hub.hub.admin("device", "add", device, *how)
    for way in WAYS:
        for device, how, certificate, text in rows:
            came = hub.come(device, certificate, way)
            check_equal(came.connack, 0 if text is None else 5, f"{device} by {way}: "
                        f"{hub.refusal(device)}")
            if text is not None:
                eventually(lambda: text in hub.refusal(device),
                           f"{device} by {way}: {text!r} in {hub.refusal(device)!r}")
            came.close()
    print(f"# {2 * len(rows)} cells")


@certified()
def tokens(hub):
    """a token beside a certificate decides; a device of certificates has no token that counts"""
    key = hub.add("by-key")
    mine = hub.own("by-cert")
    check_equal(hub.come("by-key", mine, key=key).connack, 0, "a token, and a certificate beside it")
    hub.hub.admin("device", "add", "by-cert", "--certificate", mine.files[0])
    string = hub.hub.connection_string("device", "by-cert")
    check("SharedAccessKey" not in string and "x509=true" in string, string)
    check_equal(hub.come("by-cert", mine, password="", way="mqtts").connack, 0, "an empty password")
    check_equal(hub.come("by-cert", mine, key=key).connack, 5, "another device's token")
    eventually(lambda: "no token counts for it" in hub.refusal("by-cert"), "the text")
    turned = hub.come("by-key", key=key)
    hub.hub.admin("device", "set", "by-key", "--certificate", mine.files[0])
    eventually(turned.is_closed, "what a key has let in ends")
    check_equal(hub.come("by-key", key=key).connack, 5, "the key that it had before")
    eventually(lambda: "no token counts for it" in hub.refusal("by-key"), "the text")
    hub.hub.admin("device", "set", "by-cert", "--keys")
    check_equal(hub.come("by-cert", key=hub.key("device", "by-cert")).connack, 0, "keys again")
    check_equal(hub.come("by-cert", mine).connack, 5, "its certificate, then")


@certified()
def streams(hub):
    """streams of a device with a certificate, by both ports; legs need a token and no certificate"""
    mine = hub.own("dev1")
    hub.hub.admin("device", "add", "dev1", "--certificate", mine.files[0])
    hub.hub.admin("device", "add", "dev1", "--module", "m", "--certificate", mine.files[0])
    for way in WAYS:
        for name in ("dev1", "dev1/m"):
            device = hub.come(name, mine, way)
            check_equal(device.subscribe(), [0, 0], "granted")
            path = f"/twins/{name.replace('/', '/modules/')}/streams/s?api-version=1"
            post = hub.post(path=path)
            request = device.request()
            device.answer(request, 200)
            check_echo(hub.device_leg(request), hub.service_leg(post.read()))
            check_equal(wire.WebSocket(hub.port, hub.ca, request.path, certificate=mine.files).status,
                        401, "a certificate in the place of a leg's token")


def live(hub, name, certificate):
    device = hub.come(name, certificate)
    check_equal((device.connack, device.subscribe()), (0, [0, 0]), f"{name} is let in")
    return device, *hub.opened(device)


def check_ended(device, leg, what):
    check_equal(leg.closed()[0], 1008, f"{what}: the service's leg")
    eventually(device.is_closed, f"{what}: the link ends")


@certified()
def changes(hub):
    """another thumbprint, --keys, disable and remove end link and streams; a second thumbprint does not"""
    first, second, third = hub.own("one"), hub.own("two"), hub.own("three")
    hub.hub.admin("device", "add", "dev", "--certificate", first.files[0])
    hub.hub.admin("device", "add", "dev", "--module", "m", "--certificate", first.files[0])
    module = hub.come("dev/m", first)
    device, device_leg, leg = live(hub, "dev", first)
    hub.hub.admin("device", "set", "dev", "--certificate", first.files[0], "--certificate",
                  second.files[0])
    check_echo(device_leg, leg)
    check(device.ping(), "the second thumbprint is added")
    hub.hub.admin("device", "set", "dev", "--tag", "site=berlin", "--certificate", second.files[0])
    check_ended(device, leg, "the first thumbprint is taken away")
    check(module.ping(), "the module, which has its own")
    check_equal(hub.come("dev", first).connack, 5, "the first certificate")
    for what, verb in (("keys", ["set", "dev", "--keys"]), ("disabled", ["disable", "dev"]),
                       ("removed", ["remove", "dev"])):
        if what == "disabled":
            hub.hub.admin("device", "set", "dev", "--certificate", third.files[0])
        if what == "removed":
            hub.hub.admin("device", "enable", "dev")
        device, _, leg = live(hub, "dev", second if what == "keys" else third)
        hub.hub.admin("device", *verb)
        check_ended(device, leg, what)
    shown = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "device", "add", "dev",
                 "--thumbprint", "zz"])
    check_equal(shown.returncode, 2, "no thumbprint")
    check("40 or 64 hexadecimal digits" in shown.stderr, shown.stderr)


@certified()
def revoked(hub):
    """a reload that revokes a certificate, or takes an authority away, ends what is connected with it"""
    ids = ["ca-1", "ca-2", "own"]
    certificates = {name: hub.root.issue(name, name) for name in ids[:2]}
    certificates["own"] = hub.own("own")
    for name in ids:
        hub.hub.admin("device", "add", name, *(["--certificate", certificates[name].files[0]]
                                               if name == "own" else ["--ca"]))
    up = {name: live(hub, name, certificates[name]) for name in ids}
    hub.root.revoke(certificates["ca-1"])
    started = time.monotonic()
    hub.hub.admin("reload")
    check_ended(up["ca-1"][0], up["ca-1"][2], "revoked")
    print(f"# ended {time.monotonic() - started:.2f} s after the reload began")
    for name in ids[1:]:
        check(up[name][0].ping(), f"{name} after the reload")
        check_echo(*up[name][1:])
    os.rename(hub.crl, hub.crl + ".away")
    done = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "reload"])
    check(done.returncode != 0 and "No such file" in done.stderr, f"a list that is gone: {done}")
    check_equal(hub.come("ca-1", certificates["ca-1"]).connack, 5, "what it says still holds")
    hub.crl = hub.stranger.revoke()
    os.rename(hub.crl, os.path.join(hub.folder, "root-crl.pem"))
    done = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "reload"])
    check("none of the devices' authorities has signed" in done.stderr, f"another's list: {done}")
    os.rename(os.path.join(hub.folder, "root-crl.pem.away"), os.path.join(hub.folder, "root-crl.pem"))
    os.rename(hub.stranger.file, hub.root.file)
    os.remove(os.path.join(hub.folder, "root-crl.pem"))
    hub.stranger.revoke()
    os.rename(os.path.join(hub.folder, "stranger-crl.pem"), os.path.join(hub.folder, "root-crl.pem"))
    hub.hub.admin("reload")
    check_ended(up["ca-2"][0], up["ca-2"][2], "the authority is another one")
    check(up["own"][0].ping(), "a thumbprint needs no authority")
    eventually(lambda: "of an unknown authority" in hub.hub.log(), "the log says why")


@certified("penalty = 1\n")
def ends_with_it(hub):
    """wrong certificates count like wrong tokens; a right one comes in at once; the link ends with it"""
    good, bad = hub.own("good"), hub.own("bad")
    hub.hub.admin("device", "add", "dev", "--certificate", good.files[0])
    check_equal([hub.come("dev", bad).connack for _ in range(3)], [5, 3, 3], "wrong ones in a row")
    check_equal(hub.come("dev", good).connack, 0, "the right one")
    check_equal([hub.come("nobody", bad).connack for _ in range(3)], [5, 3, 3], "of no device at all")
    short = hub.own("short", end=6 / 86400)
    hub.hub.admin("device", "set", "dev", "--certificate", short.files[0])
    device = hub.come("dev", short)
    check_equal(device.connack, 0, "one that ends in six seconds")
    eventually(device.is_closed, "the link has ended with it", patience=20)
    check("the certificate has expired" in hub.hub.log(), "the log says why")
    eventually(lambda: hub.come("dev", short).connack == 5, "and it is refused then")


def asked(port, ca):
    """Whether the hub sends a CertificateRequest."""
    done = run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", ca, "-servername",
                "localhost"])
    check("Verify return code: 0" in done.stdout, done.stdout)
    return "Requested Signature Algorithms" in done.stdout


@certified()
def off(hub):
    """nobody is asked for a certificate unless the setting says so, and then none is named"""
    mine = hub.own("dev")
    hub.hub.admin("device", "add", "dev", "--certificate", mine.files[0])
    check(asked(hub.port, hub.ca) and asked(hub.mqtts_port, hub.ca), "it does not ask")
    check_equal(hub.come("dev", mine).connack, 0, "asked")
    hub.restart("[hub]\npenalty = 0\n")
    check(not asked(hub.port, hub.ca) and not asked(hub.mqtts_port, hub.ca), "it asks")
    for way in WAYS:
        check_equal(hub.come("dev", mine, way).connack, 5, f"not asked, by {way}")
    eventually(lambda: "the hub asks for no certificates (client-certificates)" in hub.refusal("dev"),
               hub.refusal("dev"))
    shown = json.loads(hub.hub.admin("device", "show", "dev", "--json"))
    check_equal(shown["authentication"], {
        "type": "selfSigned", "x509_thumbprint": {"primary_thumbprint": mine.thumbprint().upper(),
                                                  "secondary_thumbprint": None}}, "show --json")


@certified()
def many_at_once(hub):
    """a chain that is too long or too large is refused, and the hub goes on"""
    chain = [hub.root]
    for number in range(5):
        chain.append(Authority(hub.folder, f"ca{number}", chain[-1]))
    hub.hub.admin("device", "add", "deep", "--ca")
    deep = chain[-1].issue("deep", "deep", chain=list(reversed(chain[1:])))
    check_equal(hub.come("deep", deep).connack, 5, "six certificates")
    eventually(lambda: "too many certificates" in hub.refusal("deep"), hub.refusal("deep"))
    deep = chain[4].issue("deep", "deep", chain=list(reversed(chain[1:5])))
    check_equal(hub.come("deep", deep).connack, 0, "five certificates")
    huge = hub.root.issue("huge", "deep", san=[f"{number}.{'x' * 60}.example" for number in range(300)])
    try:
        check(False, f"17 KiB of certificate: CONNACK {hub.come('deep', huge, 'mqtts').connack}")
    except (wire.Closed, OSError):
        pass
    check_equal(hub.come("deep", deep).connack, 0, "the next one")


@certified("allowed-origins = https://listed.example\n")
def origins(hub):
    """with a certificate, which a browser shows for any page, only listed origins pass"""
    mine = hub.own("dev1")
    for certificate, origin, status in ((None, "https://localhost", 101), (None, "https://listed.example", 101),
                                        (None, "https://evil.example", 403), (mine.files, None, 101),
                                        (mine.files, "https://localhost", 403), (mine.files, "null", 403),
                                        (mine.files, "https://listed.example", 101)):
        fields = [("Origin", origin)] if origin else []
        check_equal(wire.WebSocket(hub.port, hub.ca, "/$iothub/websocket", protocol="mqtt", headers=fields,
                                   certificate=certificate).status, status, f"{origin} with {certificate}")


if __name__ == "__main__":
    main(matrix, tokens, streams, changes, revoked, ends_with_it, off, origins, many_at_once)
