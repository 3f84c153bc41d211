# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the process that faces the network maps: the program of the server, and the libraries that it uses. A library
that is new here is a decision: it gets its line and its reason below, or it goes."""
import json
import os
import re
import shutil

from ends import Server, connect, echo, read_exactly
from harness import SANITIZED, Site, check, check_equal, main, run

# The name without version, and why it is there. "of X": X is linked to it.
ALLOWED = {
    r"ld-linux.*|ld\d*|ld64": "the dynamic linker",
    r"libc": "all",
    r"libm": "of SQLite",
    r"libglib-2\.0": "main loop, tables, errors",
    r"libpcre2-8": "of GLib",
    r"libgobject-2\.0": "of GIO and JSON-GLib",
    r"libffi": "of GObject and p11-kit",
    r"libgio-2\.0": "of JSON-GLib",
    r"libgmodule-2\.0": "of GIO",
    r"libmount": "of GIO",
    r"libblkid": "of libmount",
    r"libselinux": "of GIO and libmount",
    r"libz": "of GIO",
    r"libjson-glib-1\.0": "bodies of requests and answers",
    r"libgnutls": "TLS, MACs",
    r"libnettle|libhogweed|libgmp|libtasn1|libp11-kit": "of GnuTLS",
    r"libidn2|libunistring": "of GnuTLS: host names",
    r"libsqlite3": "the registry; the one backend that there is, so it is not a module",
    r"libsystemd": "sockets of the service manager, readiness, watchdog",
    r"libcap|libgcrypt|libgpg-error|liblzma|libzstd|liblz4": "of libsystemd",
}
SANITIZERS = r"lib(a|ub|t|l)san|libstdc\+\+|libgcc_s|libasan_preinit"

# A backend with libraries of its own is a module, opened where it is configured and nowhere else: settings of the
# hub -> what may be mapped then besides, with its reason. The first row is a hub with no such setting.
BACKENDS = {"": {}}

SOUP = "libsoup-3.0.so.0"


def mapped(process):
    """Paths of what is mapped and is program or library."""
    files = set()
    with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            fields = line.rstrip("\n").split(maxsplit=5)
            if len(fields) == 6 and fields[5].startswith("/") and ("x" in fields[1] or ".so" in fields[5]):
                files.add(fields[5])
    return files


def strangers(files, more=()):
    """Libraries that no line allows."""
    patterns = [*ALLOWED, *more, *([SANITIZERS] if SANITIZED else [])]
    return sorted(path for path in files
                  if not any(re.fullmatch(rf"(?:{pattern})(?:-[\d.]+)?\.so[\d.]*", os.path.basename(path))
                             for pattern in patterns))


def work(site):
    """Whatever could make it load something: a device, a stream, every kind of verb, a reload."""
    site.expose("echo", Server(echo, site).address)
    with connect(site.client.tunnel(site.DEVICE, "echo")) as stream:
        stream.sendall(b"through it")
        check_equal(read_exactly(stream, 10), b"through it", "the echo")
    for verb in (["status"], ["device", "list"], ["endpoints"], ["certificate", "show"], ["reload"],
                 ["user", "add", "new", "--rights", "registry-read"]):
        site.hub.admin(*verb)
    check_equal(run([site.streamhub, "--state-dir", site.hub.state_dir, "device", "show", "none"]).returncode, 4,
                "a device that is not there")


def nothing_else():
    """a hub at work maps streamhubd and the libraries it uses, and none of the verbs'"""
    for settings, more in BACKENDS.items():
        with Site() as site:
            if settings:
                config = os.path.join(site.dir, "backend.conf")
                with open(config, "w", encoding="utf-8") as file:
                    file.write(site.HUB_SETTINGS + settings)
                site.hub.stop()
                site.start_hub(["--config", config])
            idle = site.hub.status_kib("VmRSS")
            work(site)
            server = os.readlink(f"/proc/{site.hub.pid}/exe")
            check_equal(os.path.basename(server), "streamhubd", "the program")
            libraries = mapped(site.hub) - {server}
            print(f"# {settings or 'SQLite alone'}: {len(libraries)} libraries; {idle} KiB at first, "
                  f"{site.hub.status_kib('VmRSS')} KiB after work")
            print("# " + " ".join(sorted(map(os.path.basename, libraries))))
            check_equal(strangers(libraries, more), [], "what no line allows")


def it_can_fail():
    """a hub that maps libsoup all the same is noticed, with all that comes along"""
    with Site(gateway=False, client=False) as site:
        site.hub.stop()
        site.processes.remove(site.hub)
        os.environ["LD_PRELOAD"] = SOUP
        try:
            site.start_hub()
        finally:
            del os.environ["LD_PRELOAD"]
        found = strangers(mapped(site.hub) - {os.readlink(f"/proc/{site.hub.pid}/exe")})
        print(f"# {len(found)}: {' '.join(map(os.path.basename, found))}")
        check(any("libsoup" in path for path in found), f"libsoup is missing in {found}")


def where_it_is():
    """streamhub serve runs the streamhubd beside it, with all its options, and says so when there is none"""
    with Site(gateway=False, client=False) as site:
        status = json.loads(site.hub.admin("status", "--json"))
        check_equal(status["host_name"], f"localhost:{site.hub.https_port}", "the host")
        alone = os.path.join(site.dir, "streamhub")
        shutil.copy(site.streamhub, alone)
        done = run([alone, "serve", "--state-dir", site.hub.state_dir])
        check_equal((done.returncode, done.stderr),
                    (1, f"streamhub: {alone}d cannot be run: No such file or directory\n"), "without it")
        shutil.copy(site.streamhub + "d", alone + "d")
        done = run([alone, "serve", "--state-dir", site.hub.state_dir])
        check_equal(done.returncode, 6, done.stderr)
        check("another streamhub serves it" in done.stderr, done.stderr)


OF_THE_VERB = ["--bogus"], ["extra"], ["--threads"]  # which never comes to streamhubd, and has words of its own for them
WRONG = [  # arguments, exit code
    *((arguments, 2) for arguments in OF_THE_VERB), (["--threads=x"], 2), (["--threads=65"], 2), (["--threads=-1"], 2),
    (["--grace=86401"], 2), (["--admin-socket=/nowhere/x"], 2), (["--state-dir=/nowhere"], 1), (["--config=/nowhere"], 2),
    (["--listen=nonsense"], 2), (["--streaming-host=:::"], 2),
]


def the_same_words():
    """what is wrong with the options is told in the same words by both programs, and they have the same ones"""
    with Site(gateway=False, client=False) as site:
        site.hub.stop()
        site.processes.remove(site.hub)
        for given, code in WRONG:
            arguments = given
            if not any("dir" in word or "admin" in word for word in arguments):
                arguments = ["--state-dir", site.hub.state_dir, *arguments]
            verb, server = run([site.streamhub, "serve", *arguments]), run([site.streamhub + "d", *arguments])
            check_equal((verb.returncode, verb.stdout), (code, ""), f"{arguments}: {verb.stderr}")
            check_equal(server.returncode, code, f"streamhubd {arguments}")
            if given not in OF_THE_VERB:
                check_equal(server.stderr, verb.stderr, f"streamhubd {arguments}")
            check(verb.stderr.startswith("streamhub: ") and verb.stderr.count("\n") == 1, verb.stderr)
        helps = [set(re.findall(r"(?m)^  (?:-\w, )?(--[\w-]+)", run([*words, "--help"]).stdout))
                 for words in ([site.streamhub, "serve"], [site.streamhub + "d"])]
        check(len(helps[0]) > 8, f"too few options: {helps[0]}")
        check_equal(helps[1] - helps[0] - {"--version"}, set(), "what only streamhubd has")
        check_equal(helps[0] - helps[1], {"--color", "--no-legend", "--full"}, "what only streamhub serve has")


if __name__ == "__main__":
    main(*[nothing_else, where_it_is, the_same_words] + ([] if SANITIZED else [it_can_fail]))
