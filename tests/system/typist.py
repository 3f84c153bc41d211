# SPDX-License-Identifier: LGPL-2.1-or-later
"""Types what is in a file into a shell on a terminal, and answers ssh: typist.py PASSWORD FILE [WORDS].
WORDS are typed where a shell that ssh brings waits for some.

Prints all that came on the terminal; ends with the shell's status."""
import os
import pty
import select
import sys
import time

PATIENCE = 60
password, script = sys.argv[1:3]
ANSWERS = ((b'(yes/no/[fingerprint])? ', b'yes\n'), (b'password: ', password.encode() + b'\n'),
           *((b'$ ', words.encode() + b'\n') for words in sys.argv[3:]))

pid, terminal = pty.fork()
if pid == 0:
    os.chdir(os.environ['HOME'])
    os.execvp('bash', ['bash', '-e', script])
said, looked = b'', 0
until = time.monotonic() + PATIENCE
while time.monotonic() < until:
    if not select.select([terminal], [], [], 1)[0]:
        continue
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    said += data
    for question, answer in ANSWERS:
        if said[looked:].endswith(question):
            looked = len(said)
            os.write(terminal, answer)
os.close(terminal)
sys.stdout.write(said.decode(errors='replace'))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
