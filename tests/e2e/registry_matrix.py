# SPDX-License-Identifier: LGPL-2.1-or-later
"""The registry by REST: every route by who asks, with which permissions and scope, for which device, under which ETag
(registry_rest.py has the rest)."""
import json

from harness import check_equal, main
from hub_wire import check_error
from registry_rest import RIGHTS, SCOPES, etag, with_registry

ROUTES = (
    # method, path, body, what of the rights admits, whether it shows or changes gw-1
    ("GET", "/devices", None, {"registry-read"}, "all"),
    ("POST", "/devices", [{"id": "gw-1", "importMode": "update"}], {"registry-write"}, "bulk"),
    ("GET", "/devices/{}", None, {"registry-read"}, "one"),
    ("PUT", "/devices/{}", {}, {"registry-write"}, "one"),
    ("DELETE", "/devices/{}", None, {"registry-write"}, "gone"),
    ("GET", "/devices/{}/modules", None, {"registry-read"}, "one"),
    ("GET", "/twins/{}", None, {"registry-read", "service-connect"}, "one"),
    ("PATCH", "/twins/{}", {"tags": {"x": "y"}}, {"registry-write"}, "tags"),
    ("PUT", "/twins/{}", {"tags": {"site": "berlin"}}, {"registry-write"}, "tags"),
    ("GET", "/statistics/devices", None, {"registry-read"}, "all"),
    ("GET", "/statistics/service", None, {"registry-read", "service-connect"}, "all"),
)
REACHED = {"": {"gw-1", "lone"}, "-glob": {"gw-1"}, "-tag": {"gw-1"}, "-names": {"gw-1", "lone"}}


def wanted(rights, scope, route, device, condition):
    """The status that a cell has."""
    method, _, _, admits, kind = route
    if not admits & set(RIGHTS[rights].split(",")):
        return 403
    if kind == "all":
        return 403 if scope in ("-glob", "-tag") else 200
    if kind == "bulk":
        return 200
    if kind == "tags" and scope:
        return 403
    if device not in REACHED[scope]:
        return 404
    if method != "GET" and condition == "stale":
        return 412
    return 204 if method == "DELETE" else 200


@with_registry
def matrix(hub):
    """routes x rights x scopes x devices x ETags: who is let in, what is not there, the form of every error"""
    hub.restart("[hub]\npenalty = 0\nkeep-alive-timeout = 60\nrequests-per-connection = 100000\n")
    hub.users(RIGHTS, SCOPES)
    hub.keeps = True
    cells = 0
    for rights in RIGHTS:
        for scope in SCOPES:
            for route in ROUTES:
                for device in ("gw-1", "lone", "no-such") if "{}" in route[1] else ("gw-1",):
                    for condition in ("*", "right", "stale") if route[0] != "GET" and "{}" in route[1] else (None,):
                        cell(hub, rights, scope, route, device, condition)
                        cells += 1
    print(f"# measured: {cells} cells")
    check_equal(cells, 1176, "cells")
    for method, path, body, _, _ in ROUTES:
        check_error(hub.rest(method, path.format("gw-1"), user=None, body=body), 401003, "IotHubUnauthorized")


def cell(hub, rights, scope, route, device, condition):
    method, path, body, _, _ = route
    for name, tags in (("gw-1", {"site": "berlin"}), ("lone", {})):
        answer = hub.rest("GET", f"/twins/{name}")
        if answer.status == 404:
            hub.got("PUT", f"/devices/{name}", body={})
        if answer.status == 404 or json.loads(answer.body)["tags"] != tags:
            hub.got("PUT", f"/twins/{name}", body={"tags": tags})
    headers = []
    if condition:
        known = hub.rest("GET", f"/devices/{device}").get("ETag") or '"7"'
        headers = etag({"*": "*", "right": known, "stale": '"1"'}[condition])
    answer = hub.rest(method, path.format(device), user=rights + scope, body=body, headers=headers)
    what = f"{rights}{scope}: {method} {path.format(device)}, {condition}"
    status = wanted(rights, scope, route, device, condition)
    check_equal(answer.status, status, f"{what}: {answer.body!r}")
    if status >= 400:
        names = {403: (403000, "GenericForbidden"), 404: (404001, "DeviceNotFound"), 412: (412001, "PreconditionFailed")}
        check_error(answer, *names[status])
    shown = b"primaryKey" in answer.body
    check_equal(shown, status == 200 and path == "/devices/{}" and rights in ("reader", "both", "all")
                or (status == 200 and (method, path) == ("GET", "/devices")), f"{what}: a key is shown")


if __name__ == "__main__":
    main(matrix)
