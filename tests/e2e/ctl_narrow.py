# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamctl on terminals of all sizes, in locales of other character sets and in other languages: no line is
wider than the terminal, no page higher. Each line that is printed is measured. STREAMCTL is the one of ctl_language."""
import contextlib
import fcntl
import itertools
import os
import pty
import re
import signal
import struct
import subprocess
import termios

from ctl_language import BUILT, LOCALE_DIR, real_locale, width
from ctl_live import Terminal
from ends import Server, connect, echo
from harness import LONG as LONG_FORM, Site, check, check_equal, eventually, main, run_ok

SIZES = ((24, 80), (24, 60), (12, 40), (4, 20))
LISTS = ("hub list", "stream list", "tunnel list", "target list", "accept-policy list", "device list", "request list", "top --once",
         "status")
# Character set of the terminal, locale, language.
LOCALES = (("utf-8", "en_US.UTF-8", ""), ("ascii", "C", ""), ("iso-8859-1", "en_US.ISO-8859-1", ""), ("utf-8", "en_US.UTF-8", "zh_CN"),
           ("gb18030", "zh_CN.GB18030", "zh_CN"), ("utf-8", "en_US.UTF-8", "el"), ("iso-8859-7", "el_GR.ISO-8859-7", "el"),
           ("iso-8859-1", "en_US.ISO-8859-1", "el"))
ANSI = re.compile(r"\033\[[0-9;?]*[A-Za-z]")
LONG = "a-name-that-is-longer-than-any-narrow-terminal"


def locale_env(name, language):
    """The environment of a locale, which is made where the machine has none."""
    env = real_locale()
    made = os.path.join(env["LOCPATH"], name)
    if name != "C" and not os.path.exists(made):
        base, charset = name.split(".")
        mine = f"{made}.{os.getpid()}"
        run_ok(["localedef", "-i", base, "-f", charset, mine])
        with contextlib.suppress(OSError):  # another case was faster
            os.rename(mine, made)
    link = os.path.join(LOCALE_DIR, language)
    if language and not os.path.islink(link):
        os.makedirs(LOCALE_DIR, exist_ok=True)
        os.symlink(os.path.join(BUILT, language), link)
    return {**env, "LC_ALL": name, "LANGUAGE": language, "TERM": "xterm"}


def resize(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def printed(daemon, rows, columns, env, *arguments):
    """All bytes that it writes to a terminal of that size."""
    master, slave = pty.openpty()
    resize(slave, rows, columns)
    with subprocess.Popen(daemon.argv(*arguments), env={**daemon.env, **env}, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the last one has closed it
            while piece := os.read(master, 1 << 16):
                shown += piece
    os.close(master)
    return process.returncode, shown


def fits(shown, charset, columns, what):
    """No line is wider than the terminal; returns the lines."""
    lines = ANSI.sub("", shown.decode(charset)).replace("\r", "").split("\n")
    for line in lines:
        check(width(line) <= columns, f"{what}: {width(line)} columns in {columns}: {line!r}")
    return lines


@contextlib.contextmanager
def full_site():
    """A site with some of everything, of long names and texts of wide characters."""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        site.gateway.ctl_ok("target", "add", LONG, "tcp:127.0.0.1:9")
        site.gateway.ctl_ok("target", "add", "wide", "unix:/run/とても長い名前のソケット")
        site.gateway.ctl_ok("accept-policy", "add", "--stream", LONG, "--reject", "not before the doors open tomorrow morning")
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "ask", "--ask=echo", "--ask-timeout", "50s")
        site.client.add_hub(LONG, site.hub.connection_string("user", "service"), site.hub.ca)
        site.client.add_hub("owner", site.hub.connection_string("user", "iothubowner"), site.hub.ca)
        port = site.client.tunnel(site.DEVICE, "echo", "--hub", "office")
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(connect(port)) for _ in range(7)]
            for stream in streams:
                stream.sendall(b"x" * 70000)
            eventually(lambda: sum(s["state"] == "open" for s in site.client.streams()) == 7, "seven streams")
            yield site


def sizes(verb, name, language):
    """All of them where streamctl is most often, and some elsewhere; `top` takes a second each."""
    if LONG_FORM or (not language and name.endswith("UTF-8") and not verb.startswith("top")):
        return SIZES
    return SIZES[3:] if verb.startswith("top") and not language else () if verb.startswith("top") else SIZES[1::2] if language else SIZES[2:]


def lists():
    """every list in every size, locale and language: no line is wider than the terminal, and the key of each row is there"""
    with full_site() as site:
        cells = 0
        for (charset, name, language), verb in itertools.product(LOCALES, LISTS):
            env = locale_env(name, language)
            words = verb.split() + (["--hub", "owner"] if verb.startswith("device") else [])
            daemon = site.gateway if verb.split()[0] in ("target", "accept-policy", "request") else site.client
            for rows, columns in sizes(verb, name, language):
                what = f"{verb} in {name} {language} at {columns}"
                code, shown = printed(daemon, rows, columns, env, *words)
                check_equal(code, 0, what)
                lines = fits(shown, charset, columns, what)
                cells += 1
                if verb in ("stream list", "top --once"):
                    check(any(re.match(r" *7\b", line) for line in lines), f"{what}: no stream 7 in {lines}")
        print(f"# measured: {cells} cells")
        whole = site.gateway.ctl_ok("target", "list")
        check(LONG in whole, f"cut where there is no terminal: {whole}")
        check("…" in printed(site.gateway, 24, 40, locale_env("en_US.UTF-8", ""), "target", "list")[1].decode(), "the ellipsis")
        check("..." in printed(site.gateway, 24, 40, locale_env("C", ""), "target", "list")[1].decode("ascii"), "that of C")
        brief = printed(site.client, 24, 60, locale_env("C", ""), "stream", "list")[1].decode("ascii")
        check(re.search(r"\b68.4K\b", brief) and "KiB" not in brief, f"the short form of bytes: {brief}")


def sized(daemon, rows, columns, env, *arguments):
    """Starts it on a terminal that has its size already."""
    class Daemon:  # pylint: disable=too-few-public-methods
        site, argv = daemon.site, staticmethod(lambda *words: ["sh", "-c", f'stty rows {rows} cols {columns}; exec "$@"', "sh", *daemon.argv(*words)])
    Daemon.env = {**daemon.env, **env}
    return Terminal(Daemon, *arguments)


def frames(shown):
    """The pages that `top` has drawn so far, each a list of lines."""
    pages = shown.decode(errors="ignore").split("\033[H")[1:-1]
    return [ANSI.sub("", page).replace("\r", "").split("\n") for page in pages]


def live_top():
    """top: no page is higher or wider than the terminal, also after it has changed"""
    with full_site() as site:
        for language in ("", "zh_CN") if LONG_FORM else ("zh_CN",):
            live = sized(site.client, 4, 20, locale_env("en_US.UTF-8", language), "top")
            live.wait_for(b"\033[H", times=2)
            first = len(frames(live.shown))
            for page in frames(live.shown):
                check(len(page) <= 4 and all(width(line) <= 20 for line in page), f"at 4 by 20: {page}")
                check_equal(sum(bool(re.match(r" *\d+ ", line)) for line in page[1:]), 2, f"rows of {page}")
            resize(live.slave, 12, 40)
            live.process.send_signal(signal.SIGWINCH)
            eventually(lambda before=first: any(len(page) > 8 for page in frames(live.shown)[before:]), "the new size is used")
            for page in frames(live.shown):
                check(len(page) <= 12 and all(width(line) <= 40 for line in page), f"at 12 by 40: {page}")
            check(any("7" in line.split()[:1] for line in frames(live.shown)[-1]), f"all streams have room: {frames(live.shown)[-1]}")
            resize(live.slave, 4, 20)
            live.process.send_signal(signal.SIGWINCH)
            eventually(lambda: len(frames(live.shown)[-1]) <= 4, "the old size again")
            live.press(b"q")
            live.ends(0)


def monitor_and_agent():
    """monitor and agent: what happens and what is asked fits, also when the terminal becomes narrower meanwhile"""
    with full_site() as site:
        for language, (rows, columns) in (("", (4, 20)), ("el", (12, 40)), ("zh_CN", (4, 20)), ("", (24, 60))):
            env = locale_env("en_US.UTF-8", language)
            told = sized(site.gateway, rows, columns, env, "monitor")
            asked = sized(site.gateway, rows, columns, env, "agent")
            eventually(lambda terminal=asked: len(terminal.shown) > 10, "the agent")
            eventually(lambda: listens(site, told), "the monitor")
            caller = site.client.start_ctl("connect", "--hub", "office", site.DEVICE, "ask", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            asked.wait_for(b"[y/n]")
            for shown, what in ((told.shown, "monitor"), (asked.shown, "agent")):
                fits(shown, "utf-8", columns, f"{what} {language} at {columns}")
            check("service" in "".join(asked.shown.decode().split()), "who asks is not there")
            caller.kill()
            for terminal in (told, asked):
                terminal.process.send_signal(signal.SIGINT)
                terminal.process.wait()


def prompts():
    """on a terminal that is not of UTF-8 a secret is asked for before it is waited for"""
    with Site(gateway=False) as site:
        asked = sized(site.client, 24, 80, {"LC_ALL": "C", "LANGUAGE": "", "TERM": "xterm"}, "hub", "add", "other")
        asked.wait_for(b"Connection string (not shown): ")
        asked.press(b"\n")
        check_equal(asked.process.wait(), 2, f"of nothing: {asked.shown!r}")


def listens(site, terminal):
    """Whether a change is seen by the monitor."""
    site.gateway.ctl_ok("accept-policy", "set-default", "reject", "no")
    site.gateway.ctl_ok("accept-policy", "set-default", "reject")
    return b"\n" in terminal.shown


if __name__ == "__main__":
    main(lists, live_top, monitor_and_agent, prompts)
