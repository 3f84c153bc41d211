# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that a caller or a configuration names, and that are none, or have no end: each is an error
at once, that names it, in all three programs, and nothing waits, fills the memory or ends."""
import contextlib
import os
import signal
import socket
import subprocess
import time

from harness import Site, check, check_equal, eventually, main, run, write_private

SOON = float(os.environ.get("STREAMD_SOON", "1"))  # s that an answer may take
MIB = 1024 * 1024


def bad_files(site):
    """{what: (path, a word that the error says)}"""
    rows = {name: os.path.join(site.dir, name) for name in
            ("fifo", "socket", "folder", "large", "endless", "gone", "circle", "fifo-link", "secret")}
    os.mkfifo(rows["fifo"], 0o600)
    os.symlink("fifo", rows["fifo-link"])
    os.symlink("circle", rows["circle"])
    os.mkdir(rows["folder"], 0o700)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(rows["socket"])
    with open(os.open(rows["large"], os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.truncate(MIB + 1)
    with open(os.open(rows["endless"], os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.truncate(1 << 40)
    words = {"fifo": "FIFO", "fifo-link": "FIFO", "socket": "regular", "folder": "directory", "large": "larger",
             "endless": "larger", "gone": "No such file", "circle": "symbolic links"}
    return {**{name: (rows[name], word) for name, word in words.items()}, "zero": ("/dev/zero", "device"),
            "null": ("/dev/null", "device")}


def memory(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM")).split()[1])


def quickly(what, call):
    begin = time.monotonic()
    done = call()
    took = time.monotonic() - begin
    check(took < SOON, f"{what}: {took:.1f} s")
    return done, took


def added():
    """AddHub with a CA file that is none: an error within a second; streamd answers, and stays small"""
    with Site(gateway=False) as site:
        before, worst = memory(site.client), 0
        path = os.path.join(site.dir, "identity")
        write_private(path, site.hub.connection_string("user", "service"))
        for what, (file, word) in bad_files(site).items():
            done = None
            # As streamctl looks at the file as well, by the call itself.
            with open(path, "rb") as identity:
                done, took = quickly(what, lambda f=file, i=identity: call_add_hub(site, f, i))
            worst = max(worst, took)
            check(done.returncode != 0 and word in done.stderr, f"{what}: {done.stderr}")
            check(file in done.stderr, f"{what}: {done.stderr}")
        grown = memory(site.client) - before
        print(f"# slowest {worst:.2f} s, {grown} KiB more at the most")
        check(grown < 16 * 1024, f"{grown} KiB more")
        good = os.path.join(site.dir, "ca-link")
        os.symlink(site.hub.ca, good)
        site.client.ctl_ok("hub", "add", "linked", "--connection-string-file", path, "--ca", good)
        padded = os.path.join(site.dir, "most")
        with open(site.hub.ca, "rb") as file:
            text = file.read()
        with open(padded, "wb") as file:
            file.write(text + b"\n" * (MIB - len(text)))
        site.client.ctl_ok("hub", "add", "most", "--connection-string-file", path, "--ca", padded)


def call_add_hub(site, ca, identity):
    script = ("import sys, os\nimport gi\nfrom gi.repository import Gio, GLib\n"
              "bus = Gio.bus_get_sync(Gio.BusType.SESSION)\nfds = Gio.UnixFDList.new()\n"
              "read, write = os.pipe()\nos.write(write, sys.stdin.buffer.read())\nos.close(write)\n"
              "args = GLib.Variant('(sha{sv})', ('bad', fds.append(read), {'ca-file': GLib.Variant('s', sys.argv[1])}))\n"
              "bus.call_with_unix_fd_list_sync('io.streamd.Streamd1', '/io/streamd/Streamd1',"
              " 'io.streamd.Streamd1.Manager', 'AddHub', args, None, 0, 20000, fds, None)\n")
    return subprocess.run(["/usr/bin/python3", "-c", script, ca], env=site.client.env, stdin=identity,
                          capture_output=True, text=True, timeout=30, check=False)


def given_to_streamctl():
    """a connection string, an invitation, a proxy's credentials: the same at streamctl; <(…) and - go on"""
    with Site(gateway=False) as site:
        text = site.hub.connection_string("user", "service")
        for what, (file, word) in bad_files(site).items():
            if what in ("large", "endless"):
                word = "too long"
            for option in ("--connection-string-file", "--proxy-credentials-file"):
                arguments = ["hub", "add", "bad", option, file, "--proxy", "http://127.0.0.1:1"]
                if option == "--proxy-credentials-file":
                    arguments += ["--connection-string-file", "-"]
                done, _ = quickly(what, lambda a=arguments: site.client.ctl(*a, stdin=None, input=text))
                check_equal(done.returncode, 2, f"{what}: {done.stderr}")
                check(word in done.stderr, f"{what}, {option}: {done.stderr}")
            done, _ = quickly(what, lambda f=file: site.client.ctl("hub", "add", "bad", f))
            check_equal(done.returncode, 2, f"{what}: {done.stderr}")
        for number, how in enumerate(("- <'{}'", "/dev/stdin <'{}'", "<(cat '{}')")):
            path = os.path.join(site.dir, "good")
            write_private(path, text)
            line = " ".join(f"'{word}'" for word in site.client.argv("hub", "add", f"way-{number}", "--ca", site.hub.ca))
            done = run(["bash", "-c", f"{line} --connection-string-file {how.format(path)}"], env=site.client.env)
            check_equal(done.returncode, 0, f"{how}: {done.stderr}")


def configured():
    """streamd.conf and its drop-ins: whatever they name, and they themselves; the old one stays in force"""
    with Site(gateway=False, client=False) as site:
        path, key = os.path.join(site.dir, "streamd.conf"), os.path.join(site.dir, "key")
        write_private(key, site.hub.connection_string("user", "service"))
        good = f"[hub office]\nConnectionStringFile={key}\nCaFile={site.hub.ca}\n"
        write_private(path, good)
        os.mkdir(path + ".d")
        drop_in = os.path.join(path + ".d", "x.conf")
        daemon = site.client = site.start_daemon("client", ["--config", path])

        def refused(what, word):
            before = daemon.log().count("Configuration not reloaded")
            done, _ = quickly(what, lambda: run([site.streamd, "--user", "--reload"], env=daemon.env))
            check_equal(done.returncode, 1, f"{what}: {done.stderr}")
            check(word in done.stderr, f"{what}: {done.stderr}")
            check(daemon.log().count("Configuration not reloaded") > before, "the log")

        for what, (file, word) in bad_files(site).items():
            for text in (f"[hub office]\nConnectionStringFile={key}\nCaFile={file}\n",
                         f"[hub office]\nConnectionStringFile={file}\nCaFile={site.hub.ca}\n",
                         good + f"Proxy=http://127.0.0.1:1\nProxyCredentialsFile={file}\n"):
                write_private(path, text)
                refused(what, word)
            write_private(path, good)
            os.symlink(file, drop_in)
            refused(what + " as a drop-in", word)
            os.unlink(drop_in)
        check_equal(run([site.streamd, "--user", "--reload"], env=daemon.env).returncode, 0, "what is good")
        eventually(lambda: daemon.ctl_json("hub", "list")[0]["name"] == "office", "the old one")
        check_equal(memory(daemon) < 64 * 1024, True, f"{memory(daemon)} KiB")


def given_to_the_hub():
    """settings, certificate and key of streamhub: it does not start with them, or goes on without"""
    with Site(gateway=False, client=False) as site:
        hub = [site.streamhub, "--state-dir", site.hub.state_dir]
        for what, (file, word) in bad_files(site).items():
            for words in (["serve", "--listen", "127.0.0.1:0", "--config", file],):
                state = os.path.join(site.dir, "other-" + what)
                os.makedirs(state, exist_ok=True)
                done, _ = quickly(what, lambda w=words, s=state: run([site.streamhub, "--state-dir", s, *w]))
                check(done.returncode not in (0, -signal.SIGKILL) and word in done.stderr, f"{what}: {done.stderr}")
            if what not in ("large", "endless"):
                done, _ = quickly(what, lambda s=state, f=file: run([site.streamhub, "--state-dir", s, "restore", f]))
                check(done.returncode not in (0, -signal.SIGKILL), f"restore of {what}: {done.stderr}")
            for pair in ((file, os.path.join(site.hub.state_dir, "server-key.pem")),
                         (os.path.join(site.hub.state_dir, "server.pem"), file)):
                done, _ = quickly(what, lambda p=pair: run([*hub, "certificate", "install", *p]))
                check(done.returncode == 2 and word in done.stderr, f"{what}: {done.stderr}")
        for name in ("server.pem", "server-key.pem"):
            inside = os.path.join(site.hub.state_dir, name)
            os.rename(inside, inside + ".kept")
            os.mkfifo(inside, 0o600)
            done, _ = quickly(name, lambda: run([*hub, "reload"]))
            check(done.returncode == 2 and "FIFO" in done.stderr, f"{name}: {done.stderr}")
            os.unlink(inside)
            os.rename(inside + ".kept", inside)
        check_equal(run([*hub, "reload"]).returncode, 0, "as before")
        check_equal(run([*hub, "status"]).returncode, 0, "it goes on")


if __name__ == "__main__":
    main(added, given_to_streamctl, configured, given_to_the_hub)
