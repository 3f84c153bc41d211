# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the XML files of dbus/ promise, a line for each member, beside what each release promised.

`dbus_api.py ROOT` prints the lines that a release of the present version adds to dbus/released."""

import os
import re
import sys
import xml.etree.ElementTree

from source import Tree, line_of

RELEASED = 'dbus/released'
SINCE = re.compile(r'^\s*@since:\s*(\S+)\s*$', re.M)


class Member:
    """One method, signal, property, or the interface itself."""

    def __init__(self, path, line, text, since):
        self.path, self.line, self.text, self.since = path, line, text, since


def form(interface, element):
    """The one line that must never change: kind, name, and the types that travel."""
    name = f'{element.tag} {interface}.{element.get("name")}'
    if element.tag == 'property':
        return f'{name} {element.get("type")} {element.get("access")}'
    types = {'in': '', 'out': ''}
    for arg in element.findall('arg'):
        types[arg.get('direction', 'in' if element.tag == 'method' else 'out')] += arg.get('type')
    return f'{name} ({types["in"]}) -> ({types["out"]})'


def since_of(text, element):
    """What the comment in front of the element says, and the element's line."""
    start = re.search(rf'<{element.tag} name="{re.escape(element.get("name"))}"', text).start()
    before = text[:start].rstrip()
    comment = before[before.rfind('<!--'):] if before.endswith('-->') else ''
    found = SINCE.search(comment)
    return (found.group(1) if found else None), line_of(text, start)


def members(tree):
    """Of all interfaces. A member without a version of its own came with its interface."""
    for path in tree.files:
        if not re.fullmatch(r'dbus/io\.[\w.]+\.xml', path):
            continue
        text = tree.text(path)
        interface = xml.etree.ElementTree.fromstring(text).find('interface')
        name = interface.get('name')
        first, line = since_of(text, interface)
        yield Member(path, line, f'interface {name}', first)
        for element in interface:
            if element.tag in ('method', 'signal', 'property'):
                since, line = since_of(text, element)
                yield Member(path, line, form(name, element), since or first)


def version_of(tree):
    """The major and minor number of the version that is being made."""
    return re.search(r"^  version: '(\d+\.\d+)", tree.text('meson.build'), re.M).group(1)


def released(tree):
    """{line of a member: the version that brought it}"""
    rows = [row.split(' ', 1) for row in tree.text(RELEASED).split('\n') if row and not row.startswith('#')]
    return {text: version for version, text in rows}


if __name__ == '__main__':
    tree_ = Tree(sys.argv[1])
    known = released(tree_) if os.path.exists(os.path.join(sys.argv[1], RELEASED)) else {}
    for member in members(tree_):
        if member.text not in known:
            print(version_of(tree_), member.text)
