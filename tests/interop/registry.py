# SPDX-License-Identifier: LGPL-2.1-or-later
"""The registry by Microsoft's service SDKs, unmodified: Node's Registry and Python's IoTHubRegistryManager make, read,
list, query, change, tag and remove devices and modules, one by one and many at once."""
import base64
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
import packages  # noqa: E402
from harness import PATIENCE, Site, check, check_equal, main, run  # noqa: E402

MODULES = os.environ["STREAMD_NODE_DIR"]
KEY = base64.b64encode(b"k" * 32).decode()
OTHER = base64.b64encode(b"o" * 32).decode()
SAS = {"type": "sas", "symmetricKey": {"primaryKey": KEY, "secondaryKey": OTHER}}


def script(site, argv, config, **env):
    """What it printed; its configuration holds keys, so it is a file."""
    path = os.path.join(site.dir, f"calls-{len(os.listdir(site.dir))}.json")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        json.dump(config, file)
    done = run([*argv, path], env=site.environment(**env), timeout=PATIENCE * 4)
    check_equal(done.returncode, 0, f"{argv} ({done.stderr})")
    return json.loads(done.stdout)


def node(site, *calls, user="registryReadWrite"):
    string = re.sub(r"HostName=[^;]*", "HostName=localhost", site.hub.connection_string("user", user))
    return script(site, ["node", os.path.join(HERE, "registry.js")],
                  {"connectionString": string, "port": site.hub.https_port, "calls": calls},
                  NODE_PATH=os.path.join(MODULES, "node_modules"), NODE_EXTRA_CA_CERTS=site.hub.ca)


def python(site, *calls, user="registryReadWrite"):
    string = re.sub(r"HostName=[^;]*", f"HostName=localhost:{site.hub.https_port}", site.hub.connection_string("user", user))
    folders = os.pathsep.join((packages.python_path(MODULES, "registry"), os.path.join(HERE, "stand-in")))
    return script(site, [sys.executable, os.path.join(HERE, "manager.py")], {"connectionString": string, "calls": calls},
                  PYTHONPATH=folders, REQUESTS_CA_BUNDLE=site.hub.ca, PYTHONDONTWRITEBYTECODE="1")


def good(result, what):
    check("error" not in result, f"{what}: {result}")
    return result["result"]


def bad(result, status, code, what, error=None):
    check_equal((result.get("status"), result.get("code")), (status, code), f"{what}: {result}")
    check(error is None or result["error"] == error, f"{what}: {result}")
    json.loads(json.loads(result["body"])["Message"]) if code != "BulkRegistryOperationFailure" else None


def with_site(case):
    def start():
        with Site(gateway=False, client=False) as site:
            case(site)

    start.__doc__, start.__name__ = case.__doc__, case.__name__
    return start


@with_site
def node_devices(site):
    """Node: a device's life, with the SDK's own errors"""
    made, again, got, unknown, listed, changed, after, gone, missing, nobody = node(
        site, ["create", {"deviceId": "gw-1"}], ["create", {"deviceId": "gw-1"}], ["get", "gw-1"], ["get", "none"], ["list"],
        ["update", {"deviceId": "gw-1", "status": "disabled", "statusReason": "repair"}], ["get", "gw-1"],
        ["delete", "gw-1"], ["delete", "gw-1"], ["update", {"deviceId": "none"}])
    one = good(made, "create")
    check_equal(len(base64.b64decode(one["authentication"]["symmetricKey"]["primaryKey"])), 32, "a new key")
    bad(again, 409, "DeviceAlreadyExists", "create again", "DeviceAlreadyExistsError")
    check_equal(good(got, "get"), one, "get")
    bad(unknown, 404, "DeviceNotFound", "get of none")
    check_equal([device["deviceId"] for device in good(listed, "list")], ["gw-1"], "list")
    two = good(changed, "update")
    check_equal((two["status"], two["statusReason"], two["authentication"]), ("disabled", "repair", one["authentication"]),
                "changed, and the keys stay")
    check_equal(good(after, "get"), two, "get")
    check("error" not in gone, f"delete: {gone}")
    bad(missing, 404, "DeviceNotFound", "delete again")
    bad(nobody, 404, "DeviceNotFound", "update of none")


@with_site
def node_modules(site):
    """Node: modules, by ETag: right, stale and any"""
    results = node(
        site, ["create", {"deviceId": "gw-1"}], ["addModule", {"deviceId": "gw-1", "moduleId": "cam"}],
        ["addModule", {"deviceId": "gw-1", "moduleId": "cam"}], ["getModulesOnDevice", "gw-1"], ["getModule", "gw-1", "cam"],
        ["updateModule", {"deviceId": "gw-1", "moduleId": "cam", "authentication": SAS, "etag": "$1.etag"}],
        ["updateModule", {"deviceId": "gw-1", "moduleId": "cam", "etag": "$1.etag"}],
        ["updateModule", {"deviceId": "gw-1", "moduleId": "cam"}, True],
        ["removeModuleByETag", {"deviceId": "gw-1", "moduleId": "cam", "etag": "$5.etag"}], ["removeModule", "gw-1", "cam"],
        ["getModulesOnDevice", "gw-1"], ["getModule", "gw-1", "cam"])
    made = good(results[1], "addModule")
    bad(results[2], 409, "ModuleAlreadyExistsOnDevice", "addModule again", "DeviceAlreadyExistsError")
    check_equal((good(results[3], "list"), good(results[4], "get")), ([made], made), "read")
    check_equal(good(results[5], "update")["authentication"]["symmetricKey"], SAS["symmetricKey"], "its keys")
    bad(results[6], 412, "PreconditionFailed", "a stale ETag", "InvalidEtagError")
    good(results[7], "by force")
    bad(results[8], 412, "PreconditionFailed", "a stale ETag", "InvalidEtagError")
    check("error" not in results[9], f"removed: {results[9]}")
    check_equal(good(results[10], "list"), [], "none is left")
    bad(results[11], 404, "ModuleNotFound", "get")


@with_site
def node_many(site):
    """Node: a hundred at once, each error with its device; statistics; a query in pages as twins; tags by a twin"""
    devices = [{"deviceId": f"d-{n:02}", "authentication": SAS} for n in range(100)]
    results = node(
        site, ["addDevices", devices], ["addDevices", devices[:2]], ["get", "d-07"],
        ["updateDevices", [{"deviceId": "d-07", "status": "disabled", "etag": "$2.etag"}], False],
        ["updateDevices", [{"deviceId": "d-07", "status": "enabled", "etag": "$2.etag"}], False],
        ["updateDevices", [{"deviceId": "d-08", "status": "disabled"}], True], ["removeDevices", [{"deviceId": "d-09"}], True],
        ["getRegistryStatistics"], ["updateTwin", "d-01", {"tags": {"site": "berlin"}}, "*"],
        ["twin", "d-02", {"tags": {"site": "berlin", "floor": "2"}}], ["getTwin", "d-02"],
        ["updateTwin", "d-02", {"tags": {"floor": None}}, "$10.etag"], ["updateTwin", "d-02", {"tags": {"floor": "3"}}, "$10.etag"],
        ["pages", "SELECT * FROM devices WHERE tags.site = 'berlin'", 1], ["pages", "SELECT * FROM devices", 40],
        ["pages", "SELECT * FROM jobs", 10], ["updateTwin", "d-03", {"properties": {"desired": {"a": 1}}}, "*"],
        ["getConfigurations"])
    check_equal(good(results[0], "addDevices"), {"isSuccessful": True, "errors": [], "warnings": []}, "a hundred")
    bad(results[1], 400, "BulkRegistryOperationFailure", "addDevices again", "ArgumentError")
    check_equal([(one["deviceId"], one["errorCode"]) for one in json.loads(results[1]["body"])["errors"]],
                [("d-00", "DeviceAlreadyExists"), ("d-01", "DeviceAlreadyExists")], "whose fault")
    check_equal(good(results[2], "get")["authentication"]["symmetricKey"], SAS["symmetricKey"], "its keys")
    good(results[3], "the right ETag")
    check_equal(json.loads(results[4]["body"])["errors"][0]["errorCode"], "PreconditionFailed", "a stale ETag")
    good(results[5], "by force")
    good(results[6], "removed")
    check_equal(good(results[7], "statistics"),
                {"totalDeviceCount": 99, "enabledDeviceCount": 97, "disabledDeviceCount": 2}, "statistics")
    check_equal(good(results[8], "updateTwin")["tags"], {"site": "berlin"}, "tags")
    check_equal(good(results[9], "twin")["tags"], {"floor": "2", "site": "berlin"}, "tags by a twin")
    check_equal(good(results[11], "the right ETag")["tags"], {"site": "berlin"}, "one is removed")
    bad(results[12], 412, "PreconditionFailed", "a stale ETag", "InvalidEtagError")
    check_equal([[one["deviceId"] for one in page] for page in good(results[13], "query")],
                [["d-01"], ["d-02"]], "one on a page")
    check_equal([len(page) for page in good(results[14], "query")], [40, 40, 19], "all, in pages")
    bad(results[15], 400, "ArgumentInvalid", "a query that is none", "ArgumentError")
    bad(results[16], 400, "ArgumentInvalid", "properties", "ArgumentError")
    bad(results[17], 501, "NotImplemented", "what this hub does not have")
    bad(node(site, ["create", {"deviceId": "x"}], user="registryRead")[0], 403, "GenericForbidden", "who may only read")


@with_site
def python_devices(site):
    """Python: a device's life and its modules, by ETag: right, stale and any"""
    results = python(
        site, ["create_device_with_sas", "gw-1", KEY, OTHER, "enabled"], ["create_device_with_sas", "gw-1", KEY, OTHER, "enabled"],
        ["get_device", "gw-1"], ["get_device", "none"], ["update_device_with_sas", "gw-1", "$0.etag", OTHER, KEY, "disabled"],
        ["update_device_with_sas", "gw-1", "$0.etag", KEY, OTHER, "enabled"], ["update_device_with_sas", "gw-1", "*", OTHER, KEY, "enabled"],
        ["create_module_with_sas", "gw-1", "cam", "", KEY, OTHER], ["get_module", "gw-1", "cam"], ["get_modules", "gw-1"],
        ["update_module_with_sas", "gw-1", "cam", "", "$7.etag", OTHER, KEY], ["update_module_with_sas", "gw-1", "cam", "", "$7.etag", KEY, KEY],
        ["delete_module", "gw-1", "cam", "$7.etag"], ["delete_module", "gw-1", "cam", "$10.etag"], ["get_modules", "gw-1"],
        ["get_devices", 5], ["get_devices"], ["delete_device", "gw-1", "$0.etag"], ["delete_device", "gw-1"], ["get_device", "gw-1"],
        ["create_device_with_x509", "x", "A" * 40, "B" * 64, "enabled"], ["get_device", "x"],
        ["create_device_with_certificate_authority", "ca", "enabled"], ["create_device_with_x509", "bad", "A", "B", "enabled"])
    made = good(results[0], "create")
    check_equal((made["authentication"]["symmetric_key"], made["status"], made["connection_state"]),
                ({"primary_key": KEY, "secondary_key": OTHER}, "enabled", "Disconnected"), "made")
    bad(results[1], 409, "DeviceAlreadyExists", "create again")
    check_equal(good(results[2], "get"), made, "get")
    bad(results[3], 404, "DeviceNotFound", "get of none")
    changed = good(results[4], "the right ETag")
    check_equal((changed["authentication"]["symmetric_key"]["primary_key"], changed["status"]), (OTHER, "disabled"), "changed")
    bad(results[5], 412, "PreconditionFailed", "a stale ETag")
    check_equal(good(results[6], "any ETag")["status"], "enabled", "by force")
    module = good(results[7], "create module")
    check_equal((good(results[8], "get module"), good(results[9], "modules")), (module, [module]), "modules")
    check_equal(good(results[10], "the right ETag")["authentication"]["symmetric_key"]["primary_key"], OTHER, "its key")
    bad(results[11], 412, "PreconditionFailed", "a stale ETag")
    bad(results[12], 412, "PreconditionFailed", "a stale ETag")
    check_equal((good(results[13], "delete"), good(results[14], "modules")), (None, []), "removed")
    check_equal([len(good(results[n], "list")) for n in (15, 16)], [1, 1], "lists")
    bad(results[17], 412, "PreconditionFailed", "a stale ETag")
    good(results[18], "delete")
    bad(results[19], 404, "DeviceNotFound", "gone")
    check_equal(good(results[20], "by thumbprint")["authentication"]["x509_thumbprint"],
                {"primary_thumbprint": "A" * 40, "secondary_thumbprint": "B" * 64}, "its thumbprints")
    check_equal(good(results[21], "get"), good(results[20], "by thumbprint"), "get")
    check_equal(good(results[22], "by authority")["authentication"]["type"], "certificateAuthority", "its type")
    bad(results[23], 400, "ArgumentInvalid", "a thumbprint that is none")


@with_site
def python_many(site):
    """Python: many at once, statistics, a query in pages, tags by a twin and by its ETag"""
    def change(mode, name, **more):
        return {"model": "ExportImportDevice", "id": name, "import_mode": mode, **more}

    keys = {"model": "AuthenticationMechanism", "type": "sas",
            "symmetric_key": {"model": "SymmetricKey", "primary_key": KEY, "secondary_key": OTHER}}
    results = python(
        site, ["bulk_create_or_update_devices", [change("create", f"d-{n}", authentication=keys, status="enabled") for n in range(7)]],
        ["bulk_create_or_update_devices", [change("create", "d-1"), change("update", "d-2", status="disabled"), change("delete", "d-6")]],
        ["get_device_registry_statistics"], ["get_service_statistics"], ["get_twin", "d-1"],
        ["update_twin", "d-1", {"model": "Twin", "tags": {"site": "berlin", "floor": "1"}}, "$4.etag"],
        ["update_twin", "d-1", {"model": "Twin", "tags": {"site": "rome"}}, "$4.etag"],
        ["update_twin", "d-2", {"model": "Twin", "tags": {"site": "berlin"}}], ["replace_twin", "d-1", {"model": "Twin", "tags": {"site": "berlin"}}],
        ["pages", "SELECT * FROM devices", 4], ["pages", "SELECT * FROM devices WHERE tags.site = 'berlin' AND status = 'enabled'", 10],
        ["update_twin", "d-1", {"model": "Twin", "tags": {"a": {"b": "c"}}}], ["get_twin", "none"],
        ["create_module_with_sas", "d-1", "cam", "", KEY, OTHER], ["get_module_twin", "d-1", "cam"])
    check_equal(good(results[0], "bulk"), {"is_successful": True, "errors": [], "warnings": []}, "seven")
    result = good(results[1], "bulk")
    check_equal((result["is_successful"], [(one["device_id"], one["error_code"]) for one in result["errors"]]),
                (False, [("d-1", "DeviceAlreadyExists")]), "one of three")
    check_equal(good(results[2], "statistics"),
                {"total_device_count": 6, "enabled_device_count": 5, "disabled_device_count": 1}, "statistics")
    check_equal(good(results[3], "statistics"), {"connected_device_count": 0}, "statistics")
    check_equal(good(results[5], "the right ETag")["tags"], {"floor": "1", "site": "berlin"}, "tags")
    bad(results[6], 412, "PreconditionFailed", "a stale ETag")
    good(results[7], "any ETag")
    check_equal(good(results[8], "replaced")["tags"], {"site": "berlin"}, "tags")
    check_equal([[one["device_id"] for one in page] for page in good(results[9], "query")],
                [["d-0", "d-1", "d-2", "d-3"], ["d-4", "d-5"]], "pages")
    check_equal([one["device_id"] for one in good(results[10], "query")[0]], ["d-1"], "by tag and status")
    bad(results[11], 400, "ArgumentInvalid", "nested")
    bad(results[12], 404, "DeviceNotFound", "none")
    check_equal(good(results[14], "module's twin")["module_id"], "cam", "module's twin")


if __name__ == "__main__":
    packages.install(MODULES)
    main(node_devices, node_modules, node_many, python_devices, python_many)
