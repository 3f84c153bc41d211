# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the source rules look at: the files of the tree, and C with its comments and strings blanked."""

import os
import re
import subprocess

NOT_OURS = re.compile(r'^(COPYING|tests/fuzz/corpus/.*)$')
SKIPPED_FOLDERS = re.compile(r'^(\.git|build.*|out|node_modules|__pycache__)$')

# A comment, a string or a character: whichever begins first.
C_OPAQUE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.M)
FUNCTION_NAME = re.compile(r'^([A-Za-z_]\w*)\(', re.M)  # the style puts it at the start of a line


class Tree:
    """The files below ROOT that are, or would be, under version control."""

    def __init__(self, root):
        self.root = root
        self._texts = {}
        self.files = sorted(self._tracked() or self._walked())

    def _tracked(self):
        """None without git: in an unpacked release, for one. (Any owner will do: nothing is run from the tree.)"""
        if not os.path.exists(os.path.join(self.root, '.git')):
            return None
        command = ['git', '-c', 'safe.directory=*', '-C', self.root,
                   'ls-files', '-z', '--cached', '--others', '--exclude-standard']
        try:
            output = subprocess.run(command, capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return None
        names = set(output.decode().split('\0')) - {''}
        return [name for name in names if os.path.isfile(os.path.join(self.root, name))]

    def _walked(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not SKIPPED_FOLDERS.match(name)]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def text(self, path):
        """The text of a file; None for one that is not text."""
        if path not in self._texts:
            with open(os.path.join(self.root, path), 'rb') as file:
                data = file.read()
            try:
                self._texts[path] = None if b'\0' in data else data.decode()
            except UnicodeDecodeError:
                self._texts[path] = None
        return self._texts[path]

    def ours(self):
        """Text files written here: neither licence text nor fuzz inputs."""
        return [path for path in self.files
                if not NOT_OURS.match(path) and self.text(path) is not None]

    def c_files(self):
        return [path for path in self.ours() if path.endswith(('.c', '.h'))]

    def product_c_files(self):
        """C that ends up in a program, as opposed to tests and measuring tools."""
        return [path for path in self.c_files() if not path.startswith(('tests/', 'bench/'))]

    def code(self, path):
        return blank_c(self.text(path))


def blank_c(text):
    """C without what comments and strings say, every line where it was. A string stays as "" and blanks."""
    def blank(match):
        found = match.group()
        spaces = re.sub(r'[^\n]', ' ', found)
        return spaces if found.startswith('/') else found[0] * 2 + spaces[2:]
    return C_OPAQUE.sub(blank, text)


def comments_c(text):
    """What the comments of C say, every line where it was; all else is blank."""
    def keep(match):
        return match.group() if match.group().startswith('/') else re.sub(r'[^\n]', ' ', match.group())
    spans = [(match.start(), match.end(), keep(match)) for match in C_OPAQUE.finditer(text)]
    parts, position = [], 0
    for start, end, kept in spans:
        parts += [re.sub(r'[^\n]', ' ', text[position:start]), kept]
        position = end
    return ''.join(parts) + re.sub(r'[^\n]', ' ', text[position:])


def line_of(text, position):
    return text.count('\n', 0, position) + 1


def matches(pattern, text):
    """(line, match) of each."""
    for match in re.finditer(pattern, text, re.M):
        yield line_of(text, match.start()), match


def c_functions(code):
    """(name, first line, lines) of each function defined in blanked C: a brace at depth 0 after a parameter list."""
    code = DIRECTIVE.sub(lambda match: re.sub(r'[^\n]', ' ', match.group()), code)
    depth = 0
    header_start = 0
    begun = None
    for match in re.finditer(r'[{};]', code):
        mark, position = match.group(), match.start()
        if mark == '{':
            header = code[header_start:position]
            names = list(FUNCTION_NAME.finditer(header))
            if depth == 0 and names and header.rstrip().endswith(')'):
                begun = (names[-1].group(1), line_of(code, header_start + names[-1].start()))
            depth += 1
        elif mark == '}':
            depth -= 1
            if depth == 0 and begun:
                yield begun[0], begun[1], line_of(code, position) - begun[1] + 1
                begun = None
        if depth == 0:
            header_start = position + 1
