# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connections that are never at rest: handover.py PORT COUNT FILE [PAUSE].

Each of COUNT connections to PORT on loopback sends a random piece to the echo there, takes it back, compares it, and
begins anew after PAUSE seconds (0.01). FILE says, whenever it is read, how many pieces came back on the slowest connection, how long the longest
one took (ms), and how many connections have ended; FILE.clear lets the longest be measured anew. FILE.stop ends them: then each
sends its end, has to see the end of the other side, and FILE says so: "whole" how many."""
import os
import socket
import sys
import threading
import time

PIECE = 4096


class Flow:
    """One connection."""

    def __init__(self, port, pause):
        self.pause = pause
        self.near = socket.create_connection(('127.0.0.1', port), timeout=60)
        self.pieces, self.slowest, self.end, self.whole = 0, 0.0, None, False

    def read(self, length):
        """LENGTH bytes."""
        got = bytearray()
        while len(got) < length:
            part = self.near.recv(length - len(got))
            if not part:
                raise EOFError(f'the end after {len(got)} bytes')
            got += part
        return bytes(got)

    def run(self, stop):
        """Until STOP is set."""
        try:
            while not stop.is_set():
                piece, begin = os.urandom(PIECE), time.monotonic()
                self.near.sendall(piece)
                if self.read(PIECE) != piece:
                    raise ValueError('other bytes came back')
                self.slowest = max(self.slowest, time.monotonic() - begin)
                self.pieces += 1
                time.sleep(self.pause)
            self.near.shutdown(socket.SHUT_WR)
            self.whole = self.near.recv(1) == b''
        except (OSError, EOFError, ValueError) as error:
            self.end = f'{type(error).__name__} {error}'


def put(name, text):
    """NAME has the whole of TEXT, or of what was there before."""
    with open(name + '.new', 'w', encoding='ascii') as file:
        file.write(text)
    os.replace(name + '.new', name)


def say(name, flows):
    """What is known now."""
    ends = [flow.end for flow in flows if flow.end]
    put(name, f'pieces {min(flow.pieces for flow in flows)}\nslowest {int(1000 * max(flow.slowest for flow in flows))}\n'
              f'ended {len(ends)}\nwhole {sum(flow.whole for flow in flows)}\n' + ''.join(f'# {end}\n' for end in ends[:3]))


def main(port, count, name, pause='0.01'):
    """Runs until it is stopped."""
    stop = threading.Event()
    flows = [Flow(int(port), float(pause)) for _ in range(int(count))]
    threads = [threading.Thread(target=flow.run, args=(stop,)) for flow in flows]
    for thread in threads:
        thread.start()
    while not os.path.exists(name + '.stop'):
        say(name, flows)
        if os.path.exists(name + '.clear'):  # the longest from here on
            for flow in flows:
                flow.slowest = 0.0
            os.remove(name + '.clear')
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    say(name, flows)


main(*sys.argv[1:])
