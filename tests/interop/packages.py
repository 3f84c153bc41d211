#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the Node packages of package-lock.json into DIRECTORY/node_modules, and the Python ones of
python/NAME.txt into DIRECTORY/python-NAME, unless they are there.

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
# Each in a folder of its own: Microsoft's device wants an older paho-mqtt than the field has. "build" is what one of the
# others is made with.
PYTHON_SETS = ("build", "field", "microsoft", "registry")


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


def fetch(argv, directory, folder, files, env=None):
    """Runs ARGV, which makes FOLDER, and marks that it is whole."""
    done = subprocess.run(argv, cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
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


def python_path(directory, name):
    """Where the Python packages of that name are, for PYTHONPATH."""
    return os.path.join(directory, "python-" + name)


def install_python(directory, name):
    """pip does the same with the hashes of the set's file. All but one of them are wheels, of which nothing is run."""
    folder = python_path(directory, name)
    files = (os.path.join("python", name + ".txt"),)
    if have(folder, files):
        return
    shutil.rmtree(folder, ignore_errors=True)
    fetch(["/usr/bin/python3", "-m", "pip", "install", "--target", folder, "--require-hashes", "--no-deps",
           "--no-build-isolation", "--no-compile", "--disable-pip-version-check", "--quiet",
           "--requirement", os.path.join(HERE, *files)], directory, folder, files,
          env={**os.environ, "PYTHONPATH": python_path(directory, "build")})


def install(directory):
    """Once at a time."""
    directory = os.path.abspath(directory)  # npm and pip run in it
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_node(directory)
        for name in PYTHON_SETS:
            install_python(directory, name)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    install(sys.argv[1])
