#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the linker made of our programs: position independent, nothing writable and executable,
relocations read-only and bound at start, stack protector and fortified functions in use.

Usage: hardening.py PROGRAM..."""

import re
import subprocess
import sys


def readelf(program, *options):
    return subprocess.run(["readelf", "-W", *options, program], check=True, text=True,
                          capture_output=True).stdout


def segment_flags(headers, name):
    """The flags column of a program header: 'RW ', 'R E'; None when there is no such segment."""
    match = re.search(rf"^\s*{name}\s+(?:0x\w+\s+){{5}}(.{{3}})", headers, re.MULTILINE)
    return match and match.group(1)


def faults(program):
    segments = readelf(program, "-l")
    dynamic = readelf(program, "-d")
    symbols = readelf(program, "--dyn-syms")
    if not re.search(r"Flags:.*\bPIE\b", dynamic):
        yield "is not position independent"
    if segment_flags(segments, "GNU_RELRO") is None:
        yield "has no read-only relocations"
    if "BIND_NOW" not in dynamic and "NOW" not in dynamic:
        yield "binds its functions late"
    stack = segment_flags(segments, "GNU_STACK")
    if stack is None or "E" in stack:
        yield "has an executable stack"
    for match in re.finditer(r"^\s*LOAD\s+(?:0x\w+\s+){5}(.{3})", segments, re.MULTILINE):
        if "W" in match.group(1) and "E" in match.group(1):
            yield "has a segment that is writable and executable"
    if "TEXTREL" in dynamic:
        yield "has text relocations"
    if re.search(r"\((?:RPATH|RUNPATH)\)", dynamic):
        yield "looks for libraries in a path of its own"
    if "__stack_chk_fail" not in symbols:
        yield "has no stack protector"
    if not re.search(r"__\w+_chk\b", symbols):
        yield "uses no fortified function"


def main():
    bad = [f"{program} {fault}" for program in sys.argv[1:] for fault in faults(program)]
    print("\n".join(bad) or f"{len(sys.argv) - 1} programs are hardened")
    sys.exit(1 if bad or len(sys.argv) < 2 else 0)


if __name__ == "__main__":
    main()
