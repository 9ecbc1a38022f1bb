"""Fetching: only pinned files are used, and an interrupted run is taken up again."""

import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "setup"))
import fetch  # noqa: E402

LIBRARIES = ["libopenvino_c.so.9", "libopenvino.so.9", "libopenvino_intel_cpu_plugin.so",
             "libopenvino_onnx_frontend.so.9", "libtbb.so.12"]
LEFT_OUT = ["libopenvino_intel_gpu_plugin.so", "libopenvino_pytorch_frontend.so.9", "cache.json"]


class FetchTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.deps = os.path.join(folder.name, "a folder", ".deps")
        self.pins = os.path.join(folder.name, "pins")
        self.wheels = os.path.join(self.deps, "wheels")
        os.makedirs(self.wheels)
        os.makedirs(self.pins)
        self.served = self.runtime_wheel(os.path.join(folder.name, "served.whl"), b"one")
        self.pip_calls = []
        for name, value in [("DEPS", self.deps), ("WHEELS", self.wheels), ("PINS", self.pins),
                            ("pip", self.pip)]:
            patch = mock.patch.object(fetch, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.pin("openvino", self.served)

    def runtime_wheel(self, path, content):
        with zipfile.ZipFile(path, "w") as archive:
            for name in LIBRARIES + LEFT_OUT:
                archive.writestr(f"openvino/libs/{name}", content)
            archive.writestr("openvino-9.9.dist-info/licenses/LICENSE", "Apache-2.0")
        return path

    def pin(self, name, path):
        with open(os.path.join(self.pins, f"{name}-requirements.txt"), "w") as file:
            file.write(f"{name}==9.9 \\\n    --hash=sha256:{fetch.sha256(path)}\n")

    def pip(self, command, *arguments):
        """Stands in for a download: copies what is 'served'."""
        self.pip_calls.append(command)
        folder = arguments[arguments.index("--dest") + 1]
        with open(self.served, "rb") as source:
            with open(os.path.join(folder, "openvino-9.9-cp311.whl"), "wb") as file:
                file.write(source.read())

    def libraries(self):
        return set(os.listdir(os.path.join(self.deps, "openvino", "libs")))

    def test_unpacks_what_runs_on_a_cpu_and_its_licences(self):
        fetch.fetch_runtime()
        self.assertEqual(self.libraries(), set(LIBRARIES) | {"libopenvino_c.so"})
        link = os.path.join(self.deps, "openvino", "libs", "libopenvino_c.so")
        self.assertEqual(os.readlink(link), "libopenvino_c.so.9")
        self.assertEqual(os.listdir(os.path.join(self.deps, "openvino", "licences")), ["LICENSE"])
        fetch.fetch_runtime()
        self.assertEqual(self.pip_calls, ["download"])

    def test_uses_a_wheel_put_there_by_hand(self):
        os.rename(self.served, os.path.join(self.wheels, "openvino-9.9-cp311.whl"))
        fetch.fetch_runtime()
        self.assertEqual(self.pip_calls, [])
        self.assertIn("libopenvino_c.so", self.libraries())

    def test_deletes_a_wheel_with_another_hash(self):
        wrong = os.path.join(self.wheels, "openvino-9.9-cp311.whl")
        with open(wrong, "wb") as file:
            file.write(b"half a download")
        fetch.fetch_runtime()
        self.assertEqual(self.pip_calls, ["download"])
        self.assertEqual(fetch.sha256(wrong), fetch.sha256(self.served))

    def test_takes_up_an_interrupted_run(self):
        for left in ("openvino.part/libs", "openvino/libs", "wheels/.openvino.part"):
            os.makedirs(os.path.join(self.deps, left))
            with open(os.path.join(self.deps, left, "half"), "w") as file:
                file.write("x")
        fetch.fetch_runtime()
        self.assertNotIn("half", self.libraries())
        self.assertEqual(sorted(os.listdir(self.deps)), ["openvino", "wheels"])
        self.assertEqual(os.listdir(self.wheels), ["openvino-9.9-cp311.whl"])

    def test_a_new_pin_replaces_the_old_runtime(self):
        fetch.fetch_runtime()
        self.runtime_wheel(self.served, b"two")
        self.pin("openvino", self.served)
        fetch.fetch_runtime()
        with open(os.path.join(self.deps, "openvino", "libs", "libtbb.so.12"), "rb") as file:
            self.assertEqual(file.read(), b"two")


class PipTests(unittest.TestCase):
    """The real pip, with no network: an index that is an empty folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for patch in (mock.patch.object(fetch, "WHEELS", os.path.join(folder.name, "wheels")),
                      mock.patch.object(fetch, "DEPS", folder.name),
                      mock.patch.dict(os.environ, PIP_NO_INDEX="1", PIP_FIND_LINKS=folder.name)):
            patch.start()
            self.addCleanup(patch.stop)

    def offer_wheel(self):
        """A valid wheel named 'sample', offered by the index. Returns its SHA-256."""
        path = os.path.join(self.folder, "sample-1.0-py3-none-any.whl")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("sample.py", "")
            archive.writestr("sample-1.0.dist-info/METADATA",
                             "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n")
            archive.writestr("sample-1.0.dist-info/WHEEL",
                             "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr("sample-1.0.dist-info/RECORD", "")
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def test_no_network_is_one_sentence(self):
        with self.assertRaises(fetch.Failure) as caught:
            fetch.wheel("sample", "1.0", "0" * 64)
        self.assertIn("no network", str(caught.exception))

    def test_another_hash_is_refused(self):
        self.offer_wheel()
        with self.assertRaises(fetch.Failure) as caught:
            fetch.wheel("sample", "1.0", "0" * 64)
        self.assertIn("not the pinned one", str(caught.exception))
        self.assertEqual([f for f in os.listdir(fetch.WHEELS) if f.endswith(".whl")], [])

    def test_the_pinned_hash_is_kept(self):
        digest = self.offer_wheel()
        path = fetch.wheel("sample", "1.0", digest)
        self.assertEqual(fetch.sha256(path), digest)
        self.assertEqual(os.listdir(fetch.WHEELS), [os.path.basename(path)])


class CommandTests(unittest.TestCase):
    def test_wrong_usage(self):
        script = os.path.join(os.path.dirname(__file__), "..", "..", "setup", "fetch.py")
        result = subprocess.run([sys.executable, script, "everything"],
                                stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("usage", result.stderr)


if __name__ == "__main__":
    unittest.main()
