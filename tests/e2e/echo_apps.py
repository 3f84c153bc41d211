# SPDX-License-Identifier: LGPL-2.1-or-later
"""The samples of examples/echo, as a newcomer runs them: C and Python at both ends of a stream, 100 MiB
there and back, compared by the sample itself."""
import itertools
import os
import subprocess

from bus_app import end_reason
from harness import PATIENCE, Daemon, Process, Site, check, check_equal, eventually, main, run, stream_state

SIZE = 100 << 20
PYTHON = ["/usr/bin/python3"]


def sample(language, which):
    """The command line of a sample."""
    if language == "c":
        return [os.environ["ECHO_" + which.upper()]]
    return [*PYTHON, os.path.join(os.environ["ECHO_SAMPLES"], f"echo-{which}.py")]


def start_handler(site, language):
    """A handler that is registered under its language, with the rule that gives it streams of that name."""
    site.gateway.ctl_ok("accept-policy", "add", "--stream", language, "--handler", language)
    handler = Process(site, "handler-" + language, [*sample(language, "handler"), language],
                      env=site.gateway.env)
    site.processes.append(handler)
    eventually(lambda: f'registered as "{language}"' in handler.log(), f"{handler.name} registers")
    return handler


def initiate(site, language, stream, *arguments):
    return run([*sample(language, "initiator"), *arguments, site.DEVICE, stream], env=site.client.env)


def all_pairings():
    """C to C, C to Python, Python to C, Python to Python: 100 MiB there and back"""
    with Site() as site:
        handlers = {language: start_handler(site, language) for language in ("c", "python")}
        for here, there in itertools.product(handlers, handlers):
            done = initiate(site, here, there)
            print(f"# {here} to {there}: {done.stdout.strip()}")
            check_equal((done.returncode, done.stderr), (0, ""), f"{here} to {there}")
            check("100.0 of 100.0 MiB" in done.stdout, done.stdout)
            check("the stream ended: completed" in done.stdout, done.stdout)
            check_equal(end_reason(site.gateway), "completed", "the reason at the gateway")
        for handler in handlers.values():
            eventually(lambda: handler.log().count(f"closed after {SIZE} bytes") == 2,
                       f"{handler.name} tells both streams")
            check_equal(handler.stop(), 0, f"exit status of {handler.name}")


def many_at_once():
    """sixteen at once to each handler: each has its own bytes back"""
    with Site() as site:
        for there in ("c", "python"):
            handler = start_handler(site, there)
            children = [subprocess.Popen([*sample(here, "initiator"), "--bytes", "1000003", site.DEVICE, there],
                                         env=site.client.env, stdout=subprocess.PIPE, text=True)
                        for here in ["c"] * 12 + ["python"] * 4]
            site.children.extend(children)
            for child in children:
                out, _ = child.communicate(timeout=PATIENCE * 2)
                check_equal(child.returncode, 0, f"exit status ({out})")
                check("1.0 of 1.0 MiB" in out and "completed" in out, out)
            eventually(lambda: handler.log().count("closed after 1000003 bytes") == 16, "all are told")


def streamd_again():
    """a handler registers again with a streamd that was started again; its name is then taken, as it was"""
    with Site() as site:
        handlers = [start_handler(site, language) for language in ("c", "python")]
        old = site.gateway
        check_equal(old.stop(), 0, "exit status of streamd")
        site.processes.remove(old)
        for handler in handlers:
            eventually(lambda: "waiting for it" in handler.log(), f"{handler.name} notices")
            check("released" in handler.log(), "it was not released")
        site.gateway = Daemon(site, "gateway", bus=old.bus)
        site.processes.append(site.gateway)
        site.wait_online(site.DEVICE)
        for language, handler in zip(("c", "python"), handlers):
            eventually(lambda: handler.log().count("registered as") == 2, f"{handler.name} registers again")
            done = initiate(site, language, language, "--bytes", "1000")
            check_equal(done.returncode, 0, f"exit status ({done.stderr})")
            second = run([*sample(language, "handler"), language], env=site.gateway.env)
            check_equal(second.returncode, 1, "exit status of a second one")
            check("RegisterHandler" in second.stderr and "Error.Exists" in second.stderr, second.stderr)


def waits_for_streamd():
    """a handler may be there before streamd, and an initiator says that there is none"""
    with Site(gateway=False, client=False) as site:
        daemon = site.start_daemon("gateway")
        daemon.add_hub("office", site.hub.add_device(site.DEVICE), site.hub.ca)
        site.wait_online(site.DEVICE)
        daemon.stop()
        handlers = []
        for language in ("c", "python"):
            handler = Process(site, "early-" + language, [*sample(language, "handler"), language], env=daemon.env)
            site.processes.append(handler)
            eventually(lambda: "streamd is not there" in handler.log(), f"{handler.name} waits")
            handlers.append(handler)
            done = run([*sample(language, "initiator"), site.DEVICE, "x"], env=daemon.env)
            check_equal(done.returncode, 1, "exit status of an initiator")
            check("ServiceUnknown" in done.stderr, done.stderr)
        site.processes.remove(daemon)
        site.processes.append(Daemon(site, "gateway", bus=daemon.bus))
        for handler in handlers:
            eventually(lambda: "registered as" in handler.log(), f"{handler.name} registers")


def says_why():
    """what does not work is said with the name of its error: nobody's stream, no handler, an offline device"""
    with Site() as site:
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "nobody", "--handler", "nobody")
        site.hub.add_device("asleep")
        for language in ("c", "python"):
            for device, stream, error, words in (
                    (site.DEVICE, "other", "Rejected", "policy"), (site.DEVICE, "nobody", "Rejected", "app for this stream is not running"),
                    ("asleep", "x", "DeviceOffline", "not connected")):
                done = run([*sample(language, "initiator"), device, stream], env=site.client.env)
                check_equal(done.returncode, 1, f"exit status ({done.stdout})")
                check(f"io.streamd.Streamd1.Error.{error}: " in done.stderr, done.stderr)
                check(words in done.stderr, done.stderr)
                check(stream_state(site.client.ctl_json("stream", "list")[-1]) != "open", "it is open")


if __name__ == "__main__":
    main(all_pairings, many_at_once, streamd_again, waits_for_streamd, says_why)
