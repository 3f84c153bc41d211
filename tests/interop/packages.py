#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the Node packages of package-lock.json into DIRECTORY/node_modules, and the Python ones of
requirements.txt into DIRECTORY/site-packages, unless they are there.

Usage: packages.py DIRECTORY      (./check calls it before the tests, the tests call it again)
"""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NODE_FILES = ("package.json", "package-lock.json", ".npmrc")
PYTHON_FILES = ("requirements.txt",)


def wanted(files):
    """A name for exactly this set of packages."""
    digest = hashlib.sha256()
    for name in files:
        with open(os.path.join(HERE, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def have(folder, files):
    try:
        with open(os.path.join(folder, ".streamd"), encoding="ascii") as file:
            return file.read() == wanted(files)
    except FileNotFoundError:
        return False


def fetch(argv, directory, folder, files):
    """Runs ARGV, which makes FOLDER, and marks that it is whole."""
    done = subprocess.run(argv, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv[:4])} failed:\n{done.stdout}")
    with open(os.path.join(folder, ".streamd"), "w", encoding="ascii") as file:
        file.write(wanted(files))


def install_node(directory):
    """npm ci checks each package against the hash in the lock file."""
    folder = os.path.join(directory, "node_modules")
    if have(folder, NODE_FILES):
        return
    for name in NODE_FILES:
        shutil.copy(os.path.join(HERE, name), directory)
    fetch(["npm", "ci", "--no-progress", "--loglevel=error"], directory, folder, NODE_FILES)


def install_python(directory):
    """pip does the same with the hashes of requirements.txt, and runs nothing of what it fetches."""
    folder = os.path.join(directory, "site-packages")
    if have(folder, PYTHON_FILES):
        return
    shutil.rmtree(folder, ignore_errors=True)
    fetch([sys.executable, "-m", "pip", "install", "--target", folder, "--require-hashes", "--no-deps",
           "--only-binary", ":all:", "--no-compile", "--disable-pip-version-check", "--quiet",
           "--requirement", os.path.join(HERE, "requirements.txt")], directory, folder, PYTHON_FILES)


def install(directory):
    """Once at a time."""
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_node(directory)
        install_python(directory)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    install(sys.argv[1])
