# SPDX-License-Identifier: LGPL-2.1-or-later
"""Microsoft's IoTHubRegistryManager, as it is: makes the calls of a list, one after the other, and prints what came of
each as JSON.

Usage: manager.py CONFIG.json; keys: connectionString, calls: [[METHOD, ARGUMENT...], ...]. In an argument "$N.name"
stands for the member of what call N gave, and {"model": NAME, ...} for an object of that class of the package. Beside
the methods of the manager: ["pages", QUERY, SIZE], all pages of a query."""
import json
import re
import sys

from azure.iot.hub import IoTHubRegistryManager, models
from msrest.exceptions import HttpOperationError


def plain(value):
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.as_dict() if hasattr(value, "as_dict") else value


def fill(value, results):
    if isinstance(value, str) and (named := re.fullmatch(r"\$(\d+)\.(\w+)", value)):
        return results[int(named[1])]["result"][named[2]]
    if isinstance(value, list):
        return [fill(one, results) for one in value]
    if isinstance(value, dict):
        filled = {key: fill(one, results) for key, one in value.items() if key != "model"}
        return getattr(models, value["model"])(**filled) if "model" in value else filled
    return value


def pages(manager, text, size):
    found, more = [], None
    while more or not found:
        answer = manager.query_iot_hub(models.QuerySpecification(query=text), more, size)
        found.append(plain(answer.items))
        more = answer.continuation_token
    return found


def call(manager, method, arguments):
    if method == "pages":
        return {"result": pages(manager, *arguments)}
    try:
        return {"result": plain(getattr(manager, method)(*arguments))}
    except HttpOperationError as error:
        return {"error": type(error).__name__, "status": error.response.status_code,
                "code": error.response.headers.get("iothub-errorcode"), "body": error.response.text}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    manager = IoTHubRegistryManager.from_connection_string(config["connectionString"])
    results = []
    for method, *arguments in config["calls"]:
        results.append(call(manager, method, fill(arguments, results)))
    print(json.dumps(results))


main()
