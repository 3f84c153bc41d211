# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion: the real bash, zsh and fish, with the files that are installed, offer every verb and
option of streamctl and streamhub, and the hubs, targets, rules, streams, tunnels and devices that
streamd has, and the devices and users that the hub has."""
import contextlib
import json
import os
import pty
import re
import select
import shlex
import subprocess
import time

from ends import Server, connect, read_all
from harness import PATIENCE, Site, check, check_equal, eventually, main, run_ok

FILES = os.environ["COMPLETIONS"]

BASH = r"""
source {files}/streamctl
source {files}/streamhub
while IFS= read -r line; do
    COMP_LINE=$line COMP_POINT=${{#line}}
    # As bash splits it: at blanks, and around : and =.
    read -ra COMP_WORDS <<<"$(sed 's/[:=]/ & /g' <<<"$line")"
    [[ $line == *[[:space:]] ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
    "_${{COMP_WORDS[0]}}" "${{COMP_WORDS[0]}}"
    printf '%s\x1f' "${{COMPREPLY[@]}}"
    printf '\n'
done
"""

FISH = r"""
source {files}/streamctl.fish
source {files}/streamhub.fish
while read --line line
    set -l words (complete -C "$line" | string split --fields 1 \t)
    echo (string join \x1f -- $words)
end
"""


def path_of(site):
    return ":".join([os.path.dirname(site.streamctl), os.path.dirname(site.streamhub), os.environ["PATH"]])


class Shell:
    """What a shell offers for lines: a list of words for each."""

    def __init__(self, daemon, argv, program):
        self.env = {**daemon.env, "PATH": path_of(daemon.site)}
        self.argv = [*argv, program.format(files=shlex.quote(FILES))]

    def offers(self, *lines):
        done = subprocess.run(self.argv, env=self.env, input="".join(line + "\n" for line in lines), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE * 2, check=False)
        check_equal(done.stderr, "", "what the shell says to its errors")
        answers = done.stdout.splitlines()
        check_equal(len(answers), len(lines), f"answers: {done.stdout}")
        return [[word for word in answer.split("\x1f") if word] for answer in answers]

    def offered(self, line):
        return self.offers(line)[0]


def bash(daemon):
    return Shell(daemon, ["bash", "--norc", "--noprofile", "-c"], BASH)


def fish(daemon):
    return Shell(daemon, ["fish", "--no-config", "-c"], FISH)


def every_word(program, shell):
    """Every verb after its noun, every option of every verb, in one run of the shell."""
    table = json.loads(run_ok([program, "--dump-verbs"]))
    name = table["program"]
    everywhere = [row["name"] for row in table["options"] if row["everywhere"]]
    lines, wanted = [], []
    for verb in table["verbs"]:
        *before, last = verb["name"].split()
        lines += [" ".join([name, *before, ""]), f"{name} {verb['name']} --"]
        wanted += [{last}, {"--" + name for name in verb["options"] + everywhere if name != "json" or verb["json"] != "-"}]
    for line, want, got in zip(lines, wanted, shell.offers(*lines)):
        check(want <= set(got), f"{line!r} does not offer {want - set(got)}, but {got}")
        check(len(want) == 1 or want == set(got), f"{line!r} offers more: {set(got) - want}")


def what_the_hub_has(site, shell):
    """streamhub: the devices and users of the running hub, with its folder or socket before the verb or behind."""
    every_word(site.streamhub, shell)
    state, socket = f"--state-dir {site.hub.state_dir}", f"--admin-socket {site.hub.state_dir}/admin.sock"
    site.hub.admin("device", "add", "pump-7")
    rows = {
        f"streamhub {state} device show ": [site.DEVICE, "pump-7"], f"streamhub {socket} device remove pu": ["pump-7"],
        f"streamhub device disable {state} g": [site.DEVICE], f"streamhub connection-string device {socket} p": ["pump-7"],
        f"streamhub {state} user remove reg": ["registryRead", "registryReadWrite"], f"streamhub {state} device add ": [],
        f"streamhub {state} connection-string user ser": ["service"], "streamhub --state-dir /nowhere device show ": [],
        "streamhub user add new --rights service": ["service-connect"], "streamhub log-level de": ["debug"],
        f"streamhub {state} policy remove ser": ["service"], "streamhub poli": [], "streamhub connection-string pol": [],
    }
    for (line, want), got in zip(rows.items(), shell.offers(*rows)):
        check_equal(sorted(got), sorted(want), repr(line))


def what_there_is(site, shell):
    """The names and numbers that the daemons have."""
    stream = site.client.streams()[0]["id"]
    tunnel = site.client.ctl_json("tunnel", "list")[0]["id"]
    rows = {
        "streamctl hub show ": ["office"], "streamctl hub remove of": ["office"], "streamctl hub add ": [],
        "streamctl stream close ": [str(stream)], "streamctl tunnel close ": [str(tunnel)],
        "streamctl connect ": [site.DEVICE], f"streamctl connect {site.DEVICE} ": ["echo"],
        "streamctl tunnel open --hub ": ["office"], "streamctl tunnel open --hub office g": [site.DEVICE],
        "streamctl hub add new --transport ": ["wss", "mqtts"], "streamctl log-level de": ["debug"],
        "streamctl frob ": [], "streamctl help accept-policy te": ["test"],
    }
    for (line, want), got in zip(rows.items(), shell.offers(*rows)):
        check_equal(sorted(got), sorted(want), repr(line))


@contextlib.contextmanager
def site_with_stream():
    with Site() as site:
        site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        with connect(port):
            eventually(site.client.streams, "a stream")
            yield site


def in_bash():
    """bash: every verb and option, what streamd has, values after =, files"""
    with site_with_stream() as site:
        shell = bash(site.client)
        every_word(site.streamctl, shell)
        what_there_is(site, shell)
        what_the_hub_has(site, shell)
        # bash replaces only what comes after the = or the colon.
        check_equal(shell.offered("streamctl hub add new --transport=w"), ["wss"], "after =")
        check_equal(shell.offered(f"streamctl hub add new --ca {FILES}/streamctl.f"), [f"{FILES}/streamctl.fish"],
                    "a file")
        gateway = bash(site.gateway)
        site.gateway.ctl_ok("target", "add", "a:b", "tcp:127.0.0.1:9")
        check_equal(sorted(gateway.offered("streamctl target show ")), ["a:b", "echo"], "targets")
        check_equal(gateway.offered("streamctl target show a:"), ["b"], "after a colon")
        rule = site.gateway.ctl_json("accept-policy", "list")["rules"][0]["id"]
        check_equal(gateway.offered("streamctl accept-policy remove "), [str(rule)], "rules")
        check_equal(gateway.offered("streamctl accept-policy add --accept e"), ["echo"], "targets of a rule")


def in_fish():
    """fish: every verb and option, what streamd has"""
    with site_with_stream() as site:
        shell = fish(site.client)
        every_word(site.streamctl, shell)
        what_there_is(site, shell)
        what_the_hub_has(site, shell)
        check_equal(shell.offered("streamctl hub add new --transport=w"), ["--transport=wss"], "after =")
        described = subprocess.run(["fish", "--no-config", "-c",
                                    f"source {FILES}/streamctl.fish; complete -C 'streamctl hub sh'"],
                                   env=shell.env, stdout=subprocess.PIPE, text=True, check=True).stdout
        check("\tShow all of a hub" in described, described)


# Ctrl-G shows the line; Tab after Ctrl-T takes nothing over and keeps what would be offered for Ctrl-Y.
ZSH = r"""
fpath=({files} $fpath)
autoload -U compinit
compinit -D -u
setopt noautomenu noautolist nobeep
unset zle_bracketed_paste
typeset -ga found
typeset -g watching=
show() {{ print; print -r -- "<<$BUFFER>>"; BUFFER= }}
offered() {{ print; print -r -- "<<${{(pj:\x1f:)found}}>>"; BUFFER= found=() watching= }}
watch() {{ watching=1 }}
compadd() {{
    if [[ -z $watching || ${{@[1,(i)(-|--)]}} == *-(O|A|D)\ * ]]; then
        builtin compadd "$@"
        return
    fi
    local -a hits
    builtin compadd -A hits "$@"
    found+=($hits)
}}
zle -N show; zle -N offered; zle -N watch
bindkey '^G' show '^Y' offered '^T' watch
print rea""dy
"""


class Zsh:
    """An interactive zsh on a terminal, asked with the Tab key."""

    def __init__(self, daemon):
        env = {**daemon.env, "TERM": "xterm", "PS1": "", "ZDOTDIR": daemon.site.dir,
               "PATH": path_of(daemon.site)}
        setup = os.path.join(daemon.site.dir, "setup.zsh")
        with open(setup, "w", encoding="ascii") as file:
            file.write(ZSH.format(files=shlex.quote(FILES)))
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(["zsh", "-f", "-i"], env=env, stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True)
        daemon.site.children.append(self.process)
        os.close(slave)
        self.tell(f"source {setup}\n")
        self.read("ready\r\n")

    def tell(self, text):
        os.write(self.master, text.encode())

    def read(self, pattern):
        """Reads until the pattern comes; its match."""
        shown, deadline = "", time.monotonic() + PATIENCE
        while not (match := re.search(pattern, shown, re.S)):
            left = deadline - time.monotonic()
            ready = select.select([self.master], [], [], max(left, 0))[0]
            check(ready, f"no {pattern} in {shown!r}")
            shown += os.read(self.master, 4096).decode()
        return match

    def completed(self, line):
        """The line after a Tab."""
        self.tell(line + "\t\x07")
        return self.read(r"<<(.*?)>>").group(1)

    def offers(self, *lines):
        return [self.offered(line) for line in lines]

    def offered(self, line):
        self.tell(line + "\x14\t\x19")
        return [word.replace("\\", "") for word in self.read(r"<<(.*?)>>").group(1).split("\x1f") if word]


def in_zsh():
    """zsh: every verb and option, what streamd has"""
    with site_with_stream() as site:
        shell = Zsh(site.client)
        check_equal(shell.completed("streamctl hub sh"), "streamctl hub show ", "a verb")
        check_equal(shell.completed("streamctl hub show of"), "streamctl hub show office ", "a hub")
        check_equal(shell.completed("streamctl connect g"), f"streamctl connect {site.DEVICE} ", "a device")
        check_equal(shell.completed("streamctl hub add new --transport=w").rstrip(),
                    "streamctl hub add new --transport=wss", "after =")
        every_word(site.streamctl, shell)
        what_there_is(site, shell)
        what_the_hub_has(site, shell)


main(in_bash, in_fish, in_zsh)
