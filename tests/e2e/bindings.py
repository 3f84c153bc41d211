# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bindings of D-Bus that apps have: bindings.py [BINDING...]. Each program of docs/languages.md is taken out of the page,
built as the page says, and run. Prints the table of the page, as it came out, and holds the page against it. Without a name it
takes those that Debian has ready; with STREAMD_LONG=1 those as well whose compilers are large."""
import glob
import os
import re
import subprocess
import sys

from ends import Server, echo
from harness import LONG, PATIENCE, Process, Site, check, check_equal, eventually, main, run_ok
from page import Page

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
XML = sorted(glob.glob(os.path.join(ROOT, "dbus", "io.streamd.Streamd1.*.xml")))
PAGE = Page(os.path.join(ROOT, "docs", "languages.md"))
NODE_MODULES = os.path.join(os.environ.get("STREAMD_NODE_DIR", ""), "node_modules")
# What the page says is installed.
PLACES = {
    "/usr/share/dbus-1/interfaces": os.path.join(ROOT, "dbus"),
    "/usr/share/doc/streamd/examples": os.path.join(ROOT, "examples"),
}
PYTHON = ["/usr/bin/python3"]  # Debian's, which has Debian's modules
COLUMNS = ("with", "lines", "stream", "end noticed", "tunnel", "error", "takes streams", "works")
LINES = {"stream": "stream: ", "end noticed": "ended: ", "tunnel": "tunnel: ", "error": "error: "}
COMMENT = ("#!", "# ", "/*", "*", "//")


class Binding:
    """PROGRAM and TAKES are blocks of the page; COMMAND is how the first is run, and the second as well in its own name."""

    def __init__(self, package, program, command, takes=None, lacks=(), long=False):
        self.package, self.program, self.command = package, program, command
        self.takes, self.lacks, self.long = takes, lacks, long

    def version(self):
        if self.package == "npm":
            text = run_ok(["node", "-p", "require('dbus-next/package.json').version"], env=dict(os.environ, NODE_PATH=NODE_MODULES))
        else:
            text = run_ok(["dpkg-query", "-W", "-f", "${Version}", self.package])
        return re.sub(r"^\d+:|[-+].*", "", text.strip())

    def lines(self):
        """But for the empty ones and the comments."""
        return sum(1 for line in PAGE[self.program].splitlines() if line.strip() and not line.lstrip().startswith(COMMENT))


BINDINGS = {
    "Python, GDBus": Binding("python3-gi", "open-gi.py", PYTHON),
    "Python, dasbus": Binding("python3-dasbus", "open-dasbus.py", PYTHON, "take-dasbus.py"),
    "Python, dbus-fast": Binding("python3-dbus-fast", "open-dbus-fast.py", PYTHON, "take-dbus-fast.py"),
    "Python, dbus-python": Binding("python3-dbus", "open-dbus-python.py", PYTHON),
    "C, GDBus": Binding("libglib2.0-dev", "open-gdbus.c", None),
    "C, sd-bus": Binding("libsystemd-dev", "open-sd-bus.c", None),
    "C++, Qt": Binding("qtbase5-dev", "open-qt.cpp", None),
    "Go, godbus": Binding("golang-dbus-dev", "open.go", None, "take.go", long=True),
    "Rust, dbus": Binding("librust-dbus-dev", "main.rs", "target/debug/open", long=True),
    "Node, dbus-next": Binding("npm", "open-node.js", ["node"], lacks=("stream",)),
}


class Workshop:
    """A folder of its own for each binding, and a site to run it on."""

    def __init__(self, site):
        self.site = site
        # Of Debian's programs, whatever else is on the PATH. A home of its own: the tools keep things there.
        self.tools = {"PATH": f"{os.path.dirname(site.streamctl)}:/usr/bin:/bin", "HOME": site.dir, "GOTOOLCHAIN": "local",
                      "NODE_PATH": NODE_MODULES}

    def make(self, folder, name):
        """The command line of a program of the page, and the folder to run it in."""
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(PAGE[name])
        build = "build " + name
        if build in PAGE.named:
            text = PAGE[build]
            for place, here in PLACES.items():
                text = text.replace(place, here)
            # Every warning counts, without being printed on the page.
            text = re.sub(r"^(gcc|g\+\+) ", r"\1 -Wall -Wextra -Wno-unused-parameter -Werror ", text, flags=re.M)
            run_ok(["bash", "-euc", text], cwd=folder, env={**os.environ, **self.tools}, timeout=10 * PATIENCE)

    def command(self, binding, folder, name):
        if isinstance(binding.command, list):
            return [*binding.command, os.path.join(folder, name)]
        return [os.path.join(folder, binding.command or name.partition(".")[0])]

    def opens(self, binding, folder):
        """What the program prints."""
        self.make(folder, binding.program)
        argv = [*self.command(binding, folder, binding.program), self.site.DEVICE, "echo"]
        done = subprocess.run(argv, env={**self.site.client.env, **self.tools}, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        check_equal(done.returncode, 0, f"{binding.program}: {done.stdout}{done.stderr}")
        return done.stdout

    def takes(self, binding, folder):
        """The second program gets a stream, and the initiator what it says."""
        self.make(folder, binding.takes)
        handler = Process(self.site, binding.takes, self.command(binding, folder, binding.takes),
                          env={**self.site.gateway.env, **self.tools})
        eventually(lambda: handler.log() == "registered\n", f"{binding.takes} is registered")
        said = self.site.client.ctl("connect", self.site.DEVICE, "time", stdin=subprocess.DEVNULL)
        check_equal(said.stdout, "It is late.\n", f"{binding.takes}: {said.stderr}{handler.log()}")
        handler.stop()
        return True

    def row(self, binding):
        folder = os.path.join(self.site.dir, binding.program.replace(".", "-"))
        os.mkdir(folder)
        said = self.opens(binding, folder)
        wanted = [line for line in PAGE["printed"].splitlines(True)
                  if not any(line.startswith(LINES[column]) for column in binding.lacks)]
        row = {"with": binding.version(), "lines": str(binding.lines())}
        for column, start in LINES.items():
            row[column] = "yes" if any(line.startswith(start) for line in said.splitlines()) else "no"
        row.update(dict.fromkeys(binding.lacks, "–"))
        row["takes streams"] = "yes" if binding.takes and self.takes(binding, folder) else "–"
        row["works"] = "yes" if sorted(said.splitlines(True)) == sorted(wanted) else f"no: {said!r}"
        return row


def wanted():
    if NAMES:
        return {name: BINDINGS[name] for name in NAMES}
    return {name: binding for name, binding in BINDINGS.items() if binding.package != "npm" and (LONG or not binding.long)}


def expected(name, column, seen):
    """The page's cell. Versions are those of Debian 12, and updates of it are as good."""
    cell = PAGE.table("binding")[name][column]
    if column != "with":
        return cell
    with open("/etc/os-release", encoding="utf-8") as file:
        other = 'VERSION_ID="12"\n' not in file.read()
    return seen if other or cell.split(".")[0] == seen.split(".")[0] else cell


def every_binding():
    """each opens a stream and a tunnel, hears how the stream ended, reads the error's name, and takes a stream; as the page says"""
    check_equal(set(PAGE.table("binding")), set(BINDINGS), "rows of the page")
    with Site() as site:
        server = Server(echo, site)
        site.gateway.ctl_ok("target", "add", "echo", server.address)
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "echo", "--accept", "echo")
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "time", "--handler", "clock")
        monitor = Process(site, "monitor", ["stdbuf", "-oL", "gdbus", "monitor", "--session", "--dest", "io.streamd.Streamd1"],
                          env=site.client.env)
        workshop = Workshop(site)
        rows = {name: workshop.row(binding) for name, binding in wanted().items()}
        # Whoever only listens on a user's own bus hears of them all.
        eventually(lambda: "'CloseReason': <'completed'>" in monitor.log() and "InterfacesAdded" in monitor.log(),
                   "gdbus monitor shows the streams")
    for name, row in rows.items():
        print("# | " + " | ".join([name, *(row[column] for column in COLUMNS)]) + " |")
    for name, row in rows.items():
        check_equal(row["works"], "yes", name)
        for column, seen in row.items():
            check_equal(expected(name, column, seen), seen, f"docs/languages.md, {name}, {column}")


def all_of_the_xml():
    """qdbusxml2cpp makes code of every interface, and all of it compiles at once; gdbus-codegen is given all by the page"""
    with Site() as site:
        sources = []
        for path in XML:
            name = os.path.basename(path).split(".")[-2].lower()
            run_ok(["qdbusxml2cpp", "-i", "streamd-types.h", "-p", name, path], cwd=site.dir)
            sources.append(f"{name}.cpp")
        check(len(sources) >= 9, f"interfaces: {sources}")
        with open(os.path.join(site.dir, "all.cpp"), "w", encoding="utf-8") as file:
            file.writelines(f'#include "{source}"\n' for source in sources)
        run_ok(["g++", "-fPIC", "-Wall", "-c", "-I", os.path.join(ROOT, "examples", "bindings"), "all.cpp",
                *run_ok(["pkg-config", "--cflags", "Qt5DBus", "Qt5Core"]).split()], cwd=site.dir)


NAMES = [name for name in sys.argv[1:] if name in BINDINGS]
sys.argv[1:] = [name for name in sys.argv[1:] if name not in BINDINGS]
main(every_binding, *([] if NAMES else [all_of_the_xml]))
