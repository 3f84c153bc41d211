# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a document: documented.py FILE [FOLDER]. It is run in a folder of its own, or in a copy of
FOLDER. Its code blocks say after their language where they are run, on the "client" or on the
"gateway" of a site, and "background" when they go on until the next heading. A block of C is saved
under the name in its first line. A block of text is what the block before it prints; numbers in it
may be others."""
import os
import re
import shutil
import sys

from ends import Server
from harness import PATIENCE, Failure, Process, Site, check, eventually, main, run
from page import parts, pattern

# What the text calls its service; here it is where one listens.
SERVICE = "tcp:127.0.0.1:7\n"


class Document:
    """A document on its way through a site."""

    def __init__(self, site, path, folder):
        self.site = site
        self.path = path
        self.dir = os.path.join(site.dir, "document")
        shutil.copytree(folder, self.dir) if folder else os.mkdir(self.dir)
        self.said = None  # by the last block: a text, or the process of one in the background
        self.running = []
        self.number = 0
        self.run_count = 0
        server = Server(self.echo, site)
        self.service = server.address + "\n"

    @staticmethod
    def echo(connection):
        while data := connection.recv(1 << 16):
            connection.sendall(data)

    def play(self):
        with open(self.path, encoding="utf-8") as file:
            text = file.read()
        for line, what, words, content in parts(text):
            place = f"{os.path.basename(self.path)}:{line}"
            if what == "heading":
                self.stop()
            elif what == "text":
                self.compare(place, content)
            elif what in ("sh", "python", "c"):
                self.run(place, what, words, content)
            else:
                raise Failure(f"{place}: what is {what}?")
        self.stop()
        check(self.run_count > 0, "nothing was run")

    def run(self, place, language, words, content):
        check(words and words[0] in ("client", "gateway"), f"{place}: where is it run?")
        self.run_count += 1
        if language == "c":
            name = re.match(r"/\* (\S+\.c) \*/\n", content)
            check(name, f"{place}: it does not say its name")
            with open(os.path.join(self.dir, name.group(1)), "w", encoding="utf-8") as file:
                file.write(content)
            return
        daemon = getattr(self.site, words[0])
        env = dict(daemon.env, PATH=f"{os.path.dirname(self.site.streamctl)}:{os.environ['PATH']}")
        content = content.replace(SERVICE, self.service)
        shells = {"python": ["/usr/bin/python3", "-c"], "sh": ["bash", "-euc"]}
        argv = [*shells[language], content]
        if words[1:] == ["background"]:
            self.number += 1
            self.said = Process(self.site, f"background-{self.number}", argv, env=env,
                                cwd=self.dir, start_new_session=True)
            self.running.append(self.said)
            return
        done = run(argv, env=env, cwd=self.dir, timeout=PATIENCE)
        check(done.returncode == 0, f"{place}: {done.returncode}: {done.stdout}{done.stderr}")
        check(done.stderr == "", f"{place}: said {done.stderr}")
        self.said = done.stdout

    def compare(self, place, wanted):
        check(self.said is not None, f"{place}: nothing was run before it")
        if isinstance(self.said, Process):
            process = self.said
            eventually(lambda: re.fullmatch(pattern(wanted), process.log()), f"{place}: it prints that")
        else:
            check(re.fullmatch(pattern(wanted), self.said), f"{place}: it prints {self.said!r}")

    def stop(self):
        for process in self.running:
            if process.alive():
                os.killpg(process.pid, 15)
                process.popen.wait()
        self.running = []
        self.said = None


def runs():
    """every snippet runs, and prints what is written below it"""
    with Site() as site:
        page = Document(site, DOCUMENT, FOLDER)
        site.closers.append(page.stop)
        page.play()
        print(f"# {page.run_count} blocks")


if __name__ == "__main__":
    DOCUMENT = sys.argv[1]
    FOLDER = sys.argv[2] if len(sys.argv) > 2 else None
    del sys.argv[1:]
    main(runs)
