# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small disks of a test, in a mount namespace of its own."""
import contextlib
import os


def enter():
    """Begins this program again where it may mount; comes back from it only there."""
    if os.environ.get("STREAMD_MOUNTS"):
        return
    os.environ["STREAMD_MOUNTS"] = "1"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvp("unshare", ["unshare", *user, "--mount", "--propagation", "private", "/usr/bin/python3",
                          *os.sys.argv])


def fill(folder):
    """Until not a byte more goes in: the file `filler`."""
    with contextlib.suppress(OSError), open(os.path.join(folder, "filler"), "ab", 0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
