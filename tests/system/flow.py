# SPDX-License-Identifier: LGPL-2.1-or-later
"""flow.py PORT FILE: random pieces to an echo at that port and back, one after the other, until FILE.stop is
there. FILE has how many came back as they were; a piece that does not, or an end, is an error."""
import os
import socket
import sys

PIECE = 64 << 10


def read_exactly(near, length):
    """LENGTH bytes."""
    got = bytearray()
    while len(got) < length:
        piece = near.recv(length - len(got))
        if not piece:
            raise EOFError(f"the end after {len(got)} bytes")
        got += piece
    return bytes(got)


def main(port, name):
    """Runs until it is stopped."""
    pieces = 0
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as near:
        while not os.path.exists(name + ".stop"):
            piece = os.urandom(PIECE)
            near.sendall(piece)
            if read_exactly(near, PIECE) != piece:
                sys.exit("another piece came back")
            pieces += 1
            with open(name + ".new", "w", encoding="ascii") as file:
                file.write(f"{pieces}\n")
            os.replace(name + ".new", name)


main(*sys.argv[1:])
