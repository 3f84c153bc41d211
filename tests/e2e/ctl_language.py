# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamctl in another language. STREAMCTL is one that looks for translations in LOCALE_DIR.

The language here is made of the template of messages: every letter of a message becomes its
full-width form, which is two columns wide. So whatever is still in ordinary letters was not
translated, and columns have to be aligned by width. Then each language of po/LINGUAS is looked at."""
import contextlib
import functools
import os
import re
import shutil
import subprocess
import unicodedata

from ends import Server, connect, read_all
from harness import Site, check, check_equal, eventually, main, run_ok

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LOCALE_DIR = os.environ["LOCALE_DIR"]
BUILT = os.environ["BUILT_LOCALES"]  # what po/ was compiled to

MADE_UP = "qaa"  # nobody's, by ISO 639-2: the libraries have no messages in it either
WIDE = {ord(c): chr(ord(c) - 0x20 + 0xFF00) for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}
KEPT = re.compile(r"%(?:\d+\$)?[-+ #0]*\d*(?:\.\d+)?(?:hh|h|ll|l|z)?[a-zA-Z%]|\\.")

# What stays as it is in any language: names of verbs and options, what the bus says, data.
DATA = set("""streamctl streamd streamhub hub add target accept-policy tunnel stream open device service office
    gw-1 localhost accept reject echo tcp config bus root wss help any none MiB KiB bytes json jsno frob no web""".split())


def reordered(text):
    """The message with what is put into it in the opposite order, as a language may have to."""
    found = [match.group() for match in KEPT.finditer(text) if match.group()[0] == "%" and match.group() != "%%"]
    left = len(found)

    def numbered(match):
        nonlocal left
        if match.group()[0] != "%" or match.group() == "%%":
            return match.group()
        left -= 1
        return f"%{left + 1}$" + found[left][1:]
    return KEPT.sub(numbered, text)


def wide(text):
    """A message in the language that is made up: everything but what printf or C reads."""
    parts, last = [], 0
    for match in KEPT.finditer(text):
        parts += [text[last:match.start()].translate(WIDE), match.group()]
        last = match.end()
    return "".join(parts) + text[last:].translate(WIDE)


def strings(block, key):
    """The quoted lines after KEY, as they stand."""
    match = re.search(rf"(?m)^{key} ((?:\"(?:\\.|[^\"\\])*\"\n?)+)", block)
    return match.group(1).rstrip("\n") if match else None


def make_language(site):
    """Compiles it to where STREAMCTL looks."""
    pot = os.path.join(site.dir, "made-up.pot")
    run_ok([os.path.join(ROOT, "po", "update"), "--all", pot])
    with open(pot, encoding="utf-8") as file:
        blocks = file.read().split("\n\n")
    po = [blocks[0].replace("nplurals=INTEGER; plural=EXPRESSION", "nplurals=2; plural=(n != 1)")]
    for block in blocks[1:]:
        one, many = strings(block, "msgid"), strings(block, "msgid_plural")
        flag = "#, c-format\n" if re.search(r"(?m)^#,.* c-format", block) else ""
        put = (lambda text: wide(reordered(text))) if flag else wide
        if many:
            po.append(f"{flag}msgid {one}\nmsgid_plural {many}\nmsgstr[0] {put(one)}\nmsgstr[1] {put(many)}")
        elif one:
            po.append(f"{flag}msgid {one}\nmsgstr {put(one)}")
    folder = os.path.join(LOCALE_DIR, MADE_UP, "LC_MESSAGES")
    os.makedirs(folder, exist_ok=True)
    made = os.path.join(site.dir, "streamd.mo")
    subprocess.run(["msgfmt", "--check-format", "-o", made, "-"], input="\n\n".join(po) + "\n", text=True, check=True)
    # Whole at once: other cases may be reading it.
    shutil.copy(made, os.path.join(folder, f"{os.getpid()}.new"))
    os.replace(os.path.join(folder, f"{os.getpid()}.new"), os.path.join(folder, "streamd.mo"))


@functools.cache
def real_locale():
    """A locale of the C library's: in C.UTF-8 newer ones take no LANGUAGE, as they never did in C."""
    folder = os.path.join(LOCALE_DIR, "locales")
    made = os.path.join(folder, "en_US.UTF-8")
    if not os.path.exists(made):
        os.makedirs(folder, exist_ok=True)
        mine = f"{made}.{os.getpid()}"
        run_ok(["localedef", "-i", "en_US", "-f", "UTF-8", mine])
        with contextlib.suppress(OSError):  # another case was faster
            os.rename(mine, made)
        shutil.rmtree(mine, ignore_errors=True)
    return {"LC_ALL": "en_US.UTF-8", "LOCPATH": folder}


def say(daemon, *arguments, language=MADE_UP, **env):
    """What it prints in that language, on both outputs."""
    done = subprocess.run(daemon.argv(*arguments), env={**daemon.env, **real_locale(), "LANGUAGE": language, **env},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return done.stdout


def untranslated(text):
    """Words in ordinary letters that are no data."""
    words = re.findall(r"(?<![\w.:/-])[A-Za-z][A-Za-z_-]*[A-Za-z](?![\w.:/-])", text)
    # In errors, words in capitals are those of a verb's form: ID, NAME.
    return [word for word in words if word not in DATA and not (text.startswith("streamctl: ") and word.isupper())]


def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def columns(line):
    """Where the cells of a line begin, in columns of the terminal."""
    return [width(line[:match.start()]) for match in re.finditer(r"(?:(?<=  )|^)\S", line)]


def aligned(table):
    """The second and third cell, which are texts in these tables, begin where their titles do."""
    lines = table.splitlines()
    check(len(lines) >= 2, table)
    for line in lines[1:]:
        check(columns(line)[1:3] == columns(lines[0])[1:3], f"not aligned:\n{table}")


def everything_is_translated():
    """no message is left in English, and columns are aligned by width"""
    with Site() as site:
        make_language(site)
        server = Server(lambda c: c.sendall(read_all(c)), site)
        site.gateway.ctl_ok("target", "add", "echo", server.address)
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "echo", "--accept", "echo")
        check_equal(say(site.client, "tunnel", "close", "7"),
                    "streamctl: " + wide("there is no tunnel ") + "'7'\n", "an error")
        said = [say(site.client, "tunnel", "open", site.DEVICE, "echo", "--background")]
        port = int(re.search(r"127\.0\.0\.1:(\d+)", said[0]).group(1))
        with connect(port):
            eventually(site.client.streams, "a stream")
            for daemon in (site.client, site.gateway):
                for verb in ("hub", "target", "stream", "tunnel", "accept-policy", "request"):
                    said.append(say(daemon, verb, "list"))
                said += [say(daemon, "status"), say(daemon, "hub", "show", "office"), say(daemon, "top", "--once")]
            said += [say(site.gateway, "target", "show", "echo"), say(site.gateway, "accept-policy", "test", "echo"),
                     say(site.gateway, "hub", "remove", "none"), say(site.gateway, "stream", "close", "x"),
                     say(site.gateway, "target", "add", "web"), say(site.gateway, "frob"),
                     say(site.gateway, "status", "--jsno"), say(site.client, "connect", "--color=no", "a", "b")]
        for text in said:
            check_equal(untranslated(text), [], f"in English: {text}")
        for verb in ("hub", "stream", "tunnel"):
            aligned(say(site.client, verb, "list"))
        check("Ｎ" in say(site.client, "hub", "list"), "the language was not used")
        # What streamd says in English has its kind in front of it.
        for told, *arguments in (("the device rejected the stream", "connect", site.DEVICE, "nothing"),
                                 ("it is not there", "connect", "nobody", "echo"),
                                 ("something that was given is not valid", "target", "add", "x", "nonsense")):
            said = say(site.client if arguments[0] == "connect" else site.gateway, *arguments)
            check(said.startswith("streamctl: " + wide(told)), said)


def help_is_translated():
    """--help: every text of it"""
    with Site(gateway=False) as site:
        make_language(site)
        for line in say(site.client, "--help").splitlines():
            # The lines under a verb's form are its text; the forms themselves are the same everywhere.
            if line.startswith("      ") and not re.search(r"[][|)]|--", line):
                check(not re.search(r"[a-z]{3}", re.sub(r"\S*[-'=(/]\S*", "", line)), line)
        check(wide("Options of every verb:") in say(site.client, "hub", "add", "--help"), "titles of options")


HUB_DATA = set("""dev1 service-connect registry-read
    registry-write device-connect iothubowner registryRead registryReadWrite user show remove list device module rights invite ETag CN""".split())


def hub_is_translated():
    """streamhub: its help, what its verbs say, and its errors"""
    with Site(gateway=False, client=False) as site:
        make_language(site)
        env = {**site.environment(), **real_locale(), "LANGUAGE": MADE_UP}

        def say_hub(*arguments):
            return subprocess.run([os.environ["STREAMHUB_ABROAD"], "--state-dir", site.hub.state_dir, *arguments], env=env, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout

        for line in say_hub("--help").splitlines():
            if line.startswith("      ") and not re.search(r"[][|)]|--", line):
                check(not re.search(r"[a-z]{3}", re.sub(r"\S*[-'=(/.]\S*", "", line)), line)
        said = [say_hub(*words.split()) for words in (
            "status", "device list", "device add dev1", "device list", "device show dev1", "device show", "user list", "user show service",
            "certificate show", "drain", "drain --cancel", "device remove a b", "user add x", "frob", "device list --jsno")]
        for text in said:
            text = text.replace("streamhub CA", "").replace("SHA-256", "")  # names
            left = [word for word in untranslated(text) if word not in HUB_DATA and not (text.startswith("streamhub: ") and word.isupper())]
            check_equal(left, [], f"in English: {text}")
        # What the hub says in English has its kind in front of it.
        check(say_hub("device", "remove", "a/b").startswith("streamhub: " + wide("it is not there") + ": "), "the kind of an error")
        aligned(said[3])
        check(wide("DEVICE") in said[3], "the language was not used")


def same_data(say_it, *arguments):
    """The made-up language turns what is put into a message round; nothing of it is lost, and no format is seen.
    Numbers may differ: two runs take different times."""
    said, english = say_it(*arguments), say_it(*arguments, language="")
    check(not re.search(r"%[0-9]*\$|%[sdu]", said), f"a format: {said}")
    for word in re.findall(r"[a-z0-9][\w.:/-]*[a-z0-9]", said):
        check(word in english or re.fullmatch(r"[\d.]+", word), f"{arguments}: {word!r} is not in {english!r}")
    check_equal(len(re.findall(r"'[^']*'", said)), len(re.findall(r"'[^']*'", english)), f"quotes: {said}\n{english}")


def reorders():
    """a language may put names and numbers into another order"""
    with Site() as site:
        make_language(site)
        site.gateway.ctl_ok("target", "add", "echo", "tcp:127.0.0.1:9")
        for daemon in (site.client, site.gateway):
            for words in ("doctor", "status", "hub list", "hub show office", "hub show none", "target show none", "stream show none",
                          "accept-policy test echo", "accept-policy remove 7", "status --colour", "status --jsno", "tunnel close 7",
                          "hub add x --connection-string-file /nowhere", "frob", "connect a", "hub list --color=green"):
                same_data(functools.partial(say, daemon), *words.split())
        env = {**site.environment(), **real_locale()}

        def say_hub(*arguments, language=MADE_UP):
            return subprocess.run([os.environ["STREAMHUB_ABROAD"], "--state-dir", site.hub.state_dir, *arguments], text=True,
                                  env={**env, "LANGUAGE": language}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout
        for words in ("device remove none", "device add gw-1", "user add service", "user show none", "device show gw-1", "device list --tag x",
                      "device set gw-1 --tag a=b", "user set service --devices gw-*", "user show service", "invite user service",
                      "restore /nowhere", "status", "doctor", "certificate show", "backup --since-upgrade", "device disable gw-1"):
            same_data(say_hub, *words.split())


def locales():
    """a locale of the C library chooses the language as well as LANGUAGE does, and C is English"""
    with Site(gateway=False) as site:
        make_language(site)
        run_ok(["localedef", "-i", "sv_SE", "-f", "UTF-8", os.path.join(site.dir, f"{MADE_UP}_XX.UTF-8")])
        swedish = {"LC_ALL": f"{MADE_UP}_XX.UTF-8", "LOCPATH": site.dir}
        check(wide("NAME") in say(site.client, "hub", "list", language="", **swedish), "by the locale")
        check("NAME" in say(site.client, "hub", "list", LC_ALL="C"), "the C locale")
        check("NAME" in say(site.client, "hub", "list", language="tlh"), "a language that is not there")


def languages():
    """each language of po/LINGUAS is used, and its columns are aligned"""
    with open(os.path.join(ROOT, "po", "LINGUAS"), encoding="utf-8") as file:
        names = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    with Site(gateway=False) as site:
        english = {verb: say(site.client, verb, "list", language="") for verb in ("hub", "tunnel")}
        for name in names:
            link = os.path.join(LOCALE_DIR, name)
            if not os.path.islink(link):
                os.makedirs(LOCALE_DIR, exist_ok=True)
                os.symlink(os.path.join(BUILT, name), link)
            for verb, text in english.items():
                check(say(site.client, verb, "list", language=name) != text, f"{name}: {text}")
            aligned(say(site.client, "hub", "list", language=name))
            verdict = say(site.client, "status", language=name).splitlines()[-1]
            check("reject" not in verdict, f"{name}: {verdict}")
            print("#", name, say(site.client, "hub", "list", language=name).splitlines()[0])


if __name__ == "__main__":
    main(everything_is_translated, help_is_translated, hub_is_translated, reorders, locales, languages)
