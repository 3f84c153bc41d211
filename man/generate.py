# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes manual pages of what the programs and the contract say themselves.

generate.py interface XML OUTPUT VERSION           dbus/NAME.xml -> NAME.5
generate.py program TEMPLATE OUTPUT PROGRAM...     the table of verbs, into man/streamctl.1.in or man/streamhub.8.in
generate.py settings TEMPLATE OUTPUT STREAMHUB...  the settings of the hub, into man/streamhub.conf.5.in

PROGRAM is a word, or several when it is of another architecture: what runs it, and the program.

What both command lines have in common is in exit-codes.in and json.in beside the template.

What is in the XML without a comment, or in a table without a text, is an error."""

import glob
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

SEND, RECEIVE = 'in', 'out'


def escape(text):
    """Text that troff prints as it is."""
    text = text.replace('\\', '\\e').replace('-', '\\-').replace('^', '\\(ha').replace('~', '\\(ti')
    return re.sub(r"(?m)^([.'])", r'\\&\1', text)


def bold(text):
    return f'\\fB{escape(text)}\\fR'


def italic(text):
    return f'\\fI{escape(text)}\\fR'


def indent(line):
    return len(line) - len(line.lstrip())


def keys(lines, depth):
    """Rows of a table: "key  type  text", which may go on in lines that are indented further."""
    for line in lines:
        if indent(line) == depth:
            key, *types, text = re.split(r' {2,}', line.strip())
            yield '.TP\n' + bold(key) + ''.join(f' ({bold(name)})' for name in types) + '\n' + escape(text)
        else:
            yield escape(line.strip())


def paragraphs(text):
    """Of a comment: separated by empty lines; a list's items begin with "- "; a table is indented."""
    margin = min((indent(line) for line in text.strip().splitlines()[1:] if line.strip()), default=0)
    for part in re.split(r'\n[^\S\n]*\n', text.strip()):
        lines = [line for line in part.splitlines() if line.strip()]
        depth = min(map(indent, lines), default=0)
        if depth > margin:
            yield '\n'.join(keys(lines, depth))
            continue
        items = re.split(r'(?m)^\s*- ', part)
        if items[0].strip():
            yield '.PP\n' + escape(' '.join(items[0].split()))
        for item in items[1:]:
            yield '.IP \\(bu 2\n' + escape(' '.join(item.split()))


def fill(template, version='', **parts):
    """TEMPLATE with its lines `.\\" NAME` replaced."""
    for name, text in parts.items():
        mark = f'.\\" {name}\n'
        if mark not in template:
            sys.exit(f'the template has no line {mark!r}')
        template = template.replace(mark, text.rstrip('\n') + '\n')
    return template.replace('@VERSION@', version)


# -- interfaces --------------------------------------------------------------------------------


class Comment:
    """What the comment in front of a member says: text, and of each argument."""

    def __init__(self, text, name):
        head, _, rest = text.strip().partition('\n')
        title, _, first = head.partition(':')
        if title.strip() != name:
            sys.exit(f'{name}: the comment in front of it is about {title.strip()!r}')
        body = first.strip() + '\n' + rest
        self.notes = dict(re.findall(r'(?ms)^\s*@(\w+):\s*(.*?)(?=^\s*@\w+:|\n\s*\n|\Z)', body))
        self.text = re.sub(r'(?ms)^\s*@(\w+):.*?(?=^\s*@\w+:|\n\s*\n|\Z)', '', body).strip()

    def paragraphs(self):
        since = self.notes.get('since')
        return [*(paragraphs(self.text) if self.text else []),
                *([f'.PP\nSince version {since.strip()}.'] if since else [])]


class Interface:
    """One of dbus/*.xml."""

    def __init__(self, path):
        builder = xml.etree.ElementTree.TreeBuilder(insert_comments=True)
        root = xml.etree.ElementTree.parse(path, xml.etree.ElementTree.XMLParser(target=builder)).getroot()
        self.path = root.get('name', '')
        self.comments = {}
        self.element = root.find('interface')
        self._read(root)
        self._read(self.element)
        self.name = self.element.get('name')
        self.own = self.comments[self.name]

    def _read(self, parent):
        comment = None
        for child in parent:
            if child.tag is xml.etree.ElementTree.Comment:
                comment = child.text
            elif child.tag in ('interface', 'method', 'property', 'signal'):
                name = child.get('name')
                if comment is None:
                    sys.exit(f'{name} has no comment')
                self.comments[name] = Comment(comment, name)
                comment = None

    def members(self, kind):
        return self.element.findall(kind)


def arguments(member, direction):
    default = SEND if member.tag == 'method' else RECEIVE
    return [arg for arg in member.findall('arg') if arg.get('direction', default) == direction]


def signature(member):
    def listed(args):
        return ', '.join(f'{bold(arg.get("type"))} {italic(arg.get("name"))}' for arg in args)
    given = SEND if member.tag == 'method' else RECEIVE
    text = f'{bold(member.get("name"))}({listed(arguments(member, given))})'
    got = arguments(member, RECEIVE) if member.tag == 'method' else []
    return text + (f' \\(-> ({listed(got)})' if got else '')


def call_section(interface, title, kind):
    parts = []
    for member in interface.members(kind):
        comment = interface.comments[member.get('name')]
        parts += [f'.SS {escape(member.get("name"))}', '.nf', signature(member), '.fi']
        for arg in member.findall('arg'):
            if arg.get('name') not in comment.notes:
                sys.exit(f'{member.get("name")}: nothing about @{arg.get("name")}')
            parts += ['.TP', italic(arg.get('name')), escape(' '.join(comment.notes[arg.get('name')].split()))]
        parts += comment.paragraphs()
    return '\n'.join([f'.SH {title}', *parts]) + '\n' if parts else ''


EMITS = {'true': 'announced when it changes', 'const': 'never changes', 'false': 'not announced',
         'invalidates': 'announced without its value'}


def property_section(interface):
    parts = []
    for member in interface.members('property'):
        comment = interface.comments[member.get('name')]
        if not comment.text:
            sys.exit(f'{member.get("name")}: nothing is said of it')
        notes = [note.get('value') for note in member.findall('annotation')
                 if note.get('name').endswith('EmitsChangedSignal')]
        emits = EMITS[notes[0] if notes else 'true']
        first, *more = [part.partition('\n')[2] for part in comment.paragraphs()]
        parts += ['.TP', f'{bold(member.get("name"))} ({bold(member.get("type"))}, {member.get("access")}, {emits})',
                  first]
        for text in more:
            parts += ['.IP', text]
    return '\n'.join(['.SH PROPERTIES', *parts]) + '\n' if parts else ''


def interface_page(path, version):
    interface = Interface(path)
    short = ' '.join(interface.own.notes['short_description'].split())
    others = sorted(os.path.basename(name).removesuffix('.xml')
                    for name in glob.glob(os.path.join(os.path.dirname(path), 'io.*.xml')))
    where = bold(interface.path) if interface.path else 'an object of the app, at a path of its choice'
    see = [f'.BR {escape(name)} (5),' for name in others if name != interface.name]
    return '\n'.join([
        "'\\\" t", '.\\" SPDX-License-Identifier: LGPL-2.1-or-later', f'.\\" Made of dbus/{interface.name}.xml.',
        f'.TH {interface.name.upper()} 5 "" "streamd {version}" "D\\-Bus"', '.nh', '.ad l',
        '.SH NAME', f'{escape(interface.name)} \\- {escape(short[0].lower() + short[1:])}',
        '.SH SYNOPSIS', '.TP', 'Bus name', bold('io.streamd.Streamd1') if interface.path else 'of the app',
        '.TP', 'Object', where, '.TP', 'Interface', bold(interface.name),
        '.SH DESCRIPTION', *[part.removeprefix('.PP\n') if i == 0 else part
                             for i, part in enumerate(interface.own.paragraphs())],
    ]) + '\n' + call_section(interface, 'METHODS', 'method') + call_section(interface, 'SIGNALS', 'signal') + \
        property_section(interface) + '\n'.join([
            '.SH ERRORS', 'Their names begin with', bold('io.streamd.Streamd1.Error.') + ';',
            'dbus/README.md, which is installed with the documentation, says what each means.',
            '.SH "SEE ALSO"', *see, '.BR streamd (8),', '.BR streamctl (1),', '.BR busctl (1)']) + '\n'


# -- programs ----------------------------------------------------------------------------------


def option_form(row):
    form = f'{bold(row["brief"])}, ' if row['brief'] else ''
    form += bold('--' + row['name'])
    value = italic(row['value'])
    return form + {'none': '', 'optional': f'[={value}]'}.get(row['kind'], '=' + value)


def usage(arguments_):
    """Capitals are for what is to be replaced."""
    parts = re.split(r'([A-Z]{2,}|\bN\b)', arguments_)
    return ''.join(italic(part) if i % 2 else (bold(part) if part.strip() else part) for i, part in enumerate(parts))


def sentence(text):
    return escape(text.rstrip('.')) + '.'


def beside(template, name):
    """What is in NAME, in the folder of the template; without its comments."""
    with open(os.path.join(os.path.dirname(template), name), encoding='utf-8') as file:
        return ''.join(line for line in file if not line.startswith('.\\"'))


def json_forms(verbs):
    """What each verb prints with --json; those that print the same stand together."""
    forms = {}
    for verb in verbs:
        if verb['json'] not in ('', REFUSED):
            forms.setdefault(verb['json'], []).append(verb['name'])
    return '\n'.join('.TP\n' + ', '.join(map(bold, names)) + '\n' + escape(form) for form, names in forms.items())


REFUSED = '-'


def said(program, option):
    return subprocess.run([*program, option], capture_output=True, text=True, check=True).stdout


def program_page(path, *program):
    dump = json.loads(said(program, '--dump-verbs'))
    rows = {row['name']: row for row in dump['options']}
    verbs, own, everywhere = [], [], []
    for verb in dump['verbs']:
        verbs += ['.TP', f'{bold(verb["name"])} {usage(verb["arguments"])}'.rstrip(), sentence(verb['help'])]
        verbs += [part.replace('.PP', '.IP', 1) for part in paragraphs(verb['more'])] if verb['more'] else []
    for row in rows.values():
        users = [verb['name'] for verb in dump['verbs'] if row['name'] in verb['options']]
        to = everywhere if row['everywhere'] else own
        to += ['.TP', option_form(row), sentence(row['help'])]
        if not row['everywhere']:
            to += ['(' + ', '.join(escape(user) for user in users) + ')']
    refused = [bold(verb['name']) for verb in dump['verbs'] if verb['json'] == REFUSED]
    with open(path, encoding='utf-8') as file:
        template = file.read()
    version = said(program, '--version').split()[1]
    return fill(template, version, VERBS='\n'.join(verbs), OPTIONS='\n'.join(own), GLOBAL='\n'.join(everywhere),
                EXIT_CODES=beside(path, 'exit-codes.in'),
                JSON=beside(path, 'json.in').replace('@REFUSED@', ', '.join(refused)) + json_forms(dump['verbs']))


def settings_page(path, *program):
    with open(path, encoding='utf-8') as file:
        template = file.read()
    shown = said(program, 'settings')
    parts = []
    for text, key, value in re.findall(r'(?m)^# (.*)\n#([\w-]+)=(.*)$', shown):
        meaning, _, kind = text.rpartition(': ')
        parts += ['.TP', f'{bold(key)}={italic(value)}', f'{sentence(meaning[0].upper() + meaning[1:])}',
                  f'{sentence(kind[0].upper() + kind[1:])}']
    version = said(program, '--version').split()[1]
    return fill(template, version, SETTINGS='\n'.join(parts))


def written_page(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


# DATE: of the release; empty before it.
def main(kind, source, output, date, *others):
    page = {'interface': interface_page, 'program': program_page, 'settings': settings_page,
            'written': written_page}[kind](source, *others)
    page = re.sub(r'(?m)^(\.TH \S+ \d) ""', rf'\1 "{date.removeprefix("--date=")}"', page, count=1)
    with open(output, 'w', encoding='utf-8') as file:
        file.write(page)


main(*sys.argv[1:])
