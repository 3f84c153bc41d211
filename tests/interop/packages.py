#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the Node packages of package-lock.json into DIRECTORY/node_modules, unless they are there.

Usage: packages.py DIRECTORY      (./check calls it before the tests, the tests call it again)
"""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = ("package.json", "package-lock.json", ".npmrc")


def wanted():
    """A name for exactly this set of packages."""
    digest = hashlib.sha256()
    for name in FILES:
        with open(os.path.join(HERE, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def have(directory):
    try:
        with open(os.path.join(directory, "node_modules", ".streamd"), encoding="ascii") as file:
            return file.read() == wanted()
    except FileNotFoundError:
        return False


def install(directory):
    """npm ci, once at a time; it checks each package against the hash in the lock file."""
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if have(directory):
            return
        for name in FILES:
            shutil.copy(os.path.join(HERE, name), directory)
        done = subprocess.run(["npm", "ci", "--no-progress", "--loglevel=error"], cwd=directory,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"npm ci failed:\n{done.stdout}")
        with open(os.path.join(directory, "node_modules", ".streamd"), "w", encoding="ascii") as file:
            file.write(wanted())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    install(sys.argv[1])
