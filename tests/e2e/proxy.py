# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamd behind real proxies, with and without credentials: everything goes through them, they resolve
the hub's name, and all that they ever see is their own protocol and then TLS."""
import base64
import os
import re

os.environ["STREAMD_TEST_DEBUG"] = "all"  # before the harness makes an environment of it

# pylint: disable=wrong-import-position
from canary import forms, key_of, leaks
from ends import Server, in_threads, read_all
from harness import Site, check, check_equal, eventually, main, write_private
from proxies import CREDENTIALS, HUB_NAME, USER, Forbidding, Hostile, ProxySite, Recorder, Socks, Squid, Tinyproxy, wait_state

TLS_HELLO = b"\x16\x03"


def is_connect(head, port, credentials):
    """Whether HEAD is a CONNECT to that port of the hub, and nothing but what it needs."""
    lines = head.decode("ascii").split("\r\n")
    allowed = {"host", "proxy-connection", "user-agent"}
    if credentials:
        allowed.add("proxy-authorization")
    names = {line.split(":", 1)[0].lower() for line in lines[1:] if line}
    return lines[0] == f"CONNECT {HUB_NAME}:{port} HTTP/1.0" and names <= allowed


def is_socks(data, port, credentials):
    """The length of a SOCKS5 conversation's client side that asks for the hub; None: it is none."""
    methods = data[1]
    at = 2 + methods
    if credentials:
        user, password = CREDENTIALS.split(":", 1)
        wanted = (b"\x01" + bytes([len(user)]) + user.encode() + bytes([len(password)])
                  + password.encode())
        if data[at:at + len(wanted)] != wanted:
            return None
        at += len(wanted)
    wanted = (b"\x05\x01\x00\x03" + bytes([len(HUB_NAME)]) + HUB_NAME.encode()
              + port.to_bytes(2, "big"))
    return at + len(wanted) if data[0] == 5 and data[at:at + len(wanted)] == wanted else None


def check_seen(recorder, ports, credentials):
    """All that the proxy saw of each connection: who is asked for, then TLS."""
    check(recorder.sent, "nothing went through the proxy")
    for sent in recorder.sent:
        data = bytes(sent)
        if not data:
            continue
        if recorder.url.startswith("http"):
            end = data.find(b"\r\n\r\n") + 4
            good = any(is_connect(data[:end], port, credentials) for port in ports)
        else:
            ends = [end for port in ports if (end := is_socks(data, port, credentials))]
            good, end = bool(ends), (ends or [0])[0]
        check(good, f"the proxy was told {data[:200]!r}")
        check(data[end:end + 2] in (TLS_HELLO, b""), f"no TLS follows: {data[end:end + 40]!r}")


def check_no_secret(recorder, secrets):
    """None of the secrets, in any of its forms, is among the bytes that the proxy saw."""
    for sent in recorder.sent:
        text = bytes(sent).lower()
        for name, secret in secrets.items():
            for form in forms(secret):
                check(form[:16].lower().encode() not in text, f"the proxy saw {name}")
        for word in (b"sharedaccess", b"\nauthorization:", b"bearer", b"sig="):
            check(word not in text, f"the proxy saw {word!r}")


def exchange(site, device, text):
    done = site.client.ctl("connect", "--hub", "office", device, "echo", stdin=None, input=text)
    check_equal((done.returncode, done.stdout), (0, text), f"a stream ({done.stderr.strip()})")


def carries(kind, credentials, *gateway_options):
    """A whole site behind a proxy of that kind."""
    with ProxySite(gateway=False, client=False) as site:
        proxy = kind(site, credentials=credentials)
        recorder = Recorder(site, proxy.port, kind.scheme)
        given = f"{USER}:{proxy.password}" if credentials else None
        options = site.through(recorder.url, given)
        secrets = {
            "the device's key": key_of(site.hub.add_device(site.DEVICE)),
            "the policy's key": key_of(site.hub.connection_string("user", "service")),
            "what a stream carries": "canary-" + os.urandom(16).hex(),
        }
        site.gateway, site.client = in_threads(lambda: site.start_daemon("gateway"),
                                               lambda: site.start_daemon("client"))
        site.gateway.add_hub("office", site.hub.connection_string("device", site.DEVICE),
                             site.hub.ca, *options,
                             *(str(site.hub.mqtts_port) if o == "MQTTS" else o
                               for o in gateway_options))
        site.client.add_hub("office", site.hub.connection_string("user", "service"),
                            site.hub.ca, *options)
        site.wait_online(site.DEVICE)
        site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        exchange(site, site.DEVICE, secrets["what a stream carries"])
        check_equal(site.client.ctl_json("hub", "list")[0]["proxy"], recorder.url, "the proxy shown")
        check_seen(recorder, [site.hub.https_port, site.hub.mqtts_port], credentials)
        check_no_secret(recorder, secrets)
        if credentials:
            secrets["the proxy's password"] = proxy.password
            secrets["what is sent for it"] = base64.b64encode(given.encode()).decode()
        for daemon in (site.gateway, site.client):
            check_equal(daemon.stop(), 0, f"{daemon.name} ends in order")
        # The proxies' own logs are their affair.
        found = [f for f in leaks(site.dir, secrets) if not f[0].startswith(kind.__name__.lower())]
        check(not found, f"secrets in logs: {found}")


def tinyproxy():
    """through tinyproxy, without credentials"""
    carries(Tinyproxy, False)


def tinyproxy_credentials():
    """through tinyproxy, with credentials"""
    carries(Tinyproxy, True)


def squid():
    """through squid, without credentials; the control link by mqtts"""
    carries(Squid, False, "--transport", "mqtts", "--mqtt-port", "MQTTS")


def squid_credentials():
    """through squid, with credentials"""
    carries(Squid, True)


def socks():
    """through Dante or microsocks (SOCKS5), without credentials"""
    carries(Socks, False)


def socks_credentials():
    """through Dante or microsocks (SOCKS5), with credentials; the control link by mqtts"""
    carries(Socks, True, "--transport", "mqtts", "--mqtt-port", "MQTTS")


def refused_by(site, proxy, words, credentials=None):
    """Both roles are refused by the proxy, say so, and try again only rarely."""
    name = f"hub-{proxy.port}-{len(site.made)}"
    site.made.append(name)
    options = site.through(f"{proxy.scheme}://127.0.0.1:{proxy.port}", credentials)
    site.client.add_hub(name, site.hub.connection_string("user", "service"), site.hub.ca, *options)
    site.client.add_hub(name + "-d", site.hub.connection_string("device", site.DEVICE), site.hub.ca,
                        *options)
    for hub in (name, name + "-d"):
        said = wait_state(site.client, hub, "disconnected")["last_error"]
        print(f"# {said}")
        for word in [f"127.0.0.1:{proxy.port}", *words]:
            check(word in said, f"no {word!r} in {said!r}")
    done = site.client.ctl("connect", "--hub", name, site.DEVICE, "echo")
    check_equal(done.returncode, 18, f"exit code ({done.stderr.strip()})")
    check("credentials, or ask" in done.stderr, f"no advice in {done.stderr!r}")
    for hub in (name, name + "-d"):
        site.client.ctl_ok("hub", "remove", hub)


def refusals():
    """a proxy that wants credentials, does not take them, or forbids: said, exit code 18"""
    with ProxySite(gateway=False, client=False) as site:
        site.made = []
        site.hub.add_device(site.DEVICE)
        site.client = site.start_daemon("client")
        for kind in (Tinyproxy, Squid, Socks):
            guarded = kind(site, credentials=True)
            refused_by(site, guarded, ["wants credentials, and none are set"])
            refused_by(site, guarded, ["rejects its credentials"], f"{USER}:canary-not-this")
        foreign = Hostile(site, lambda connection, _: connection.sendall(
            b"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n"))
        for credentials in (None, CREDENTIALS):
            refused_by(site, foreign, ["a sign-in by Negotiate or NTLM", "ask for an exception"], credentials)
        for closed in (Tinyproxy(site, allow=False), Squid(site, allow=False), Forbidding(site)):
            refused_by(site, closed, ["allows no connection"])


def reload_moves():
    """the proxy of all hubs is exchanged by a reload: hubs of the configuration and of D-Bus move"""
    with ProxySite(gateway=False, client=False) as site:
        first, second = (Recorder(site, Tinyproxy(site).port) for _ in range(2))
        config = site.secret_file("gateway.conf", f"[network]\nProxy={first.url}\n")
        site.gateway = site.start_daemon("gateway", ["--config", config])
        site.gateway.add_hub("office", site.hub.add_device(site.DEVICE), site.hub.ca)
        site.wait_online(site.DEVICE)
        check(first.sent and not second.sent, "it is not through the first proxy")
        site.secret_file("gateway.conf", f"[network]\nProxy={second.url}\n")
        site.gateway.popen.send_signal(1)
        eventually(lambda: second.sent, "a connection through the second proxy")
        site.wait_online(site.DEVICE)


def environment():
    """a user's instance follows https_proxy; the machine's never does"""
    with Site(gateway=False, client=False) as site:
        recorder = Recorder(site, Tinyproxy(site).port)
        plain = site.environment
        site.environment = lambda **more: {**plain(**more), "https_proxy": recorder.url}
        site.client = site.start_daemon("client")
        site.client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)
        wait_state(site.client, "office", "connected")
        check(recorder.sent, "the environment's proxy was not used")
        site.client.add_hub("direct", site.hub.connection_string("user", "service"), site.hub.ca,
                            "--proxy", "direct")
        before = len(recorder.sent)
        wait_state(site.client, "direct", "connected")
        check_equal(len(recorder.sent), before, "connections with --proxy direct")
        site.client.stop()
        before = len(recorder.sent)
        key = os.path.join(site.dir, "gateway.cs")
        write_private(key, site.hub.add_device(site.DEVICE))
        config = os.path.join(site.dir, "system.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"[hub office]\nConnectionStringFile={key}\nCaFile={site.hub.ca}\n")
        site.gateway = site.start_daemon("system", ["--config", config], system=True)
        site.wait_online(site.DEVICE)
        check_equal(len(recorder.sent), before, "connections of the machine's instance")


if __name__ == "__main__":
    main(tinyproxy, tinyproxy_credentials, squid, squid_credentials, socks, socks_credentials,
         refusals, reload_moves, environment)
