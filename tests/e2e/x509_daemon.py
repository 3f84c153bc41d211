# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamd with a certificate instead of a key: files and tokens, what it says when one is not taken, and
renewal under a stream (docs/wire-protocol.md, section 1.7; R18, R19)."""
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import threading
import time

import evil_hub
from devices_x509 import Certificate, write
from ends import Server, connect, read_exactly
from harness import Site, check, check_equal, eventually, main, run, run_ok, write_private
from x509 import Certified

PIN = "canary-pin-7391"


class Gateway:
    """A hub that asks for certificates, a streamd that has one, and a client."""

    def __init__(self, site, settings="penalty = 0\n"):
        self.site = site
        self.wire = Certified(site, settings)
        self.hub = site.hub
        site.gateway = site.start_daemon("gateway")
        site.client = site.start_daemon("client")
        site.client.add_hub("office", self.hub.connection_string("user", "service"), self.hub.ca)

    def string(self, device):
        return f"HostName=localhost:{self.hub.https_port};DeviceId={device};x509=true"

    def add(self, device, certificate, way="wss", key=None, *more):
        """Gives the gateway the identity; its standard error."""
        path = os.path.join(self.site.dir, "string")
        write_private(path, self.string(device) + "\n")
        done = self.site.gateway.ctl(
            "hub", "add", device, "--connection-string-file", path, "--ca", self.hub.ca,
            "--certificate", certificate, "--key", key or certificate.replace(".pem", "-key.pem"),
            "--transport", way, "--mqtt-port", str(self.hub.mqtts_port), *more)
        return done

    def shown(self, device):
        return self.site.gateway.ctl_json("hub", "show", device)

    def error(self, device):
        return self.shown(device)["last_error"]

    def check_state(self, device, state):
        eventually(lambda: self.shown(device)["state"] == state,
                   f"{device} is {state}: {self.shown(device)}")

    def remove(self, device):
        self.site.gateway.ctl_ok("hub", "remove", device)


def with_gateway(settings="penalty = 0\n"):
    def decorate(case):
        def run_case():
            with Site(hub_arguments=["--grace", "1"], gateway=False, client=False) as site:
                case(Gateway(site, settings))

        run_case.__doc__, run_case.__name__ = case.__doc__, case.__name__
        return run_case

    return decorate


def echo_server(site):
    def serve(connection):
        while data := connection.recv(65536):
            connection.sendall(data)

    return Server(serve, site)


def echo(near, size=20000):
    data = os.urandom(size)
    near.sendall(data)
    check(read_exactly(near, size) == data, "other bytes came back")


@with_gateway()
def ways(gateway):
    """a stream of a device with a certificate, by both transports; it is there after a restart"""
    gateway.site.gateway.ctl_ok("offer", "echo", echo_server(gateway.site).address)
    for way in ("wss", "mqtts"):
        mine = gateway.wire.own(f"gw-{way}")
        gateway.hub.admin("device", "add", f"gw-{way}", "--certificate", mine.files[0])
        check_equal(gateway.add(f"gw-{way}", mine.files[0], way).returncode, 0, "hub add")
        gateway.check_state(f"gw-{way}", "connected")
    before = gateway.shown("gw-wss")
    check(abs(before["certificate_expires"] / 1e6 - time.time() - 30 * 86400) < 86400, str(before))
    for again in range(2):
        for way in ("wss", "mqtts"):
            gateway.site.wait_online(f"gw-{way}")
            with connect(gateway.site.client.tunnel(f"gw-{way}", "echo")) as near:
                echo(near)
        if again == 0:
            gateway.site.client.close_tunnels()
            check_equal(gateway.site.gateway.stop(), 0, "streamd's exit status")
            gateway.site.gateway = gateway.site.start_daemon("gateway")
    text = gateway.site.gateway.ctl_ok("status")
    check("its certificate expires in 29 days" in text, text)


@with_gateway()
def refused(gateway):
    """each certificate that the hub does not take, by both transports: what streamd and doctor say"""
    root, own = gateway.wire.root, gateway.wire.own
    rows = [
        ("t-other", ["--thumbprint", "0" * 64], own("t-other"),
         "the hub refused the certificate with the SHA-256 {}: it is not known there", "own-certificate"),
        ("t-late", "own", own("t-late", begin=-9, end=-1),
         "the hub refused the certificate: it has expired on 20", "own-certificate-expired"),
        ("t-early", "own", own("t-early", begin=3, end=9),
         "the hub refused the certificate: it is not valid before 20", "own-certificate-expired"),
        ("c-name", ["--ca"], root.issue("c-name", "somebody"), "does not name c-name (CN or SAN)",
         "own-certificate"),
        ("has-keys", [], own("has-keys"), "unknown, disabled or has keys", "own-certificate"),
        ("nobody", None, own("nobody"), "or the device is unknown", "own-certificate"),
    ]
    for device, how, certificate, text, cause in rows:
        if how is not None:
            gateway.hub.admin("device", "add", device,
                              *(["--certificate", certificate.files[0]] if how == "own" else how))
        text = text.format(certificate.thumbprint().upper())
        for way in ("wss", "mqtts"):
            check_equal(gateway.add(device, certificate.files[0], way).returncode, 0, "hub add")
            gateway.check_state(device, "refused")
            check(text in gateway.error(device), f"{device}: {gateway.error(device)}")
            if way == "wss":
                told = gateway.site.gateway.ctl("doctor", "--hub", device, "--json").stdout
                check(f'"{cause}"' in told, told)
            gateway.remove(device)


@with_gateway()
def not_asked(gateway):
    """a hub that asks for no certificate: streamd says so, also after it has asked once"""
    mine = gateway.wire.own("gw")
    gateway.hub.admin("device", "add", "gw", "--certificate", mine.files[0])
    ports = (str(gateway.hub.https_port), str(gateway.hub.mqtts_port))
    gateway.add("gw", mine.files[0])
    gateway.check_state("gw", "connected")
    check_equal(gateway.hub.stop(), 0, "the hub's exit status")
    gateway.hub = gateway.site.start_hub(["--grace", "1"], ports)
    eventually(lambda: "the hub asked for no certificate" in gateway.error("gw"), "the text")
    told = gateway.site.gateway.ctl("doctor").stdout
    check("Switch client-certificates on" in told, told)


@with_gateway()
def alerts(gateway):
    """a hub that refuses in TLS, after the handshake is over here: the alert is told, not a cut"""
    strange = gateway.wire.stranger
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        state = gateway.hub.state_dir
        context.load_cert_chain(os.path.join(state, "server.pem"), os.path.join(state, "server-key.pem"))
        context.load_verify_locations(strange.file)
        context.verify_mode = ssl.CERT_REQUIRED
        context.minimum_version = context.maximum_version = version

        def serve(plain, context=context):
            tls = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            try:
                with contextlib.suppress(ssl.SSLError):
                    tls.do_handshake()
                tls.shutdown(socket.SHUT_WR)
                with contextlib.suppress(OSError):
                    while os.read(tls.fileno(), 4096):  # or what is unread makes it a reset
                        pass
            finally:
                tls.close()

        server = Server(serve, gateway.site)
        mine = gateway.wire.own("gw")
        path = os.path.join(gateway.site.dir, "string")
        for way in ("wss", "mqtts"):
            write_private(path, f"HostName=localhost:{server.port};DeviceId=gw;x509=true\n")
            gateway.site.gateway.ctl_ok(
                "hub", "add", "gw", "--connection-string-file", path, "--ca", gateway.hub.ca,
                "--certificate", mine.files[0], "--key", mine.files[1], "--transport", way,
                "--mqtt-port", str(server.port))
            eventually(lambda: "the hub refused the certificate" in gateway.error("gw") and
                       "alert" in gateway.error("gw"), f"{version} {way}: {gateway.error('gw')}")
            check_equal(gateway.shown("gw")["state"], "refused", "state")
            gateway.remove("gw")


@with_gateway()
def files(gateway):
    """files that cannot be used, and what does not go together: refused with the reason, nothing kept"""
    mine, other = gateway.wire.own("gw"), gateway.wire.own("other")
    certificate, key = mine.files
    copy = os.path.join(gateway.site.dir, "open-key.pem")
    shutil.copy(key, copy)
    os.chmod(copy, 0o640)
    pin = os.path.join(gateway.site.dir, "pin")
    with open(pin, "w", encoding="ascii") as file:
        file.write(PIN)
    rows = [
        ((certificate, other.files[1]), "the key is not that of the certificate"),
        ((certificate, copy), "it holds a key and has mode 0640"),
        ((certificate, key + ".none"), "No such file or directory"),
        ((certificate + ".none", key), "No such file or directory"),
        ((key, key), "holds no certificate in PEM"),
        ((certificate, certificate), "holds a key and has mode" if os.stat(certificate).st_mode & 0o77
         else "the key cannot be read"),
        ((certificate, "pkcs11:token=none;object=x"), "the token does not give the key"),
        ((certificate, f"pkcs11:token=t;object=x?pin-value={PIN}"), "a PIN has no place in the URL"),
        ((certificate, "pkcs11:token=t;object=x?pin-source=/x"), "a PIN has no place in the URL"),
        ((certificate, "pkcs11:" + "x" * 1024), "the URL of the key is too long"),
        ((certificate, key, "--key-pin-file", pin), "a PIN is for a key in a token"),
        ((certificate, "pkcs11:token=t;object=x", "--key-pin-file", pin), "has mode 0"),
    ]
    for (certificate, key, *more), text in rows:
        done = gateway.add("gw", certificate, "wss", key, *more)
        check(done.returncode != 0 and text in done.stderr, f"{text!r}: {done}")
    path = os.path.join(gateway.site.dir, "string")
    for string, more, text in (
            (gateway.string("gw"), [], "needs the files of its certificate and key"),
            (gateway.string("gw"), ["--certificate", mine.files[0]], "go together"),
            (gateway.string("gw").replace("x509=true", "SharedAccessKey=" + 43 * "A" + "="),
             ["--certificate", mine.files[0], "--key", mine.files[1]], "ends with x509=true")):
        write_private(path, string + "\n")
        done = gateway.site.gateway.ctl("hub", "add", "gw", "--connection-string-file", path, *more)
        check(done.returncode != 0 and text in done.stderr, f"{text!r}: {done}")
    check_equal(gateway.site.gateway.ctl_json("hub", "list"), [], "nothing is kept")
    check(PIN not in gateway.site.gateway.log(), "the PIN is in the log")


def renew(gateway, how, folder):
    """One after the other: another certificate, files that cannot be used, a third one."""
    path = (os.path.join(folder, "gw.pem"), os.path.join(folder, "gw-key.pem"))
    makers = [gateway.wire.own("gw") for _ in range(1)]
    for number in range(3):
        makers.append(Certificate(folder, f"new-{number}", ["gw"], end=40 + number))
    gateway.hub.admin("device", "set", "gw", "--certificate", makers[0].files[0])
    for one, name in zip(makers[0].files, path):
        shutil.copy(one, name)
    gateway.add("gw", path[0], "wss", path[1])
    gateway.check_state("gw", "connected")
    gateway.site.wait_online("gw")
    near = connect(gateway.site.client.tunnel("gw", "echo"))
    echo(near)
    for number, new in enumerate(makers[1:]):
        gateway.hub.admin("device", "set", "gw", "--certificate", makers[number].files[0],
                          "--certificate", new.files[0])
        links = gateway.hub.log().count("taken over by a newer connection")
        if number == 1:
            write(path[0], b"no certificate")
            how()
            eventually(lambda: gateway.shown("gw")["certificate_error"], "it says what is wrong")
            check(gateway.shown("gw")["state"] == "connected", "the link goes on")
            echo(near)
        for one, name in zip(new.files, path):
            with open(one, "rb") as file:
                write(name, file.read())
        how()
        eventually(lambda n=number: gateway.shown("gw")["certificate_expires"] / 1e6 >
                   time.time() + (39 + n) * 86400, f"the certificate {number} is used")
        check_equal(gateway.shown("gw")["certificate_error"], "", "nothing is wrong")
        eventually(lambda n=links: gateway.hub.log().count("taken over by a newer connection") > n,
                   "a new link has taken over")
        check_equal(gateway.shown("gw")["state"], "connected", "state")
        echo(near)
        gateway.hub.admin("device", "set", "gw", "--certificate", new.files[0])
        echo(near)
    near.close()


@with_gateway()
def renewed(gateway):
    """certificates renewed three times under a stream, seen at once: a new link, and nothing is cut"""
    gateway.site.gateway.ctl_ok("offer", "echo", echo_server(gateway.site).address)
    gateway.hub.admin("device", "add", "gw")
    folder = os.path.join(gateway.site.dir, "device")
    os.mkdir(folder)
    renew(gateway, lambda: None, folder)


@with_gateway()
def configured(gateway):
    """by the configuration: a mistake is told; expiry ends the link until there is another certificate"""
    site, folder = gateway.site, os.path.join(gateway.site.dir, "device")
    os.mkdir(folder)
    short = Certificate(folder, "gw", ["gw"], end=8 / 86400)
    later = gateway.wire.own("later", "gw")
    gateway.hub.admin("device", "add", "gw", "--certificate", short.files[0], "--certificate",
                      later.files[0])
    secret = os.path.join(folder, "string")
    write_private(secret, gateway.string("gw"))
    path = os.path.join(folder, "streamd.conf")
    good = (f"[hub gw]\nConnectionStringFile={secret}\nCaFile={gateway.hub.ca}\n"
            f"CertificateFile={short.files[0]}\nKeyFile={short.files[1]}\n")
    write(path, good.encode())
    daemon = site.start_daemon("configured", ["--config", path])
    site.gateway.stop()
    site.gateway = daemon
    gateway.check_state("gw", "connected")
    write(path, good.replace("KeyFile=", "KeyFile=x").encode())
    daemon.popen.send_signal(signal.SIGHUP)
    eventually(lambda: "the key is an absolute path" in daemon.log(), "the mistake is told")
    write(path, good.encode())
    eventually(lambda: gateway.shown("gw")["state"] != "connected", "it has expired", patience=30)
    eventually(lambda: "has expired on" in gateway.error("gw"), gateway.error("gw"))
    for one, name in zip(later.files, short.files):
        with open(one, "rb") as file:
            write(name, file.read())
    gateway.check_state("gw", "connected")


def legs():
    """a hub that asks for a certificate everywhere sees it on the control link, and on no leg"""
    seen = {}
    with Site(gateway=False, client=False) as site:
        site.gateway = site.start_daemon("gateway")
        site.gateway.ctl_ok("offer", "echo", echo_server(site).address)
        mine = Certificate(site.dir, "gw", ["gw"])

        def act(connection, head):
            link = "/$iothub/websocket" in head.split("\r\n", maxsplit=1)[0]
            seen["link" if link else "leg"] = connection.getpeercert(binary_form=True)
            if not link:
                return
            connection.sendall(evil_hub.upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
            url = f"wss%3A%2F%2Flocalhost%3A{hub.port}%2Fleg"
            for packet in (evil_hub.CONNACK, evil_hub.SUBACK, evil_hub.publish(
                    f"$iothub/streams/POST/echo/?$rid=1&$url={url}&$auth=t")):
                connection.sendall(evil_hub.frame(packet))
            evil_hub.read_frames(connection)

        hub = evil_hub.EvilHub(site, act)
        hub.context.load_verify_locations(mine.files[0])
        hub.context.verify_mode = ssl.CERT_OPTIONAL
        site.gateway.add_hub("evil", f"HostName=localhost:{hub.port};DeviceId=gw;x509=true", site.hub.ca,
                             "--certificate", mine.files[0], "--key", mine.files[1])
        eventually(lambda: "leg" in seen, "a leg comes")
        check(seen["link"] and seen["leg"] is None, f"the link {seen['link']}, the leg {seen['leg']}")


def softhsm(gateway):
    """A token with a key; (environment, how to make one with a key)."""
    folder = os.path.join(gateway.site.dir, "tokens")
    os.mkdir(folder)
    config = os.path.join(gateway.site.dir, "softhsm2.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f"directories.tokendir = {folder}\nobjectstore.backend = file\n")
    env = dict(os.environ, SOFTHSM2_CONF=config)
    run_ok(["softhsm2-util", "--init-token", "--free", "--label", "gateway", "--so-pin", "12345678",
            "--pin", PIN], env=env)
    return config, env


def token():
    """a key in a token (PKCS #11): its PIN from a file, streams by both transports; a wrong PIN"""
    with Site(hub_arguments=["--grace", "1"], gateway=False, client=False) as site:
        os.environ["SOFTHSM2_CONF"] = os.path.join(site.dir, "softhsm2.conf")
        environment = site.environment
        site.environment = lambda **more: environment(SOFTHSM2_CONF=os.environ["SOFTHSM2_CONF"], **more)
        gateway = Gateway(site)
        _, env = softhsm(gateway)
        mine = gateway.wire.own("gw")
        run_ok(["softhsm2-util", "--import", mine.files[1], "--token", "gateway", "--label", "device",
                "--id", "01", "--pin", PIN], env=env)
        gateway.hub.admin("device", "add", "gw", "--certificate", mine.files[0])
        site.gateway.ctl_ok("offer", "echo", echo_server(site).address)
        url = "pkcs11:token=gateway;object=device;type=private"
        pin = os.path.join(site.dir, "pin")
        for text, says in (("wrong-pin", "the token does not take the PIN"), (None, "the token wants a PIN")):
            write_private(pin, text or "")
            done = gateway.add("gw", mine.files[0], "wss", url,
                               *(["--key-pin-file", pin] if text else []))
            check(done.returncode != 0 and says in done.stderr, f"{says}: {done}")
        write_private(pin, PIN + "\n")
        other = gateway.wire.own("other")
        done = gateway.add("gw", other.files[0], "wss", url, "--key-pin-file", pin)
        check("the key is not that of the certificate" in done.stderr, f"another certificate: {done}")
        for way in ("wss", "mqtts"):
            done = gateway.add("gw", mine.files[0], way, url, "--key-pin-file", pin)
            check_equal(done.returncode, 0, f"hub add: {done.stderr}")
            gateway.check_state("gw", "connected")
            site.wait_online("gw")
            check_equal(gateway.shown("gw")["key_file"], url, "the key's URL")
            with connect(site.client.tunnel("gw", "echo")) as near:
                echo(near)
            site.client.close_tunnels()
            gateway.remove("gw")
        for daemon in (site.gateway, site.hub):
            check(PIN not in daemon.log(), "the PIN is in a log")
        for process in os.listdir("/proc"):
            with contextlib.suppress(OSError), open(f"/proc/{process}/cmdline", "rb") as file:
                check(PIN.encode() not in file.read(), f"the PIN is in the arguments of {process}")


if __name__ == "__main__":
    main(ways, refused, not_asked, alerts, files, legs, renewed, configured, token)
