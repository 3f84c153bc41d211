# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamctl where nobody has logged in: under cron, under su and in commands of ssh it finds the bus of its user by itself, and
what it says when nothing is there is about the unit that is meant. Runs in a mount namespace of its own, for /run/user."""
import os
import subprocess
import sys

from harness import Site, check, check_equal, main, run_ok

OTHER = os.getuid() + 1


def enter():
    """Only the program that runs in its own namespace comes back from it."""
    if os.environ.get("STREAMD_RUNSPACE"):
        return
    os.environ["STREAMD_RUNSPACE"] = "1"
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvp("unshare", ["unshare", *user, "--mount", "--propagation", "private", "/usr/bin/python3", *sys.argv])


def bus_of(daemon):
    """The path of its session bus."""
    address = daemon.env["DBUS_SESSION_BUS_ADDRESS"]
    check(address.startswith("unix:path="), address)
    return address.removeprefix("unix:path=").split(",")[0]


def run_of(site, bus):
    """A /run/user with the runtime folder of this user, and BUS in it."""
    run_ok(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
    site.closers.append(lambda: run_ok(["umount", "-l", "/run"]))
    folder = f"/run/user/{os.getuid()}"
    os.makedirs(folder, 0o700)
    with open(os.path.join(folder, "bus"), "wb"):
        pass
    run_ok(["mount", "--bind", bus, os.path.join(folder, "bus")])
    return folder


def asked(site, *words, **env):
    """streamctl with that environment and no more of a session."""
    clean = {name: value for name, value in site.environment().items() if name != "XDG_RUNTIME_DIR"}
    return subprocess.run([site.streamctl, *words], env={**clean, **env}, capture_output=True, text=True, check=False)


def without_a_session():
    """the environment unset, empty, of another user, of one's own and elsewhere"""
    with Site(client=False) as site:
        folder = run_of(site, bus_of(site.gateway))
        theirs = f"/run/user/{OTHER}"
        rows = [({}, 0), ({"XDG_RUNTIME_DIR": "", "DBUS_SESSION_BUS_ADDRESS": ""}, 0), ({"XDG_RUNTIME_DIR": theirs}, 0),
                ({"XDG_RUNTIME_DIR": theirs, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={theirs}/bus"}, 0), ({"XDG_RUNTIME_DIR": folder}, 0),
                ({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}, 3)]
        for env, code in rows:
            done = asked(site, "--user", "hub", "list", **env)
            check_equal(done.returncode, code, f"{env}: {done.stderr}")
            check(("office" in done.stdout) == (code == 0), f"{env}: {done.stdout}")
        print(f"# {len(rows)} environments")


def hints():
    """where no streamd is, the hint names the unit that is meant, and no way to a second streamd"""
    with Site(gateway=False, client=False) as site:
        run_ok(["mount", "-t", "tmpfs", "tmpfs", "/run"])
        site.closers.append(lambda: run_ok(["umount", "-l", "/run"]))
        nowhere = {name: "unix:path=/nowhere" for name in ("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS")}
        for scope, env, here, not_here in (("--user", nowhere, "systemctl --user enable --now streamd", "'systemctl enable"),
                                           ("--user", {}, "loginctl enable-linger", "'systemctl enable"),
                                           ("--system", nowhere, "'systemctl enable --now streamd'", "--user")):
            done = asked(site, scope, "status", **env)
            check_equal((done.returncode, done.stdout), (3, ""), done.stderr)
            check(here in done.stderr and not_here not in done.stderr, f"{scope} {env}: {done.stderr}")
            check("streamd --user" not in done.stderr, done.stderr)


enter()
main(without_a_session, hints)
