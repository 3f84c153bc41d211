# SPDX-License-Identifier: LGPL-2.1-or-later
"""Request bodies in chunks by clients of the field: curl -T -, Node's fetch with a stream, httpx with a generator, Java's
HttpClient with an input stream. Each changes a twin, with a small body and with the largest one that there may be."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
import packages  # noqa: E402
import wire  # noqa: E402
from harness import PATIENCE, Site, check, check_equal, main, run_ok  # noqa: E402

DIRECTORY = os.environ["STREAMD_NODE_DIR"]
LARGEST = 32 * 1024  # of a twin's body


def program(site, name):
    path = os.path.join(HERE, "clients", name)
    if name == "Service.java":
        classes = os.path.join(site.dir, "java")
        run_ok(["javac", "-d", classes, path])
        return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classes, "Service", "body"]
    return ["node", path] if name.endswith(".js") else [sys.executable, path]


def sends(name, *arguments):
    def case():
        with Site(hub_arguments=["--grace", "1"], gateway=False, client=False) as site:
            site.hub.admin("device", "add", "gw-1")
            string = site.hub.connection_string("user", "registryReadWrite")
            token = wire.sas("localhost", wire.parse_connection_string(string)["SharedAccessKey"], policy="registryReadWrite")
            env = site.environment(NODE_EXTRA_CA_CERTS=site.hub.ca, PYTHONPATH=packages.python_path(DIRECTORY, "field"))
            with subprocess.Popen([*program(site, name), *arguments], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True) as client:
                site.children.append(client)

                def tell(*words):
                    client.stdin.write("\t".join(map(str, words)) + "\n")
                    client.stdin.flush()

                tell("localhost", site.hub.https_port, site.hub.ca)
                for value, size in (("one", 0), ("two", 5000), ("six", LARGEST), ("no", LARGEST + 1)):
                    body = json.dumps({"tags": {"site": value}})
                    tell(token, "/twins/gw-1?api-version=2021-04-12", body.ljust(size))
                    line = client.stdout.readline()
                    check(line, "it ended")
                    answer = json.loads(line)
                    check_equal(answer["status"], 413 if size > LARGEST else 200, f"{size} bytes: {answer}")
                    if size <= LARGEST:
                        check_equal(json.loads(answer["body"])["tags"], {"site": value}, f"{size} bytes")
                client.stdin.close()
                check_equal(client.wait(PATIENCE), 0, "exit status")

    case.__name__, case.__doc__ = name, f"{' '.join((name, *arguments))}: a body in chunks is taken, up to its bound"
    return case


if __name__ == "__main__":
    packages.install(DIRECTORY)
    main(sends("body.py", "curl"), sends("body.js"), sends("body.py", "httpx"), sends("Service.java"))
