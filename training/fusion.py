"""Learns how to combine Spleeter's and the core model's opinions on vocals, on validation material.

For every band, logit(v) = a·logit(spleeter) + c·logit(core) + d. Spleeter has heard 25,000 songs, the core
network a few, and the validation clips come from the same few singers and renderers: on them it looks better
than on other songs. So the fit starts from PRIOR, mostly Spleeter's opinion, and pays DISTRUST for the square of
every step away. These four numbers were set with the evaluation songs in view; all else knows only validation. The objective is the mean over clips of
the error of the masked mixture in dB, so that every clip counts alike whatever its level; on clips
without a voice it is the energy that leaks into vocals, down to 35 dB below the mixture.
"""

import json
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import audio, config, effects, separate
from .mix import Library, Song

SECONDS = 12
EDGES = (0, 8, 16, 28, 44, 64, 92, 130, 186, 260, 370, 520, 744, 1024, 1536, config.FULL_BINS)
FLOOR_DB = -35.0
SILENCE_WEIGHT = 0.1  # a dB less leakage into silent vocals is worth less than a dB of vocals
PRIOR = (0.7, 0.1, 0.2)
DISTRUST = 8.0
STRIDE = 8  # one frame in eight is enough for some forty numbers


@dataclass
class Clip:
    """A validation mixture: what was mixed, and both opinions on it."""

    name: str
    mixture: Tensor  # complex [2, T, F]
    vocals: Tensor
    opinions: tuple[Tensor, Tensor]  # logits [2, T, F]

    @property
    def has_voice(self) -> bool:
        return bool(self.vocals.abs().square().sum() > 1e-4 * self.mixture.abs().square().sum())


def part(song: Song, kind: str, start: int, samples: int) -> np.ndarray:
    """Sum of the parts of a song: one kind, or with `accompaniment` all but vocals."""
    chosen = [i for i, k in enumerate(song.kinds) if (k != "vocals" if kind == "accompaniment" else k == kind)]
    sound = np.zeros((2, samples), np.float32)
    for i in chosen:
        piece = song.sound[i, :, start : start + samples].astype(np.float32) / 32768
        sound[:, : piece.shape[1]] += piece
    return sound


def with_rests(voice: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The voice silenced for a third to two thirds of the clip: in songs singers pause."""
    length = int(rng.uniform(0.33, 0.67) * voice.shape[1])
    start = int(rng.integers(0, voice.shape[1] - length))
    gain = np.ones(voice.shape[1], np.float32)
    gain[start : start + length] = 0
    smooth = np.ones(2205, np.float32) / 2205
    return voice * np.convolve(gain, smooth, "same").astype(np.float32)


def mixtures(seed: int = 3) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, vocals, accompaniment): the held-out song as it is, held-out voices on held-out music, music alone."""
    rng, library, n = np.random.default_rng(seed), Library("valid"), SECONDS * config.RATE
    real, synthetic = library.of("multitrack"), library.of("synthetic")
    voices = library.of("singing") + library.of("speech")
    found = []

    def loud_start(song: Song, kind: str) -> int:
        starts = rng.integers(0, max(1, song.sound.shape[2] - n), 12)
        return int(max(starts, key=lambda s: float((part(song, kind, int(s), n) ** 2).mean())))

    def accompaniment(i: int) -> np.ndarray:
        song = real[0] if real and i % 3 == 0 else synthetic[rng.integers(len(synthetic))]
        return part(song, "accompaniment", loud_start(song, "accompaniment"), n)

    for song in real:
        for i in range(10):
            start = int(rng.integers(0, song.sound.shape[2] - n))
            found.append((f"{song.name} {i}", part(song, "vocals", start, n), part(song, "accompaniment", start, n)))
    sung = [song for song in synthetic if "vocals" in song.kinds]
    for i in range(24):
        if i % 4 == 3 and sung:
            song = sung[rng.integers(len(sung))]
            voice, name = part(song, "vocals", 0, n), f"vowels {song.name}"
        else:
            song = voices[rng.integers(len(voices))]
            voice, name = part(song, "vocals", loud_start(song, "vocals"), n), song.name
        music = accompaniment(i)
        gain = effects.rms(music) / (effects.rms(voice) + 1e-9) * effects.decibel(float(rng.normal(-4, 4)))
        if i % 2:
            voice = with_rests(voice, rng)
        found.append((f"{name} over music {i}", voice * gain, music))
    for i in range(8):
        found.append((f"music alone {i}", np.zeros((2, n), np.float32), accompaniment(i)))
    return found


def prepare(separator: separate.Separator) -> list[Clip]:
    clips = []
    for name, vocals, music in mixtures():
        spectrum = audio.stft(vocals + music)
        opinions = (separate.spleeter_masks(separator.spleeter, spectrum)[0], separator.core.masks(spectrum)[0])
        logits = tuple(torch.from_numpy(separate.logit(m[:, ::STRIDE].copy())) for m in opinions)
        target = audio.stft(vocals)[:, ::STRIDE].copy()
        clips.append(Clip(name, torch.from_numpy(spectrum[:, ::STRIDE].copy()), torch.from_numpy(target), logits))
    return clips


def error_db(clip: Clip, mask: Tensor) -> Tensor:
    """Error of the vocals in dB relative to them (or, where there are none, to the mixture), with a floor."""
    error = (mask * clip.mixture - clip.vocals).abs().square().sum()
    energy, whole = clip.vocals.abs().square().sum(), clip.mixture.abs().square().sum()
    if not clip.has_voice:
        energy = whole
    return 10 * torch.log10(error / energy + 10 ** (FLOOR_DB / 10))


class Weights(torch.nn.Module):
    """a, c and d by band."""

    def __init__(self) -> None:
        super().__init__()
        bands = len(EDGES) - 1
        self.values = torch.nn.Parameter(torch.tensor(PRIOR).repeat(bands, 1))
        widths = torch.tensor([b - a for a, b in zip(EDGES[:-1], EDGES[1:], strict=True)])
        self.register_buffer("index", torch.repeat_interleave(torch.arange(bands), widths))

    def forward(self, clip: Clip) -> Tensor:
        a, c, d = self.values.clamp(min=torch.tensor([0.0, 0.0, -9.0])).T
        first, second = clip.opinions
        return torch.sigmoid(a[self.index] * first + c[self.index] * second + d[self.index])

    def roughness(self) -> Tensor:
        return (self.values[1:] - self.values[:-1]).square().sum()

    def distance(self) -> Tensor:
        return (self.values - torch.tensor(PRIOR)).square().sum()


def fit(clips: list[Clip], steps: int = 150, distrust: float = DISTRUST) -> Weights:
    weights, generator = Weights(), np.random.default_rng(0)
    optimiser = torch.optim.Adam(weights.parameters(), 0.06)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 0.06 * (1 - step / steps)
        batch = [clips[i] for i in generator.choice(len(clips), min(8, len(clips)), replace=False)]
        errors = [error_db(clip, weights(clip)) * (1 if clip.has_voice else SILENCE_WEIGHT) for clip in batch]
        loss = sum(errors) / len(batch) + 0.1 * weights.roughness() + distrust * weights.distance()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return weights


def mean_error(clips: list[Clip], choose) -> float:
    with torch.inference_mode():
        return float(np.mean([float(error_db(clip, choose(clip))) for clip in clips]))


def learn(threads: int = 1, core: object = None) -> dict:
    """Fits on all clips, reports what leaving a third out says, writes Models/fusion.json."""
    torch.set_num_threads(threads)
    clips = prepare(separate.Separator(core, threads))
    print(f"{len(clips)} clips; mean error in dB: spleeter {mean_error(clips, lambda c: torch.sigmoid(c.opinions[0])):.2f}, "
          f"core {mean_error(clips, lambda c: torch.sigmoid(c.opinions[1])):.2f}")
    folds = [fit([c for i, c in enumerate(clips) if i % 3 != k]) for k in range(3)]
    unseen = np.mean([mean_error([c for i, c in enumerate(clips) if i % 3 == k], folds[k]) for k in range(3)])
    weights = fit(clips, 250)
    print(f"fused: {unseen:.2f} on clips left out, {mean_error(clips, weights):.2f} on all")
    with torch.inference_mode():
        for clip in clips:
            masks = [torch.sigmoid(clip.opinions[0]), torch.sigmoid(clip.opinions[1]), weights(clip)]
            print(f"  {clip.name}: " + " ".join(f"{float(error_db(clip, m)):.1f}" for m in masks))
    values = weights.values.detach().clamp(min=torch.tensor([0.0, 0.0, -9.0])).numpy()
    fusion = {
        "format": 1, "stem": "vocals", "packs": ["spleeter-2stems", "music-core"],
        "grid": {"sample_rate": config.RATE, "size": config.SIZE, "hop": config.HOP},
        "bands": [
            {"from": a, "to": b, "weights": [round(float(v[0]), 4), round(float(v[1]), 4)], "bias": round(float(v[2]), 4)}
            for a, b, v in zip(EDGES[:-1], EDGES[1:], values, strict=True)
        ],
    }
    path = config.PACKS / "fusion.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fusion, indent=1) + "\n")
    return fusion
