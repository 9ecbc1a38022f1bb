"""`vocals-lead` and `dry` on a few seconds of voices: `python -m unittest training.tests.test_voices`."""

import json
import unittest
from pathlib import Path

import numpy as np
import torch

from training import config, evaluate_voices, export, heard, model, render, rooms, separate, train, voices
from training.mix import Library, Song
from training.mix_speech import SpeechMixer
from training.mix_voices import DryMixer, LeadMixer, pan
from training.tasks import TASKS
from training.tests import FOLDER


class VoicesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.choir = voices.choir(0, "train")
        for split in ("train", "valid"):
            render.save_song(f"choir-{split}", ["voice"] * len(cls.choir), cls.choir[:, None], "choir", split)
            for i, lane in enumerate(cls.choir[:2]):
                render.save_song(f"lane-{split}-{i}", ["voice"], lane[None, None], "lane", split)

    def test_voices_are_held_out(self) -> None:
        train_voices, held = voices.recordings("train"), voices.recordings("valid")
        self.assertFalse({p for paths in train_voices.values() for p in paths} & {p for paths in held.values() for p in paths})
        speakers = {name for name in set(train_voices) & set(held)}
        self.assertLessEqual(speakers, {"everythingisfree-lead", "everythingisfree-backing"})  # one singer, another song
        self.assertGreaterEqual(len(train_voices), 20)
        self.assertGreaterEqual(len(held), 10)

    def test_a_melody_is_sung_in_its_scale_and_its_third_above(self) -> None:
        path = next(iter(voices.recordings("train").values()))[0]
        analysis = voices.Analysis(voices.audio.read(path, 0, 4).mean(0))
        melody = voices.Melody(analysis, np.random.default_rng(1), 1200)
        own, third = melody.semitones(0), melody.semitones(2)
        self.assertLessEqual(set((own - melody.root).astype(int) % 12), set(melody.scale))
        self.assertLessEqual(set((third - own).astype(int)), {3, 4})
        pitch = voices.intoned(np.random.default_rng(2), own)
        sung = analysis.synthesize(pitch, melody.index, 1.0, 6 * config.RATE)
        found = voices.Analysis(sung).pitch[: len(pitch)]
        both = found > 0
        cents = 1200 * np.abs(np.log2(found[both] / pitch[: len(found)][both]))
        self.assertLess(float(np.median(cents)), 40)

    def test_lead_is_in_the_middle_and_items_have_what_they_should(self) -> None:
        left, right = pan(np.ones(4, np.float32), 0)
        np.testing.assert_allclose(left, right, rtol=1e-6)
        items = np.stack([LeadMixer(Library("train"), 30_000, seed).levelled() for seed in range(120)])
        power = (items**2).mean(3)
        present = power.sum(2) > 1e-9
        self.assertAlmostEqual(float((~present[:, 1]).mean()), 0.15 , delta=0.1)
        self.assertAlmostEqual(float((~present[:, 0]).mean()), 0.08, delta=0.08)
        side = ((items[:, :, 0] - items[:, :, 1]) ** 2).mean(2) / (power.sum(2) + 1e-12)
        self.assertLess(float(np.median(side[present[:, 0], 0])), 0.05)
        self.assertGreater(float(np.median(side[present[:, 1], 1])), 0.2)
        level = 20 * np.log10(np.sqrt((items.sum(1) ** 2).mean((1, 2))))
        self.assertAlmostEqual(float(level.mean()), config.LEVEL_DBFS, delta=2)

    def test_items_are_also_what_a_first_stage_finds_in_songs(self) -> None:
        heard.build(2 * heard.SECONDS / 60, 10)
        library = Library("train")
        mixer = LeadMixer(library, heard.SECONDS * config.RATE, 4)
        mixer.heard = 1
        item, songs = mixer.item(), library.of("heard")
        for song in songs:
            for path in config.SONGS.glob(f"{song.name}.*"):
                path.unlink()
        self.assertEqual(len(songs), 2)
        sounds = [song.sound.astype(np.float32) / 32768 for song in songs]
        self.assertTrue(any(np.array_equal(item, x) for sound in sounds for x in (sound, sound[:, ::-1])))
        # Both stems together are what the packs take for vocals: most of a choir.
        parts = heard.SongMixer(Library("train"), heard.SECONDS * config.RATE, seed=0).levelled()
        found = heard.vocals(separate.Separator(fusion=separate.load_fusion()), parts).sum(0)
        self.assertLess(evaluate_voices.decibels(found - parts.sum(0), parts.sum(0)), -5)

    def test_a_response_is_divided_50_ms_after_its_direct_sound(self) -> None:
        for seed in range(12):
            response = rooms.response(np.random.default_rng(seed), "train")
            early, late = rooms.divided(response)
            np.testing.assert_allclose(early + late, response, atol=1e-6)
            direct = rooms.arrival(response)
            self.assertEqual(float(np.abs(late[:, : direct + int(0.05 * config.RATE)]).max()), 0)
            self.assertEqual(float(np.abs(early[:, direct + int(0.055 * config.RATE) :]).max(initial=0)), 0)

    def test_rooms_are_held_out_and_convolution_is_one(self) -> None:
        self.assertGreaterEqual(len(rooms.recorded("valid")), 5)
        self.assertGreater(len(rooms.recorded("train")), len(rooms.recorded("valid")))
        rng = np.random.default_rng(3)
        x, response = rng.normal(0, 1, 3000), rng.normal(0, 1, (2, 500))
        found = rooms.convolve(x, response, 1000)
        for channel, r in zip(found, response, strict=True):
            np.testing.assert_allclose(channel, np.convolve(x, r)[2000:3000], rtol=1e-3, atol=1e-3)

    def test_items_of_dry_start_with_the_reverberation_of_what_came_before(self) -> None:
        items = np.stack([DryMixer(Library("train"), 30_000, seed).levelled() for seed in range(60)])
        self.assertTrue(np.isfinite(items).all())
        late = (items[:, 1, :, :2000] ** 2).mean((1, 2)) / (items[:, 1] ** 2).mean((1, 2)).clip(1e-12)
        self.assertGreater(float(np.median(late)), 0.02)
        self.assertGreater(int(((items[:, 1] ** 2).sum((1, 2)) == 0).sum()), 0)

    def test_somebody_speaks_over_music_that_may_be_sung(self) -> None:
        library, rng = Library("train"), np.random.default_rng(6)
        for name, kinds, source in (("lane-train-everythingisfree-lead", ["voice"], "lane"), ("band", [*config.KINDS], "synthetic"),
                                    ("singer", ["vocals"], "singing"), ("street", ["noise"], "noise")):
            sound = rng.integers(-9000, 9000, (len(kinds), 2, 90_000)).astype(np.int16)
            library.songs[name] = Song(name, kinds, source, sound)
        mixer = SpeechMixer(library, 30_000, 1)
        self.assertEqual({song.name for song in mixer.speakers()}, {"lane-train-0", "lane-train-1"})  # who sings is music
        items = np.stack([mixer.levelled() for _ in range(200)])
        self.assertTrue(np.isfinite(items).all())
        power = (items**2).mean((2, 3))
        self.assertAlmostEqual(float((power[:, 0] < 1e-9).mean()), 0.12, delta=0.08)
        both = power[power.min(1) > 1e-6]
        self.assertAlmostEqual(float(np.median(10 * np.log10(both[:, 0] / both[:, 1]))), 2, delta=3)

    def test_noises_are_held_out(self) -> None:
        voices.build_noises()
        train_noises, held = Library("train").of("noise"), Library("valid").of("noise")
        self.assertGreaterEqual(len(train_noises), 3)
        self.assertGreaterEqual(len(held), 3)
        self.assertGreater(sum(s.sound.shape[2] for s in train_noises), 4 * sum(s.sound.shape[2] for s in held))

    def test_phase_and_balance_between_channels_are_found_in_magnitudes(self) -> None:
        torch.manual_seed(2)
        spectrum = torch.randn(1, 2, 8, config.BINS, dtype=torch.complex64)
        cosine, balance = model.spatial(model.planes_of(spectrum))[0]
        left, right = spectrum[0]
        torch.testing.assert_close(cosine, torch.cos(left.angle() - right.angle()), rtol=0, atol=1e-3)
        torch.testing.assert_close(balance, (left.abs() - right.abs()) / (left.abs() + right.abs()))

    def test_a_network_that_sees_more_starts_as_the_one_it_comes_from(self) -> None:
        plain, state = model.Core(2, stride=2).eval(), train.State(Path(FOLDER.name), TASKS["dry"])
        state.start_from(plain.state_dict())
        x = torch.rand(1, 4, 16, config.BINS)
        with torch.inference_mode():
            torch.testing.assert_close(state.average(x), plain(x))

    def test_the_ratio_in_the_loss_is_the_error_in_relation_to_the_mixture(self) -> None:
        stems = torch.from_numpy(LeadMixer(Library("train"), 15 * config.HOP + config.SIZE, 5).batch(1))
        for gain in (1, 0.1):  # a quiet item counts as a loud one
            truth = train.Truth(stems * gain)
            mask = torch.full((1, 2, *truth.mixture.shape[1:]), 0.5)
            error = truth.error(mask).sum((0, 2)) / truth.mixture.abs().square().sum()
            wanted = 3 * (error + 1e-3).log().mean()
            found = train.loss_of(mask, truth, ratio=3) - train.loss_of(mask, truth)
            self.assertAlmostEqual(float(found), float(wanted), delta=0.02)

    def test_train_and_export(self) -> None:
        for pack, heard, stems in (("vocals-lead", "vocals", ["lead", "backing"]), ("dry", "voice", ["dry", "reverb"])):
            self.assertEqual(train.run(pack, 600, 1, max_steps=1).step, 1)
            folder = export.export(pack, out=Path(FOLDER.name) / pack)
            manifest = json.loads((folder / "model.json").read_text())
            self.assertEqual((manifest["input"], manifest["stems"]), (heard, stems))
            self.assertEqual(set(manifest["serves"]), set(TASKS[pack].serves))
            network = separate.Network(folder)
            x = np.stack([self.choir[0], self.choir[0]])[:, : 3 * config.RATE] + 0.1 * self.choir[1, : 3 * config.RATE]
            found = evaluate_voices.separated(network, x)
            np.testing.assert_allclose(found.sum(0), x, atol=1e-3)


if __name__ == "__main__":
    unittest.main()
