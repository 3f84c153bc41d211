# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamhub-push against a receiver over TLS: how much goes out at once, with which token, what it does when the receiver is
down, slow, full, somewhere else or somebody else, and that nothing is lost when it is killed or the files are rotated."""
import collections
import http.server
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from harness import LONG, RSS_LIMIT_KIB, SANITIZED, check, check_equal, eventually, main, run, run_ok, write_private
from record_lines import NONE, Writer, chained, end, hash_of, request

T = 1796064148
LINE_MAX = 8192
BATCH, BATCH_BYTES = 500, 1024 * 1024
FRESH_S = 5
HASH = slice(-67, -3)  # in a line with its end


class Receiver:
    """Takes records over TLS, and answers as it is told: a plan is a row of (status, headers, seconds to wait before it)."""

    def __init__(self, cert, port=0):
        self.requests, self.plan, self.lock = [], collections.deque(), threading.Lock()
        self.refuses = None  # (what it refuses, with which status)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                """Answers by the plan; what was accepted says status 2xx."""
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # who sent it was killed meanwhile
                    self.close_connection = True
                    return
                with receiver.lock:
                    status, headers, pause = receiver.plan.popleft() if receiver.plan else (204, {}, 0)
                    if receiver.refuses and receiver.refuses[0] in body:
                        status = receiver.refuses[1]
                    receiver.requests.append((status, dict(self.headers), body, time.monotonic(), self.path))
                time.sleep(pause)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):  # pylint: disable=arguments-differ
                """Is quiet."""

        class Quiet(http.server.ThreadingHTTPServer):
            """Handshakes fail, as they should; clients are killed."""
            daemon_threads = True

            def handle_error(self, *_):  # pylint: disable=arguments-differ
                """Is quiet."""

        self.server = Quiet(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cert)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def batches(self):
        """The lines of each request that was accepted."""
        with self.lock:
            return [body.decode().splitlines(True) for status, _, body, *_ in self.requests if status < 300]

    def lines(self):
        return [line for batch in self.batches() for line in batch]


class Place:
    """Records, a receiver with a certificate of a hub's authority, and the service."""

    def __init__(self):
        self.evil = None
        self.dir = tempfile.mkdtemp(prefix="streamd-e2e-")
        self.records = Writer(os.path.join(self.dir, "state", "records"))
        self.authority("trusted")
        self.push = os.path.abspath(os.environ["STREAMHUB_PUSH"])
        self.receiver = Receiver(self.cert("trusted"))
        self.process, self.starts = None, 0
        self.own = os.path.join(self.dir, "own")
        os.mkdir(self.own, 0o700)
        write_private(self.path("token"), "secret-1\n")
        self.settings()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.kill()
        self.receiver.close()
        if value:
            print("".join(f"# {line}\n" for line in self.log().splitlines()), end="")
        shutil.rmtree(self.dir)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def authority(self, name):
        run_ok([os.environ["STREAMHUB"], "init", "--state-dir", self.path(name), "--host-name", "localhost"])

    def cert(self, name):
        return self.path(name, "server.pem"), self.path(name, "server-key.pem")

    def settings(self, url=None, ca="trusted", token="token"):
        url = url or f"https://localhost:{self.receiver.port}/records?from=hub"
        text = f"[hub]\nrecords-push-url={url}\nrecords-push-ca={self.path(ca, 'ca.pem')}\n"
        write_private(self.path("conf"), text + (f"records-push-token-file={self.path(token)}\n" if token else ""))

    def argv(self):
        return [self.push, "--state-dir", self.path("state"), "--config", self.path("conf"), "--position-dir", self.own]

    def environment(self):
        keep = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
        return {name: os.environ[name] for name in keep if name in os.environ} | {"LANG": "C.UTF-8"}

    def start(self, **more):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment() | more)

    def kill(self, how=signal.SIGKILL):
        if self.process:
            self.process.send_signal(how)
            self.process.wait(20)
            code, self.process = self.process.returncode, None
            return code
        return None

    def log(self):
        try:
            with open(self.path("log"), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def says(self, text):
        eventually(lambda: text in self.log(), f"the log says: {text}")

    def sent(self):
        eventually(lambda: len(set(self.receiver.lines())) == len(self.records.lines), "all is sent")
        check_equal(shown(unique(self.receiver.lines())), shown(self.records.lines), "what the receiver has, in order")


def shown(lines):
    return [line[HASH][:8] for line in lines]


def unique(lines):
    return list(dict.fromkeys(lines))


def whole(lines, head=NONE):
    """The receiver checks the chain over what it has."""
    for line in lines:
        body = line[:-len(f',"hash":"{head}"}}\n')]
        check_equal(hash_of(head, body), line[HASH], body)
        head = line[HASH]


def fill(records, count):
    """COUNT records at once."""
    with open(records.path(), "a", encoding="utf-8") as file:
        for i in range(count):
            line, records.head = chained(records.head, request(T + i, f"gw-{i}", "anna"))
            records.lines.append(line)
            file.write(line)


def long_record(records, size):
    """One whose line has SIZE bytes."""
    bare = len(chained(records.head, end(T, "gw", "anna", 1, detail=""))[0])
    check_equal(len(records.put(end(T, "gw", "anna", 1, detail="x" * (size - bare)))), size, "a line")


def batches():
    """at most 500 records and 1 MiB at once, to the record and the byte; fresh ones within 5 s; constant memory"""
    with Place() as place:
        place.records.start(T)
        fill(place.records, 2 * BATCH - 1)
        place.start()
        place.sent()
        check_equal([len(batch) for batch in place.receiver.batches()], [500, 500], "1,000 records")
        _, headers, _, _, path = place.receiver.requests[0]
        check_equal((headers["Authorization"], headers["Content-Type"], path), ("Bearer secret-1", "application/x-ndjson",
                                                                               "/records?from=hub"), "the request")
        check_equal(headers["User-Agent"].split("/")[0], "streamhub-push", "who asks")
        since = time.monotonic()
        place.records.put(request(T, "fresh", "anna"))
        place.sent()
        print(f"# measured: a fresh record after {time.monotonic() - since:.1f} s")
        check(time.monotonic() - since < FRESH_S, "a fresh record")
        check_equal(place.kill(signal.SIGTERM), 0, "SIGTERM")
        before = len(place.receiver.batches())
        fill(place.records, BATCH + 1)
        for _ in range(2 * BATCH_BYTES // LINE_MAX - 1):
            long_record(place.records, LINE_MAX)
        long_record(place.records, LINE_MAX - 1)
        long_record(place.records, LINE_MAX)
        place.start()
        place.sent()
        sizes = [(len(batch), sum(map(len, batch))) for batch in place.receiver.batches()[before:]]
        check_equal(sizes[0][0], BATCH, "one past the bound goes into the next")
        # that one, and as many long ones as fit
        check_equal(sizes[1][0], BATCH_BYTES // LINE_MAX, "long records")
        check(all(size <= BATCH_BYTES for _, size in sizes), sizes)
        check(max(size for _, size in sizes) > BATCH_BYTES - 1 - LINE_MAX, sizes)
        check(SANITIZED or peak(place) < RSS_LIMIT_KIB / 2, f"{peak(place)} KiB")
        whole(unique(place.receiver.lines()))
        check_equal(len(place.receiver.lines()), len(place.records.lines), "nothing comes twice")


def full_batch():
    """1 MiB exactly goes out at once, and one byte more does not"""
    with Place() as place:
        for _ in range(BATCH_BYTES // LINE_MAX):
            long_record(place.records, LINE_MAX)
        place.start()
        place.sent()
        check_equal([len(batch) for batch in place.receiver.batches()], [BATCH_BYTES // LINE_MAX], "exactly 1 MiB")
        place.kill(signal.SIGTERM)
        place.receiver.requests.clear()
        place.records.lines.clear()
        bare = len(chained(place.records.head, request(T, "g", "a"))[0])
        place.records.put(request(T, "g", "a"))
        for _ in range(BATCH_BYTES // LINE_MAX - 1):
            long_record(place.records, LINE_MAX)
        long_record(place.records, LINE_MAX - bare + 1)
        place.start()
        place.sent()
        check_equal([len(batch) for batch in place.receiver.batches()], [BATCH_BYTES // LINE_MAX, 1], "one byte more")


def peak(place):
    with open(f"/proc/{place.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def tokens():
    """only from a file that nobody else may read; a new one counts at once; none goes out without it"""
    with Place() as place:
        place.records.start(T)
        os.chmod(place.path("token"), 0o644)
        place.start()
        place.says(place.path("token"))
        check_equal(place.receiver.requests, [], "nothing is sent without its token")
        os.chmod(place.path("token"), 0o600)
        place.sent()
        write_private(place.path("token"), "secret-2\n")
        place.records.put(request(T, "gw", "anna"))
        place.sent()
        check_equal([request[1]["Authorization"] for request in place.receiver.requests], ["Bearer secret-1", "Bearer secret-2"], "tokens")
        write_private(place.path("token"), "two words\n")
        place.records.put(request(T, "gw", "anna"))
        place.says("a token is one line of printable ASCII")
        place.kill()
        place.settings(token=None)
        place.start()
        place.sent()
        check("Authorization" not in place.receiver.requests[-1][1], "none was wanted")
        check("secret" not in place.log(), "the log has no token")


def answers():
    """500, also with Retry-After, 401, 404, 429 with Retry-After, 503 with a date, 413, a redirect, a slow answer: tried again, and nothing is lost or skipped"""
    with Place() as place:
        place.records.start(T)
        elsewhere = Receiver(place.cert("trusted"))
        for plan, wait, text in [((500, {"Retry-After": "60"}, 0), 0.4, "500"), ((401, {}, 0), 0.4, "401"), ((404, {}, 0), 0.4, "404"),
                                 ((429, {"Retry-After": "3"}, 0), 3, "429"), ((503, {"Retry-After": "date"}, 0), 1.9, "503"),
                                 ((307, {"Location": f"https://localhost:{elsewhere.port}/"}, 0), 0.4, "307"),
                                 ((200, {}, 70 if LONG else 2), 0, "no answer in 60 s" if LONG else None)]:
            if plan[0] == 503:
                plan[1]["Retry-After"] = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 6))
            place.receiver.plan.append(plan)
            place.receiver.requests.clear()
            place.records.lines[:] = [place.records.put(request(T, "gw", "anna"))] if place.process else place.records.lines
            if not place.process:
                place.start()
            place.sent()
            asked = [request[3] for request in place.receiver.requests]
            check_equal(len(asked), 2 if text else 1, f"{plan}: attempts")
            if text:
                place.says(text)
                check(wait <= asked[1] - asked[0] < wait + 10, f"{plan}: again after {asked[1] - asked[0]:.1f} s")
                eventually(lambda: place.log().endswith(" s\n"), "it says that it goes on")
        check_equal(elsewhere.requests, [], "no redirect is followed")
        elsewhere.close()


def too_large():
    """413: half of it, and half of that, down to one; and more again when it is taken"""
    with Place() as place:
        place.records.start(T)
        fill(place.records, BATCH - 1)
        place.receiver.plan.extend([(413, {}, 0)] * 3)
        since = time.monotonic()
        place.start()
        place.sent()
        sizes = [len(request[2].splitlines()) for request in place.receiver.requests]
        check_equal(sizes[:6], [500, 250, 125, 62, 124, 248], "records at once")
        check(time.monotonic() - since < 10, "it does not wait between these")
        check_equal(len(place.receiver.lines()), BATCH, "nothing comes twice")
        place.receiver.plan.extend([(413, {}, 0)] * 2)
        place.records.put(request(T, "gw", "anna"))
        place.sent()
        place.says("does not take records: 413")  # one record alone: it is tried again, not left out


def refused():
    """413 or 400 for one record, always: it is left out after five attempts, and the log has its hash; all others arrive, and once"""
    with Place() as large, Place() as bad:
        places = ((large, 413), (bad, 400))
        for place, status in places:
            place.records.start(T)
            fill(place.records, 9)
            place.evil = place.records.put(request(T, "evil", "anna"))
            place.receiver.refuses = (b"evil", status)
            place.start()
        for place, status in places:
            place.says(f"the record {place.evil[HASH]} was left out: the receiver refused it 5 times, with {status}")
            place.records.lines.remove(place.evil)
            place.sent()
            check_equal(len(place.receiver.lines()), len(place.records.lines), "nothing comes twice")
            alone = [request[3] for request in place.receiver.requests if request[2].decode() == place.evil]
            check_equal(len(alone), 5, "attempts with it alone")
            check(all(later - one > 0.4 for one, later in zip(alone, alone[1:])), f"it waits between these: {alone}")
            check_equal(place.kill(signal.SIGTERM), 0, "SIGTERM")
            before = len(place.receiver.requests)
            fill(place.records, 9)
            place.start()
            place.sent()
            check_equal(len(place.receiver.requests), before + 1, "a restart does not send it again")
            check_equal(len(place.receiver.lines()), len(place.records.lines), "nor what was before it")


def strangers():
    """a certificate of another authority, or for another name; a port where nobody is: nothing is said to them"""
    with Place() as place:
        place.records.start(T)
        place.authority("other")
        port = place.receiver.port
        with socket.create_server(("127.0.0.1", 0)) as free:
            nobody = free.getsockname()[1]
        for settings in ({"ca": "other"}, {"url": f"https://127.0.0.1:{port}/"}, {"url": f"https://localhost:{nobody}/"}):
            place.settings(**settings)
            before = place.log()
            place.start()
            eventually(lambda: "cannot be reached" in place.log()[len(before):], f"{settings}: it says so")
            check_equal(place.kill(signal.SIGTERM), 0, "SIGTERM while it waits")
        check_equal(place.receiver.requests, [], "nothing was said")
        place.settings()
        place.start()
        place.sent()


def killed():
    """kill -9 and SIGTERM again and again while records are written and rotated: nothing is lost, one batch at most comes twice"""
    order = random.Random(5)
    rounds = 40 if LONG else 12
    with Place() as place:
        place.records.start(T)
        kills = 0
        for number in range(rounds):
            place.receiver.plan.extend([(200, {}, 0.05)] * 3)
            place.start()
            fill(place.records, order.randrange(700))
            if order.random() < 0.5:
                place.records.rotate(T)
            if order.random() < 0.8:
                eventually(lambda: len(place.receiver.requests) > number / 2, "it sends")
            time.sleep(order.random() * 0.3)
            gently = order.random() < 0.3
            code = place.kill(signal.SIGTERM if gently else signal.SIGKILL)
            check(code in ((0, -15) if gently else (-9,)), f"it ended with {code}")  # -15: while it started
            kills += not gently
        place.receiver.plan.clear()
        place.start()
        place.sent()
        whole(unique(place.receiver.lines()))
        seen, repeated = set(), 0
        for batch in place.receiver.batches():
            again = sum(line in seen for line in batch)
            check(again in (0, len(batch)) or again <= BATCH, "a batch")
            repeated += again > 0
            seen.update(batch)
        print(f"# measured: {len(place.records.lines)} records, {kills} kills: {repeated} batches came twice")
        check(repeated <= kills, f"{repeated} batches came twice")


def behind():
    """rotated while the receiver is away: all is sent; rotated away: it says how many, running and after a restart"""
    with Place() as place:
        place.records.start(T)
        place.start()
        place.sent()
        port = place.receiver.port
        place.receiver.close()
        for i in range(4):
            fill(place.records, 100 + i)
            place.records.rotate(T)
        place.says("cannot be reached")
        eventually(lambda: waiting(place) == 4, "what waits is counted")
        os.unlink(place.records.path(2))  # 102 records: its first is about the file
        os.unlink(place.records.path(3))  # 103
        place.says("205 records were rotated away before they were sent")
        gone = [line for line in place.records.lines if line not in kept(place)]
        check_equal(len(gone), 205, "records that are gone")
        place.kill()
        os.unlink(place.records.path(4))
        gone = [line for line in place.records.lines if line not in kept(place)]
        check_equal(len(gone), 309, "and 104 more")
        place.receiver = Receiver(place.cert("trusted"), port)
        place.start()
        place.says("104 records were rotated away before they were sent")
        place.records.lines = [line for line in place.records.lines if line in kept(place)][1:]
        place.sent()


def uncounted():
    """rotated away while the token cannot be read, and while the receiver asked to wait for an hour: it says how many"""
    for how in ("token", "Retry-After"):
        with Place() as place:
            place.records.start(T)
            place.start()
            place.sent()
            if how == "token":
                os.chmod(place.path("token"), 0o644)
            else:
                place.receiver.plan.append((503, {"Retry-After": "3600"}, 0))
            place.records.put(request(T, "gw", "anna"))
            place.says(place.path("token") if how == "token" else "does not take records: 503")
            for i in range(3):
                fill(place.records, 100 + i)
                place.records.rotate(T)
            eventually(lambda: waiting(place) == 3, f"{how}: what waits is counted")
            os.unlink(place.records.path(2))  # 102 records: its first is about the file
            place.says("102 records were rotated away before they were sent")
            check_equal(place.kill(signal.SIGTERM), 0, "SIGTERM while it waits")


def waiting(place):
    with open(os.path.join(place.own, "position.json"), encoding="ascii") as file:
        return file.read().count('"number"')


def kept(place):
    lines = set()
    for name in os.listdir(place.records.folder):
        with open(os.path.join(place.records.folder, name), encoding="utf-8") as file:
            lines.update(file)
    return lines


def restored():
    """the folder copied back with other inodes: it goes on by the hash; a position that is damaged, and one whose record is gone"""
    with Place() as place:
        place.records.start(T)
        fill(place.records, 10)
        place.records.rotate(T)
        place.start()
        place.sent()
        place.kill(signal.SIGTERM)
        folder = place.records.folder
        shutil.copytree(folder, folder + ".copy")
        shutil.rmtree(folder)
        shutil.copytree(folder + ".copy", folder)
        place.records.put(request(T, "gw", "anna"))
        place.start()
        place.sent()
        check_equal(len(place.receiver.lines()), len(place.records.lines), "nothing comes twice")
        place.kill(signal.SIGTERM)
        position = os.path.join(place.own, "position.json")
        check_equal(os.stat(position).st_mode & 0o777, 0o600, "its mode")
        with open(position, encoding="ascii") as file:
            text = file.read()
        write_private(position, text[:-20])
        done = run(place.argv(), env=place.environment())
        check_equal(done.returncode, 2, done.stderr)
        check("is damaged: remove it" in done.stderr, done.stderr)
        write_private(position, text.replace(place.records.head, "a" * 64))
        before = len(place.receiver.lines())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(place.path("notify"))
            manager.settimeout(20)
            place.start(NOTIFY_SOCKET=place.path("notify"))
            told = [manager.recv(4096).decode() for _ in range(3)]
        check_equal(told, ["READY=1", "STATUS=looking for the record that was sent last", "STATUS=sending records"],
                    "it has begun before it reads all files")
        place.says("records were rotated away before they were sent; how many is not known")
        eventually(lambda: len(place.receiver.lines()) == before + len(place.records.lines), "it begins again")


def refusals():
    """no url, a url that is none or in the clear, no folder, a second one beside it: an error that says so"""
    with Place() as place:
        def says_no(code, text, **settings):
            place.settings(**settings)
            done = run(place.argv(), env=place.environment())
            check_equal(done.returncode, code, f"{settings}: {done.stderr}")
            check(text in done.stderr, f"{settings}: {done.stderr}")

        says_no(2, "records-push-url wants", url="http://example.org/")
        says_no(2, "records-push-url wants", url="ftp://localhost/")
        says_no(2, "records-push-url wants", url="https://user:pass@localhost/")
        shutil.rmtree(place.records.folder)
        says_no(4, place.records.folder, url="https://localhost/")
        done = run([place.push, "--state-dir", place.path("state")], env=place.environment())
        check_equal(done.returncode, 2, done.stderr)
        check("nowhere to send to: set records-push-url" in done.stderr, done.stderr)
        place.records = Writer(place.records.folder)
        place.records.start(T)
        place.settings()
        place.start()
        place.sent()
        says_no(6, "another", url=f"https://localhost:{place.receiver.port}/")


if __name__ == "__main__":
    main(batches, full_batch, tokens, answers, too_large, refused, strangers, killed, behind, uncounted, restored, refusals)
