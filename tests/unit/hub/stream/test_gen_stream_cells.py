# SPDX-License-Identifier: LGPL-2.1-or-later
"""The generator of the stream table's tests notices when document and code's expectations part."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
DOCUMENT = os.path.join(HERE, "..", "..", "..", "..", "docs", "wire-protocol.md")
EXPECTED = os.path.join(HERE, "stream-cells.expect")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def generate(document, expected):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("document", "expected", "out.c")]
        for path, text in zip(paths, (document, expected)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run([sys.executable, os.path.join(HERE, "gen-stream-cells.py"), *paths],
                              capture_output=True, text=True, check=False)


class Drift(unittest.TestCase):
    def setUp(self):
        self.document, self.expected = read(DOCUMENT), read(EXPECTED)

    def refused(self, document, expected, words):
        done = generate(document, expected)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(words, done.stderr)

    def test_agree(self):
        self.assertEqual(generate(self.document, self.expected).returncode, 0)

    def test_changed_prose(self):
        changed = self.document.replace("| 503, leg 1001 |", "| 503, leg 1011 |")
        self.assertNotEqual(changed, self.document)
        self.refused(changed, self.expected, "503, leg 1011")

    def test_new_row(self):
        line = "| hub stops |"
        changed = self.document.replace(line, "| moon rises | a | b | c | d |\n" + line)
        self.refused(changed, self.expected, "moon rises")

    def test_lost_row(self):
        changed = "\n".join(line for line in self.document.splitlines()
                            if not line.startswith("| hub stops |"))
        self.refused(changed, self.expected, "not in the document")

    def test_no_table(self):
        self.refused(self.document.replace("| input | waiting |", "| input | idle |"), self.expected,
                     "no table")

    def test_nothing_expected(self):
        self.refused(self.document, self.expected.replace("HUB_STOPS -> ENDED reason=HUB_STOPPING "
                                                          "error=503001 do=POST_ERROR\n", ""),
                     "nothing is expected")

    def test_typing_error(self):
        self.refused(self.document, self.expected.replace("LINK_LOST -> ASKED", "LINK_LOST > ASKED"),
                     "cannot be read")


if __name__ == "__main__":
    unittest.main()
