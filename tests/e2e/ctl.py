# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamctl as people and programs use it: every verb that reads prints the documented JSON, tables
are for terminals only where they are coloured or cut, and each verb explains itself."""
import json
import os
import pty
import struct
import subprocess
import fcntl
import termios

from ends import Server, connect, read_all
from harness import Site, check, check_equal, eventually, main

NUMBER, TEXT, FLAG, LIST, OBJECT = int, str, bool, list, dict

# What README.md and streamctl(1) promise: names of members, and what they are.
HUB = {"name": TEXT, "host_name": TEXT, "role": TEXT, "identity": TEXT, "state": TEXT, "since": NUMBER,
       "last_error": TEXT, "source": TEXT}
TARGET = {"name": TEXT, "address": TEXT, "streams": NUMBER, "source": TEXT}
STREAM = {"id": NUMBER, "role": TEXT, "hub": TEXT, "device_id": TEXT, "stream_name": TEXT,
          "initiator": TEXT, "target": TEXT, "owner_uid": NUMBER, "tunnel": NUMBER, "state": TEXT,
          "bytes_in": NUMBER, "bytes_out": NUMBER, "requested_at": NUMBER, "opened_at": NUMBER,
          "closed_at": NUMBER, "close_reason": TEXT, "close_text": TEXT}
TUNNEL = {"id": NUMBER, "hub": TEXT, "device_id": TEXT, "stream_name": TEXT, "listen_address": TEXT,
          "owner_uid": NUMBER, "persistent": FLAG, "shared": FLAG, "streams": NUMBER,
          "accepted": NUMBER, "last_error": TEXT}
MANAGER = {"version": TEXT, "started_at": NUMBER, "hubs": NUMBER, "targets": NUMBER, "streams": NUMBER,
           "tunnels": NUMBER}


def shape(value, wanted, what):
    """The value has at least the members that are wanted, each of its kind."""
    check(isinstance(value, dict), f"{what} is no object: {value!r}")
    for name, kind in wanted.items():
        check(isinstance(value.get(name), kind), f"{what}.{name} is {value.get(name)!r}, not {kind}")
    for name in value:
        check(name == name.lower() and "-" not in name, f"{what}.{name} is not snake case")


def first(daemon, wanted, *arguments):
    """The first of the list that a verb prints, looked at."""
    found = daemon.ctl_json(*arguments)
    check(isinstance(found, list) and found, f"{arguments}: {found!r}")
    for value in found:
        shape(value, wanted, " ".join(arguments))
    return found[0]


def json_of_every_verb():
    """every verb that reads prints the documented JSON"""
    with Site() as site:
        server = Server(lambda c: c.sendall(read_all(c)), site)
        site.expose("echo", server.address)
        port = site.client.tunnel(site.DEVICE, "echo")
        with connect(port) as connection:
            stream = eventually(lambda: site.client.ctl_json("stream", "list"), "a stream")[0]
            look_at_gateway(site.gateway)
            every_list(site, site.gateway)
            every_list(site, site.client)
            look_at_client(site.client, stream["id"])
            connection.sendall(b"x")
        check(server.errors == [], server.errors)


def look_at_gateway(gateway):
    status = gateway.ctl_json("status")
    shape(status, {"manager": OBJECT, "policy": OBJECT, "hubs": LIST, "targets": LIST}, "status")
    shape(status["manager"], MANAGER, "status.manager")
    shape(status["hubs"][0], HUB, "status.hubs")
    shape(status["targets"][0], TARGET, "status.targets")
    first(gateway, HUB, "hub", "list")
    shape(gateway.ctl_json("hub", "show", "office"), HUB, "hub show")
    shape(gateway.ctl_json("hub", "connect", "office"), HUB, "hub connect")
    first(gateway, TARGET, "target", "list")
    shape(gateway.ctl_json("target", "show", "echo"), TARGET, "target show")
    policy = gateway.ctl_json("accept-policy", "list")
    shape(policy, {"rules": LIST}, "accept-policy list")
    shape(policy["rules"][0], {"id": NUMBER, "stream": TEXT, "verdict": TEXT}, "a rule")
    shape(gateway.ctl_json("accept-policy", "test", "echo"), {"verdict": TEXT}, "accept-policy test")
    shape(gateway.ctl_json("log-level"), {"log_level": TEXT}, "log-level")


def every_list(site, daemon):
    """Every verb that lists: an array, or what streamctl(1) says instead."""
    for verb in json.loads(subprocess.check_output([site.streamctl, "--dump-verbs"]))["verbs"]:
        if verb["name"].endswith(" list") and verb["name"] != "device list":  # devices.py: it takes a right
            kind = dict if verb["name"] == "accept-policy list" else list
            check(isinstance(daemon.ctl_json(*verb["name"].split()), kind), verb["name"])


def look_at_client(client, stream):
    first(client, STREAM, "stream", "list")
    shape(client.ctl_json("stream", "show", str(stream)), STREAM, "stream show")
    tunnel = first(client, TUNNEL, "tunnel", "list")
    shape(client.ctl_json("tunnel", "show", str(tunnel["id"])), TUNNEL, "tunnel show")


def shows_for_people():
    """show, connect, disconnect and log-level say what they did"""
    with Site(client=False) as site:
        ctl = site.gateway.ctl_ok
        site.expose("echo", "tcp:127.0.0.1:9")
        shown = ctl("hub", "show", "office")
        for words in ("Name:", "office", "State:", "connected", "gw-1", "ago"):
            check(words in shown, f"no {words!r} in {shown!r}")
        check("tcp:127.0.0.1:9" in ctl("target", "show", "echo"), "target show")
        ctl("hub", "disconnect", "office")
        eventually(lambda: "disconnected" in ctl("hub", "show", "office"), "disconnected")
        check_equal(ctl("hub", "connect", "office"), "office: connected\n", "hub connect")
        ctl("log-level", "debug")
        check_equal(ctl("log-level"), "debug\n", "the level")
        ctl("log-level", "info")
        for verb in (["hub", "show", "none"], ["target", "show", "none"], ["hub", "connect", "none"],
                     ["stream", "show", "99"], ["tunnel", "show", "99"]):
            done = site.gateway.ctl(*verb)
            check_equal(done.returncode, 4, f"{verb}: {done.stderr}")
        check_equal(site.gateway.ctl("log-level", "loud").returncode, 2, "a level that is none")


def users_of_a_hub():
    """hub add --allowed-users keeps the list, and what is no user in it is refused"""
    with Site(gateway=False) as site:
        path = os.path.join(site.dir, "more.cs")
        with open(path, "w", encoding="ascii") as file:
            file.write(site.hub.connection_string("user", "service"))
        add = ["--connection-string-file", path, "--ca", site.hub.ca, "--allowed-users"]
        done = site.client.ctl("hub", "add", "no", *add, "alice,a:b")
        check_equal(done.returncode, 2, done.stderr)
        check('"a:b"' in done.stderr, done.stderr)
        site.client.ctl_ok("hub", "add", "yes", *add, "alice,@ops")
        with open(os.path.join(site.dir, "client-state", "state"), encoding="utf-8") as file:
            check("allowed-users=alice @ops\n" in file.read(), "it is not kept")


def on_terminal(daemon, columns, *arguments, **env):
    """What it writes to a terminal of that width."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(daemon.argv(*arguments), env={**daemon.env, "TERM": "xterm", **env},
                          stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:  # EIO: the last one has closed it
                break
            if not piece:
                break
            shown += piece
    os.close(master)
    check_equal(process.returncode, 0, shown)
    return shown.decode().replace("\r\n", "\n")


def colours_are_for_terminals():
    """colours and cut cells are for terminals, or for whoever asks"""
    with Site(client=False) as site:
        name = "n" * 60
        site.gateway.ctl_ok("target", "add", name, "tcp:127.0.0.1:9")
        plain = site.gateway.ctl_ok("hub", "list")
        check("\033" not in plain, plain)
        check("\033[1mNAME\033[0m" in site.gateway.ctl_ok("hub", "list", "--color=always"), "always")
        check("\033[32mconnected" in on_terminal(site.gateway, 200, "hub", "list"), "on a terminal")
        for env in ({"NO_COLOR": "1"}, {"SYSTEMD_COLORS": "0"}, {"TERM": "dumb"}):
            check("\033" not in on_terminal(site.gateway, 200, "hub", "list", **env), env)
        check("\033" not in on_terminal(site.gateway, 200, "hub", "list", "--color=never"), "never")
        cut = on_terminal(site.gateway, 60, "target", "list", "--color=never")
        check(all(len(line) <= 60 for line in cut.splitlines()) and "…" in cut, cut)
        full = on_terminal(site.gateway, 60, "target", "list", "--full", "--color=never")
        check(name in full and name in site.gateway.ctl_ok("target", "list"), "in full")
        bare = site.gateway.ctl_ok("target", "list", "--no-legend")
        check_equal(len(bare.splitlines()), 1, bare)
        check_equal(site.gateway.ctl_ok("tunnel", "list", "--no-legend"), "", "nothing")
        check_equal(site.gateway.ctl("status", "--color=maybe").returncode, 2, "a colour that is none")


def every_verb_explains_itself():
    """--help of each verb has its form, its options and what they mean"""
    with Site(gateway=False, client=True) as site:
        ctl = site.client.ctl_ok
        dump = json.loads(ctl("help") and subprocess.check_output([site.streamctl, "--dump-verbs"]))
        helps = {row["name"]: row["help"] for row in dump["options"]}
        for verb in dump["verbs"]:
            lines = ctl(*verb["name"].split(), "--help")
            text = " ".join(lines.split())
            check(text.startswith(f"streamctl {verb['name']} {verb['arguments']}"), text)
            check(verb["help"] in text, text)
            check(all(len(line) < 80 for line in lines.split("Options")[0].splitlines()), lines)
            for option in verb["options"]:
                check(f"--{option}" in text and helps[option] in text, f"{option}: {text}")
                check(f"--{option}" in verb["arguments"], f"{verb['name']}: the form is without --{option}")


main(json_of_every_verb, shows_for_people, users_of_a_hub, colours_are_for_terminals,
     every_verb_explains_itself)
