# SPDX-License-Identifier: LGPL-2.1-or-later
"""The blocks of a document: what is run out of it, and by whom.

A block of docs/operations.md has a mark in the line before it: <!-- run: NAME --> for the test that asks
for it by that name, or <!-- untried -->, and then the text says so. page.py FILE NAME prints the block."""
import re
import sys

BLOCK = re.compile(r"^(?:<!-- ([^\n]*?) -->\n)?```(\w+)((?: \w+)*)\n(.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^##+ .*$", re.M)
RUN = "run: "


class Block:
    def __init__(self, text, match):
        self.line = text.count("\n", 0, match.start(2)) + 1
        self.mark = match.group(1)
        self.language, self.words, self.content = match.group(2), match.group(3).split(), match.group(4)
        self.start, self.end = match.span()

    @property
    def name(self):
        """By which a test asks for it; None: none does."""
        return self.mark[len(RUN):] if self.mark and self.mark.startswith(RUN) else None


def blocks(text):
    return [Block(text, match) for match in BLOCK.finditer(text)]


def parts(text):
    """(line, what, words, content) of headings and blocks, in their order."""
    found = blocks(text)
    inside = [(block.start, block.end) for block in found]
    every = [(block.start, block.line, block.language, block.words, block.content) for block in found]
    for match in HEADING.finditer(text):
        if not any(begin <= match.start() < end for begin, end in inside):
            line = text.count("\n", 0, match.start()) + 1
            every.append((match.start(), line, "heading", [], match.group()))
    for one in sorted(every):
        yield one[1:]


def pattern(text):
    """What TEXT is like when its numbers are others."""
    return re.sub(r"\d+", r"\\d+", re.escape(text))


class Page:
    """A document whose blocks have names."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.named = {block.name: block for block in blocks(self.text) if block.name}

    def __getitem__(self, name):
        return self.named[name].content

    def table(self, corner):
        """The rows of the table whose first cell is CORNER: {row: {column: cell}}."""
        lines = iter(self.text.splitlines())
        head = next(cells for cells in map(cells_of, lines) if cells and cells[0] == corner)
        next(lines)
        rows = {}
        for line in lines:
            cells = cells_of(line)
            if not cells:
                return rows
            rows[cells[0]] = dict(zip(head[1:], cells[1:]))
        return rows


def cells_of(line):
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []


if __name__ == "__main__":
    sys.stdout.write(Page(sys.argv[1])[sys.argv[2]])
