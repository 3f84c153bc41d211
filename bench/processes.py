# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes that a benchmark starts, what they cost, and their end."""

import ctypes
import os
import signal
import subprocess
import time

STARTUP = 20  # seconds until a process listens, or says that it is ready
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Failure(Exception):
    """Something that the person who runs the benchmark should read."""


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def descendants(pid):
    """PID and all below it."""
    found = [pid]
    try:
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/children', encoding='ascii') as file:
                for child in file.read().split():
                    found += descendants(int(child))
    except FileNotFoundError:
        pass
    return found


def cpu_seconds(pid):
    """CPU time of a process and its children so far, from the scheduler's own count where the kernel has it."""
    return sum(process_cpu(each) for each in descendants(pid))


def process_cpu(pid):
    try:
        total = 0
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/schedstat', encoding='ascii') as file:
                total += int(file.read().split()[0])
        return total / 1e9
    except FileNotFoundError:
        pass
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as file:
            fields = file.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    except FileNotFoundError:
        return 0


def rss_bytes(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        for line in file:
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) * 1024
    raise Failure(f'process {pid} has no memory')


class Processes:
    """What was started, in order. As a context manager it ends them all, the last first."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            self.stop(process)

    def start(self, name, command, **options):
        """Output goes to NAME.log in the scratch folder."""
        with open(os.path.join(self.scratch, name + '.log'), 'wb') as log:
            options = {'stdin': subprocess.DEVNULL, 'stdout': log, 'stderr': log} | options
            process = subprocess.Popen(command, preexec_fn=die_with_parent, **options)
        process.name = name
        self.started.append(process)
        return process

    @staticmethod
    def stop(process):
        below = descendants(process.pid)[1:]
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def log(self, name):
        with open(os.path.join(self.scratch, name + '.log'), encoding='utf-8', errors='replace') as file:
            return file.read()

    def fail(self, process, what):
        tail = '\n'.join(self.log(process.name).splitlines()[-15:])
        raise Failure(f'{process.name}: {what}\n{tail}')

    def wait_for(self, process, ready, what):
        """Until READY() is true."""
        end = time.monotonic() + STARTUP
        while not ready():
            if process.poll() is not None:
                self.fail(process, f'ended with status {process.returncode} before it {what}')
            if time.monotonic() > end:
                self.fail(process, f'never {what}')
            time.sleep(0.02)

    def wait_for_port(self, process, port):
        self.wait_for(process, lambda: is_listening(port), f'listened on port {port}')

    def wait_for_text(self, process, text):
        self.wait_for(process, lambda: text in self.log(process.name), f'said "{text}"')


def is_listening(port):
    """Looked up and not tried: a trial would be a connection through the whole chain."""
    with open('/proc/net/tcp', encoding='ascii') as file:
        return any(line.split()[1].endswith(f':{port:04X}') and line.split()[3] == '0A'
                   for line in file.readlines()[1:])


def run(command, **options):
    """Its output; a Failure with what it said when it does not succeed."""
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if result.returncode != 0:
        raise Failure(f'{" ".join(command)}: status {result.returncode}\n{result.stderr.strip()}')
    return result.stdout
