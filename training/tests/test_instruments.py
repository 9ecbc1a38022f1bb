"""The second stage on half a minute of data: `python -m unittest training.tests.test_instruments`."""

import json
import unittest
from pathlib import Path

import numpy as np
import torch

from training import audio, compose, config, evaluate_instruments, export, model, render, separate, synth, train
from training.mix import Library
from training.mix_instruments import InstrumentMixer
from training.tasks import TASKS
from training.tests import FOLDER

TASK = TASKS["music-instruments"]


class InstrumentsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        renderer = render.Renderer(ensemble=True)
        for i in range(2):
            kinds, sound = renderer.song(i, 12, "train", list(config.INSTRUMENTS))
            render.save_song(f"ensemble-train-{i}", kinds, sound, "ensemble", "train")
        kinds, sound = renderer.song(2, 12, "valid", list(config.INSTRUMENTS))
        render.save_song("ensemble-valid-2", kinds, sound, "ensemble", "valid")
        kinds, sound = renderer.song(5, 12, "train", ["drum", "bass", "vocals"])
        render.save_song("synthetic-train-leaks", kinds, sound, "synthetic", "train")

    def test_ensembles_have_different_instruments(self) -> None:
        for seed in range(20):
            kinds = render.ensemble_kinds(seed)
            self.assertLessEqual(set(kinds), set(config.INSTRUMENTS))
            self.assertGreaterEqual(len(set(kinds)), 5)

    def test_kinds_are_present_alike_and_at_the_input_level(self) -> None:
        items = np.stack([InstrumentMixer(Library("train"), 30_000, seed).levelled() for seed in range(150)])
        present = (np.abs(items).max((2, 3)) > 0).mean(0)
        self.assertGreater(present.min(), 0.2)
        self.assertLess(present[:-1].max(), present[:-1].min() + 0.2)  # the rest has leaks besides
        level = 20 * np.log10(np.sqrt((items.sum(1) ** 2).mean((1, 2))))
        self.assertAlmostEqual(float(level.mean()), config.LEVEL_DBFS, delta=2)

    def test_error_of_the_loss_is_that_of_complex_spectra(self) -> None:
        stems = torch.from_numpy(InstrumentMixer(Library("train"), 15 * config.HOP + config.SIZE, 3).batch(2))
        truth = train.Truth(stems)
        mask = torch.softmax(torch.randn(2, len(TASK.stems), *truth.mixture.shape[1:]), 1)
        targets = train.spectra(stems)
        wanted = (mask * truth.mixture.unsqueeze(1) - targets).abs().square().sum((2, 3))
        torch.testing.assert_close(truth.error(mask), wanted, rtol=1e-3, atol=1e-2)

    def test_bands_see_each_other_alike_in_training_and_use(self) -> None:
        linear, x = torch.nn.Linear(12, 3, bias=False), torch.randn(2, 5, 4, 12)
        torch.testing.assert_close(model.over_bands(linear.train(), x), model.over_bands(linear.eval(), x))

    def test_masks_between_frames_are_means(self) -> None:
        torch.manual_seed(3)
        net = model.Core(3, width=(8, 8, 8), hidden=8, stride=2).eval()
        x = torch.rand(1, 4, 16, config.BINS)
        with torch.inference_mode():
            seen, whole = net.masks(x[:, :, ::2]), net(x)
        self.assertEqual(whole.shape[3], 16)
        torch.testing.assert_close(whole[:, :, :, 4], seen[:, :, :, 2])
        torch.testing.assert_close(whole[:, :, :, 5], (seen[:, :, :, 2] + seen[:, :, :, 3]) / 2)
        torch.testing.assert_close(whole.sum(1), torch.ones_like(whole[:, 0]))

    def test_a_run_starts_from_another_pack(self) -> None:
        other = model.Core(4).state_dict()
        state = train.State(Path(FOLDER.name), TASK)
        before = state.net.state_dict()["head.out.0"].clone()
        state.start_from(other)
        torch.testing.assert_close(state.net.state_dict()["bottom.1.second.0.weight"], other["bottom.1.second.0.weight"])
        torch.testing.assert_close(state.average.state_dict()["head.out.0"], before)

    def test_trains_and_exports(self) -> None:
        self.assertEqual(train.run(TASK.pack, 600, 1, max_steps=2).step, 2)
        folder = export.export(TASK.pack, out=Path(FOLDER.name) / "instruments")
        manifest = json.loads((folder / "model.json").read_text())
        self.assertEqual((manifest["name"], manifest["input"]), ("music-instruments", "other"))
        self.assertEqual(manifest["stems"], list(config.INSTRUMENTS))
        self.assertEqual(manifest["serves"], {stem: stem for stem in TASK.serves})
        network = separate.Network(folder)
        piece = {"piano": np.random.default_rng(1).normal(0, 0.1, (2, 3 * config.RATE)).astype(np.float32)}
        masks = network.masks(audio.stft(piece["piano"]))
        self.assertEqual(masks.shape, (7, 2, 3 * config.RATE // config.HOP + 1, config.FULL_BINS))
        np.testing.assert_allclose(masks.sum(0), 1, atol=1e-4)
        found = evaluate_instruments.measured(piece, network)
        self.assertGreater(found["piano"]["oracle"], 60)
        self.assertIn("false", found["wind"])

    def test_export_takes_back_what_is_too_sure(self) -> None:
        torch.manual_seed(4)
        net = TASK.network().eval()
        with torch.no_grad():
            for parameter in net.head.out:
                parameter.mul_(8)  # a network that knows nothing and is sure of it
        before = net.head.out[0].clone()
        factor = export.calibrate(net, TASK, items=6)
        self.assertLess(factor, 0.5)
        torch.testing.assert_close(net.head.out[0], before * factor)

    def test_scale_invariant_ratio(self) -> None:
        rng = np.random.default_rng(2)
        target, noise = rng.normal(0, 1, (2, 50_000)), rng.normal(0, 0.1, (2, 50_000))
        for gain in (0.1, 1, -3):
            self.assertAlmostEqual(evaluate_instruments.si_sdr(target, gain * (target + noise)), 20, delta=0.2)

    def test_every_pair_of_kinds_meets_in_the_evaluation(self) -> None:
        meetings = np.zeros((7, 7), int)
        for i in range(7):
            chosen = [(i + d) % 7 for d in evaluate_instruments.DESIGN]
            meetings[np.ix_(chosen, chosen)] += 1
        self.assertEqual(set(meetings[~np.eye(7, dtype=bool)]), {2})

    def test_synthesizer_is_in_tune(self) -> None:
        for seed in range(12):
            voice = synth.Voice(np.random.default_rng(seed), "riff")
            if voice.shape == "fm" or voice.octave:
                continue
            sound = voice.note(69, 1.0)
            self.assertTrue(np.isfinite(sound).all())
            spectrum = np.abs(np.fft.rfft(sound.sum(0)[: config.RATE]))
            around = spectrum[430:451].max()
            self.assertGreater(around, 3 * np.median(spectrum[300:600]))
        part = compose.Part("synthesizer", 80, [compose.Note(0.1, 0.5, 60, 90)], "pad")
        self.assertEqual(synth.play(part, 1.0, np.random.default_rng(1)).shape, (2, config.RATE))


if __name__ == "__main__":
    unittest.main()
