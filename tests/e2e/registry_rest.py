# SPDX-License-Identifier: LGPL-2.1-or-later
"""The registry by REST as IoT Hub has it (docs/wire-protocol.md, section 6): every route by who asks, by scope and
by ETag, the form of each error, what it does to links that are up, and clients that mean no good."""
import base64
import json
import os
import time

import wire
from harness import SANITIZED, Site, check, check_equal, eventually, main
from hub_wire import check_echo, check_error
from scopes import Scoped, opened

VERSION = "?api-version=2021-04-12"
KEY = base64.b64encode(b"k" * 32).decode()
OTHER = base64.b64encode(b"o" * 64).decode()
LIVE_WITHIN = 2.0  # s

RIGHTS = {"reader": "registry-read", "writer": "registry-write", "both": "registry-read,registry-write",
          "opener": "service-connect", "linker": "device-connect", "all": "service-connect,registry-read,registry-write"}
SCOPES = {"": [], "-glob": ["--devices", "gw-*"], "-tag": ["--tag", "site=berlin"], "-names": ["--streams", "ssh"]}


class Registry(Scoped):
    """The hub, and what a service does to its registry."""

    def __init__(self, site):
        super().__init__(site)
        self.kept = {}  # user: a connection
        self.keeps = False

    def rest(self, method, path, user="all", body=None, headers=(), raw=None):
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        if data or method in ("PUT", "PATCH"):
            headers = [*headers, ("Content-Type", "application/json; charset=utf-8")]
        http = self.kept.pop(user, None) or wire.Http(self.port, self.ca)
        fields = [("Authorization", self.token(user)), *headers] if user else [*headers]
        answer = http.ask(method, path + ("" if "?" in path else VERSION), fields, data)
        if self.keeps and answer.get("Connection") != "close":
            self.kept[user] = http
        else:
            http.close()
        return answer

    def got(self, method, path, *args, status=200, **kwargs):
        answer = self.rest(method, path, *args, **kwargs)
        check_equal(answer.status, status, f"{method} {path}: {answer.body!r}")
        return json.loads(answer.body) if answer.body else None

    def failed(self, code, name, method, path, *args, words=None, **kwargs):
        answer = self.rest(method, path, *args, **kwargs)
        check_error(answer, code, name)
        check_equal(answer.get("Content-Type"), "application/json; charset=utf-8", "its type")
        text = json.loads(json.loads(answer.body)["Message"])["message"]
        check(words is None or words in text, f"{words!r} is not in {text!r}")
        return text

    def users(self, rights=("all",), scopes=("",)):
        for right in rights:
            for scope in scopes:
                self.user(right + scope, *SCOPES[scope], rights=RIGHTS[right])


def with_registry(case):
    def start():
        with Site(hub_arguments=["--grace", "1"], gateway=False, client=False) as site:
            case(Registry(site))

    start.__doc__, start.__name__ = case.__doc__, case.__name__
    return start


def identity(name, **more):
    return {"deviceId": name, **more}


def sas(primary="", secondary=""):
    return {"type": "sas", "symmetricKey": {"primaryKey": primary, "secondaryKey": secondary}}


def etag(value):
    return [("If-Match", value)]


@with_registry
def life(hub):
    """a device is made, read, changed by its ETag, listed, removed; a slash at the end, any api-version or none"""
    hub.users()
    made = hub.got("PUT", "/devices/gw-1", body=identity("gw-1", status="disabled", statusReason='a "reason"'))
    check_equal(sorted(made), sorted(["deviceId", "generationId", "etag", "connectionState", "status", "statusReason",
                                      "cloudToDeviceMessageCount", "capabilities", "authentication"]), "members")
    keys = made["authentication"]["symmetricKey"]
    check_equal([len(base64.b64decode(keys[name])) for name in ("primaryKey", "secondaryKey")], [32, 32], "new keys")
    check(keys["primaryKey"] == hub.key("device", "gw-1"), "the key of the connection string")
    check_equal((made["status"], made["statusReason"]), ("disabled", 'a "reason"'), "status")
    for path in ("/devices/gw-1", "/devices/gw-1/", "/devices/gw-1?api-version=2016-11-14", "/devices/gw-1?x=y",
                 "/devices/gw%2D1"):
        answer = hub.rest("GET", path)
        check_equal((json.loads(answer.body), answer.get("ETag")), (made, f'"{made["etag"]}"'), path)
    hub.failed(409001, "DeviceAlreadyExists", "PUT", "/devices/gw-1", body=identity("gw-1"))
    hub.failed(412001, "PreconditionFailed", "PUT", "/devices/gw-1", body=identity("gw-1"),
               headers=[("If-None-Match", "*")])

    changed = hub.got("PUT", "/devices/gw-1", body=identity("gw-1", status="enabled", authentication=sas(KEY)),
                      headers=etag(f'"{made["etag"]}"'))
    check(changed["etag"] != made["etag"] and changed["generationId"] == made["generationId"], "a new ETag")
    check_equal(changed["authentication"]["symmetricKey"], {"primaryKey": KEY, "secondaryKey": keys["secondaryKey"]},
                "one key is new, the other stays")
    check_equal((changed["status"], changed["statusReason"]), ("enabled", 'a "reason"'), "what was not named stays")
    hub.failed(412001, "PreconditionFailed", "PUT", "/devices/gw-1", body=identity("gw-1", status="disabled"),
               headers=etag(f'"{made["etag"]}"'))
    check_equal(hub.got("GET", "/devices/gw-1"), changed, "a stale ETag has changed nothing")
    # What was read may be sent back whole.
    again = hub.got("PUT", "/devices/gw-1", body={**changed, "statusReason": ""}, headers=etag('"*"'))
    check_equal((again["statusReason"], again["authentication"]), (None, changed["authentication"]), "as it was")
    check_equal(hub.got("GET", "/devices/"), [again], "the list")

    hub.failed(412001, "PreconditionFailed", "DELETE", "/devices/gw-1", headers=etag('"1"'))
    answer = hub.rest("DELETE", "/devices/gw-1", headers=etag("*"))
    check_equal((answer.status, answer.body, answer.get("Content-Length")), (204, b"", None), "removed")
    for method, body, headers in (("GET", None, ()), ("DELETE", None, ()), ("DELETE", None, etag("*")),
                                  ("PUT", identity("gw-1"), etag("*")), ("PUT", identity("gw-1"), etag('"5"'))):
        hub.failed(404001, "DeviceNotFound", method, "/devices/gw-1", body=body, headers=headers)
    check_equal(hub.got("PUT", "/devices/gw-1", body=identity("gw-1"), headers=[("If-None-Match", "*")])["status"],
                "enabled", "made again")


@with_registry
def modules(hub):
    """modules: their own keys and ETag, the list of a device, and gone with it"""
    hub.users()
    hub.got("PUT", "/devices/gw-1", body=identity("gw-1"))
    hub.got("PUT", "/devices/gw-10", body=identity("gw-10"))
    hub.got("PUT", "/devices/gw-10/modules/other", body={"moduleId": "other"})
    check_equal(hub.got("GET", "/devices/gw-1/modules"), [], "none yet")
    made = [hub.got("PUT", f"/devices/gw-1/modules/{name}", body={"deviceId": "gw-1", "moduleId": name, "managedBy": "x"})
            for name in ("cam", "door")]
    check_equal(hub.got("GET", "/devices/gw-1/modules/"), made, "both")
    check_equal(made[0]["authentication"]["symmetricKey"]["primaryKey"],
                wire.parse_connection_string(hub.hub.admin("connection-string", "device", "gw-1", "--module", "cam"))
                ["SharedAccessKey"], "its key")
    path = "/devices/gw-1/modules/cam"
    hub.failed(409301, "ModuleAlreadyExistsOnDevice", "PUT", path, body={})
    changed = hub.got("PUT", path, body={"authentication": sas(KEY, OTHER)}, headers=etag(f'"{made[0]["etag"]}"'))
    check_equal(hub.got("GET", path), changed, "changed")
    hub.failed(412001, "PreconditionFailed", "DELETE", path, headers=etag(f'"{made[0]["etag"]}"'))
    check_equal(hub.rest("DELETE", path, headers=etag(f'"{changed["etag"]}"')).status, 204, "removed")
    for method, body, headers in (("GET", None, ()), ("DELETE", None, etag("*")), ("PUT", {}, etag("*"))):
        hub.failed(404010, "ModuleNotFound", method, path, body=body, headers=headers)
    hub.failed(404001, "DeviceNotFound", "GET", "/devices/nobody/modules")
    hub.failed(404010, "ModuleNotFound", "PUT", "/devices/nobody/modules/cam", body={})
    hub.failed(400004, "ArgumentInvalid", "PUT", "/devices/gw-1/modules/x", body={"statusReason": "x"}, words="module")
    for name in range(49):
        hub.got("PUT", f"/devices/gw-1/modules/m{name:02}", body={})
    check_equal(len(hub.got("GET", "/devices/gw-1/modules")), 50, "as many as there may be")
    hub.failed(403002, "IotHubQuotaExceeded", "PUT", "/devices/gw-1/modules/one-more", body={})
    check_equal(hub.rest("DELETE", "/devices/gw-1").status, 204, "the device, without a condition")
    hub.failed(404010, "ModuleNotFound", "GET", "/devices/gw-1/modules/door")
    check_equal(len(hub.got("GET", "/devices/gw-10/modules")), 1, "another's")


@with_registry
def twins(hub):
    """tags as a twin: set, removed, replaced, by ETag; what tags cannot hold is refused with the reason"""
    hub.users()
    made = hub.got("PUT", "/devices/gw-1", body=identity("gw-1"))
    hub.got("PUT", "/devices/gw-1/modules/cam", body={})
    twin = hub.got("GET", "/twins/gw-1")
    check_equal((twin["tags"], twin["etag"], twin["properties"]["desired"]["$version"]), ({}, made["etag"], 1), "empty")
    check(KEY not in str(twin) and made["authentication"]["symmetricKey"]["primaryKey"] not in str(twin), "a key")
    twin = hub.got("PATCH", "/twins/gw-1", body={"tags": {"site": "berlin", "floor": "1"}}, headers=etag(f'"{twin["etag"]}"'))
    check_equal(twin["tags"], {"floor": "1", "site": "berlin"}, "set")
    check_equal(hub.listed("all", "SELECT * FROM devices WHERE tags.site = 'berlin'"), ["gw-1"], "found by it")
    # A client changes what it has read, and sends all of it.
    twin["tags"]["floor"] = None
    twin["tags"]["room"] = "7 \"north\" é"
    after = hub.got("PATCH", "/twins/gw-1/", body=twin, headers=etag(twin["etag"]))
    check_equal(after["tags"], {"room": "7 \"north\" é", "site": "berlin"}, "changed")
    hub.failed(412001, "PreconditionFailed", "PATCH", "/twins/gw-1", body={"tags": {"a": "b"}}, headers=etag(twin["etag"]))
    for body, tags in (({"tags": {"only": "this"}}, {"only": "this"}), ({}, {})):
        check_equal(hub.got("PUT", "/twins/gw-1", body=body, headers=etag("*"))["tags"], tags, "replaced")
    check_equal(hub.got("PUT", "/twins/gw-1", body={"tags": {"a": "1"}})["tags"], {"a": "1"}, "without a condition")
    check_equal(hub.got("GET", "/twins/gw-1/modules/cam")["tags"], {"a": "1"}, "a module has those of its device")
    for body, words in (({"tags": {"a": {"b": "c"}}}, "flat"), ({"tags": {"a": 1}}, "flat"), ({"tags": {"a": ["b"]}}, "flat"),
                        ({"tags": {"a": True}}, "flat"), ({"tags": {"a b": "c"}}, "key"), ({"tags": {"a": "x" * 255}}, "256"),
                        ({"tags": {"a": "\x1b[2J"}}, "control"), ({"tags": "x"}, "tags is an object"),
                        ({"tags": {f"k{n}": "v" for n in range(51)}}, "50"),
                        ({"tags": {f"k{n}": "v" for n in range(101)}}, "too many"),
                        ({"properties": {"desired": {"speed": 1}}}, "no properties"),
                        ({"properties": []}, "properties is an object"), ({"tag": {}}, "'tag' is no member"),
                        ({"deviceId": "gw-2"}, "in the path"), ([], "The body is an object"), ("x", "The body is an object")):
        for method in ("PATCH", "PUT"):
            hub.failed(400004, "ArgumentInvalid", method, "/twins/gw-1", body=body, words=words)
    hub.failed(400004, "ArgumentInvalid", "PATCH", "/twins/gw-1/modules/cam", body={"tags": {"a": "2"}}, words="of its device")
    hub.failed(400004, "ArgumentInvalid", "PATCH", "/twins/gw-1", body={}, headers=[("If-None-Match", "*")], words="If-None-Match")
    hub.failed(404001, "DeviceNotFound", "PATCH", "/twins/nobody", body={"tags": {"a": "2"}})
    check_equal(hub.got("GET", "/twins/gw-1")["tags"], {"a": "1"}, "nothing was changed by those")
    largest = {f"k{n:02}": '"' * 252 for n in range(50)}
    check_equal(hub.got("PUT", "/twins/gw-1", body={"tags": largest})["tags"], largest, "as many and as large as they may be")


@with_registry
def bodies(hub):
    """what a body may not be: each fault is named, and nothing was made"""
    hub.users()
    for body, words in (({"deviceId": "other"}, "in the path"), ({"deviceId": 5}, "deviceId is a text"),
                        ({"moduleId": "m"}, "not in the path"), ({"status": "on"}, "enabled or disabled"),
                        ({"statusReason": "x" * 257}, "256"), ({"statusReason": "a\u0007"}, "control"),
                        ({"name": "x"}, "'name' is no member"), ({"capabilities": {"iotEdge": True}}, "iotEdge"),
                        ({"authentication": []}, "authentication is an object"),
                        ({"authentication": {"type": "none"}}, "sas, selfSigned or"),
                        ({"authentication": {"type": "sas", "x509Thumbprint": {"primaryThumbprint": "AB"}}}, "thumbprints"),
                        ({"authentication": {"type": "selfSigned"}}, "needs a thumbprint"),
                        ({"authentication": {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": "AB"}}}, "hexadecimal"),
                        ({"authentication": sas("x")}, "primaryKey is base64"),
                        ({"authentication": sas(KEY, "not base64, but long")}, "secondaryKey is base64"),
                        ({"authentication": sas(base64.b64encode(b"x" * 15).decode())}, "16 to 64"),
                        ({"authentication": sas(base64.b64encode(b"x" * 65).decode())}, "16 to 64"),
                        ({"authentication": {"symmetricKey": {"primaryKey": 1}}}, "primaryKey is a text"),
                        ([], "The body is an object"), ("x", "The body is an object"), (5, "The body is an object")):
        hub.failed(400004, "ArgumentInvalid", "PUT", "/devices/gw-1", body=body, words=words)
    for raw, words in ((b"", "no JSON"), (b"{", "no JSON"), (b"{}{}", "no JSON"), (b'{"deviceId":"gw-1","deviceId":"gw-1"}', "twice"),
                       (b"[" * 40 + b"]" * 40, "deep"), (b'{"deviceId":"gw-1"} // x', "no JSON"), (b'{"deviceId":"\xff"}', "UTF-8")):
        hub.failed(400004, "ArgumentInvalid", "PUT", "/devices/gw-1", raw=raw, words=words)
    for name in ("a b", "a%2Fb", "..%2F", "x" * 129, "%23"):
        hub.failed(400004, "ArgumentInvalid", "PUT", f"/devices/{name.replace(' ', '%20')}", body={}, words="a name has")
    for condition in ('"1", "2"', "", '"', '"1" "2"'):
        hub.failed(400004, "ArgumentInvalid", "PUT", "/devices/gw-1", body={}, headers=etag(condition), words="condition")
    for headers in ([("If-None-Match", '"1"')], [("If-None-Match", "*"), ("If-Match", "*")]):
        hub.failed(400004, "ArgumentInvalid", "PUT", "/devices/gw-1", body={}, headers=headers, words="If-None-Match")
    for value in ('"x"', 'W/"1"', "0", "-1", "99999999999999999999"):
        hub.failed(404001, "DeviceNotFound", "PUT", "/devices/gw-1", body={}, headers=etag(value))
    for size, key in ((16, base64.b64encode(b"x" * 16)), (64, base64.b64encode(b"x" * 64))):
        made = hub.got("PUT", f"/devices/size-{size}", body=identity(f"size-{size}", authentication=sas(key.decode())))
        check_equal(made["authentication"]["symmetricKey"]["primaryKey"], key.decode(), "a key at the bound")
    check_equal([one["deviceId"] for one in hub.got("GET", "/devices")], ["size-16", "size-64"], "nothing else was made")


@with_registry
def certificates(hub):
    """a device by thumbprint or authority: made, changed, back to keys, which then cut who used the others"""
    hub.users()
    prints = {"primaryThumbprint": "AB" * 20, "secondaryThumbprint": "CD" * 32}
    made = hub.got("PUT", "/devices/x-1", body=identity("x-1", authentication={"type": "selfSigned", "x509Thumbprint": prints}))
    check_equal(made["authentication"], {"type": "selfSigned", "x509Thumbprint": prints,
                                         "symmetricKey": {"primaryKey": None, "secondaryKey": None}}, "by thumbprint")
    check_equal(hub.got("GET", "/twins/x-1")["authenticationType"], "selfSigned", "its twin")
    check("AB" * 20 not in str(hub.got("GET", "/twins/x-1")), "a thumbprint in a twin")
    again = hub.got("PUT", "/devices/x-1", body={**made, "status": "disabled"}, headers=etag(f'"{made["etag"]}"'))
    check_equal((again["authentication"], again["status"]), (made["authentication"], "disabled"), "sent back whole")
    kept = hub.got("PUT", "/devices/x-1", body={"status": "enabled"}, headers=etag("*"))
    check_equal(kept["authentication"], made["authentication"], "not named, as it was")
    for kind in ("certificateAuthority", "sas"):
        changed = hub.got("PUT", "/devices/x-1", body={"authentication": {"type": kind}}, headers=etag("*"))
        check_equal((changed["authentication"]["type"], changed["authentication"]["x509Thumbprint"]),
                    (kind, {"primaryThumbprint": None, "secondaryThumbprint": None}), kind)
    hub.got("PUT", "/devices/x-1", body={"authentication": sas(KEY)}, headers=etag("*"))
    hub.devices["x-1"] = KEY
    device = hub.device("x-1")
    hub.got("PUT", "/devices/x-1", body={"authentication": {"type": "certificateAuthority"}}, headers=etag("*"))
    check(device.is_closed(), "who came by a key stays")
    check_equal(hub.device("x-1", subscribe=False).connack, 5, "a key does not count any more")
    result = hub.got("POST", "/devices", body=[{"id": "x-2", "importMode": "create", "authentication":
                                                {"type": "selfSigned", "x509Thumbprint": prints}}])
    check(result["isSuccessful"], result)
    check_equal(hub.got("GET", "/devices/x-2")["authentication"]["x509Thumbprint"], prints, "one of many")


@with_registry
def scoped_makers(hub):
    """who may make what: the id has to fit, a scope with tags makes nothing, and nobody learns what exists"""
    hub.users(("both",), SCOPES)
    hub.users()
    hub.fill({"lone": {}, "gw-2": {"site": "rome"}})
    for scope, name, status in (("", "new-1", 200), ("-names", "new-2", 200), ("-glob", "gw-9", 200), ("-glob", "new-3", 403),
                                ("-glob", "lone", 403), ("-tag", "gw-8", 403), ("-tag", "lone", 403), ("-tag", "gw-2", 403),
                                ("-glob", "gw-2", 409)):
        check_equal(hub.rest("PUT", f"/devices/{name}", user="both" + scope, body={}).status, status, f"{scope} {name}")
        mode = hub.rest("POST", "/devices", user="both" + scope, body=[{"id": name, "importMode": "createOrUpdate"}])
        check_equal(mode.status, 400 if status == 403 else 200, f"{scope} {name}, either: {mode.body!r}")
    hub.got("PUT", "/devices/gw-2/modules/m", user="both-glob", body={})
    for user, device in (("both-tag", "gw-2"), ("both-glob", "lone"), ("both-glob", "none")):
        hub.failed(404010, "ModuleNotFound", "PUT", f"/devices/{device}/modules/n", user=user, body={})
        hub.failed(404010, "ModuleNotFound", "PUT", f"/devices/{device}/modules/m", user=user, body={})
        hub.failed(404001, "DeviceNotFound", "GET", f"/devices/{device}/modules", user=user)
    result = hub.got("POST", "/devices", user="both-glob", status=400,
                     body=[{"id": "gw-9", "importMode": "updateTwin", "tags": {"a": "b"}}])
    check_equal([one["errorCode"] for one in result["errors"]], ["GenericForbidden"], "tags")
    check_equal(hub.got("GET", "/twins/gw-9")["tags"], {}, "unchanged")


@with_registry
def bulk(hub):
    """many changes at once: every mode, each refused or made by itself, at the bound of a hundred and one past it"""
    hub.users()

    def post(*items, status=200):
        result = hub.got("POST", "/devices", body=list(items), status=status)
        check_equal(sorted(result), ["errors", "isSuccessful", "warnings"], "the result")
        check_equal((result["isSuccessful"], result["warnings"]), (not result["errors"], []), "the result")
        return [(one["deviceId"], one["errorCode"], one["operation"]) for one in result["errors"]]

    names = [f"b-{n:03}" for n in range(100)]
    check_equal(post(*({"id": name, "importMode": "create", "authentication": sas(KEY)} for name in names)), [], "a hundred")
    check_equal(len(hub.got("GET", "/devices?top=1000")), 100, "made")
    hub.failed(400004, "ArgumentInvalid", "POST", "/devices", body=[{"id": n} for n in names + ["x"]], words="1 to 100")
    for body in ([], {}, "x"):
        hub.failed(400004, "ArgumentInvalid", "POST", "/devices", body=body, words="1 to 100")
    answer = hub.rest("POST", "/devices", body=[{"id": "b-000", "importMode": "Create"}, {"id": "c", "importMode": "create"}])
    check_equal((answer.status, answer.get("iothub-errorcode")), (400, "BulkRegistryOperationFailure"), "one of two")
    first = hub.got("GET", "/devices/b-000")
    mark = first["etag"]
    check_equal(post({"id": "b-000", "importMode": "create"}, {"id": "none", "importMode": "update"},
                     {"id": "b-001", "importMode": "UPDATE", "status": "disabled", "statusReason": "why"},
                     {"id": "b-000", "importMode": "updateIfMatchETag", "eTag": "1"},
                     {"id": "b-000", "importMode": "updateIfMatchETag"},
                     {"id": "b-000", "importMode": "updateIfMatchETag", "etag": mark, "authentication": sas(OTHER)},
                     {"id": "d", "importMode": "createOrUpdate", "tags": {"site": "berlin"}}, {"id": "e"},
                     {"id": "e", "importMode": "createOrUpdateIfMatchETag", "eTag": "1"},
                     {"id": "b-002", "importMode": "delete"}, {"id": "none", "importMode": "delete"},
                     {"id": "b-003", "importMode": "deleteIfMatchETag", "eTag": "1"},
                     {"id": "b-004", "importMode": "updateTwin", "tags": {"site": "rome"}, "status": "disabled"},
                     {"id": "b-004", "importMode": "updateTwinIfMatchETag", "twinETag": "1", "tags": {"site": "x"}},
                     {"id": "b-005", "importMode": "burn"}, {"importMode": "create"}, 5, {"id": "a b", "importMode": "create"},
                     {"id": "b-006", "importMode": "update", "authentication": sas("x" * 9)},
                     {"id": "b-006", "moduleId": "m", "importMode": "create"},
                     {"id": "b-006", "moduleId": "m", "importMode": "create"},
                     {"id": "none", "moduleId": "m", "importMode": "create"}, status=400),
                [("b-000", "DeviceAlreadyExists", "create"), ("none", "DeviceNotFound", "update"),
                 ("b-000", "PreconditionFailed", "updateIfMatchETag"), ("b-000", "ArgumentInvalid", "updateIfMatchETag"),
                 ("e", "PreconditionFailed", "createOrUpdateIfMatchETag"), ("none", "DeviceNotFound", "delete"),
                 ("b-003", "PreconditionFailed", "deleteIfMatchETag"), ("b-004", "PreconditionFailed", "updateTwinIfMatchETag"),
                 ("b-005", "ArgumentInvalid", "createOrUpdate"), ("", "ArgumentInvalid", "createOrUpdate"),
                 ("", "ArgumentInvalid", "createOrUpdate"), ("a b", "ArgumentInvalid", "create"),
                 ("b-006", "ArgumentInvalid", "update"), ("b-006", "ModuleAlreadyExistsOnDevice", "create"),
                 ("none", "ModuleNotFound", "create")], "each by itself")
    check_equal(hub.got("GET", "/devices/b-000")["authentication"]["symmetricKey"]["primaryKey"], OTHER, "the key")
    one = hub.got("GET", "/devices/b-001")
    check_equal((one["status"], one["statusReason"]), ("disabled", "why"), "disabled")
    check_equal(hub.got("GET", "/twins/d")["tags"], {"site": "berlin"}, "tags")
    twin = hub.got("GET", "/twins/b-004")
    check_equal((twin["tags"], twin["status"]), ({"site": "rome"}, "enabled"), "only tags")
    hub.failed(404001, "DeviceNotFound", "GET", "/devices/b-002")
    check_equal(hub.got("GET", "/statistics/devices"),
                {"totalDeviceCount": 102, "enabledDeviceCount": 101, "disabledDeviceCount": 1}, "counted, without modules")


@with_registry
def lists(hub):
    """GET /devices: top, pages that are no longer than a connection takes; columns and words of a query; statistics"""
    hub.users()
    for start in range(0, 700, 100):
        hub.got("POST", "/devices", body=[{"id": f"d-{n:04}", "importMode": "create", "statusReason": "r" * 200}
                                          for n in range(start, start + 100)])
    hub.got("PUT", "/devices/d-0000/modules/m", body={})
    check_equal([one["deviceId"] for one in hub.got("GET", "/devices?top=2")], ["d-0000", "d-0001"], "top")
    found, more, answers = [], None, 0
    while more or not answers:
        answer = hub.rest("GET", "/devices", headers=[("x-ms-continuation", more)] if more else [])
        check_equal(answer.status, 200, answer.body[:200])
        check(len(answer.body) < 256 * 1024, "longer than a connection takes")
        found += [one["deviceId"] for one in json.loads(answer.body)]
        more, answers = answer.get("x-ms-continuation"), answers + 1
    check_equal(found, [f"d-{n:04}" for n in range(700)], "all of them, without modules")
    check(answers > 1, "in pages")
    for top in ("0", "1001", "x", "-1", ""):
        check(len(hub.got("GET", f"/devices?top={top}")) > 200, f"top={top} is as many as there may be")
    hub.got("PATCH", "/twins/d-0003", body={"tags": {"site": "berlin"}})
    for text, rows in (("SELECT deviceId FROM devices WHERE tags.site = 'berlin' OR deviceId = 'd-0001'",
                        [{"deviceId": "d-0001"}, {"deviceId": "d-0003"}]),
                       ("SELECT deviceId AS id, tags.site, tags.none FROM devices WHERE deviceId IN ['d-0002', 'd-0003']",
                        [{"id": "d-0002"}, {"id": "d-0003", "site": "berlin"}]),
                       ("SELECT tags, status FROM devices WHERE NOT (tags.site != 'berlin')",
                        [{"tags": {"site": "berlin"}, "status": "enabled"}]),
                       ("SELECT moduleId FROM devices.modules WHERE STARTSWITH(deviceId, 'd-000')", [{"moduleId": "m"}])):
        answer = hub.query("all", text)
        check_equal((answer.status, json.loads(answer.body)), (200, rows), text)
    for text, words in (("SELECT * FROM devices ORDER BY deviceId", "at character 23"), ("SELECT TOP 2 * FROM devices", "at character 8")):
        answer = hub.query("all", text)
        check_error(answer, 400004, "ArgumentInvalid")
        check(words in answer.body.decode(), answer.body)
    device = hub.device("d-late")
    check(device.ping(), "connected")
    check_equal(hub.got("GET", "/statistics/service"), {"connectedDeviceCount": 1}, "connected")
    check_equal(hub.got("GET", "/devices/d-late")["connectionState"], "Connected", "its state")
    check_equal(hub.got("GET", "/twins/d-late")["connectionState"], "Connected", "its state")
    hub.user("quiet", rights="service-connect")
    check_equal(hub.rest("GET", "/twins/d-late", user="quiet").status, 200, "a user sees twins")
    hub.restart("[hub]\nusers-may-list = no\n")
    check_equal((hub.rest("GET", "/twins/d-late", user="quiet").status, hub.rest("GET", "/twins/d-late").status), (403, 200),
                "where users may not list")


@with_registry
def live(hub):
    """a change acts on what is up: disabled, removed, another key, tags; what did not change stays"""
    hub.users()
    hub.user("berliner", "--tag", "site=berlin")
    for name in ("gw-1", "gw-2", "gw-3", "gw-4"):
        hub.got("PUT", f"/devices/{name}", body=identity(name, authentication=sas(KEY)))
        hub.devices[name] = KEY
    hub.got("PATCH", "/twins/gw-4", body={"tags": {"site": "berlin"}})
    up = {name: hub.device(name) for name in ("gw-1", "gw-2", "gw-3")}

    def closes(name, method, path, **kwargs):
        since = time.monotonic()
        hub.rest(method, path, **kwargs)
        check(up[name].is_closed(), f"{name} stays")
        check(time.monotonic() - since < LIVE_WITHIN, f"{name}: {time.monotonic() - since:.1f} s")

    hub.got("PUT", "/devices/gw-1", body=identity("gw-1", authentication=sas(KEY), status="enabled"), headers=etag("*"))
    hub.got("PATCH", "/twins/gw-1", body={"tags": {"site": "rome"}})
    check(up["gw-1"].ping(), "the same key and other tags cut nothing")
    closes("gw-1", "PUT", "/devices/gw-1", body=identity("gw-1", authentication=sas(OTHER)), headers=etag("*"))
    check_equal(hub.device("gw-1", subscribe=False).connack, 5, "the old key")
    hub.devices["gw-1"] = OTHER
    check_equal(hub.device("gw-1").connack, 0, "the new key")
    closes("gw-2", "PUT", "/devices/gw-2", body=identity("gw-2", status="disabled"), headers=etag("*"))
    check_equal(hub.device("gw-2", subscribe=False).connack, 5, "disabled")
    hub.got("PUT", "/devices/gw-2", body=identity("gw-2", status="enabled"), headers=etag("*"))
    check_equal(hub.device("gw-2").connack, 0, "enabled again")
    closes("gw-3", "DELETE", "/devices/gw-3")
    device = hub.device("gw-4")
    legs = opened(hub, "gw-4", "berliner", device)
    hub.got("PUT", "/devices/gw-4", body=identity("gw-4", authentication=sas("", OTHER)), headers=etag("*"))
    check(device.ping(), "the key that it does not use")
    check_echo(*legs, size=1000)
    since = time.monotonic()
    hub.got("PATCH", "/twins/gw-4", body={"tags": {"site": None}})
    for leg in legs:
        check_equal(leg.closed()[0], 1008, "out of the scope")
    check(time.monotonic() - since < LIVE_WITHIN, "that took long")
    hub.got("PATCH", "/twins/gw-4", body={"tags": {"site": "berlin"}})
    legs = opened(hub, "gw-4", "berliner")
    hub.got("PUT", "/devices/gw-4", body=identity("gw-4", authentication=sas(OTHER)), headers=etag("*"))
    for leg in legs:
        check_equal(leg.closed()[0], 1008, "what a replaced key has opened")
    hub.hub.stop()
    hub.restart()
    check_equal(hub.got("GET", "/devices/gw-1")["authentication"]["symmetricKey"]["primaryKey"], OTHER, "after a restart")


@with_registry
def unknown(hub):
    """no path, no method and no error is answered without the wire's form; Allow says what there is"""
    hub.users()
    for path in ("/", "/nothing", "/devices/gw-1/twin", "/jobs/create", "/jobs/v2", "/configurations/x", "/twins/gw-1/methods",
                 "/digitaltwins/gw-1", "/messages/devicebound", "/twins", "/statistics", "/statistics/x",
                 "/devices/gw-1/applyConfigurationContent", "/devices/gw-1/modules/m/x", "//devices", "/devices//modules",
                 "/a/b/c/d/e/f/g/h/i/j/k/l/m/n", "/Devices", "/devices%2Fgw-1", "/%44evices"):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
            for user in ("all", None):
                answer = hub.rest(method, path, user=user, body={} if method == "POST" else None)
                check_error(answer, 501001, "NotImplemented")
    for path in ("/devices/a%00b", "/devices/%ff", "/devices/%", "/devices/%4", "/devices/%gg", "/%00"):
        check_error(hub.rest("GET", path), 400004, "ArgumentInvalid")
    check_equal(hub.rest("GET", "/%64evices/nobody").status, 404, "an encoded letter is that letter")
    for path, allowed in (("/devices", "GET, POST"), ("/dev%69ces/gw-1", "GET, PUT, DELETE"), ("/devices/gw-1", "GET, PUT, DELETE"), ("/twins/gw-1", "GET, PATCH, PUT"),
                          ("/devices/gw-1/modules/m/", "GET, PUT, DELETE"), ("/statistics/devices", "GET"),
                          ("/twins/gw-1/streams/s", "POST"), ("/$iothub/websocket", "GET")):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            if method not in allowed.split(", "):
                answer = hub.rest(method, path)
                check_error(answer, 405001, "MethodNotAllowed")
                check_equal(answer.get("Allow"), allowed, f"{method} {path}")
    http = wire.Http(hub.port, hub.ca)
    http.send("HEAD", "/devices", [("Authorization", hub.token("all"))])
    answer = http.read(body=False)
    check_equal((answer.status, answer.get("iothub-errorcode")), (405, "MethodNotAllowed"), "HEAD")
    try:
        check_equal(http.reader.take(1), b"", "a body behind the answer to HEAD")
    except wire.Closed:
        pass
    for code, name, method, path, fields in (
            (403000, "GenericForbidden", "GET", "/devices", [("Origin", "https://example.com")]),
            (413001, "MessageTooLarge", "PUT", "/devices/gw-1", [("Content-Length", "4097")]),
            (413001, "MessageTooLarge", "PATCH", "/twins/gw-1", [("Content-Length", str(32 * 1024 + 1))]),
            (413001, "MessageTooLarge", "PATCH", "/twins/gw-1/modules/m", [("Content-Length", "99999")]),
            (413001, "MessageTooLarge", "DELETE", "/devices/gw-1", [("Content-Length", str(256 * 1024 + 1))]),
            (501001, "NotImplemented", "PUT", "/devices/gw-1", [("Transfer-Encoding", "gzip, chunked")]),
            (417001, "ExpectationFailed", "PUT", "/devices/gw-1", [("Expect", "x")]),
            (431001, "HeadersTooLarge", "GET", "/devices/gw-1", [(f"x-{n}", "y") for n in range(100)]),
            (414001, "UriTooLong", "GET", "/devices/" + "x" * 9000, []),
            (400004, "ArgumentInvalid", "GET", "/devices", [("Content-Length", "x")])):
        http = wire.Http(hub.port, hub.ca)
        answer = http.ask(method, path, [("Authorization", hub.token("all")), *fields])
        check_error(answer, code, name)
        check_equal(answer.get("Connection"), "close", "the connection ends")


@with_registry
def greedy(hub):
    """huge, deep and slow bodies of strangers take no more than their share, and others are served meanwhile"""
    hub.users()
    hub.got("PUT", "/devices/gw-1", body={})
    before = hub.hub.status_kib("VmRSS")
    held = []
    for number in range(60):
        http = wire.Http(hub.port, hub.ca)
        http.sock.sendall(f"POST /devices HTTP/1.1\r\nHost: localhost\r\nContent-Length: {128 * 1024}\r\n\r\n".encode()
                          + b"[" * (128 * 1024 - 1))
        held.append(http)
    grown = hub.hub.status_kib("VmRSS") - before
    print(f"# measured: 60 bodies of 128 KiB that do not end take {grown} KiB")
    check_equal(hub.rest("GET", "/devices/gw-1").status, 200, "somebody else")
    check_equal(hub.rest("PUT", "/devices/gw-1", body={}, headers=etag("*")).status, 200, "with a body")
    more, refused = [], 0
    for number in range(60):
        http = wire.Http(hub.port, hub.ca)
        try:
            http.sock.sendall(f"POST /devices HTTP/1.1\r\nHost: localhost\r\nContent-Length: {128 * 1024}\r\n\r\n".encode()
                              + b"[" * (128 * 1024 - 1))
            http.sock.settimeout(0.05)
            answer = http.read()
            check_error(answer, 503001, "ServiceUnavailable")
            refused += 1
        except TimeoutError:
            more.append(http)
        except (OSError, wire.Closed):
            refused += 1
    print(f"# measured: of 60 more {refused} are refused")
    check(refused >= 50, f"{refused} of them")
    grown = hub.hub.status_kib("VmRSS") - before
    check(SANITIZED or grown < 20 * 1024, f"all of them take {grown} KiB")
    for http in held + more:
        http.close()
    eventually(lambda: hub.rest("POST", "/devices", body=[{"id": "gw-1"}]).status == 200, "their room is free again")
    check_equal(hub.rest("POST", "/devices", raw=b"[" * 100000).status, 400, "deep")
    check_equal(hub.rest("POST", "/devices", raw=b" " * (128 * 1024)).status, 400, "as long as it may be")
    hub.failed(413001, "MessageTooLarge", "POST", "/devices", raw=b" " * (128 * 1024 + 1))
    wide = json.dumps({f"m{n}": n for n in range(400)}).encode()
    check_equal(hub.rest("PUT", "/devices/gw-1", raw=wide[:4096]).status, 400, "wide")


@with_registry
def secrets(hub):
    """no key of a body or an answer is in the log, at any level, also where the request is refused"""
    hub.users()
    hub.hub.admin("log-level", "debug")
    keys = [base64.b64encode(os.urandom(32)).decode() for _ in range(6)]
    made = hub.got("PUT", "/devices/gw-1", body=identity("gw-1", authentication=sas(keys[0], keys[1])))
    hub.rest("PUT", "/devices/gw-1", body=identity("gw-1", authentication=sas(keys[2], "bad key")), headers=etag("*"))
    hub.rest("POST", "/devices", body=[{"id": "gw-2", "authentication": sas(keys[3], keys[4] + "=")}])
    hub.rest("PUT", "/devices/gw-1", raw=json.dumps({"authentication": sas(keys[5])}).encode() + b"}")
    keys.append(hub.got("PUT", "/devices/gw-3", body={})["authentication"]["symmetricKey"]["primaryKey"])
    check(made["authentication"]["symmetricKey"]["primaryKey"] == keys[0], "its key")
    hub.hub.stop()
    log = hub.hub.log()
    check(len(log) > 100, "a log")
    for key in keys:
        check(key not in log and key[:20] not in log and base64.b64decode(key).hex() not in log, "a key in the log")


if __name__ == "__main__":
    main(life, modules, twins, bodies, certificates, scoped_makers, bulk, lists, live, unknown, greedy, secrets)
