# SPDX-License-Identifier: LGPL-2.1-or-later
"""What streamctl says when it changes something, and when it does not: each verb in words and as JSON; offers that are made
twice and taken back; targets with their rules; files that are no invitation; what other programs call a verb."""
import json
import os
import pty
import re
import subprocess

from ends import Server, connect, read_all
from harness import Site, check, check_equal, eventually, main, write_private

ADDRESS = "tcp:127.0.0.1:9"
CHANGES = ("hub add", "hub connect", "hub disconnect", "hub remove", "hub set", "offer", "withdraw", "target add", "target remove",
           "accept-policy add", "accept-policy insert", "accept-policy move", "accept-policy remove", "accept-policy set-default",
           "tunnel open", "tunnel close", "stream close", "request accept", "request reject", "reload", "log-level")


class Said:
    """Runs verbs in words and with --json, and knows which have been seen in both."""

    def __init__(self, daemon):
        self.daemon, self.seen = daemon, set()

    def __call__(self, name, *words, says=None, json_has=None):
        """SAYS: all of its words; JSON_HAS: members, with their values."""
        if says is not None:
            done = self.daemon.ctl(*name.split(), *words)
            check_equal((done.returncode, done.stderr), (0, ""), f"{name} {words}")
            check(re.fullmatch(says + "\n", done.stdout), f"{name} {words} says {done.stdout!r}, not {says!r}")
            self.seen.add((name, "text"))
        if json_has is not None:
            done = self.daemon.ctl("--json", *name.split(), *words)
            check_equal((done.returncode, done.stderr), (0, ""), f"{name} {words} --json")
            value = json.loads(done.stdout)
            check_equal({key: value.get(key) for key in json_has}, json_has, f"{name} --json")
            self.seen.add((name, "json"))
            return value
        return None


def of_targets_and_rules(said):
    said("target add", "a", ADDRESS, says=f"Added the target a: {ADDRESS}")
    said("target add", "b", ADDRESS, json_has={"target": "b", "address": ADDRESS, "result": "added"})
    said("target remove", "a", says="Removed the target a")
    said("target remove", "b", json_has={"target": "b", "result": "removed", "rules": [], "rules_left": 0})
    said("accept-policy add", "--stream", "x", "--reject", "no", says="Added rule 1[0-9]*")
    rule = str(said("accept-policy add", "--stream", "y", "--reject", "no", json_has={})["id"])
    said("accept-policy insert", "0", "--stream", "v", "--reject", "no", says="Added rule 1[0-9]*")
    other = str(said("accept-policy insert", "0", "--stream", "w", "--reject", "no", json_has={})["id"])
    said("accept-policy move", rule, "0", says=f"Moved rule {rule} to position 0")
    said("accept-policy move", rule, "1", json_has={"rule": int(rule), "position": 1, "result": "moved"})
    said("accept-policy remove", rule, says=f"Removed rule {rule}")
    said("accept-policy remove", other, json_has={"rule": int(other), "result": "removed"})
    said("accept-policy set-default", "reject", "not here", says="Everything else: reject: not here")
    said("accept-policy set-default", "reject", "nor there", json_has={"default_verdict": "reject", "default_reason": "nor there"})
    said("accept-policy set-default", "reject", says="Everything else: reject")
    said("offer", "o", ADDRESS, says=f"Streams named o are accepted, and reach {ADDRESS}")
    said("offer", "p", ADDRESS, json_has={"target": "p", "result": "added"})
    said("withdraw", "o", says="Streams named o are not accepted any more")
    said("withdraw", "p", json_has={"target": "p", "result": "removed"})


def of_the_daemon(said):
    said("reload", says="streamd has read its configuration again")
    said("reload", json_has={"result": "reloaded"})
    said("log-level", "debug", says="The log level is debug")
    said("log-level", "info", json_has={"log_level": "info"})


def of_requests(said, site):
    """Two who ask for each way; whoever waits is let in or turned away."""
    said.daemon.ctl_ok("target", "add", "asked", Server(lambda c: c.sendall(read_all(c)), site).address)
    said.daemon.ctl_ok("accept-policy", "add", "--stream", "asked", "--ask=asked")
    agent = said.daemon.start_ctl("agent", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    check(b"Waiting" in agent.stdout.readline(), "the agent waits")
    for name, word, result in (("request accept", "Let request {} in", "accepted"), ("request reject", "Turned request {} away", "rejected")):
        for form in "text", "json":
            opening = site.client.start_ctl("connect", site.DEVICE, "asked", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            waiting = eventually(lambda: said.daemon.ctl_json("request", "list"), "a request")[0]["id"]
            if form == "text":
                said(name, str(waiting), says=word.format(waiting))
            else:
                said(name, str(waiting), json_has={"request": waiting, "result": result})
            opening.stdin.close()
            opening.wait()
            eventually(lambda: not said.daemon.ctl_json("request", "list"), "it is decided")


def of_the_client(said, site):
    path = os.path.join(site.dir, "owner.cs")
    write_private(path, site.hub.connection_string("user", "iothubowner") + "\n")
    for name in "one", "two":
        said("hub add", name, "--connection-string-file", path, "--ca", site.hub.ca,
             **({"says": f"Added hub {name}: we open streams as the user iothubowner at localhost:\\d+"} if name == "one" else
                {"json_has": {"name": "two"}}))
    said("hub disconnect", "one", says="one: disconnected until 'streamctl hub connect'")
    said("hub disconnect", "two", json_has={"hub": "two", "result": "disconnected"})
    said("hub connect", "one", says="one: connected")
    said("hub connect", "two", json_has={"name": "two", "state": "connected"})
    said("hub remove", "one", says="Removed the hub one")
    said("hub remove", "two", json_has={"hub": "two", "result": "removed"})
    said("tunnel open", site.DEVICE, "echo", "--background", says=r"Listening on tcp:127.0.0.1:\d+\nClose it with: streamctl tunnel close \d+")
    opened = said("tunnel open", site.DEVICE, "echo", "--background", json_has={})
    port = int(opened["listen_address"].rsplit(":", 1)[1])
    for form in "text", "json":
        with connect(port):
            stream = eventually(site.client.streams, "a stream")[0]["id"]
            said("stream close", str(stream), **({"says": f"Ended stream {stream}"} if form == "text" else
                                                 {"json_has": {"stream": stream, "result": "closed"}}))
            eventually(lambda: not site.client.streams(), "it has ended")
    said("tunnel close", str(opened["id"] - 1), says=f"Closed tunnel {opened['id'] - 1}")
    said("tunnel close", str(opened["id"]), json_has={"tunnels": [opened["id"]], "result": "closed"})


def each_verb_says_what_it_did():
    """every verb that changes something says so in words, and with --json as an object"""
    with Site() as site:
        site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        gateway, client = Said(site.gateway), Said(site.client)
        of_targets_and_rules(gateway)
        of_the_daemon(gateway)
        of_requests(gateway, site)
        of_the_client(client, site)
        cells = gateway.seen | client.seen
        wanted = {(name, form) for name in CHANGES for form in ("text", "json")} - {("hub set", "text"), ("hub set", "json")}
        check_equal(wanted - cells, set(), "verbs that were not heard")
        print(f"# {len(cells)} cells: {len(wanted) // 2} verbs, in words and as JSON; hub set is in ca_change")


def rules_of(daemon, target):
    return [rule for rule in daemon.ctl_json("accept-policy", "list")["rules"] if rule.get("target") == target]


def targets_of(daemon):
    return {target["name"] for target in daemon.ctl_json("target", "list")}


def offers_and_withdrawals():
    """an offer that is made again changes nothing, another one adds what is missing; withdraw takes back what offers have made"""
    with Site(client=False) as site:
        ctl, ok = site.gateway.ctl, site.gateway.ctl_ok
        ok("offer", "ssh", ADDRESS)
        check("already" in ok("offer", "ssh", ADDRESS), "it says that nothing was changed")
        check_equal(site.gateway.ctl_json("offer", "ssh", ADDRESS)["result"], "unchanged", "as JSON")
        check_equal(len(rules_of(site.gateway, "ssh")), 1, "one rule")
        ok("offer", "ssh", ADDRESS, "--hub", "office")
        ok("offer", "ssh", ADDRESS, "--hub", "office")
        check_equal(len(rules_of(site.gateway, "ssh")), 2, "one for each condition")
        done = ctl("offer", "ssh", "tcp:127.0.0.1:10")
        check_equal(done.returncode, 6, f"another address: {done.stderr}")
        ok("accept-policy", "add", "--stream", "ssh", "--accept", "ssh", "--max-streams", "1")
        check_equal(site.gateway.ctl_json("offer", "ssh", ADDRESS)["result"], "unchanged", "a rule with a limit is another")
        ok("withdraw", "ssh")
        check_equal((rules_of(site.gateway, "ssh"), targets_of(site.gateway)), ([], set()), "after withdraw")
        check_equal(ctl("withdraw", "ssh").returncode, 4, "twice")
        ok("accept-policy", "add", "--stream", "web", "--accept", "web", "--max-streams", "1")
        ok("offer", "web", ADDRESS)
        check_equal(len(rules_of(site.gateway, "web")), 2, "a rule with a limit is no offer")
        ok("accept-policy", "add", "--stream", "other", "--accept", "web")
        check("stays: 1 other rule" in ok("withdraw", "web"), "another rule leads there")
        check_equal((len(rules_of(site.gateway, "web")), targets_of(site.gateway)), (1, {"web"}), "what stays")
        ok("target", "remove", "web")
        check("stays" not in ok("accept-policy", "list"), "the list")
        check_equal(ctl("withdraw", "web").returncode, 4, "a rule alone that is no offer")


def on_a_terminal(daemon, answer, *words):
    """What it writes, when ANSWER is typed."""
    master, slave = pty.openpty()
    with subprocess.Popen(daemon.argv(*words), env={**daemon.env, "TERM": "xterm"}, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        os.write(master, answer)
        shown = b""
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError:
            pass
    os.close(master)
    check_equal(process.returncode, 0, shown)
    return shown.decode().replace("\r", "")


def targets_and_their_rules():
    """target remove takes the rules along when asked to, and asks on a terminal only; what is tested after it is never accepted"""
    with Site(client=False) as site:
        gateway, ok = site.gateway, site.gateway.ctl_ok

        def make():
            ok("target", "add", "t", ADDRESS)
            for stream in "x", "y":
                ok("accept-policy", "add", "--stream", stream, "--accept", "t")

        def forget():
            for rule in rules_of(gateway, "t"):
                ok("accept-policy", "remove", str(rule["id"]))

        cells = {"--rules": 0, "--json --rules": 0, "": 2, "--json": 2}
        for words, left in cells.items():
            make()
            tested = gateway.ctl_json("accept-policy", "test", "x")
            check_equal(tested["verdict"], "accept", "while it is there")
            said = ok("target", "remove", "t", *words.split())
            check_equal((len(rules_of(gateway, "t")), targets_of(gateway)), (left, set()), words)
            if "--json" in words:
                check_equal((len(json.loads(said)["rules"]), json.loads(said)["rules_left"]), (2 - left, left), words)
            else:
                check(("2 rules still name it" if left else "and 2 rules") in said, said)
            tested = gateway.ctl_json("accept-policy", "test", "x")
            check_equal(tested["verdict"], "reject", f"{words}: the target is gone")
            if left:
                check_equal((tested["details"]["target"], tested["details"]["reason"]), ("t", "there is no target 't'"), words)
                check("reject: there is no target 't'" in ok("accept-policy", "test", "x"), "in words")
            forget()
        for answer, left in ((b"y\n", 0), (b"n\n", 2), (b"what\nn\n", 2), (b"\x04", 2)):
            make()
            shown = on_a_terminal(gateway, answer, "target", "remove", "t")
            check("2 rules lead to the target t. Remove them, too?" in shown, shown)
            check_equal((len(rules_of(gateway, "t")), targets_of(gateway)), (left, set()), f"{answer} on a terminal")
            forget()
        make()
        forget()
        check_equal(on_a_terminal(gateway, b"", "target", "remove", "t"), "Removed the target t\n", "without rules nothing is asked")


def hubs_that_cannot_be_reached():
    """hub connect that fails is not exit 0, and says why"""
    with Site(client=False) as site:
        gateway = site.gateway
        check_equal(gateway.ctl("hub", "connect", "office").returncode, 0, "while it is there")
        site.hub.stop()
        eventually(lambda: gateway.ctl_json("hub", "show", "office")["state"] != "connected", "it is noticed")
        for form in [], ["--json"]:
            done = gateway.ctl("hub", "connect", "office", *form)
            check_equal((done.returncode, done.stdout), (14, ""), done.stderr)
            check("not connected, and streamd goes on trying: " in done.stderr, done.stderr)


def hubs_that_one_works_through():
    """hub remove wants --force while a stream that came in through the hub is open, whoever opened it"""
    with Site() as site:
        site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        with connect(port):
            eventually(site.gateway.streams, "a stream")
            for form in [], ["--json"]:
                done = site.gateway.ctl("hub", "remove", "office", *form)
                check_equal((done.returncode, done.stdout), (1, ""), done.stderr)
                check("1 stream that came in through this hub is open" in done.stderr, done.stderr)
            check_equal(site.gateway.ctl_json("hub", "show", "office")["state"], "connected", "it is left as it is")
            check_equal(site.gateway.ctl_ok("hub", "remove", "office", "--force"), "Removed the hub office\n", "--force")
        check_equal(site.gateway.ctl_json("hub", "list"), [], "it is gone")
        site.client.ctl_ok("hub", "remove", "office")
        check_equal(site.client.ctl("hub", "remove", "office").returncode, 4, "one that is not there")


def versions():
    """version names both programs, and starts none"""
    with Site(client=False) as site:
        version = subprocess.check_output([site.streamctl, "--version"], text=True).split()[1]
        check_equal(site.gateway.ctl_ok("version"), f"streamctl {version}, streamd {version}\n", "in words")
        check_equal(site.gateway.ctl_json("version"), {"streamctl": version, "streamd": version}, "as JSON")
        nowhere = {**site.gateway.env, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
        for form, said in ([], f"streamctl {version}; streamd is not running\n"), (["--json"], {"streamctl": version, "streamd": ""}):
            done = subprocess.run([site.streamctl, "version", *form], env=nowhere, capture_output=True, text=True, check=True)
            check_equal(json.loads(done.stdout) if form else done.stdout, said, "no bus")


def tunnels_at_once():
    """tunnel close --all closes one's own, none as well; a bare port is one to listen on"""
    with Site() as site:
        client = site.client
        check_equal(client.ctl_ok("tunnel", "close", "--all"), "Closed 0 tunnels\n", "none")
        first = client.tunnel(site.DEVICE, "echo")
        client.ctl_ok("tunnel", "close", "--all")
        check_equal(client.tunnel(site.DEVICE, "echo", "--listen", str(first)), first, "a bare port")
        client.tunnel(site.DEVICE, "echo")
        ids = [tunnel["id"] for tunnel in client.ctl_json("tunnel", "list")]
        check_equal(sorted(client.ctl_json("tunnel", "close", "--all")["tunnels"]), sorted(ids), "both")
        check_equal(client.ctl_json("tunnel", "list"), [], "after it")
        for words in [], ["1", "--all"]:
            done = client.ctl("tunnel", "close", *words)
            check_equal(done.returncode, 2, done.stderr)
            check("give the ID of a tunnel, or --all" in done.stderr, done.stderr)


def other_files():
    """a file that is no invitation is named for what it is, from a file and from standard input, and nothing of it is shown"""
    with Site(gateway=False) as site:
        files = {os.path.join(site.hub.state_dir, "server.pem"): "a certificate in PEM",
                 os.path.join(site.hub.state_dir, "server-key.pem"): "a private key in PEM"}
        for name, text, what in (("json", '{"id": 1}', "JSON"), ("conf", "[hub]\nName=x\n", "a configuration file"),
                                 ("page", "<html>SECRET", "a page of the web, or XML")):
            path = os.path.join(site.dir, name)
            write_private(path, text)
            files[path] = what
        for path, what in files.items():
            with open(path, "rb") as file:
                for done in (site.client.ctl("hub", "add", "new", path), site.client.ctl("hub", "add", "new", "--connection-string-file", path),
                             site.client.ctl("hub", "add", "new", "-", stdin=file)):
                    check_equal((done.returncode, done.stdout), (2, ""), path)
                    check(f"what was given is {what}, not an invitation or a connection string" in done.stderr, done.stderr)
                    check("SECRET" not in done.stderr, done.stderr)


def other_names():
    """what other programs call a verb is answered with its name here"""
    with Site(gateway=False) as site:
        verbs = {verb["name"] for verb in json.loads(subprocess.check_output([site.streamctl, "--dump-verbs"]))["verbs"]}
        for said, meant in {"ps": "stream list", "up": "hub connect", "login": "hub add", "expose": "offer", "forward": "tunnel open",
                            "down": "hub disconnect", "logout": "hub remove", "unexpose": "withdraw"}.items():
            for more in [], ["x", "y"]:
                done = site.client.ctl(said, *more)
                check_equal((done.returncode, done.stdout), (2, ""), said)
                check_equal(done.stderr, f"streamctl: there is no verb '{said}'; did you mean '{meant}'?\n", said)
            check(meant in verbs, meant)


main(each_verb_says_what_it_did, offers_and_withdrawals, targets_and_their_rules, hubs_that_cannot_be_reached,
     hubs_that_one_works_through, versions,
     tunnels_at_once, other_files, other_names)
