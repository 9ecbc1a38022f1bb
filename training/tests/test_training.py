"""The whole chain on a minute of data: `python -m unittest training.tests.test_training` (under a minute)."""

import json
import unittest
from pathlib import Path

import numpy as np
import torch

from training import audio, baselines, blocks, config, export, fusion, render, sampler, separate, spatial, train
from training.mix import Library, Mixer
from training.model import Core, planes_of
from training.tests import FOLDER


class TrainingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        renderer = render.Renderer()
        for i, kinds in enumerate((["drum", "bass", "strings", "vocals"], ["drum", "bass", "piano"], ["bass", "wind", "vocals"])):
            kinds, sound = renderer.song(i, 12, "train", kinds)
            render.save_song(f"synthetic-train-{i}", kinds, sound, "synthetic", "train")

    def test_parts_have_the_level_they_should(self) -> None:
        for song in Library("train").songs.values():
            for part in song.sound:
                loud = np.sort((part.astype(np.float32) / 32768) ** 2, axis=None)
                self.assertGreater(np.sqrt(loud[len(loud) // 2 :].mean()), 0.01)

    def test_items_are_at_the_input_level(self) -> None:
        batch = Mixer(Library("train"), 44100, 1).batch(12)
        level = 20 * np.log10(np.sqrt((batch.sum(1) ** 2).mean((1, 2))))
        self.assertTrue(np.isfinite(batch).all())
        self.assertAlmostEqual(float(level.mean()), config.LEVEL_DBFS, delta=5)

    def test_singers_are_made_of_choirs_where_there_are_some(self) -> None:
        mixer = Mixer(Library("train"), 44100, 2)
        self.assertFalse(mixer.library.of("choir"))
        lanes = np.zeros((3, 1, 6 * config.RATE), np.float32)
        lanes[1] = 0.1 * np.sin(2 * np.pi * 440 * np.arange(lanes.shape[2]) / config.RATE)
        render.save_song("choir-train-0", ["voice"] * 3, lanes, "choir", "train")
        try:
            mixer.library.refresh()
            found = [mixer.lone("vocals") for _ in range(60)]
        finally:
            for path in config.SONGS.glob("choir-train-0.*"):
                path.unlink()
        # One singer in ten is that lane: a tone of an octave at most, with a room behind it.
        tones = 0
        for x in found:
            self.assertEqual(x.shape, (2, 44100))
            power = np.abs(np.fft.rfft(x.mean(0))) ** 2
            tones += bool(power.sum() > 0 and power[350:550].sum() > 0.9 * power.sum())
        self.assertGreater(tones, 1)
        self.assertLess(tones, 30)

    def test_vocals_are_choirs_too_and_stand_in_rooms(self) -> None:
        mixer = Mixer(Library("train"), 2 * config.RATE, 3)
        lanes = np.zeros((3, 1, 6 * config.RATE), np.float32)
        lanes[:, 0] = 0.2 * np.sin(2 * np.pi * np.array([[300], [400], [500]]) * np.arange(lanes.shape[2]) / config.RATE)
        render.save_song("choir-train-1", ["voice"] * 3, lanes, "choir", "train")
        try:
            mixer.library.refresh()
            choir = mixer.choir(mixer.library.of("choir"))
        finally:
            for path in config.SONGS.glob("choir-train-1.*"):
                path.unlink()
        power = (np.abs(np.fft.rfft(choir)) ** 2).sum(0)
        heard = [power[2 * hertz - 4 : 2 * hertz + 5].sum() > 0.02 * power.sum() for hertz in (300, 400, 500)]
        self.assertGreater(sum(heard), 1)
        click = np.zeros((2, 2 * config.RATE), np.float32)
        click[:, 1000] = 1
        wet = mixer.in_room(click)
        self.assertGreater((wet[:, 1100:] ** 2).sum(), 0.001 * (wet**2).sum())
        self.assertLess(float(np.abs(wet[:, :900]).max()), 1e-3)

    def test_instruments_of_a_kit_are_known_by_their_names(self) -> None:
        names = ("Kick (22\")", "Snare Rimshot", "Snare Roll", "Closed HH", "Hi-Hat Pedal", "Hat 1 Op", "Tom Low", "Crash", "Ride Bell", "Cowbell")
        folder = Path(FOLDER.name) / "kit"
        folder.mkdir()
        text = "".join(f"<instrument><name>{name.replace(chr(34), '&quot;')}</name><layer><filename>{i}.wav</filename></layer></instrument>"
                       for i, name in enumerate(names))
        (folder / "drumkit.xml").write_text(f"<drumkit_info xmlns='http://www.hydrogen-music.org/drumkit'>{text}</drumkit_info>")
        for i in range(len(names)):
            (folder / f"{i}.wav").touch()
        found = {role: [int(path.stem) for path in paths] for role, paths in sampler.hydrogen_kit(folder).items()}
        self.assertEqual(found, {"kick": [0], "snare": [1], "closed": [3, 4], "open": [5], "tom": [6], "crash": [7], "ride": [8]})

    def test_stft_and_inverse_reconstruct(self) -> None:
        x = np.random.default_rng(1).normal(0, 0.1, (2, 50_001)).astype(np.float32)
        np.testing.assert_allclose(audio.istft(audio.stft(x), 50_001), x, atol=1e-5)

    def test_trains_resumes_and_exports(self) -> None:
        state = train.run("music-core", 600, 1, max_steps=2)
        self.assertEqual(state.step, 2)
        state = train.run("music-core", 600, 1, max_steps=1)
        self.assertEqual(state.step, 3)
        folder = export.export("music-core", out=Path(FOLDER.name) / "pack")
        manifest = json.loads((folder / "model.json").read_text())
        self.assertEqual(manifest["stft"]["bins"], config.BINS)
        weights = export.weights_of(folder / "model.onnx")  # half precision: eleven bits
        for name, value in state.average.state_dict().items():
            if value.dtype.is_floating_point:
                torch.testing.assert_close(weights[name], value, rtol=1e-3, atol=1e-6)
        name, here = "split.weights.0", config.PACKS
        config.PACKS = Path(FOLDER.name)
        try:
            train.run("music-core", 600, 1, max_steps=2)
            export.export("music-core", out=Path(FOLDER.name) / "music-core")
            after = export.weights_of(Path(FOLDER.name) / "music-core" / "model.onnx")[name]
            (Path(FOLDER.name) / "music-core" / "model.onnx").write_bytes((folder / "model.onnx").read_bytes())
            export.export("music-core", out=Path(FOLDER.name) / "mean", share=0.25)
        finally:
            config.PACKS = here
        mean = export.weights_of(Path(FOLDER.name) / "mean" / "model.onnx")[name]
        self.assertGreater(float((after - weights[name]).abs().max()), 1e-4)
        torch.testing.assert_close(mean, weights[name].lerp(after, 0.25), rtol=1e-3, atol=1e-5)
        spectrum = np.ones((2, 300, config.FULL_BINS), np.complex64)
        mask = separate.Network(folder).masks(spectrum)
        self.assertEqual(mask.shape, (4, 2, 300, config.FULL_BINS))
        np.testing.assert_allclose(mask.sum(0), 1, atol=1e-4)

    def test_network_overfits_one_item(self) -> None:
        torch.manual_seed(1)
        stems = torch.from_numpy(Mixer(Library("train"), 15 * config.HOP + config.SIZE, 5).batch(1))
        truth, net = train.Truth(stems), Core(width=(16, 16, 16), hidden=16)
        optimiser = torch.optim.Adam(net.parameters(), 5e-3)
        losses = []
        for _ in range(25):
            loss = train.loss_of(net(planes_of(truth.mixture)), truth)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], 0.6 * losses[0])

    def test_blocks_give_what_the_whole_gives(self) -> None:
        rng, (length, bins) = np.random.default_rng(1), (300, config.BINS)
        planes = rng.exponential(1, (4, length, bins)).astype(np.float32)
        for stride, placed in ((1, False), (2, True)):
            net = Core(width=(8, 8, 8), hidden=8, stride=stride, placed=placed).eval()
            network = blocks.Blocks(net)

            def runner(magnitude: np.ndarray, state: np.ndarray) -> list[np.ndarray]:
                with torch.inference_mode():
                    return [y.numpy() for y in network(torch.from_numpy(magnitude), torch.from_numpy(state))]

            wanted = export.whole(net, planes)
            for frames in (64, 128):
                found = blocks.run(runner, planes, stride, frames, network.delay, network.size)
                np.testing.assert_allclose(found, wanted, atol=1e-5)
            # Every frame counts: with another delay they differ.
            found = blocks.run(runner, planes, stride, 64, network.delay + 1, network.size)
            self.assertGreater(np.abs(found - wanted).max(), 1e-3)

    def test_frames_are_brought_to_the_input_level(self) -> None:
        rng = np.random.default_rng(4)
        x = rng.normal(0, 10 ** (config.LEVEL_DBFS / 20), (2, 400 * config.HOP)).astype(np.float32)
        power = separate.frame_power(audio.stft(x))[2:-2]
        self.assertAlmostEqual(10 * np.log10(power.mean()), config.LEVEL_DBFS, delta=0.1)
        for change in (1, 0.5, 0.01, 10):
            np.testing.assert_allclose(separate.frame_gains(power * change**2), 1 / change, rtol=0.05)
        # Half as loud from frame 200 on: frames that are far from there are as loud as before and twice as loud.
        power[200:] *= 0.25
        gains = separate.frame_gains(power)
        np.testing.assert_allclose(gains[: 200 - separate.LEVEL_REACH], 1, rtol=0.05)
        np.testing.assert_allclose(gains[200 + separate.LEVEL_REACH :], 2, rtol=0.05)
        self.assertTrue((np.diff(gains[168:232]) > -0.02).all())
        # A silence does not become noise, neither after what was loud nor by itself.
        power[200:] = 1e-9
        gains = separate.frame_gains(power)[200 + separate.LEVEL_REACH :]
        np.testing.assert_allclose(gains, separate.LEVEL_RANGE**-0.5 * separate.LEVEL_FALL ** (-0.5 * np.arange(len(gains)) - 32), rtol=0.08)
        self.assertEqual(separate.frame_gains(np.zeros(9)).max(), np.float32(10 ** (config.LEVEL_DBFS / 20) / 1e-4))

    def test_fusion_trusts_the_better_opinion(self) -> None:
        rng = np.random.default_rng(2)
        shape = (2, 20, config.FULL_BINS)
        truth, noise = (torch.from_numpy(rng.random(shape).astype(np.float32)) for _ in range(2))
        clip = fusion.Clip("made up", torch.ones(shape, dtype=torch.complex64), truth.to(torch.complex64),
                           (torch.logit(truth, 1e-4), torch.logit(noise, 1e-4)))
        weights = fusion.fit([clip], 80, distrust=0)
        self.assertLess(float(fusion.error_db(clip, weights(clip))), -12)
        self.assertTrue((weights.values[:, 0] > weights.values[:, 1]).all())

    def test_fused_masks_sum_to_one(self) -> None:
        rng = np.random.default_rng(3)
        core = rng.random((4, 2, 5, config.FULL_BINS)).astype(np.float32)
        core /= core.sum(0)
        bands = [{"from": 0, "to": config.FULL_BINS, "weights": [0.6, 0.4], "bias": 0.0}]
        fused = separate.fuse({"bands": bands}, rng.random(core.shape[1:]).astype(np.float32), core)
        np.testing.assert_allclose(fused.sum(0), 1, atol=1e-5)

    def test_places_divide_what_masks_cannot(self) -> None:
        rng = np.random.default_rng(4)
        share = rng.random((200, 1)).astype(np.float32)
        noise = rng.standard_normal((2, 2, 200, 30)) + 1j * rng.standard_normal((2, 2, 200, 30))
        noise = noise[:, :1] * np.sqrt(np.stack([share, 1 - share])[:, None])
        masks = np.broadcast_to(np.stack([share, 1 - share])[:, None], (2, 2, 200, 30))
        apart = noise * np.array([[0.9, 0.3], [0.4, 0.8]])[:, :, None, None]
        found, mixture = spatial.divided(masks, apart.sum(0)), apart.sum(0)
        np.testing.assert_allclose(found.sum(0), mixture, atol=1e-4)
        error, by_mask = (np.abs(x - apart[0]).std() for x in (found[0], masks[0] * mixture))
        self.assertLess(error, 0.7 * by_mask)
        together = (noise * np.ones((2, 2, 1, 1))).sum(0)
        np.testing.assert_allclose(spatial.divided(masks, together), masks * together, atol=1e-4)

    def test_oracle_beats_the_mixture(self) -> None:
        stems = Mixer(Library("train"), 44100, 9).batch(1)[0]
        stems = stems[np.abs(stems).max((1, 2)) > 0]
        estimate = baselines.oracle(stems)
        self.assertLess(((estimate - stems) ** 2).sum(), ((stems.sum(0) - stems) ** 2).sum() + 1e-6)


if __name__ == "__main__":
    unittest.main()
