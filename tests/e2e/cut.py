# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stream that is cut in the middle, and does not survive that, reaches the application as an error, never as a clean end.

The legs go through a proxy that resets them (--streaming-host names it); control links do not."""
import contextlib
import signal
import subprocess
import threading

from ends import FaultProxy, Server, connect, read_exactly
from harness import NO_RESUME, Failure, Site, check, check_equal, eventually, main

BLOCK = bytes(1 << 16)
ENOUGH = 1 << 20


class Plain(Site):
    """Streams end with their legs."""
    DAEMON_SETTINGS = NO_RESUME


class Endless:
    """A target that sends for ever, or reads for ever, and remembers how that ended."""

    def __init__(self, site):
        self.download = Server(self._send, site)
        self.upload = Server(self._read, site)
        self.taken = threading.Event()
        self.outcome = []
        site.expose("download", self.download.address)
        site.expose("upload", self.upload.address)

    @staticmethod
    def _send(connection):
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(BLOCK)

    def _read(self, connection):
        self.outcome.append(how_it_ends(connection, self.taken))


def how_it_ends(connection, taken=None):
    """Reads to the end: "reset", or "clean", which for a cut stream is wrong."""
    total = 0
    try:
        while True:
            count = len(connection.recv(1 << 18))
            if count == 0:
                return "clean"
            total += count
            if taken is not None and total >= ENOUGH:
                taken.set()
    except ConnectionResetError:
        return "reset"


@contextlib.contextmanager
def proxied_site():
    """A site whose legs pass a proxy, and the endless targets at its gateway."""
    with FaultProxy() as proxy:
        with Plain(["--streaming-host", f"localhost:{proxy.port}"]) as site:
            proxy.upstream = site.hub.https_port
            yield site, proxy, Endless(site)


def download_cut(site, cut):
    """An application that only reads, cut after a while."""
    with connect(site.client.tunnel(site.DEVICE, "download")) as near:
        read_exactly(near, ENOUGH)
        cut()
        check_equal(how_it_ends(near), "reset", "the end of a download that was cut")


def upload_cut(site, targets, cut):
    """A target that only reads, cut after a while."""
    targets.taken.clear()
    targets.outcome.clear()

    def send(near):
        with contextlib.suppress(OSError):
            while True:
                near.sendall(BLOCK)

    with connect(site.client.tunnel(site.DEVICE, "upload")) as near:
        sender = threading.Thread(target=send, args=(near,), daemon=True)
        sender.start()
        check(targets.taken.wait(60), "the upload did not start")
        cut()
        eventually(lambda: targets.outcome, "the target's read ends")
        sender.join(60)
        check(not sender.is_alive(), "the application's write did not end")
    check_equal(targets.outcome, ["reset"], "the end of an upload that was cut")


def legs_reset():
    """a leg that is reset, either of them or both, is an error at both applications"""
    with proxied_site() as (site, proxy, targets):
        before = site.count()
        for legs in ([0], [1], None):
            for test in (lambda cut: download_cut(site, cut),
                         lambda cut: upload_cut(site, targets, cut)):
                proxy.forget()
                test(lambda legs=legs: proxy.cut(legs))
        site.client.close_tunnels()
        site.wait_count(before)


def legs_ended():
    """a leg whose TCP connection ends without TLS's and WebSocket's own end is an error too"""
    with proxied_site() as (site, proxy, targets):
        for leg in (0, 1):
            proxy.forget()
            download_cut(site, lambda leg=leg: proxy.cut([leg], how="fin"))
            proxy.forget()
            upload_cut(site, targets, lambda leg=leg: proxy.cut([leg], how="fin"))


def hub_killed():
    """the hub is killed: both applications see an error"""
    for upload in (False, True):
        with Plain() as site:
            targets = Endless(site)

            def kill(site=site):
                site.hub.stop(signal.SIGKILL)

            if upload:
                upload_cut(site, targets, kill)
            else:
                download_cut(site, kill)


def gateway_killed():
    """the gateway's streamd is killed: the applications at both ends see an error"""
    with Plain() as site:
        Endless(site)
        download_cut(site, lambda: site.gateway.stop(signal.SIGKILL))
    with Plain() as site:
        upload_cut(site, Endless(site), lambda: site.gateway.stop(signal.SIGKILL))


def client_killed():
    """the client's streamd is killed: the applications at both ends see an error"""
    with Plain() as site:
        Endless(site)
        download_cut(site, lambda: site.client.stop(signal.SIGKILL))
    with Plain() as site:
        targets = Endless(site)
        try:
            upload_cut(site, targets, lambda: site.client.stop(signal.SIGKILL))
        except Failure as failure:
            raise Failure(f"{failure}; errors {targets.upload.errors}") from None


def connect_says_so():
    """streamctl connect ends with its own exit code when the stream is cut"""
    with proxied_site() as (site, proxy, _):
        child = site.client.start_ctl("connect", site.DEVICE, "download", stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        got = 0
        while got < ENOUGH:
            got += len(child.stdout.read(1 << 16))
        proxy.cut()
        while child.stdout.read(1 << 20):
            pass
        message = child.stderr.read().decode()
        check_equal(child.wait(60), 17, f"exit code ({message})")
        check(message.strip(), "no message")


if __name__ == "__main__":
    main(legs_reset, legs_ended, hub_killed, gateway_killed, client_killed, connect_says_so)
