# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules that the source keeps, as tests: rules.py RULE ROOT, or rules.py all ROOT.

Each rule is a function from a Tree to (path, line, what is wrong). test_rules.py breaks every one of them once."""

import fnmatch
import os
import re
import statistics
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))

# pylint: disable=wrong-import-position
import dbus_api
import page
from source import Tree, c_functions, comments_c, matches

LINES_OF_A_FUNCTION = 70
MANUAL = 'docs/operations.md'
LINES_OF_A_FILE = 600
PAIRS_OF_A_FOLDER = 24
LIMIT_WITH_STORE = 16384

INCLUDE = r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]'

# docs/architecture.md, section 2. A row per folder: whose headers its files may include, beside its
# own. Nothing goes back up, so that whatever stands in a row can be read and tested without the rows
# below it. The folder of a program itself is what puts the program together.
COMMON = {
    'common/base': '',
    'common/codec': 'base',
    'common/topic': 'base codec extension',
    'common/extension': 'base codec',
    'common/resume': 'base',
    'common/loop': 'base',
    'common/log': 'base',
    'common/metrics': 'base',
    'common/net': 'base codec loop resume',
    'common/bus': 'base',
    'common/cli': 'base',
}
HUB = {
    'hub/base': '',
    'hub/records': 'base',
    'hub/registry': 'base',
    'hub/edge': 'base registry',
    'hub/device': 'base records registry edge',
    'hub/stream': 'base records registry edge device',
    'hub/rest': 'base records registry edge device stream',
    'hub/metrics': 'base records registry edge device stream',
    'hub': 'base records registry edge device stream rest metrics',
    'hub/certificate': 'base',
    'hub/admin': 'base records registry certificate metrics .',
    'hub/log': '',
    'hub/push': 'base log',
    'hub/cli': '',
    'hub/doctor': 'base registry certificate admin cli',
    'hub/verb': 'base registry certificate admin log cli doctor',
    'hub/verb/registry': 'base registry certificate admin cli verb',
}
DAEMON = {
    'daemon/net': '',
    'daemon/policy': '',
    'daemon/record': '',
    'daemon/handover': '',
    'daemon/carrier': '',
    'daemon/stream': 'net policy carrier',
    'daemon/local': 'net policy stream',
    'daemon/link': 'net policy stream local',
    'daemon/config': 'net policy stream local link',
    'daemon': 'net policy record handover stream local link config',
    'daemon/diagnosis': 'net policy record stream local link .',
    'daemon/bus': 'policy record .',
    'daemon/bus/object': 'policy record bus diagnosis .',
}
CLIENT = {
    'client/cli': '',
    'client/pipe': '',
    'client/bus': 'cli',
    'client/doctor': 'bus',
    'client/show': 'cli bus',
    'client/verb': 'cli pipe bus doctor show',
    'client/verb/policy': 'cli bus show verb',
    'client/complete': 'cli bus verb',
}
# An app as any other: nothing of the programs, only GTK and GDBus.
DESKTOP = {
    'desktop/base': '',
    'desktop/bus': 'base',
    'desktop/setup': 'base bus',
    'desktop/device': 'base bus',
    'desktop/page': 'base bus setup device',
    'desktop/consent': 'base bus',
    'desktop/transfer': 'base bus',
    'desktop/app': 'base bus page consent transfer setup device',
}
# The two command lines. Nothing else has words for whoever types.
HUB_COMMAND_LINE = ('hub/cli', 'hub/doctor', 'hub/verb', 'hub/verb/registry')
COMMAND_LINES = (*HUB_COMMAND_LINE, *CLIENT)
# A main.c starts everything that its program has; streamhubd has no verbs.
SERVER = {folder: row for folder, row in HUB.items() if folder not in (*HUB_COMMAND_LINE, 'hub/log', 'hub/push')}
PUSH = {folder: HUB[folder] for folder in ('hub/base', 'hub/log', 'hub/push')}
MAINS = {'hub/main.c': HUB, 'hub/streamhubd.c': SERVER, 'hub/streamhub-push.c': PUSH, 'daemon/main.c': DAEMON,
         'client/main.c': CLIENT, 'desktop/main.c': DESKTOP}


def wings_of(rows, base):
    """{folder: set of folders whose headers it may include}; BASE: what all of them may as well."""
    wings = {}
    for folder, others in rows.items():
        program = folder.split('/')[0]
        named = {program if name == '.' else f'{program}/{name}' for name in others.split()}
        wings[folder] = named | {folder} | base
    return wings


BELOW = set(COMMON) - {'common/bus', 'common/cli'}
WINGS = {
    **wings_of(COMMON, set()),
    **wings_of(HUB, BELOW),
    **wings_of(DAEMON, BELOW | {'common/bus'}),
    **wings_of(CLIENT, BELOW | {'common/bus'}),
    **wings_of(DESKTOP, set()),
}
for folder in COMMAND_LINES:
    WINGS[folder].add('common/cli')
PROGRAMS = ('common', 'hub', 'daemon', 'client', 'desktop')


def may_include(path, other):
    """Whether PATH may include a header that lies in the folder OTHER."""
    if path in MAINS:
        return other in set(MAINS[path]) | set(COMMON)
    return other in WINGS.get(os.path.dirname(path), set())


# The same section: who may know a library. Tests may know anything.
LIBRARIES = [
    (r'systemd/sd-bus.*', ['common/bus/*', 'daemon/bus/*', 'client/bus/*', 'examples/*']),
    (r'libsoup/.*', ['hub/cli/client.c', 'hub/push/post.c']),
    (r'gnutls/.*', ['common/net/tls*', 'common/codec/sas-token.c', 'hub/certificate/*']),
    (r'sqlite3\.h', ['hub/registry/sqlite*']),
]

# Of the hub, who may know how a device speaks: that folder, what it stands on, and the command line, which has an
# option for the port and tries it. All others, those to come among them, may not. Strings may name a protocol: a listener
# is announced as "mqtts".
PROTOCOL_FOLDERS = ('hub/base', 'hub/edge', 'hub/device', 'hub/cli', 'hub/verb', 'hub/doctor')
PROTOCOL_WORD = r'(?i)\w*(mqtt|amqp|connack|puback|suback)\w*|\bstream_(topic|filter|request_build|answer_parse)\w*'
PROTOCOL_HEADER = r'.*mqtt.*|.*amqp.*|common/topic/.*|hub/device/(packet-share|twin|telemetry)\.h'

FORBIDDEN = [
    (r'\bgoto\b', 'goto: use g_autoptr, or a function of its own'),
    (r'\bG(Mutex|RecMutex|RWLock|Cond|AsyncQueue)\b|\bg_(mutex|cond|async_queue|atomic_rc)_',
     'ThreadSanitizer cannot see into GLib: C11 atomics or pthread'),
    (r'\b(strcpy|strcat|sprintf|vsprintf|gets|alloca)\s*\(', 'unbounded'),
    (r'\bsignal\s*\((?!\s*SIGPIPE\s*,\s*SIG_IGN)|\bsigaction\s*\(',
     'a signal handler: use g_unix_signal_add or signalfd'),
    (r'\b__u?int128(_t)?\b|\b_BitInt\b', 'not on 32-bit machines'),
    (r'\b(MAX|MIN|CLAMP)\s*\([^;]*\b(backoff_next|g_random_\w+|\w+_(take|pop|steal|read|receive)\w*|recv|send|read|write)\s*\(',
     'a macro that calls it twice: put the result into a variable first'),
]

# Beside these; a test may want a socket that is soon full.
FORBIDDEN_IN_PROGRAMS = [
    (r'\bSO_(SND|RCV)BUF\b', 'turns the autotuning of the socket off'),
]

# Put together here, so that this file keeps the rule as well.
UNFINISHED = r'\b(' + '|'.join(['TO' 'DO', 'FIX' 'ME', 'XX' 'X', 'HA' 'CK']) + r')\b'

PLAIN_COMPARE = r'\b(memcmp|bcmp|strn?cmp|strn?casecmp|g_strcmp0|g_str_equal)\s*\(([^;{]*)'
SECRET_NAME = re.compile(r'(^|_)(sig|signature|mac|hmac|digest|secret|password|token)s?\d*($|_)', re.I)
MAC_FILE = 'common/codec/sas-token.c'

MAP = 'docs/architecture.md'
REQUIREMENTS = 'docs/requirements.md'
TESTS = 'tests/README.md'

# Formats in which an SPDX line cannot be written.
NO_COMMENTS = ('.json', 'debian/changelog', 'debian/copyright', 'debian/source/format')


def allowed(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def rule_dependencies(tree):
    """Includes follow the rows, and a library is known to few files."""
    for path in tree.product_c_files():
        for line, match in matches(INCLUDE, tree.text(path)):
            name = match.group(1)
            other = os.path.dirname(name)
            if name.split('/')[0] in PROGRAMS and not may_include(path, other):
                yield path, line, f'{os.path.dirname(path)} may not include {name}'
            for library, users in LIBRARIES:
                if re.fullmatch(library, name) and not allowed(path, users):
                    yield path, line, f'{name} is only for {", ".join(users)}'


def rule_seam(tree):
    """Nothing above hub/device/ knows the protocol of a device: another one can come beside it."""
    for path in tree.product_c_files():
        folder = os.path.dirname(path)
        if folder.split('/')[0] != 'hub' or folder in PROTOCOL_FOLDERS:
            continue
        for line, match in matches(INCLUDE, tree.text(path)):
            if re.fullmatch(PROTOCOL_HEADER, match.group(1)):
                yield path, line, f'{match.group(1)} is of a protocol of devices: hub/device/link.h is the seam'
        for line, match in matches(PROTOCOL_WORD, tree.code(path)):
            yield path, line, f'{match.group()} is of a protocol of devices: hub/device/link.h is the seam'


def rule_licence(tree):
    """Every text file has its SPDX line."""
    for path in tree.ours():
        head = '\n'.join(tree.text(path).split('\n')[:3])
        if tree.text(path) and not path.endswith(NO_COMMENTS) \
                and 'SPDX-License-Identifier: LGPL-2.1-or-later' not in head:
            yield path, 1, 'no SPDX line'


def rule_forbidden(tree):
    """No goto, no handlers of signals, no calls without a bound, ..."""
    programs = set(tree.product_c_files())
    for path in tree.c_files():
        for pattern, why in FORBIDDEN + (FORBIDDEN_IN_PROGRAMS if path in programs else []):
            for line, match in matches(pattern, tree.code(path)):
                yield path, line, f'{match.group().strip()}: {why}'


def rule_unfinished(tree):
    """No word that marks unfinished work."""
    for path in tree.ours():
        for line, match in matches(UNFINISHED, tree.text(path)):
            yield path, line, match.group()


def arguments(text):
    """The argument list that TEXT begins with, up to its closing parenthesis."""
    depth = 1
    for i, character in enumerate(text):
        depth += {'(': 1, ')': -1}.get(character, 0)
        if depth == 0:
            return text[:i]
    return text


def names_secret(name):
    """A hash of a secret is none: how much of it was right tells nothing about what was hashed."""
    return SECRET_NAME.search(name) and 'hash' not in name.lower()


def rule_secrets(tree):
    """A MAC or token is compared in constant time: two of them never go into memcmp or strcmp."""
    for path in tree.product_c_files():
        for line, match in matches(PLAIN_COMPARE, tree.code(path)):
            given = arguments(match.group(2))
            names = set(re.findall(r'[A-Za-z_]\w*', given))
            if '/bus/' in path:
                names.discard('signature')  # of a D-Bus type
            if '"' not in given and any(map(names_secret, names)):
                yield path, line, f'{match.group(1)}({" ".join(given.split())}): use gnutls_memcmp'
    if MAC_FILE in tree.files and 'gnutls_memcmp' not in tree.code(MAC_FILE):
        yield MAC_FILE, 1, 'verifies MACs without gnutls_memcmp'


def rule_length(tree):
    """Functions and files stay readable. Prints the median."""
    lengths = []
    for path in tree.product_c_files():
        for name, line, lines in c_functions(tree.code(path)):
            lengths.append(lines)
            if lines > LINES_OF_A_FUNCTION:
                yield path, line, f'{name} has {lines} lines, at most {LINES_OF_A_FUNCTION}'
    for path in tree.ours():
        lines = tree.text(path).count('\n')
        if path.endswith(('.c', '.h', '.py', '.sh')) and lines > LINES_OF_A_FILE:
            yield path, lines, f'{lines} lines, at most {LINES_OF_A_FILE}'
    if lengths:
        print(f'{len(lengths)} functions, median {statistics.median(lengths):g} lines, longest {max(lengths)}')


def folder_sizes(tree):
    """{folder: (pairs, lines)} of the programs. A header and its source are one pair, or one of them alone."""
    nouns, lines = {}, {}
    for path in tree.product_c_files():
        folder = os.path.dirname(path)
        if folder.split('/')[0] in PROGRAMS:
            nouns.setdefault(folder, set()).add(os.path.splitext(path)[0])
            lines[folder] = lines.get(folder, 0) + tree.text(path).count('\n')
    return {folder: (len(names), lines[folder]) for folder, names in nouns.items()}


def row_of(folder):
    """What the row of a folder names, by the words of the document: the folders below, the program."""
    rows = {**COMMON, **HUB, **DAEMON, **CLIENT, **DESKTOP}
    return {folder.split('/')[0] if name == '.' else name for name in rows[folder].split()}


def rule_folders(tree):
    """A folder stays small enough to know, and the map in the document says what the rows say. Prints the sizes."""
    for folder, (pairs, lines) in sorted(folder_sizes(tree).items()):
        print(f'{folder}: {pairs} pairs, {lines} lines')
        if pairs > PAIRS_OF_A_FOLDER:
            yield folder, 1, f'{pairs} pairs of files, at most {PAIRS_OF_A_FOLDER}: split it by noun'
    if MAP in tree.files:
        shown = {}
        for line, match in matches(r'^\| `([a-z/]+)` \| [^|]+ \| ([^|]+) \| \d+ \| \d+ \|$', tree.text(MAP)):
            shown[match.group(1)] = line, set(re.findall(r'`([^`]+)`', match.group(2)))
        for folder in sorted(set(shown) ^ set(WINGS)):
            yield MAP, shown.get(folder, (1,))[0], f'{folder} is in the map or in rules.py alone'
        for folder in sorted(set(shown) & set(WINGS)):
            line, names = shown[folder]
            if names != row_of(folder):
                yield MAP, line, f'{folder} may include {" ".join(sorted(row_of(folder)))}, says rules.py'


def cited_numbers(text):
    """(line, number) of each requirement (R4), fault (F29) and failure class (14) that TEXT cites."""
    for line, match in matches(r'\b[RF][1-9]\d?\b', text):
        yield line, match.group()
    for line, match in matches(r'\bclass(?:es)? (\d+)(?:(?:-| to )(\d+))?\b', text):
        for number in range(int(match.group(1)), int(match.group(2) or match.group(1)) + 1):
            yield line, str(number)


def rule_requirements(tree):
    """A number that code, tests or documents cite has its line, once, where requirements are listed."""
    listed = re.findall(r'^\| ([RF]?[1-9]\d?) \|', tree.text(REQUIREMENTS), re.M) if REQUIREMENTS in tree.files else []
    for number in sorted({number for number in listed if listed.count(number) > 1}):
        yield REQUIREMENTS, 1, f'{number} has two lines'
    for path in tree.ours():
        text = tree.text(path)
        for line, number in cited_numbers(comments_c(text) if path.endswith(('.c', '.h')) else text):
            if number not in listed and not path.startswith('po/'):
                yield path, line, f'{number} has no line in {REQUIREMENTS}'


def rule_rows(tree):
    """Each requirement and fault that this version is to keep has a row of the table of tests, by its number."""
    if REQUIREMENTS not in tree.files or TESTS not in tree.files:
        return
    shown = {number for _, match in matches(r'^\| ([^|]+) \|', tree.text(TESTS))
             for number in re.findall(r'\b[RF][1-9]\d?\b', match.group(1))}
    for line, match in matches(r'^\| ([RF][1-9]\d?) \| (.*) \|$', tree.text(REQUIREMENTS)):
        planned = match.group(2).split(' | ')[-1].startswith('*(planned)*')
        if match.group(1) not in shown and not planned:
            yield REQUIREMENTS, line, f'{match.group(1)} has no row in {TESTS}: which test shows it?'


def reasons_of(code, document):
    """The end reasons in the code, and those in the table of the document, each with its columns."""
    row = r'\[REASON_\w+\] =\s*\{"([a-z-]+)",\s*N_\("([^"]+)"\),\s*(\d+),\s*(TRUE|FALSE)\}'
    coded = {(name, 'yes' if orderly == 'TRUE' else 'no', close, text)
             for name, text, close, orderly in re.findall(row, code) if name != 'none'}
    return coded, set(re.findall(r'^\| `([a-z-]+)` \| (yes|no) \| (\d+) \| (.+) \|$', document, re.M))


def cures_of(code, other):
    """The causes for which streamctl knows a cure, and those for which the app does. Two are of what only streamctl looks at."""
    row = r'\{"([a-z-]+)",\s*N_\('
    known = set(re.findall(row, code[code.index(' cures['):].split('};')[0])) - {'version', 'closed-clients'}
    return {(name, ) for name in known}, {(name, ) for name in re.findall(row, other[other.index(' cures['):].split('};')[0])}


def others_of(code, other):
    """What streamctl tells apart from an invitation, the app tells apart too; the app knows some more."""
    row = r'\{("[^\n]*?)",?\s*N_\("([^"]+)"\)'
    told = set(re.findall(row, code))
    return told, {found for found in re.findall(row, other) if found in told}


# What is said in two places: in the code, in a document or in a program that may not include the code.
TABLES = [
    ('common/base/reason.c', 'docs/wire-protocol.md', reasons_of),
    ('client/doctor/words.c', 'desktop/setup/diagnosis.c', cures_of),
    ('client/cli/other-file.c', 'desktop/setup/other-text.c', others_of),
]


def rule_paths(tree):
    """A source file that a document or a comment names is there. (A * stands for any letters.)"""
    pattern = r'(?<![\w/.-])(?:' + '|'.join(PROGRAMS) + r')/[\w/*-]+\.[ch]\b'
    for path in tree.ours():
        if path.endswith(('.md', '.c', '.h')):
            text = tree.text(path)
            for line, match in matches(pattern, text if path.endswith('.md') else comments_c(text)):
                if not any(fnmatch.fnmatchcase(other, match.group()) for other in tree.files):
                    yield path, line, f'{match.group()} is not there'


def rule_documents(tree):
    """Tables in documents say what the code says, and links between documents lead somewhere."""
    for code, document, both in TABLES:
        if code in tree.files and document in tree.files:
            coded, documented = both(tree.text(code), tree.text(document))
            for row in sorted(coded ^ documented):
                yield document, 1, f'{code} and the table differ: {row}'
    for path in tree.ours():
        if path.endswith('.md'):
            for line, match in matches(r'\]\(([^)#:]+)(#[^)]*)?\)', tree.text(path)):
                target = os.path.normpath(os.path.join(os.path.dirname(path), match.group(1)))
                if not os.path.exists(os.path.join(tree.root, target)):
                    yield path, line, f'link to {target}, which is not there'


def rule_manual(tree):
    """Each block of the manual is run by a test, which asks for it by its name, or its text says that it is untried;
    and its links within lead somewhere."""
    if MANUAL not in tree.files:
        return
    text = tree.text(MANUAL)
    tests = '\n'.join(tree.text(path) for path in tree.ours() if fnmatch.fnmatchcase(path, 'tests/e2e/*.py')
                      or fnmatch.fnmatchcase(path, 'tests/system/*.sh'))
    found = page.blocks(text)
    names = [block.name for block in found]
    lines = {number for block in found for number in (block.line, block.line + block.content.count('\n') + 1)}
    for line, _ in matches('^```', text):
        if line not in lines:
            yield MANUAL, line, 'a block without a language, or one that does not end'
    anchors = {re.sub(r'[^\w -]', '', match.group(1)).lower().replace(' ', '-') for _, match in matches(r'^#+ (.*)$', text)}
    for line, match in matches(r'\]\(#([^)]*)\)', text):
        if match.group(1) not in anchors:
            yield MANUAL, line, f'there is no heading {match.group(1)}'
    for block in found:
        before = text[:block.start].rstrip().rsplit('\n\n', 1)[-1]
        if block.mark == 'untried':
            if '**untried**' not in before:
                yield MANUAL, block.line, 'the text before it does not say that it is **untried**'
        elif not block.name:
            yield MANUAL, block.line, 'neither <!-- run: NAME --> nor <!-- untried --> is before it'
        elif names.count(block.name) > 1:
            yield MANUAL, block.line, f'another block is called {block.name}, too'
        elif not re.search(rf'(?:"|\b(?:recipe|block|settings) ){re.escape(block.name)}(?:[")\s]|$)', tests, re.M):
            yield MANUAL, block.line, f'no test runs {block.name}'


def rule_dbus(tree):
    """What a release had on D-Bus is there as it was, and what is new says the version that brings it."""
    if dbus_api.RELEASED not in tree.files:
        return
    known, version = dbus_api.released(tree), dbus_api.version_of(tree)
    found = {member.text: member for member in dbus_api.members(tree)}
    for text in sorted(set(known) - set(found)):
        yield dbus_api.RELEASED, 1, f'{text} was in {known[text]}, and is gone or has changed'
    for text, member in found.items():
        expected = known.get(text, version)
        if member.since != expected:
            yield member.path, member.line, f'{text}: its comment has to say @since: {expected}'


def rule_units(tree):
    """A unit whose descriptors are kept says how many to systemd and to the program alike, and lets the program have them:
    more of them than LimitNOFILE= would end every start."""
    for path in tree.ours():
        if not fnmatch.fnmatchcase(path, 'systemd/*.service.in'):
            continue
        text = tree.text(path)
        most = re.findall(r'^FileDescriptorStoreMax=(.*)$', text, re.M)
        told = re.findall(r'^Environment=STREAMD_FDSTORE=(.*)$', text, re.M)
        limit = re.findall(r'^LimitNOFILE=(\d+)$', text, re.M)
        if most != told or len(most) > 1:
            yield path, 1, f'FileDescriptorStoreMax= is {most}, and the program is told {told}'
        elif most and (not limit or int(limit[0]) < LIMIT_WITH_STORE):
            yield path, 1, f'LimitNOFILE= is {limit}, with a store of descriptors it is {LIMIT_WITH_STORE} at least'
        elif not most and os.path.basename(path) == 'streamd.service.in':
            yield path, 1, 'no descriptors are kept over a restart'


RULES = {name[len('rule_'):]: function for name, function in list(globals().items())
         if name.startswith('rule_')}


def main(rule, root):
    tree = Tree(root)
    problems = [problem for name, function in RULES.items() if rule in (name, 'all')
                for problem in function(tree)]
    for path, line, text in problems:
        print(f'{path}:{line}: {text}')
    return 1 if problems else 0


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] not in [*RULES, 'all']:
        sys.exit(f'usage: rules.py {"|".join([*RULES, "all"])} ROOT')
    sys.exit(main(*sys.argv[1:]))
