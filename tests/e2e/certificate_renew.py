# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hub's certificate renewed by its own authority: when it is due, with which names, whose it may
replace, and with the hub stopped; and twenty times under a hundred streams, none of which is cut."""
import hashlib
import json
import os
import socket
import ssl
import time

import certificates
from ends import Server, connect, echo, read_exactly
from harness import Site, check, check_equal, eventually, main, run, run_ok

DAY = 24 * 60 * 60
STREAMS, TIMES = 100, 20


def shown(site):
    """The certificate that the hub shows, in PEM."""
    return ssl.get_server_certificate(("127.0.0.1", site.hub.https_port))


def verb(site, *words):
    return run([site.streamhub, "--state-dir", site.hub.state_dir, *words])


def certificate(site):
    return json.loads(verb(site, "certificate", "show", "--json").stdout)


def moment(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))


def install(site, days, name="localhost"):
    """A certificate of the hub's authority that is good for so many days."""
    pair = certificates.make(site, name=name, end=moment(time.time() + days * DAY))
    done = verb(site, "certificate", "install", *pair)
    check_equal(done.returncode, 0, done.stderr)


def trusted(site):
    """A client that trusts the hub's authority alone takes what is shown."""
    context = ssl.create_default_context(cafile=os.path.join(site.hub.state_dir, "ca.pem"))
    with socket.create_connection(("127.0.0.1", site.hub.https_port)) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as tls:
            return tls.version()


def under_streams():
    """twenty renewals under a hundred streams: each is shown at once, none is cut, and each one takes bytes"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        streams = [connect(port) for _ in range(STREAMS)]
        links = site.hub.log().count("is connected")
        seen = {shown(site)}
        slowest = 0
        for number in range(TIMES):
            begin = time.monotonic()
            done = verb(site, "certificate", "renew")
            check_equal(done.returncode, 0, done.stderr)
            eventually(lambda: seen.add(shown(site)) or len(seen) == number + 2, "a new one is shown")  # pylint: disable=cell-var-from-loop
            slowest = max(slowest, time.monotonic() - begin)
            for stream in streams:
                stream.sendall(b"%4d" % number)
            for stream in streams:
                check_equal(read_exactly(stream, 4), b"%4d" % number, "the echo")
        check_equal(trusted(site), "TLSv1.3", "a new connection")
        check_equal(site.hub.log().count("is connected"), links, "connections of devices")
        for stream in streams:
            stream.close()
        check(slowest < 1, f"shown after {slowest:.2f} s")
        print(f"# {TIMES} renewals under {STREAMS} streams, the slowest in {slowest:.2f} s")


def due():
    """--due: 30 days and a bit are not due, 29 are; the names, the key and the warning"""
    with Site(gateway=False, client=False) as site:
        install(site, 30.5)
        before = shown(site)
        done = verb(site, "certificate", "renew", "--due")
        check_equal((done.returncode, shown(site)), (0, before), "30 days are left")
        check("good for 30 more days" in done.stdout, done.stdout)
        check("expires in" not in site.hub.log(), "warned too early")
        answer = json.loads(verb(site, "certificate", "renew", "--due", "--json").stdout)
        check_equal(answer, {"renewed": "no", "days_left": "30"}, "as JSON")
        install(site, 29.9)
        check("expires in 29 days" in site.hub.log(), "not warned")
        check_equal(json.loads(verb(site, "status", "--json").stdout)["certificate_days_left"], 29, "in the status")
        key = hashlib.sha256(open(os.path.join(site.hub.state_dir, "server-key.pem"), "rb").read()).digest()  # pylint: disable=consider-using-with
        done = verb(site, "certificate", "renew", "--due")
        check_equal(done.returncode, 0, done.stderr)
        check_equal(certificate(site)["names"], ["localhost"], "names of the new one")
        check(certificate(site)["days_left"] in (824, 825), "days of the new one")  # whole days: a second may be over
        after = hashlib.sha256(open(os.path.join(site.hub.state_dir, "server-key.pem"), "rb").read()).digest()  # pylint: disable=consider-using-with
        check(key != after, "it has the old key")
        check_equal(trusted(site), "TLSv1.3", "a new connection")
        done = verb(site, "certificate", "renew", "--host-name", "localhost", "--host-name", "hub.example")
        check_equal(done.returncode, 0, done.stderr)
        check_equal(certificate(site)["names"], ["localhost", "hub.example"], "other names")


def refused():
    """another's certificate, a name that is missing, an authority's key that is another's, a link, one with two names"""
    with Site(gateway=False, client=False) as site:
        before = shown(site)
        state = site.hub.state_dir
        done = verb(site, "certificate", "renew", "--host-name", "elsewhere.example")
        check_equal((done.returncode, shown(site)), (2, before), done.stderr)
        check("not for the hub's name localhost" in done.stderr, done.stderr)
        check(not [name for name in os.listdir(state) if name.endswith(".new")], "something is left")
        key = os.path.join(state, "ca-key.pem")
        kept = key + ".kept"
        os.rename(key, kept)
        rows = [("a link", lambda: os.symlink(kept, key), "symbolic links"),
                ("two names", lambda: os.link(kept, key), "regular file with one name"),
                ("no key", lambda: None, "No such file"),
                ("of another certificate", lambda: other_key(key), "not the certificate of an authority with the key"),
                ("readable by others", lambda: loose(kept, key), "0640"),
                ("not a key", lambda: written(key), "not a key")]
        for name, make, word in rows:
            make()
            done = verb(site, "certificate", "renew")
            check(done.returncode != 0 and word in done.stderr, f"{name}: {word!r} is not in {done.stderr!r}")
            check_equal(shown(site), before, name)
            if os.path.lexists(key):
                os.unlink(key)
        os.rename(kept, key)
        foreign(site)


def other_key(path):
    run_ok(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path])
    os.chmod(path, 0o600)


def loose(source, path):
    with open(source, "rb") as file, open(path, "wb") as out:
        out.write(file.read())
    os.chmod(path, 0o640)


def written(path):
    with open(path, "w", encoding="ascii") as file:
        file.write("nonsense")
    os.chmod(path, 0o600)


def foreign(site):
    """A public CA's: left alone when it is looked after daily, refused by hand, replaced when the names are given."""
    where = os.path.join(site.dir, "public")
    os.mkdir(where)
    run_ok(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "20",
            "-subj", "/CN=Public CA", "-addext", "subjectAltName=DNS:localhost", "-addext", "keyUsage=digitalSignature",
            "-keyout", f"{where}/key.pem", "-out", f"{where}/cert.pem"])
    check_equal(verb(site, "certificate", "install", f"{where}/cert.pem", f"{where}/key.pem").returncode, 0, "install")
    before = shown(site)
    done = verb(site, "certificate", "renew", "--due")
    check_equal((done.returncode, shown(site)), (0, before), done.stderr)
    done = verb(site, "certificate", "renew")
    check_equal((done.returncode, shown(site)), (2, before), done.stderr)
    check("issued by 'CN=Public CA'" in done.stderr, done.stderr)
    done = verb(site, "certificate", "renew", "--host-name", "localhost")
    check_equal(done.returncode, 0, done.stderr)
    check_equal(trusted(site), "TLSv1.3", "the hub's own again")


def stopped():
    """a hub that is stopped has the new one when it starts"""
    with Site(gateway=False, client=False) as site:
        before = shown(site)
        check_equal(site.hub.stop(), 0, "exit status")
        site.processes.remove(site.hub)
        done = verb(site, "certificate", "renew")
        check_equal(done.returncode, 0, done.stderr)
        check("not running" in done.stdout, done.stdout)
        port = str(site.hub.https_port)
        site.start_hub(ports=(port, "0"))
        check(shown(site) != before, "the old one is shown")
        check_equal(trusted(site), "TLSv1.3", "a new connection")


if __name__ == "__main__":
    main(under_streams, due, refused, stopped)
