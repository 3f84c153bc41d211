# SPDX-License-Identifier: LGPL-2.1-or-later
"""The metrics of streamhub and streamd: as a strict reader takes them, at all their doors, and in a real Prometheus with the
files of examples/monitoring, where they say what `status` says."""
import base64
import contextlib
import json
import os
import re
import socket
import ssl
import time

import wire
from ends import Server, connect, reset
from harness import LONG, SANITIZED, Site, check, check_equal, eventually, main, run
from hub_wire import CAPABLE, Wire, with_hub
from metrics_site import (EXAMPLES, TOKEN, Exporter, Prometheus, fetch, free_port, samples, settings, token_file, total,
                          write_numbers)

BEARER = [("Authorization", "Bearer " + TOKEN)]
PATIENT = "penalty = 600\npenalty-max = 600\n"  # so that what is in force stays so while it is looked at


def status(hub):
    return json.loads(hub.admin("status", "--json"))


# -- the text ----------------------------------------------------------------------------------


def text_is_strict():
    """a strict reader takes all of it, the doors of the hub give the same families, and nobody's name is in it"""
    with Site(hub_arguments=[]) as site, contextlib.closing(Server(lambda c: c.sendall(b"x"), site)) as server:
        site.expose("canary-stream", server.address)
        with connect(site.client.tunnel(site.DEVICE, "canary-stream")) as near:
            check_equal(near.recv(1), b"x", "a byte")
            hub, gateway, client = (site.hub.admin("metrics"), site.gateway.ctl_ok("metrics"), site.client.ctl_ok("metrics"))
        for text in (hub, gateway, client):
            check(text.endswith("\n# EOF\n"), "the end")
            check(len(samples(text)) > 50, "samples")
            for name in ("canary", site.DEVICE, "office", "localhost", '"service"'):
                check(name not in re.sub(r'(role|from)="service"', "", text), f"{name} is in it")
        check_equal(total(samples(hub), "streamhub_streams", state="open"), 1, "the stream")
        check_equal(total(samples(client), "streamd_streams", role="service", state="open"), 1, "at the client")
        print(f"# {len(hub)} bytes of the hub, {len(gateway)} of streamd")


# -- the listener of its own -------------------------------------------------------------------


@contextlib.contextmanager
def scraper(hub):
    http = wire.Http(hub.hub.metrics_port, hub.ca)
    try:
        yield http
    finally:
        http.close()


def ask(hub, method="GET", path="/metrics", fields=(), body=True):
    with scraper(hub) as http:
        http.send(method, path, fields)
        return http.read(body=body)


@with_hub()
def port_is_closed_to_others(hub):
    """off by default; with the setting, /metrics for the token over TLS, and nothing else of the hub"""
    check_equal(hub.hub.metrics_port, None, "there is none by default")
    hub.restart(settings(hub.site))
    check_equal(status(hub.hub)["metrics_listener"], f"127.0.0.1:{hub.hub.metrics_port}", "status says where")
    answer = ask(hub, fields=BEARER)
    check_equal((answer.status, answer.get("content-type")),
                (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"), "the answer")
    names = {name for name, _ in samples(answer.body.decode())}
    check_equal(names, {name for name, _ in samples(hub.hub.admin("metrics"))}, "the same as the verb gives")
    wrong = [[], [("Authorization", "")], [("Authorization", "Bearer ")], [("Authorization", "Bearer " + TOKEN[:-1])],
             [("Authorization", "Bearer " + TOKEN + "0")], [("Authorization", "Bearer " + TOKEN.upper())], [("Authorization", TOKEN)],
             [("Authorization", "Basic " + TOKEN)], [("Authorization", hub.service_token())]]
    for fields in wrong:
        answer = ask(hub, fields=fields)
        check_equal((answer.status, answer.get("www-authenticate"), answer.get("connection"), answer.body),
                    (401, "Bearer", "close", b""), str(fields))
    for method, path, wanted in (("POST", "/metrics", 405), ("HEAD", "/metrics", 405), ("PUT", "/metrics", 405),
                                 ("GET", "/", 404), ("GET", "/metrics/x", 404), ("GET", "/devices", 404),
                                 ("POST", "/twins/dev1/streams/ssh", 404), ("GET", "/$iothub/websocket", 404)):
        check_equal(ask(hub, method, path, BEARER, body=method != "HEAD").status, wanted, f"{method} {path}")
    check_equal(ask(hub, fields=[*BEARER, ("Origin", "https://localhost")]).status, 403, "a browser")
    http = wire.Http(hub.port, hub.ca)  # and the hub's own port has no such path
    check_equal(http.ask("GET", "/metrics", BEARER).status, 501, "at the devices' port")
    with scraper(hub) as http:  # a Prometheus keeps its connection
        for _ in range(3):
            check_equal(http.ask("GET", "/metrics", BEARER).status, 200, "once more")
    for start in (b"\x10\x10\x00\x04MQTT", b"\x16\x03\x01", b"G" * 20000, b"GET /metrics HTTP/1.1\nHost: x\n\n"):
        with scraper(hub) as http, contextlib.suppress(ConnectionError, ssl.SSLError, wire.Closed):
            http.sock.sendall(start)
            check(http.read().status >= 400, f"{start[:30]!r}")
    with contextlib.suppress(ssl.SSLError, ConnectionError, OSError), \
            contextlib.closing(wire.connect(hub.hub.metrics_port, hub.ca, alpn=["mqtt"])) as sock:
        sock.sendall(b"\x10\x10\x00\x04MQTT")
        check_equal(sock.recv(100), b"", "no MQTT here")
    with socket.create_connection(("127.0.0.1", hub.hub.metrics_port), timeout=30) as plain:
        plain.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            check(b"streamhub" not in plain.recv(65536), "nothing without TLS")
    check(TOKEN not in hub.hub.log(), "the token is in the log")


@with_hub()
def port_is_bounded(hub):
    """clients that say nothing are ended, keep nobody out for long, and take no slot of the devices"""
    hub.restart(settings(hub.site) + "handshake-timeout = 1\nrequest-timeout = 1\nkeep-alive-timeout = 1\n")
    silent, ends = [], 0
    with contextlib.ExitStack() as stack:
        for number in range(100):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", hub.hub.metrics_port), timeout=30))
            silent.append(sock)
            if number % 4 == 0:
                with contextlib.suppress(OSError):
                    sock.sendall(b"\x16\x03\x01\x02\x00\x01")
        found = status(hub.hub)
        check_equal((found["connections"], found["unauthenticated_connections"], found["dropped_connections"]), (0, 0, 0),
                    "slots of the devices")
        fds = hub.hub.fds()
        check(fds < 100, f"{fds} descriptors")  # 100 connected; 32 may be there
        eventually(lambda: attempt(hub), "the right one is served meanwhile, or soon")
        for sock in silent:
            with contextlib.suppress(ConnectionError):
                while sock.recv(4096):
                    pass
            ends += 1
    check_equal(ends, 100, "all were ended")
    with scraper(hub) as slow:  # a head that never ends, a byte at a time; and an idle one
        with contextlib.suppress(OSError):
            for byte in b"GET /metrics HTTP/1.1\r\n" * 8:
                slow.sock.sendall(bytes([byte]))
                time.sleep(0.02)
            check_equal(slow.sock.recv(1), b"", "it was ended")
    slow_body(hub, hub.hub.metrics_port)
    with scraper(hub) as idle:
        check_equal(idle.ask("GET", "/metrics", BEARER).status, 200, "once")
        check_equal(idle.sock.recv(1), b"", "then it was idle")
    check_equal(ask(hub, fields=BEARER).status, 200, "afterwards")


@with_hub()
def port_counts_refusals(hub):
    """wrong tokens get one line and then a count, have penalties, and slow down who guesses here, not the devices there"""
    hub.restart(settings(hub.site) + PATIENT)
    wrong = [("Authorization", "Bearer " + "w" * 40)]
    check_equal([ask(hub, fields=fields).status for fields in (wrong, wrong, [], [])], [401, 429, 401, 429], "again and again")
    answer = ask(hub, fields=wrong)
    check(answer.status == 429 and 590 <= int(answer.get("retry-after")) <= 600, f"{answer.headers}")
    check_equal((ask(hub, fields=BEARER).status, ask(hub, path="/x").status, ask(hub, path="/x").status), (200, 404, 404), "others")
    log = hub.hub.log()
    for why in ("wrong token for the metrics", "no token for the metrics", "no such path"):
        check_equal(len(re.findall(why, log)), 1, f"lines of: {why}")
    check("metrics-token-file" in log, "the cure")
    hub.restart(settings(hub.site) + PATIENT + "guessing-per-second = 1\nconnections-per-second = 500\nconnections-burst = 1000\n")
    seen = [guess(hub, number) for number in range(40)]
    check(None in seen[:30] and seen[:10] == [401] * 10, f"who guesses is slowed down: {seen}")
    check_equal(status(hub.hub)["penalties"], 0, "penalties of the devices")
    for _ in range(5):
        http = wire.Http(hub.port, hub.ca)
        check_equal(http.ask("GET", "/metrics", BEARER).status, 501, "at the devices' port")
        http.close()
    eventually(lambda: attempt(hub), "the right token")


def guess(hub, number):
    """The status; None: not even a handshake."""
    try:
        return ask(hub, fields=[("Authorization", f"Bearer {number:040}")]).status
    except (OSError, wire.Closed):
        return None


@with_hub()
def port_moves_in_place(hub):
    """a reload to an address that overlaps the former one, both ways, and back when it fails; scrapes beside it go on"""
    hub.restart(settings(hub.site))
    port = hub.hub.metrics_port
    with scraper(hub) as kept:
        for address in ("0.0.0.0", "127.0.0.1", "0.0.0.0"):
            check_equal(kept.ask("GET", "/metrics", BEARER).status, 200, f"before {address}")
            code, said = reload(hub, settings(hub.site, f"{address}:{port}"))
            check_equal((code, status(hub.hub)["metrics_listener"]), (0, f"{address}:{port}"), said)
            eventually(lambda: attempt(hub), "it is served")
            kept.close()
            kept.__init__(port, hub.ca)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for other in (f"0.0.0.0:{taken.getsockname()[1]}", f"127.0.0.2:{port}\nstreams-max = none"):
            check(reload(hub, settings(hub.site, other))[0] != 0, f"{other}")
            check_equal((status(hub.hub)["metrics_listener"], attempt(hub)), (f"0.0.0.0:{port}", True), "as before")
    with contextlib.closing(socket.socket()) as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            thief.bind(("127.0.0.1", port))
            thief.listen()
            check(False, "another program listens in its place")
        except OSError:
            pass


def slow_body(hub, port, target="GET /metrics"):
    """Of a route that wants none: what has come of it does not keep the connection."""
    with contextlib.closing(wire.Http(port, hub.ca)) as http, contextlib.suppress(ConnectionError, ssl.SSLError):
        http.sock.sendall(f"{target} HTTP/1.1\r\nHost: x\r\nContent-Length: 200001\r\n\r\n".encode() + b"x" * 200000)
        http.sock.settimeout(15)
        check_equal(http.sock.recv(1), b"", "it was ended")


def attempt(hub):
    try:
        return ask(hub, fields=BEARER).status == 200
    except (OSError, wire.Closed):
        return False


def reload(hub, config):
    """(exit code, what it says) of a reload with CONFIG."""
    with open(os.path.join(hub.site.dir, "hub.conf"), "w", encoding="ascii") as file:
        file.write(config + "device-return-time = 0\n")
    done = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "reload"])
    return done.returncode, done.stderr


@with_hub()
def port_follows_a_reload(hub):
    """a reload opens it, moves it, takes a new token and closes it; what is not fit is refused as a whole"""
    config = settings(hub.site)
    hub.restart("[hub]\n")
    check_equal(reload(hub, config)[0], 0, "reload")
    hub.hub.metrics_port = port = int(status(hub.hub)["metrics_listener"].rsplit(":", 1)[1])
    check_equal(ask(hub, fields=BEARER).status, 200, "it is there")
    with scraper(hub) as kept:
        check_equal(kept.ask("GET", "/metrics", BEARER).status, 200, "before")
        path = token_file(hub.site, "f" * 40)
        check_equal(reload(hub, config)[0], 0, "a new token")
        check_equal(kept.ask("GET", "/metrics", BEARER).status, 401, "the old one")
    check_equal(ask(hub, fields=[("Authorization", "Bearer " + "f" * 40)]).status, 200, "the new one")
    check_equal(status(hub.hub)["metrics_listener"], f"127.0.0.1:{port}", "the same port")
    for break_it, why in ((lambda: os.chmod(path, 0o640), "metrics-token-file"), (lambda: token_file(hub.site, "short"), "at least 16"),
                          (lambda: token_file(hub.site, "two words, " * 4), "visible"), (lambda: os.unlink(path), "No such file")):
        break_it()
        code, said = reload(hub, config)
        check(code != 0 and why in said, f"{why}: {code} {said}")
        check_equal(ask(hub, fields=[("Authorization", "Bearer " + "f" * 40)]).status, 200, "the old one stays")
    token_file(hub.site)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = reload(hub, settings(hub.site, f"127.0.0.1:{taken.getsockname()[1]}"))
        check(code != 0 and "metrics-listen" in said and "in use" in said, said)
    for bad in ("localhost:1", "127.0.0.1", "[::1]", "::1:80", "127.0.0.1:65536"):
        code, said = reload(hub, settings(hub.site, bad))
        check(code != 0 and "metrics-listen wants" in said, f"{bad}: {said}")
    code, said = reload(hub, "[hub]\nmetrics-listen = 127.0.0.1:0\n")
    check(code != 0 and "needs metrics-token-file" in said, said)
    check_equal(ask(hub, fields=[("Authorization", "Bearer " + "f" * 40)]).status, 200, "after all of them")
    check_equal(reload(hub, settings(hub.site, "[::1]:0"))[0], 0, "another address")
    check(status(hub.hub)["metrics_listener"].startswith("[::1]:"), "it has moved")
    check(not attempt(hub), "and is not at the old one")
    check_equal(reload(hub, "[hub]\n")[0], 0, "off")
    check("metrics_listener" not in status(hub.hub), "it is off")


@with_hub()
def a_scrape_is_cheap(hub):
    """a scrape costs the same, little, however many devices there are; STREAMD_LONG=1: 8,000 of them"""
    hub.restart(settings(hub.site) + "connections-per-second = 1000000\nconnections-burst = 1000000\nunauthenticated-per-source = 65536\n"
                "unauthenticated-max = 65536\n")
    devices = 8000 if LONG else 200
    rows = os.path.join(hub.site.dir, "devices.jsonl")
    keys = {f"d{number}": base64.b64encode(os.urandom(32)).decode() for number in range(devices)}
    with open(rows, "w", encoding="ascii") as file:
        file.writelines(json.dumps({"id": name, "keys": {"primary": key, "secondary": key}}) + "\n" for name, key in keys.items())
    few = cost(hub)
    hub.hub.admin("device", "import", rows)
    for name, key in keys.items():
        hub.open.callback(wire.Device(hub.port, hub.ca, name, key).close)
    check_equal(status(hub.hub)["connected_devices"], devices, "devices")
    many = cost(hub)
    print(f"# {many[0]:.2f} ms and {many[1]} bytes with {devices} devices, {few[0]:.2f} ms and {few[1]} without")
    check(many[1] - few[1] < 500 and many[1] < 32768, f"bytes: {few} {many}")
    check(many[0] < (50 if SANITIZED else 5), f"ms of the processor: {few} {many}")


def cost(hub, times=100):
    """(ms of the hub's processor time, bytes) of one scrape."""
    def used():
        total_ns = 0
        for task in os.listdir(f"/proc/{hub.hub.pid}/task"):
            with open(f"/proc/{hub.hub.pid}/task/{task}/schedstat", encoding="ascii") as file:
                total_ns += int(file.read().split()[0])
        return total_ns

    with scraper(hub) as http:
        size = len(http.ask("GET", "/metrics", BEARER).body)
        before = used()
        for _ in range(times):
            check_equal(http.ask("GET", "/metrics", BEARER).status, 200, "a scrape")
        return (used() - before) / times / 1e6, size


# -- a real Prometheus ---------------------------------------------------------------------------


def said_by_status(found):
    """What the hub's status says, under the names of the metrics."""
    same = {("streamhub_slots_used", "of", "connections"): found["connections"],
            ("streamhub_slots_used", "of", "unauthenticated"): found["unauthenticated_connections"],
            ("streamhub_slots_used", "of", "streams"): found["streams"],
            ("streamhub_slots_max", "of", "connections"): found["limits"]["connections"],
            ("streamhub_slots_max", "of", "unauthenticated"): found["limits"]["unauthenticated_connections"],
            ("streamhub_slots_max", "of", "streams"): found["limits"]["streams"],
            ("streamhub_devices_connected",): found["connected_devices"],
            ("streamhub_devices_cloned",): found["cloned_devices"],
            ("streamhub_streams_begun_total",): found["streams_total"],
            ("streamhub_answers_ignored_total",): found["ignored_answers"],
            ("streamhub_stream_bytes_total", "from", "device"): found["bytes"]["from_devices"],
            ("streamhub_stream_bytes_total", "from", "service"): found["bytes"]["from_services"],
            ("streamhub_tls_failures_total",): found["tls_failures"],
            ("streamhub_connections_total", "result", "dropped"): found["dropped_connections"],
            ("streamhub_penalties",): found["penalties"],
            ("streamhub_draining",): int(found["draining"]),
            ("streamhub_read_only",): int(found["read_only"]),
            ("streamhub_queue_length", "queue", "records"): found["waiting_records"],
            ("streamhub_records_lost_total",): found["lost_records"],
            ("streamhub_certificate_days",): found["certificate_days_left"]}
    same.update({("streamhub_openings_total", "result", result): count for result, count in found["openings"].items()})
    same.update({("streamhub_resumptions_total", "result", result): count for result, count in found["resumptions"].items()})
    same.update({("streamhub_streams", "state", state): count for state, count in found["streams_by_state"].items()})
    ended = {row["reason"]: row["count"] for row in found["streams_ended"]}
    same.update({("streamhub_streams_ended_total", "reason", reason): count for reason, count in ended.items()})
    same[("streamhub_streams_ended_total",)] = sum(ended.values())
    return same


def refused(found, who):
    return sum(total(found, "streamhub_credentials_total", **{"from": who, "result": result})
               for result in ("denied", "forbidden", "too-soon"))


def check_hub(site, prometheus):
    """Prometheus has what the status says before and after; both."""
    def look():
        before, seen, after = status(site.hub), prometheus.look(), status(site.hub)
        return (after, seen) if {**before, "descriptors": 0} == {**after, "descriptors": 0} else None

    after, seen = eventually(look, "the hub is at rest")
    wanted = said_by_status(after)
    got = {key: total(seen, key[0], **({key[1]: key[2]} if len(key) > 1 else {})) for key in wanted}
    check_equal(got, wanted, "Prometheus and status")
    check_equal({who: refused(seen, who) for who in after["refused_credentials"]}, after["refused_credentials"], "credentials")
    return after, seen


def check_streamd(daemon, seen):
    """And of streamd, by what node_exporter has of its timer's file."""
    found = daemon.ctl_json("status")
    hubs = found["hubs"]
    for role in ("device", "service"):
        for state in ("connected", "connecting", "disconnected", "refused"):
            check_equal(total(seen, "streamd_hubs", role=role, state=state),
                        sum(hub["role"] == role and hub["state"] == state for hub in hubs), f"hubs {role} {state}")
    same = {"streamd_hub_reconnects_total": sum(hub["reconnects"] for hub in hubs),
            "streamd_streams": found["manager"]["streams"], "streamd_tunnels": found["manager"]["tunnels"],
            "streamd_targets": found["manager"]["targets"], "streamd_requests": found["manager"]["requests"],
            "streamd_streams_opened_total": sum(hub["streams_opened"] for hub in hubs),
            "streamd_process_start_time_seconds": found["manager"]["started_at"] / 1e6}
    check_equal({name: total(seen, name) for name in same}, same, "Prometheus and streamctl status")
    bytes_of = {way: total(seen, "streamd_stream_bytes_total", direction=way) for way in ("in", "out")}
    check_equal(bytes_of, {way: sum(hub["bytes_" + way] for hub in hubs) for way in ("in", "out")}, "bytes")
    ended = total(seen, "streamd_streams_ended_total")
    check_equal(total(seen, "streamd_streams_begun_total"), ended + found["manager"]["streams"], "begun is ended and running")
    check_equal(sum(hub["streams_rejected"] for hub in hubs),
                ended + found["manager"]["streams"] - same["streamd_streams_opened_total"], "not opened")


def trouble(site, hub):
    """Everything that status counts, at least once; what it has to say of it, as far as that is known."""
    for _ in range(3):  # streams that pass bytes and end in order
        with connect(site.client.tunnel(site.DEVICE, "echo")) as near:
            near.sendall(b"12345")
            near.shutdown(socket.SHUT_WR)
            check_equal(near.recv(100, socket.MSG_WAITALL), b"12345", "the echo")
    site.hub.admin("device", "add", "away")
    for device, stream, code in ((site.DEVICE, "nothing", 12), ("away", "ssh", None), ("nobody", "ssh", None)):
        done = site.client.ctl("connect", device, stream)
        check(done.returncode == code if code else done.returncode != 0, f"{device} {stream}: {done}")
    for number in range(4):  # two devices that guess, and a service that has its key wrong once
        key = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
        check(wire.Device(hub.port, hub.ca, f"guess{number % 2}", key).connack != 0, "a wrong key")
    check(hub.post(token=hub.service_token(key="QUFBQUFBQUFBQUFBQUFBQUE=")).read().status in (401, 429), "a wrong token")
    check_equal(hub.post(device="..", token=hub.service_token()).read().status >= 400, True, "no device")
    device = hub.device("by-hand", client_type=CAPABLE)
    leg, _ = hub.opened(device)  # one that is cut
    reset(leg.sock)
    post = hub.post("by-hand")
    device.answer(device.request(), 400, "&$reason=target-refused")
    check_equal(post.read().get("iothub-streaming-is-accepted"), "False", "rejected")
    for _ in range(2):  # TLS that comes to nothing
        with socket.create_connection(("127.0.0.1", hub.port), timeout=30) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                plain.recv(100)
        socket.create_connection(("127.0.0.1", hub.port)).close()
    return device


def full(hub, device, most):
    """Fills the hub's streams with what stays open, and asks for one more."""
    held = []
    for _ in range(most):
        held.append(hub.opened(device))
    for one, other in held:
        one.send(b"abc")
        check_equal(other.message(), b"abc", "a message")
    check_equal(hub.post("by-hand").read().status, 429, "beyond streams-max")
    return held


def fill_slots(stack, port, count):
    for _ in range(count):
        stack.enter_context(contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=30)))


def dashboard_queries():
    with open(os.path.join(EXAMPLES, "dashboard.json"), encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    check(len(panels) >= 30 and len({panel["id"] for panel in panels}) == len(panels), "panels")
    return [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]


def check_dashboard(prometheus, seen):
    """Each query of the dashboard, as Grafana would send it, is about what there is."""
    names, used = {name for name, _ in seen}, set()
    for title, expression in dashboard_queries():
        used |= set(re.findall(r"\bstream(?:hub|d)_[a-z_]+", expression))
        sent = expression.replace("$__rate_interval", "1m").replace("$hub", ".*")
        check("$" not in sent, f"{title}: {sent}")
        got = prometheus.query(sent)
        check(got or "> 0" in sent, f"{title}: nothing for {sent}")
    check(used, "names")
    check_equal(used - names, set(), "names of the dashboard that are not there")
    with open(os.path.join(EXAMPLES, "streamd-rules.yml"), encoding="utf-8") as file:
        alerts = set(re.findall(r"\bstream(?:hub|d)_[a-z_]+", "".join(line for line in file if "expr" in line or "_total" in line or "_bucket" in line or "slots" in line)))
    check_equal(alerts - names, set(), "names of the alerts that are not there")


def prometheus_says_what_status_says():
    """a real Prometheus has what status says, of hub and streamd: refused, rejected, cut, full, and after a restart"""
    most = 3
    port = free_port()
    site = Site(hub_arguments=["--grace", "1"])
    path = os.path.join(site.dir, "metrics.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(settings(site, f"127.0.0.1:{port}") + PATIENT +
                   f"streams-max = {most}\nuser-share = 100\nunauthenticated-max = 12\nhandshake-timeout = 60\ndevice-return-time = 0\n")
    site._wanted = (("--config", path, "--grace", "1"), *site._wanted[1:])  # pylint: disable=protected-access
    folder = os.path.join(site.dir, "textfile")
    os.makedirs(folder)
    with site, contextlib.ExitStack() as held:
        server = Server(lambda c: c.sendall(c.recv(5, socket.MSG_WAITALL)), site)
        site.expose("echo", server.address)
        check_equal(write_numbers(site.gateway, folder).returncode, 0, "the timer's command")
        prometheus = Prometheus(site, port, Exporter(site, folder).port, site.hub.ca)
        hub = Wire(site)
        first, _ = check_hub(site, prometheus)
        check_equal((first["openings"], first["penalties"], first["connected_devices"]),
                    ({"accepted": 0, "rejected": 0, "failed": 0}, 0, 1), "at first")
        device = trouble(site, hub)
        full(hub, device, most)
        fill_slots(held, hub.port, 20)
        eventually(lambda: status(site.hub)["streams_by_state"]["open"] == most and
                   not status(site.hub)["streams_by_state"]["closing"] and not site.client.streams(), "it rests")
        check_equal(write_numbers(site.gateway, folder).returncode, 0, "the timer's command")
        found, seen = check_hub(site, prometheus)
        ended = {row["reason"]: row["count"] for row in found["streams_ended"]}
        check_equal((found["streams"], found["penalties"], found["refused_credentials"], found["connected_devices"]),
                    (most, 2, {"device": 4, "service": 1, "invitation": 0}, 2), "trouble")
        check(ended.get("completed", 0) + ended.get("service-closed", 0) + ended.get("device-closed", 0) == 3
              and ended["target-refused"] == 1 and ended["cut"] == 1 and ended["offline"] == 1, f"ends: {ended}")
        check_equal(found["openings"]["accepted"], 3 + 1 + most, "openings that were accepted")
        check_equal(found["openings"]["rejected"], 2, "that were rejected")
        check(found["tls_failures"] >= 4 and found["dropped_connections"] > 0 and found["unauthenticated_connections"] > 5, found)
        check_equal((found["bytes"]["from_devices"], found["bytes"]["from_services"]), (15 + 3 * most, 15), "bytes")
        check_streamd(site.gateway, seen)
        check_dashboard(prometheus, seen)
        rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        check_equal((len(rules), {rule["health"] for rule in rules}), (10, {"ok"}), "rules that are evaluated")
        print(f"# {len(seen)} series; {len(dashboard_queries())} queries of the dashboard; {len(rules)} alerts")
        restarted(site, prometheus, port, path, folder)


def restarted(site, prometheus, port, config, folder):
    """The hub again: what is counted begins again, and Prometheus sees that."""
    before = status(site.hub)
    ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
    site.hub.stop()
    eventually(lambda: prometheus.query('up{job="streamhub"}')[0][1] == 0, "Prometheus sees that it is down")
    eventually(lambda: [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]
                        if rule["name"] == "StreamhubDown" and rule["state"] != "inactive"], "and its rule")
    site.start_hub(["--config", config, "--grace", "1"], ports)
    check_equal(site.hub.metrics_port, port, "the port")
    site.wait_online(site.DEVICE)
    check_equal(write_numbers(site.gateway, folder).returncode, 0, "the timer's command")
    found, seen = check_hub(site, prometheus)
    check(before["streams_total"] > 0 and found["streams_total"] == 0 and found["penalties"] == 0, f"counters of {found}")
    check_streamd(site.gateway, seen)
    check_equal(total(seen, "streamd_hub_reconnects_total"), 1, "the gateway came back")
    resets = prometheus.query("resets(streamhub_streams_begun_total[10m])")
    check_equal([value for _, value in resets], [1], "Prometheus sees that the counters began again")


# -- what is beside it ---------------------------------------------------------------------------


def examples_are_good():
    """promtool takes the rules, and each alert fires in its case and not on an ordinary day; the unit's command is whole"""
    for arguments in (["check", "rules", "streamd-rules.yml"], ["test", "rules", "streamd-rules-test.yml"]):
        done = run(["promtool", *arguments], cwd=EXAMPLES)
        check_equal(done.returncode, 0, done.stdout + done.stderr)
    with open(os.path.join(EXAMPLES, "streamd-rules.yml"), encoding="utf-8") as file:
        alerts = set(re.findall(r"- alert: (\w+)", file.read()))
    with open(os.path.join(EXAMPLES, "streamd-rules-test.yml"), encoding="utf-8") as file:
        text = file.read()
    quiet = set(re.findall(r"alertname: (\w+), exp_alerts: \[\]", text.split("\n  - name: ")[1]))
    fired = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", text))
    check_equal((quiet, fired), (alerts, alerts), "alerts with a case in which they fire, and an ordinary day")
    for unit in ("streamd-metrics.service", "streamd-metrics.timer"):
        done = run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", os.path.join(EXAMPLES, unit)])
        check("streamd-metrics" not in done.stderr, done.stderr)


def numbers_are_whole():
    """the timer's file appears whole or not at all: without streamd the last one stays, and nothing is left behind"""
    with Site(client=False) as site:
        folder = os.path.join(site.dir, "textfile")
        os.makedirs(folder)
        check_equal(write_numbers(site.gateway, folder).returncode, 0, "with streamd")
        with open(os.path.join(folder, "streamd.prom"), encoding="utf-8") as file:
            text = file.read()
        check(len(samples(text)) > 50, "the file")
        exporter = Exporter(site, folder)
        check("streamd_hubs" in fetch(exporter.url), "node_exporter takes it")
        site.gateway.stop()
        check(write_numbers(site.gateway, folder).returncode != 0, "without streamd")
        check_equal(os.listdir(folder), ["streamd.prom"], "what is there")
        with open(os.path.join(folder, "streamd.prom"), encoding="utf-8") as file:
            check_equal(file.read(), text, "the last one")


if __name__ == "__main__":
    main(text_is_strict, port_is_closed_to_others, port_is_bounded, port_follows_a_reload, port_counts_refusals, port_moves_in_place, a_scrape_is_cheap,
         prometheus_says_what_status_says, examples_are_good, numbers_are_whole)
