# SPDX-License-Identifier: LGPL-2.1-or-later
"""No secret in any log, at the most verbose level: keys, connection strings, tokens of legs as they were on
the wire, tokens made from keys, and what streams carry."""
import base64
import glob
import os
import urllib.parse

os.environ["STREAMD_TEST_DEBUG"] = "all"  # before the harness makes an environment of it

# pylint: disable=wrong-import-position
import wire
from ends import Server, connect, read_all
from enroll import Invitation, new_key
from harness import Failure, Site, check, check_equal, eventually, main
from hub_wire import Wire

PAYLOAD = "canary-" + os.urandom(16).hex()
PIECE = 16  # characters of a secret that may not be seen either


def forms(secret):
    """As it is, and as programs write it."""
    raw = secret.encode()
    yield secret
    yield urllib.parse.quote(secret, safe="")
    yield base64.b64encode(raw).decode()
    yield raw.hex()
    try:
        decoded = base64.b64decode(secret, validate=True)
    except ValueError:
        return
    yield decoded.hex()


def leaks(directory, secrets):
    """(file, name of the secret) for each log that holds one, or a piece of one."""
    found = []
    for path in sorted(glob.glob(os.path.join(directory, "*.log")) +
                       glob.glob(os.path.join(directory, "hub-state", "records", "*.jsonl"))):
        with open(path, "rb") as file:
            text = file.read().lower()
        for name, secret in secrets.items():
            check(len(secret) >= PIECE, f"{name} is too short to be looked for")
            if any(form[:PIECE].lower().encode() in text for form in forms(secret)):
                found.append((os.path.basename(path), name))
    return found


def key_of(connection_string):
    return wire.parse_connection_string(connection_string)["SharedAccessKey"]


def by_hand(site, secrets):
    """A device and a service of our own: what they see of the tokens is what nobody else may."""
    hub = Wire(site)
    device = hub.device("by-hand")
    secrets["key of by-hand"] = hub.devices["by-hand"]
    token = hub.service_token()
    secrets["signature of a service"] = token.split("sig=")[1].split("&")[0]
    post = hub.post("by-hand", token=token)
    request = device.request()
    secrets["token of the device's leg"] = request.token
    device.answer(request, 200)
    answer = post.read()
    secrets["token of the service's leg"] = answer.get("iothub-streaming-auth-token")
    ends = hub.device_leg(request), hub.service_leg(answer)
    ends[1].send(PAYLOAD.encode())
    check_equal(ends[0].receive(len(PAYLOAD)), PAYLOAD.encode(), "what went through")
    # Refusals are told too: with a bad token, and with a signature that does not fit.
    check_equal(hub.leg(request.path, request.token).status, 401, "a token used twice")
    bad = wire.sas("localhost", base64.b64encode(b"canary-wrong-key-of-a-service").decode(),
                   policy="service")
    secrets["signature that does not fit"] = bad.split("sig=")[1].split("&")[0]
    check_equal(hub.post("by-hand", token=bad).read().status, 401, "a wrong signature")


def new_keys(site, secrets):
    """Keys that are changed, in each way there is: over the connection, and at once; none is in an answer either."""
    answers = []
    for kind, name, words in (("device", site.DEVICE, ("rekey",)), ("device", "by-hand", ("regenerate", "both")),
                              ("user", "other", ("regenerate", "secondary"))):
        answers.append(site.hub.admin(kind, words[0], name, *words[1:], "--json"))
        answers.append(site.hub.admin(kind, "show", name, "--json"))
        for more in ((), ("--secondary",)):
            key = key_of(site.hub.admin("connection-string", kind, name, *more))
            secrets[f"key {more} of {name} after {words[0]}"] = key
            check(not any(form[:PIECE] in answer for form in forms(key) for answer in answers), "a key in an answer")
    check_equal("done" in answers[0], True, answers[0])


def joining(site, secrets):
    """By an invitation, by streamd and by hand, and refused with its key and without."""
    group = Invitation(site, "group", "factory", "--devices", "*", "--uses", "2")
    secrets["key of the invitation"] = group.key
    secrets["key that joins"] = own = new_key()
    token = group.token()
    secrets["signature of the invitation"] = token.split("sig=")[1].split("&")[0]
    check_equal(group.put("by-hand", own, token=token)[0], 409, "taken")
    check_equal(group.put("joined", own, token=token)[0], 200, "joined")
    check_equal(group.put("joined", own + "==", token=token)[0], 400, "a malformed body")
    bad = wire.sas("localhost/enrollments/factory", own)
    secrets["signature with another key"] = bad.split("sig=")[1].split("&")[0]
    check_equal(group.put("joined", own, token=bad)[0], 401, "another key")
    site.gateway.ctl_ok("hub", "add", "second", group.path, "--as", "gw-2")
    eventually(lambda: site.gateway.ctl_json("hub", "show", "second")["state"] == "connected", "it has joined")
    secrets["key that streamd made"] = key_of(site.hub.connection_string("device", "gw-2"))


def nothing_in_the_logs():
    """a whole site, with every process at the most verbose level, writes no secret to any log"""
    with Site() as site:
        secrets = {
            "key of the gateway": key_of(site.hub.connection_string("device", site.DEVICE)),
            "key of the policy": key_of(site.hub.connection_string("user", "service")),
            "payload": PAYLOAD,
        }
        site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        done = site.client.ctl("connect", site.DEVICE, "echo", stdin=None, input=PAYLOAD)
        check_equal((done.returncode, done.stdout), (0, PAYLOAD), f"a stream ({done.stderr})")
        port = site.client.tunnel(site.DEVICE, "echo")
        with connect(port) as connection:
            connection.sendall(PAYLOAD.encode())
            connection.shutdown(1)
            check_equal(read_all(connection), PAYLOAD.encode(), "through the tunnel")
        done = site.client.ctl("connect", site.DEVICE, "nothing-there")
        check_equal(done.returncode, 12, "no such stream")
        by_hand(site, secrets)
        site.hub.admin("user", "add", "other", "--rights", "service-connect")
        new_keys(site, secrets)
        joining(site, secrets)
        for process in site.main_processes():
            check_equal(process.stop(), 0, f"{process.name} ends in order")
            check("is asked for" in process.log() or "asks for" in process.log(),
                  f"{process.name} is not at its most verbose level:\n{process.log()}")
        found = leaks(site.dir, secrets)
        check(not found, f"secrets in logs: {found}")


def the_search_can_fail():
    """what looks for secrets finds each of them, in any of its forms, and a piece of it"""
    with Site(gateway=False, client=False) as site:
        key = key_of(site.hub.connection_string("user", "service"))
        check_equal(leaks(site.dir, {"key": key}), [], "before")
        for form in list(forms(key)) + [key[:PIECE], f"text {key} text"]:
            with open(os.path.join(site.dir, "leaky.log"), "w", encoding="ascii") as file:
                file.write(f"streamd: error: {form}\n")
            check_equal(leaks(site.dir, {"key": key}), [("leaky.log", "key")], form)
        try:
            leaks(site.dir, {"key": "short"})
        except Failure:
            return
        raise Failure("a secret of five characters was looked for")


if __name__ == "__main__":
    main(nothing_in_the_logs, the_search_can_fail)
