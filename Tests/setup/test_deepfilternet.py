"""The converted graph, and the program with it, compute what the authors' library computes.

The reference is ``libdeepfilter.so`` of the pinned wheel, frame by frame.
"""

import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "setup"))
sys.path.insert(0, os.path.join(ROOT, "bench"))
import conversion  # noqa: E402
import convert_deepfilternet as converter  # noqa: E402
import libdeepfilter  # noqa: E402
import runtime  # noqa: E402

WHEELS = os.path.join(ROOT, ".deps", "wheels")
SHARED = os.environ.get("PARTITA_SHARED", os.path.join(ROOT, "..", "shared"))
SPEECH = os.path.join(SHARED, "eval", "speech")


def samples(file):
    pcm = subprocess.run(["ffmpeg", "-v", "error", "-i", file, "-f", "f32le", "-ac", "1", "-"],
                         stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(pcm, np.float32)


class ConvertTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.graphs = converter.read_graphs(libdeepfilter.wheel())

    def run_in_blocks(self, erb, spectrum, block):
        """Gains and filters of all frames, from one block to the next."""
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            file.write(converter.build(self.graphs, block).SerializeToString())
            file.flush()
            state = None
            results = []
            for start in range(0, len(erb), block):
                inputs = {
                    "erb": erb[None, None, start:start + block],
                    "spectrum": np.ascontiguousarray(
                        spectrum[start:start + block].transpose(1, 0, 2)[None]),
                    "state": np.zeros((1, 26304), np.float32) if state is None else state,
                }
                gains, filters, state = runtime.run(
                    file.name, inputs, ["gains", "filters", "next"])
                results.append((gains[0, 0], filters[0]))
        return [np.concatenate(parts) for parts in zip(*results)]

    def test_blocks_give_what_one_piece_gives(self):
        generator = np.random.default_rng(1)
        erb = generator.standard_normal((60, 32)).astype(np.float32)
        spectrum = generator.standard_normal((60, 2, 96)).astype(np.float32)
        whole = self.run_in_blocks(erb, spectrum, 60)
        for block in (12, 20):
            for part, expected in zip(self.run_in_blocks(erb, spectrum, block), whole):
                np.testing.assert_allclose(part, expected, atol=1e-5)

    def test_two_runs_give_the_same_bytes(self):
        first, second = (
            converter.build(converter.read_graphs(libdeepfilter.wheel()))
            .SerializeToString(deterministic=True) for _ in range(2))
        self.assertEqual(first, second)

    def test_refuses_a_wheel_without_the_graphs(self):
        with tempfile.NamedTemporaryFile(suffix=".whl") as file:
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr(converter.ARCHIVE, b"no archive")
            file.flush()
            with self.assertRaises(conversion.Refused):
                converter.read_graphs(file.name)


class ProgramTests(unittest.TestCase):
    def test_voice_clean_equals_the_library(self):
        library = libdeepfilter.Library()
        for level, limit in (("mild", 12), ("normal", 24), ("aggressive", 100)):
            for pair in sorted(os.listdir(SPEECH)):
                noisy = os.path.join(SPEECH, pair, "noisy.flac")
                with tempfile.TemporaryDirectory() as out:
                    subprocess.run(
                        [os.path.join(ROOT, ".build", "release", "partita"), "voice-clean", noisy,
                         "--level", level, "--out", out, "--format", "wav", "--quiet"],
                        check=True, env=dict(os.environ, PARTITA_ROOT=ROOT))
                    voice = samples(os.path.join(out, "noisy_voice.wav"))
                expected = library.clean(samples(noisy), limit)
                self.assertEqual(len(voice), len(expected))
                difference = 10 * np.log10(
                    np.sum((voice - expected) ** 2, dtype=float)
                    / np.sum(expected ** 2, dtype=float))
                print(f"{pair}, {level}: {difference:.1f} dB")
                self.assertLess(difference, -80)


if __name__ == "__main__":
    unittest.main()
