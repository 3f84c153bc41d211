# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bindings of D-Bus that apps have: each example of examples/bindings opens a stream, with code made of the XML as it is
installed where the binding makes code of it. Prints a table: binding, what came of it, lines of the example."""
import glob
import os
import subprocess

from ends import Server
from ends import read_all
from harness import Site, check, check_equal, main, run_ok

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EXAMPLES = os.path.join(ROOT, "examples", "bindings")
XML = sorted(glob.glob(os.path.join(ROOT, "dbus", "io.streamd.Streamd1.*.xml")))
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's modules


def flags(*packages):
    return run_ok(["pkg-config", "--cflags", "--libs", *packages]).split()


def gdbus(folder):
    """All interfaces, without a warning."""
    run_ok(["gdbus-codegen", "--interface-prefix", "io.streamd.Streamd1.", "--c-namespace", "Streamd",
            "--c-generate-autocleanup", "all", "--output-directory", folder, "--generate-c-code", "streamd-gdbus", *XML])
    made = os.path.join(folder, "open-gdbus")
    run_ok(["gcc", "-Wall", "-Werror", "-I", folder, "-o", made, os.path.join(EXAMPLES, "open-gdbus.c"),
            os.path.join(folder, "streamd-gdbus.c"), *flags("gio-unix-2.0")])
    return [made]


def qt(folder):
    """A proxy of each interface; those that the example has no use for are compiled too, all at once: Qt's headers take their time."""
    sources = [os.path.join(EXAMPLES, "open-qt.cpp")]
    for path in XML:
        name = os.path.basename(path).split(".")[-2].lower()
        run_ok(["qdbusxml2cpp", "-i", "streamd-types.h", "-p", name, path], cwd=folder)
        run_ok(["moc", "-I", EXAMPLES, f"{name}.h", "-o", f"{name}.moc.cpp"], cwd=folder)
        sources += [f"{name}.cpp", f"{name}.moc.cpp"]
    with open(os.path.join(folder, "all.cpp"), "w", encoding="utf-8") as file:
        file.writelines(f'#include "{source}"\n' for source in sources)
    made = os.path.join(folder, "open-qt")
    run_ok(["g++", "-fPIC", "-Wall", "-I", folder, "-I", EXAMPLES, "-o", made, "all.cpp", *flags("Qt5DBus", "Qt5Core")], cwd=folder)
    return [made]


def script(name):
    return lambda _folder: [PYTHON, os.path.join(EXAMPLES, name)]


BINDINGS = {
    "GDBus, gdbus-codegen": ("open-gdbus.c", gdbus),
    "Qt, qdbusxml2cpp": ("open-qt.cpp", qt),
    "Python, dasbus": ("open-dasbus.py", script("open-dasbus.py")),
    "Python, dbus-fast": ("open-dbus-fast.py", script("open-dbus-fast.py")),
    "Python, dbus-python": ("open-dbus-python.py", script("open-dbus-python.py")),
}


def every_binding():
    """each binding opens a stream, gets its bytes back, and hears how it ended"""
    shown = {os.path.basename(path) for path in glob.glob(os.path.join(EXAMPLES, "open-*"))}
    check_equal(shown, {name for name, _ in BINDINGS.values()}, "examples that are run")
    with Site() as site:
        server = Server(lambda c: c.sendall(read_all(c)), site)
        site.gateway.ctl_ok("target", "add", "echo", server.address)
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "echo", "--accept", "echo")
        for binding, (name, make) in BINDINGS.items():
            folder = os.path.join(site.dir, name)
            os.mkdir(folder)
            argv = make(folder)
            said = subprocess.run([*argv, site.DEVICE, "echo"], env=site.client.env, capture_output=True, text=True,
                                  timeout=30, check=False)
            check_equal(said.stdout, "hello\ncompleted\n", f"{binding}: {said.stderr}")
            # An error says what the daemon said.
            wrong = subprocess.run([*argv, "nobody", "echo"], env=site.client.env, capture_output=True, text=True,
                                   timeout=30, check=False)
            check(wrong.returncode != 0 and "nobody" in wrong.stderr, f"{binding}: {wrong.stderr}")
            with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
                lines = sum(1 for line in file if line.strip() and not line.lstrip().startswith(("#", "/*", "*", "//")))
            print(f"# {binding:22} works  {lines} lines")


main(every_binding)
