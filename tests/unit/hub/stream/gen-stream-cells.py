#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a C program with one test per cell of the state table in docs/wire-protocol.md, section 4a.

Usage: gen-stream-cells.py WIRE-PROTOCOL.MD STREAM-CELLS.EXPECT OUT.C

The document says in prose what happens, the second file what that means for the code. Both must have
the same cells with the same text: whoever changes one is made to look at the other. Fails with a
message when they differ; --check does only that.
"""
import re
import sys

STATES = ["waiting", "asked", "accepted", "open"]
LINE = re.compile(
    r"(?P<input>[A-Z0-9_]+) -> (?P<next>[A-Z]+)(?: reason=(?P<reason>[A-Z_]+))?"
    r"(?: error=(?P<error>\d{6}))?(?: close=(?P<close>\d{4}))?(?: do=(?P<do>[A-Z_,]+))?")


class Drift(Exception):
    """The document and the expectations do not agree."""


def document_cells(text):
    """{(input, state): prose} of the one table of section 4a whose head has the states."""
    section = re.split(r"^## ", text.split("\n## 4a.", 1)[1], maxsplit=1, flags=re.M)[0]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in section.splitlines() if line.startswith("|")]
    start = next((i for i, row in enumerate(rows) if row == ["input"] + STATES), None)
    if start is None:
        raise Drift("section 4a has no table with the columns input, " + ", ".join(STATES))
    cells = {}
    for row in rows[start + 2:]:
        if len(row) != len(STATES) + 1:
            break
        for state, prose in zip(STATES, row[1:]):
            cells[row[0], state] = prose
    return cells


def expected_cells(text):
    """{(input, state): (prose, [match of LINE])}"""
    cells, key = {}, None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            key = tuple(part.strip() for part in line.strip("[]").rsplit("|", 1))
            if key in cells:
                raise Drift(f"line {number}: {key} is there twice")
            cells[key] = [None, []]
        elif line.startswith("text:"):
            cells[key][0] = line[len("text:"):].strip()
        else:
            match = LINE.fullmatch(line)
            if not match:
                raise Drift(f"line {number}: cannot be read: {line}")
            cells[key][1].append(match)
    return cells


def compare(document, expected):
    faults = []
    for key, prose in document.items():
        if key not in expected:
            faults.append(f"{key}: the document has it, the expectations do not: {prose!r}")
        elif expected[key][0] != prose:
            faults.append(f"{key}: the document says {prose!r}, the expectations quote "
                          f"{expected[key][0]!r}: look at hub/stream/state.c, then quote anew")
        elif not expected[key][1]:
            faults.append(f"{key}: nothing is expected")
    faults += [f"{key}: not in the document" for key in expected if key not in document]
    if faults:
        raise Drift("\n".join(faults))


def c_name(*parts):
    return re.sub(r"[^a-z0-9]+", "-", " ".join(parts).lower()).strip("-")


def c_test(key, matches):
    name = c_name(key[1], key[0])
    lines = ["static void", f"test_{name.replace('-', '_')}(void)", "{"]
    for match in matches:
        actions = " | ".join("STREAM_" + one for one in (match["do"] or "").split(",") if one) or "0"
        lines.append(f"    expect(STREAM_{key[1].upper()}, STREAM_{match['input']}, STREAM_{match['next']}, "
                     f"REASON_{match['reason'] or 'NONE'}, {match['error'] or 0}, {match['close'] or 0}, "
                     f"{actions});")
    return name, "\n".join(lines + ["}", ""])


HEAD = """/* Made by tests/unit/hub/stream/gen-stream-cells.py: do not edit. */
#include "hub/stream/state.h"

static void
expect(HubStreamState state, StreamInput input, HubStreamState next, Reason reason, guint error, guint close,
       guint actions)
{
    const StreamCell *cell = stream_table_look(state, input);

    g_assert_cmpint(cell->next, ==, next);
    g_assert_cmpstr(reason_code(cell->reason), ==, reason_code(reason));
    g_assert_cmpuint(cell->error, ==, error);
    g_assert_cmpuint(cell->close_code, ==, close);
    g_assert_cmphex(cell->actions, ==, actions);
}

/* Every input is some cell's, in every state. */
static void
test_all_inputs(void)
{
%s
}

"""


def program(expected):
    tests, seen = [], set()
    for key, (_, matches) in expected.items():
        tests.append(c_test(key, matches))
        seen |= {(match["input"], key[1]) for match in matches}
    inputs = {one for one, _ in seen}
    missing = [f"STREAM_{one} in {state}" for one in sorted(inputs) for state in STATES
               if (one, state) not in seen and one != "ANSWER_200_TOO_LATE"]
    if missing:
        raise Drift("no cell expects: " + ", ".join(missing))
    count = f"    g_assert_cmpuint(STREAM_INPUTS, ==, {len(inputs)});\n" \
            f"    g_assert_cmpuint(STREAM_STATES, ==, {len(STATES)});"
    out = HEAD % count + "\n".join(body for _, body in tests)
    out += "\nint\nmain(int argc, char **argv)\n{\n    g_test_init(&argc, &argv, NULL);\n"
    out += '    g_test_add_func("/stream-cells/all-inputs", test_all_inputs);\n'
    for name, _ in tests:
        out += f'    g_test_add_func("/stream-cells/{name}", test_{name.replace("-", "_")});\n'
    return out + "    return g_test_run();\n}\n"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = document_cells(file.read())
    with open(sys.argv[2], encoding="utf-8") as file:
        expected = expected_cells(file.read())
    try:
        compare(document, expected)
        text = program(expected)
    except Drift as drift:
        sys.exit(f"{sys.argv[1]} and {sys.argv[2]} do not agree:\n{drift}")
    if sys.argv[3] != "--check":
        with open(sys.argv[3], "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
