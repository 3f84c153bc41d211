# SPDX-License-Identifier: LGPL-2.1-or-later
"""Without descriptors (fault F20): what is open goes on, listeners wait without turning in circles, a
reload changes nothing by halves, and everything works again when there are some. Without memory (F21)
the hub ends, and comes back with all that it acknowledged."""
import contextlib
import os
import resource
import signal
import socket
import ssl
import time

from ends import Server, connect, echo, tick
from harness import SANITIZED, Site, check, eventually, listed, main, run, write_private

CPU = 0.05 * (3 if SANITIZED else 1)  # of one


def client_hello():
    """The first bytes of a TLS client: the other side has to keep a session for it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def works(port):
    with contextlib.suppress(OSError, AssertionError), connect(port) as near:
        tick(near)
        return True
    return False


@contextlib.contextmanager
def few(process, more):
    """The process may have MORE descriptors than it has now; afterwards as many as before."""
    limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    # The limit is of numbers, not of how many: those that are free below it count.
    taken = {int(fd) for fd in os.listdir(f"/proc/{process.pid}/fd")}
    free = [number for number in range(max(taken) + more + 1) if number not in taken]
    limit = free[more - 1] + 1 if more else free[0]
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (limit, limits[1]))
    yield
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)


def is_idle(process, what):
    before, since = process.cpu_seconds(), time.monotonic()
    time.sleep(2)
    share = (process.cpu_seconds() - before) / (time.monotonic() - since)
    print(f"# measured: {what}: {100 * share:.1f} % of a CPU")
    check(share < CPU, f"{what} takes {100 * share:.0f} % of a CPU")


def hub_without():
    """the hub: its streams go on, others wait, and it comes back by itself"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        with connect(port) as near:
            tick(near)
            with few(site.hub, 6):
                others = [connect(site.hub.https_port) for _ in range(40)]
                is_idle(site.hub, "the hub without descriptors")
                tick(near)
                for other in others:
                    other.close()
            since = time.monotonic()
            eventually(lambda: works(port), "new streams open")
            print(f"# measured: new streams after {time.monotonic() - since:.2f} s")
            tick(near)


def streamd_without():
    """streamd: the same, and a reload keeps the configuration that was in force"""
    with Site(gateway=False) as site:
        config = os.path.join(site.dir, "streamd.conf")
        secret = os.path.join(site.dir, "gw.cs")
        write_private(secret, site.hub.add_device(site.DEVICE) + "\n")
        server = Server(echo, site)
        with open(config, "w", encoding="ascii") as file:
            file.write(f"[hub office]\nConnectionStringFile={secret}\nCaFile={site.hub.ca}\n"
                       f"[target echo]\nAddress={server.address}\n"
                       "[rule 1]\nStream=echo\nVerdict=accept\nTarget=echo\n")
        site.gateway = site.start_daemon("gateway", ["--config", config])
        site.wait_online(site.DEVICE)
        port = site.client.tunnel(site.DEVICE, "echo")
        with connect(port) as near:
            tick(near)
            policy = site.gateway.ctl_json("accept-policy", "list")
            with few(site.client, 4), few(site.gateway, 0):
                others = [connect(port) for _ in range(40)]
                is_idle(site.client, "a tunnel without descriptors")
                site.gateway.popen.send_signal(signal.SIGHUP)
                eventually(lambda: "Configuration not reloaded" in site.gateway.log(), "the reload is refused")
                is_idle(site.gateway, "streamd after a reload without descriptors")
                tick(near)
                for other in others:
                    other.close()
            check(site.gateway.ctl_json("accept-policy", "list")["rules"] == policy["rules"],
                  "the policy has changed")
            check(listed(site.gateway.ctl_json("target", "list"), "targets"), "the target is gone")
            since = time.monotonic()
            eventually(lambda: works(port), "new streams open")
            print(f"# measured: new streams after {time.monotonic() - since:.2f} s")
            tick(near)


def memory():
    """the hub cannot have memory: it ends at once, starts again, and has every device that it acknowledged"""
    with Site(gateway=False, client=False) as site:
        check(site.hub.stop() == 0, "the hub's exit status")
        config = os.path.join(site.dir, "hub.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write("[hub]\nunauthenticated-max = 16384\nunauthenticated-per-source = 8192\n"
                       "connections-per-second = 100000\nconnections-burst = 100000\nhandshake-timeout = 60\n")
        site.start_hub(["--config", config])
        known = [f"before-{n}" for n in range(5)]
        for name in known:
            site.hub.admin("device", "add", name)
        size = site.hub.status_kib("VmData") * 1024
        resource.prlimit(site.hub.pid, resource.RLIMIT_DATA, (size + 256 * 1024,) * 2)
        others = []
        for number in range(2000):
            if not site.hub.alive():
                break
            with contextlib.suppress(OSError):
                others.append(socket.create_connection(("127.0.0.1", site.hub.https_port), timeout=5))
                others[-1].sendall(client_hello())
            if number % 20 == 0:
                done = run([site.streamhub, "--state-dir", site.hub.state_dir, "device", "add", f"while-{number}"])
                if done.returncode == 0:
                    known.append(f"while-{number}")
        eventually(lambda: not site.hub.alive(), "it has ended for want of memory")
        site.hub.ended_by_us = True
        for other in others:
            other.close()
        since = time.monotonic()
        site.start_hub()
        took = time.monotonic() - since
        print(f"# measured: serves again {took:.2f} s after it was started; {len(known)} devices were acknowledged")
        check(took < 2, f"it took {took:.2f} s")
        said = site.hub.admin("device", "list", "--json")
        there = {name for name in known if f'"{name}"' in said}
        check(there == set(known), f"lost: {set(known) - there}")


main(hub_without, streamd_without, memory)
