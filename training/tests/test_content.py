"""`content` on a few sentences: `python -m unittest training.tests.test_content`."""

import json
import unittest
from pathlib import Path

import numpy as np
import torch

from training import config, content, phones
from training.tests import FOLDER


class ContentTest(unittest.TestCase):
    def test_phones_lie_where_they_sound(self) -> None:
        spoken = phones.flite("see.", "slt")
        levels, voiced = content.analyze(spoken.samples, spoken.rate)
        names: list[str] = []
        found = content.labels(spoken, len(levels), names)
        hiss = found == names.index("s")
        vowel = found == names.index("iy")
        high, low = levels[:, 55:].mean(1), levels[:, 5:15].mean(1)
        self.assertGreater((high - low)[hiss].mean(), (high - low)[vowel].mean() + 3)
        self.assertGreater(voiced[vowel].mean(), 0.8)
        self.assertLess(voiced[hiss].mean(), 0.3)
        engine = phones.Espeak()
        for language in phones.ESPEAK_LANGUAGES:
            spoken = engine.speak(phones.sentences(phones.ESPEAK_LANGUAGES[language], 0, 1)[0], language, "m3", 160, 50)
            self.assertGreater(len(spoken.phones), 20)
            self.assertAlmostEqual(spoken.phones[-1][0], len(spoken.samples) / spoken.rate, delta=0.05)

    def test_the_scale_is_that_of_the_engine(self) -> None:
        weights = content.triangles(48_000, 1025)
        np.testing.assert_allclose(weights.sum(1), 1)
        # A straight line over the scale stays one.
        line = content.position(np.arange(1025) * 24_000 / 1024)
        np.testing.assert_allclose((weights @ line)[5:-1], content.MIDDLES[5:-1], atol=0.01)

    def test_training_learns_and_exports(self) -> None:
        torch.manual_seed(0)
        content.build_spoken(("flite", 0, 20))
        content.build_spoken(("espeak", 0, 20))
        recording = next(p for p in sorted((config.DATA / "speech").glob("*/*.opus")) if p.parent.name not in content.HELD_OUT)
        content.build_recording(recording)
        corpus = content.Corpus()
        before = content.accuracy(content.State(corpus), corpus)
        content.run(0.7, 2)
        state = content.State(corpus)
        state.load()
        self.assertGreater(state.step, 5)
        after = content.accuracy(state, corpus)
        self.assertGreater(after["flite"], before["flite"] + 0.1)
        config.PACKS = Path(FOLDER.name) / "packs"
        folder = content.export()
        manifest = json.loads((folder / "model.json").read_text())
        self.assertEqual((manifest["kind"], manifest["reach"], manifest["features"]), ("content", 16, 48))


if __name__ == "__main__":
    unittest.main()
