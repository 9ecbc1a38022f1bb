"""Schemathesis (PyPI) against a running server and its own OpenAPI document: generated requests, good and bad,
all of its checks. CASES sets how many for each operation: 250 give almost 6,000 in all.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.join(ROOT, ".build", "release", "partita")
REQUIREMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                            "schemathesis-requirements.txt")
FOLDER = os.path.join(ROOT, ".deps", "schemathesis")
CASES = os.environ.get("CASES", "8")


def install():
    """Installs Schemathesis into a folder of its own, once."""
    with open(REQUIREMENTS) as file:
        wanted = file.read()
    stamp = os.path.join(FOLDER, "installed")
    if os.path.exists(stamp) and open(stamp).read() == wanted:
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", FOLDER,
                    "--disable-pip-version-check", "--requirement", REQUIREMENTS], check=True)
    with open(stamp, "w") as file:
        file.write(wanted)


class Server:
    def __init__(self, folder):
        self.folder = folder
        data = os.path.join(folder, "data")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--port", "0", "--data", data, "--check-limit", "0",
             "--failed-key-limit", "0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            stderr=open(os.path.join(folder, "log"), "w"), env={**os.environ, "PARTITA_ROOT": ROOT})
        for line in self.process.stdout:
            if found := re.search(r"http://[^:]+:(\d+)/", line):
                self.port = int(found.group(1))
            if "license key is in" in line:
                break
        with open(os.path.join(data, "license.key")) as file:
            self.key = file.read().strip()

    def post(self, path, body, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/api/v1/" + path, body,
                           {"X-License-Key": self.key, **dict(headers)})
        answer = connection.getresponse()
        return json.loads(answer.read())

    def finished_task(self):
        """The id of a task that has ended, and its tracks."""
        tone = subprocess.run(
            ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=3", "-f", "flac", "-"],
            stdout=subprocess.PIPE, check=True).stdout
        source = self.post("upload/", tone,
                           {"Content-Disposition": "attachment; filename=tone.flac"})
        task = self.post("split/stem_separator/", json.dumps(
            {"source_id": source["id"], "presets": {"stem": "vocals"}}))["task_id"]
        for _ in range(600):
            state = self.post("check/", json.dumps({"task_ids": [task]}))["result"][task]
            if state["status"] != "progress":
                return task, state["result"]["tracks"]
            time.sleep(0.2)
        raise TimeoutError("the task did not end")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()


def link_parameters(url):
    """What a link of ours is made of, by the names in the document."""
    parts = urllib.parse.urlsplit(url)
    purpose, blob, name = parts.path.strip("/").split("/")
    return purpose, {"blob": blob, "name": urllib.parse.unquote(name),
                     **dict(urllib.parse.parse_qsl(parts.query))}


def settings(task, track):
    """Real ids and links beside the generated ones. What fits the schema may still be refused with 400, as
    documented: an id of no source, bytes that are no audio."""
    lines = ["[checks.positive_data_acceptance]",
             'expected-statuses = ["2xx", "400", "403", "404", "429"]', "",
             "[parameters]", f'"path.task_id" = "{task}"', ""]
    for field in ("url", "waveform", "playlist_file"):
        purpose, parameters = link_parameters(track[field])
        place = {"blob": "path", "name": "path"}
        values = ", ".join(f'"{place.get(name, "query")}.{name}" = {json.dumps(value)}'
                           for name, value in parameters.items())
        lines += ["[[operations]]", f'include-path = "/{purpose}/{{blob}}/{{name}}"',
                  f"parameters = {{ {values} }}", ""]
    return "\n".join(lines)


class SchemathesisTests(unittest.TestCase):
    def test_the_server_keeps_to_its_document(self):
        install()
        with tempfile.TemporaryDirectory() as folder:
            server = Server(folder)
            try:
                task, tracks = server.finished_task()
                config = os.path.join(folder, "schemathesis.toml")
                with open(config, "w") as file:
                    file.write(settings(task, tracks[0]))
                result = subprocess.run(
                    [os.path.join(FOLDER, "bin", "schemathesis"), "--config-file", config, "run",
                     f"http://127.0.0.1:{server.port}/api/v1/openapi.json",
                     "--header", f"X-License-Key: {server.key}", "--checks", "all",
                     "--max-examples", CASES, "--seed", os.environ.get("SEED", "1"),
                     "--continue-on-failure", "--no-color"],
                    cwd=folder, env={**os.environ, "PYTHONPATH": FOLDER}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, text=True)
            finally:
                server.stop()
            print(result.stdout)
            self.assertEqual(result.returncode, 0, result.stdout[-8000:])
            with open(os.path.join(folder, "log")) as log:
                self.assertNotIn("request failed", log.read())


if __name__ == "__main__":
    unittest.main()
