# SPDX-License-Identifier: LGPL-2.1-or-later
"""Both command lines, verb by verb and option by option, as their own tables have them (--dump-verbs): help, usage,
completion, old words and exit codes are the same kind of thing in streamctl and streamhub."""
import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import time

from harness import Site, check, check_equal, main, run
from herd import Admin

PROGRAMS = [os.path.abspath(os.environ[name]) for name in ("STREAMCTL", "STREAMHUB")]
REFUSED = "-"  # what the JSON of a verb is where --json does not go with it
ENDLESS = 1 << 31
OFFERED = 1000  # devices
COMPLETES_WITHIN = 3  # seconds, also where the hub does not answer


class Program:
    """One of the two, where neither streamd nor a hub is."""

    def __init__(self, path, site):
        self.path, self.name = path, os.path.basename(path)
        self.env = site.environment(DBUS_SESSION_BUS_ADDRESS="unix:path=/nowhere", DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nowhere")
        table = json.loads(self.says("--dump-verbs"))
        self.verbs, self.rows = table["verbs"], {row["name"]: row for row in table["options"]}
        self.aliases, self.codes = table["aliases"], table["exit_codes"]
        self.everywhere = {row["name"] for row in self.rows.values() if row["everywhere"]}

    def run(self, *words):
        return run([self.path, *words], env=self.env)

    def says(self, *words):
        done = self.run(*words)
        check_equal((done.returncode, done.stderr), (0, ""), f"{self.name} {words}")
        return done.stdout

    def refuses(self, text, *words):
        done = self.run(*words)
        check_equal((done.returncode, done.stdout), (2, ""), f"{self.name} {words}: {done.stderr}")
        check(text in " ".join(done.stderr.split()), f"{self.name} {words} says {done.stderr!r}, not {text!r}")

    def offers(self, *words):
        return {line.split("\t")[0] for line in self.says("--complete", *words).splitlines()}

    def takes(self, verb):
        return (set(verb["options"]) | self.everywhere) - ({"json"} if verb["json"] == REFUSED else set())

    def nouns(self):
        return {verb["name"].split()[0] for verb in self.verbs if " " in verb["name"]}


def programs(case):
    """The case, for each of the two."""
    def each():
        with Site(gateway=False, client=False) as site:
            for path in PROGRAMS:
                program = Program(path, site)
                print(f"# {program.name}: {len(program.verbs)} verbs, {len(program.rows)} options: {case(program)} cells")
    each.__doc__ = case.__doc__
    each.__name__ = case.__name__
    return each


@programs
def helps(program):
    """VERB --help, help VERB and -h are one text with every option of the verb and no other; nouns list their verbs"""
    cells = 0
    everything = program.says("--help")
    for verb in program.verbs:
        words = verb["name"].split()
        text = program.says(*words, "--help")
        check_equal([program.says("help", *words), program.says(*words, "-h"), program.says("--help", *words)], [text] * 3, verb["name"])
        check(text.startswith(f"{program.name} {verb['name']}"), text)
        shown = set(re.findall(r"(?m)^  (?:-\w, )?--([\w-]+)", text))
        check_equal(shown, program.takes(verb), f"options of {verb['name']}")
        for line in verb["help"], verb["more"]:
            check(" ".join(line.split()) in " ".join(text.split()), f"{verb['name']}: {line}")
        check(f"\n  {verb['name']}" in everything, verb["name"])
        cells += len(shown)
    for noun in program.nouns():
        if noun in {verb["name"] for verb in program.verbs}:
            check(f"\n  {noun} verify" in program.says(noun, "--help"), f"{noun} has more verbs")
            continue
        own = [verb["name"] for verb in program.verbs if verb["name"].startswith(noun + " ")]
        text = program.says(noun, "--help")
        check_equal(re.findall(r"(?m)^  (\S+ \S+)", text), own, noun)
        done = program.run(noun)
        check_equal((done.returncode, done.stdout, done.stderr), (2, "", text), f"{noun} alone")
        cells += len(own)
    return cells


def changed(word):
    """WORD with its last two letters the other way round."""
    return word[:-2] + word[-1] + word[-2]


@programs
def usage(program):
    """mistyped verbs and options name the nearest; too few words, too many, options of other verbs and missing values are usage"""
    cells = 0
    for verb in program.verbs:
        words = verb["name"].split()
        if changed(words[-1]) != words[-1]:
            program.refuses(f"did you mean '{verb['name']}'?", *words[:-1], changed(words[-1]))
        if verb["min"] > 0:
            program.refuses("something is missing", *words, *["x"] * (verb["min"] - 1))
        if verb["max"] < ENDLESS:
            program.refuses("that is too much", *words, *["x"] * (verb["max"] + 1))
        for name, row in program.rows.items():
            value = "=x" if row["kind"] in ("required", "repeated") else ""
            if name not in program.takes(verb):
                program.refuses(f"--{name} does not go with '{verb['name']}'", *words, *["x"] * verb["min"], f"--{name}{value}")
                cells += 1
    for name, row in program.rows.items():
        first = program.verbs[0]["name"].split()
        program.refuses("did you mean --", *first, f"--{changed(name)}") if changed(name) != name else None
        if row["kind"] in ("required", "repeated"):
            program.refuses(f"--{name} takes a value", *first, f"--{name}")
        if row["kind"] == "required":
            program.refuses(f"--{name} is given twice", *first, f"--{name}=x", f"--{name}=x")
        if row["kind"] == "none":
            program.refuses(f"--{name} takes no value", *first, f"--{name}=x")
        cells += 1
    return cells


@programs
def completion(program):
    """every word of every verb and exactly its options are offered, and each choice of a value; nothing of it needs streamd or a hub"""
    cells = 0
    firsts = {verb["name"].split()[0] for verb in program.verbs}
    check_equal(program.offers(""), firsts | {"help"}, "first words")
    check_equal(program.offers("help", ""), firsts, "after help")
    for verb in program.verbs:
        words = verb["name"].split()
        check(words[-1] in program.offers(*words[:-1], ""), verb["name"])
        check_equal(program.offers(*words, "--"), {"--" + name for name in program.takes(verb)}, verb["name"])
        for name in program.takes(verb):
            row = program.rows[name]
            again = {"--" + name} if row["kind"] == "repeated" else set()
            value = [] if row["kind"] in ("none", "optional") else ["x"]
            check_equal(program.offers(*words, "--" + name, *value, f"--{name}") & {"--" + name}, again, f"--{name} twice")
            if re.fullmatch(r"[a-z-]+(\|[a-z-]+)+", row["value"] or ""):
                choice = set(row["value"].split("|"))
                check_equal(program.offers(*words, f"--{name}", ""), choice, f"--{name}")
                check_equal(program.offers(*words, f"--{name}="), {f"--{name}={word}" for word in choice}, f"--{name}=")
            cells += 1
    return cells


@programs
def old_words(program):
    """what verbs were called goes on working, and is named in no help and no completion"""
    everything = program.says("--help") + "".join(program.offers("")) + "".join(program.says("--complete", noun, "") for noun in program.nouns())
    for alias in program.aliases:
        old, now = alias["old"].split(), alias["now"].split()
        check_equal(program.says(*old, "--help"), program.says(*now, "--help"), alias["old"])
        check(not re.search(rf"(?m)^ *{alias['old']}\b", everything), f"{alias['old']} is named")
        check_equal(program.offers(*old, "--"), program.offers(*now, "--"), f"options of {alias['old']}")
    return len(program.aliases)


def exit_codes():
    """one table of exit codes in both programs, and both end with 3 where nobody is there to ask"""
    with Site(gateway=False, client=False) as site:
        ctl, hub = (Program(path, site) for path in PROGRAMS)
        check_equal(ctl.codes, hub.codes, "the tables")
        check(len(ctl.codes) > 15, "codes")
        for program in ctl, hub:
            text = " ".join(program.says("--help").split())
            check("Exit codes: " + ", ".join(f"{row['code']} {row['word']}" for row in ctl.codes) in text, text[-400:])
        check_equal(ctl.run("status").returncode, 3, "no streamd")
        check_equal(hub.run("--state-dir", "/nowhere", "status").returncode, 3, "no hub")
        for program in ctl, hub:
            for option in "--help", "--version":
                full = subprocess.run(["bash", "-c", '"$0" "$1" >/dev/full', program.path, option], env=ctl.env, stderr=subprocess.PIPE, text=True, check=False)
                check_equal((full.returncode, full.stderr),
                            (1, f"{program.name}: cannot write to standard output: No space left on device\n"), f"a full disk, {option}")


class SlowHub:
    """An admin socket that answers after DELAY seconds, None: never. There is always one more page."""

    def __init__(self, site, name, delay):
        self.path, self.delay, self.pages = os.path.join(site.dir, name), delay, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        site.closers.append(self.listener.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with contextlib.suppress(OSError), connection:
            while connection.recv(65536):
                time.sleep(1000 if self.delay is None else self.delay)
                self.pages += 1
                body = json.dumps({"devices": [{"deviceId": f"d{self.pages}", "connectionState": "x"}], "more": True}).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def slow_hub():
    """completion where the hub is slow, or silent, or never comes to an end: what is there in time, and the prompt is back in time"""
    with Site(gateway=False, client=False) as site:
        hub = Program(PROGRAMS[1], site)
        for name, delay, want in ("in-time", 0.7, {"d1", "d2"}), ("too-late", 1.3, set()), ("silent", None, set()):
            slow = SlowHub(site, name, delay)
            begin = time.monotonic()
            check_equal(hub.offers("--admin-socket", slow.path, "device", "show", ""), want, name)
            took = time.monotonic() - begin
            print(f"# {name}: back after {took:.2f} s, at most {COMPLETES_WITHIN} s")
            check(took < COMPLETES_WITHIN, f"{name}: {took:.2f} s")


def many_devices():
    """completion offers 1,000 devices, and no more where there is one more"""
    with Site(gateway=False, client=False) as site:
        hub = Program(PROGRAMS[1], site)
        own = ["--state-dir", site.hub.state_dir, "device", "show", ""]
        admin = Admin(os.path.join(site.hub.state_dir, "admin.sock"))
        for number in range(OFFERED):
            admin.ask("POST", "/v1/devices", {"deviceId": f"d{number:04}"})
        check_equal(len(hub.offers(*own)), OFFERED, "all of them")
        site.hub.admin("device", "add", "one-more")
        check_equal(len(hub.offers(*own)), OFFERED, "as many as can be read")


main(helps, usage, completion, old_words, exit_codes, slow_hub, many_devices)
