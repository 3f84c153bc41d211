# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the cases of the metrics stand on: the text as a strict reader takes it, and a Prometheus and a node_exporter of
Debian's, with the files of examples/monitoring."""
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

from prometheus_client.openmetrics import parser

from harness import Process, check, check_equal, eventually, run, write_private

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "monitoring")
TOKEN = "0123456789abcdef" * 2
FAMILY = re.compile(r"(streamhub|streamd)_[a-z_]+")


def token_file(site, token=TOKEN, name="metrics.token"):
    path = os.path.join(site.dir, name)
    if os.path.exists(path):
        os.unlink(path)
    write_private(path, token + "\n")
    return path


def settings(site, listen="127.0.0.1:0"):
    return f"[hub]\nmetrics-listen = {listen}\nmetrics-token-file = {token_file(site)}\n"


def samples(text):
    """{(name, labels): value} of TEXT, which a strict reader has to take whole. LABELS: sorted pairs."""
    found = {}
    for family in parser.text_string_to_metric_families(text):
        check(FAMILY.fullmatch(family.name), f"{family.name}: a name of its own program")
        check(family.documentation, f"{family.name} says what it is")
        check(family.type in ("gauge", "counter", "histogram"), f"{family.name} is {family.type}")
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            check(key not in found, f"{key} comes twice")
            found[key] = sample.value
    return found


def total(found, name, **labels):
    """The sum of the samples of NAME that have LABELS."""
    return sum(value for (its, pairs), value in found.items()
               if its == name and all((key, str(wanted)) in pairs for key, wanted in labels.items()))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def fetch(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


class Exporter(Process):
    """node_exporter with its textfile collector alone."""

    def __init__(self, site, folder):
        self.port = free_port()
        super().__init__(site, "node-exporter", [
            "prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
            f"--collector.textfile.directory={folder}", f"--web.listen-address=127.0.0.1:{self.port}"])
        site.processes.append(self)
        self.url = f"http://127.0.0.1:{self.port}/metrics"
        eventually(self._answers, "node_exporter answers")

    def _answers(self):
        check(self.alive(), self.log())
        try:
            return fetch(self.url)
        except OSError:
            return None


class Prometheus(Process):
    """Debian's, with the configuration and the rules of examples/monitoring: only addresses, paths and times are the test's."""

    def __init__(self, site, hub_port, node_port, ca):
        self.folder = os.path.join(site.dir, "prometheus")
        os.makedirs(self.folder, exist_ok=True)
        self.port = free_port()
        shutil.copy(os.path.join(EXAMPLES, "streamd-rules.yml"), self.folder)
        with open(os.path.join(EXAMPLES, "prometheus.yml"), encoding="utf-8") as file:
            text = file.read()
        for old, new in (("hub.example:9464", f"localhost:{hub_port}"), ("gateway.example:9100", f"127.0.0.1:{node_port}"),
                         ("/etc/prometheus/streamhub.token", token_file(site)), ("/etc/prometheus/streamhub-ca.pem", ca),
                         ("scrape_interval: 30s", "scrape_interval: 500ms"), ("evaluation_interval: 30s", "evaluation_interval: 1s")):
            check(old in text, f"{old} is in the example")
            text = text.replace(old, new)
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        done = run(["promtool", "check", "config", config])
        check_equal(done.returncode, 0, done.stdout + done.stderr)
        super().__init__(site, "prometheus", [
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"])
        site.processes.append(self)
        eventually(self._is_ready, "Prometheus is ready")

    def _is_ready(self):
        check(self.alive(), self.log())
        try:
            return self.ask("status/runtimeinfo")
        except OSError:
            return None

    def ask(self, path, **query):
        answer = json.loads(fetch(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"))
        check_equal(answer["status"], "success", f"{path} {query}")
        return answer["data"]

    def query(self, expression):
        """[(labels, value)] now."""
        return [(row["metric"], float(row["value"][1])) for row in self.ask("query", query=expression)["result"]]

    def scraped_since(self, moment):
        """Every target has been scraped, well, by a scrape that began after MOMENT."""
        targets = self.ask("targets")["activeTargets"]
        def began(target):
            stamp, rest = target["lastScrape"].split(".", 1)
            fraction = re.match(r"\d+", rest).group()
            return time.mktime(time.strptime(stamp, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)
        return len(targets) == 2 and all(target["health"] == "up" and began(target) > moment for target in targets)

    def look(self):
        """What it has of a scrape that began after this call: as samples()."""
        moment = time.time()
        eventually(lambda: self.scraped_since(moment), "a scrape", 60)
        # What the scrape gave is there a moment after it ended; so one more is waited for.
        moment = time.time()
        eventually(lambda: self.scraped_since(moment), "one more", 60)
        found = {}
        for labels, value in self.query('{__name__=~"stream(hub|d)_.+"}'):
            name = labels.pop("__name__")
            del labels["instance"], labels["job"]
            if "le" in labels and labels["le"] != "+Inf":
                labels["le"] = repr(float(labels["le"]))
            found[(name, tuple(sorted(labels.items())))] = value
        return found


def unit_command():
    """The words of the ExecStart of streamd-metrics.service, as systemd gives them to the program."""
    with open(os.path.join(EXAMPLES, "streamd-metrics.service"), encoding="utf-8") as file:
        line = next(line for line in file if line.startswith("ExecStart="))
    return [word.replace("$$", "$") for word in shlex.split(line.partition("=")[2])]


def write_numbers(daemon, folder):
    """What streamd-metrics.service does, for DAEMON and into FOLDER; the completed process."""
    words = unit_command()
    check_equal(words[-1], "/var/lib/prometheus/node-exporter/streamd.prom", "where Debian's node_exporter reads")
    words[-1] = os.path.join(folder, "streamd.prom")
    check(words[2].startswith("streamctl --system metrics "), words[2])
    words[2] = words[2].replace("streamctl --system", shlex.join(daemon.argv()), 1)
    return subprocess.run(words, env=daemon.env, capture_output=True, text=True, timeout=60, check=False)
