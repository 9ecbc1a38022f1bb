"""Voices for `vocals-lead` and `dry`: dry lanes of speakers and singers, and choirs sung in harmony from them.

A choir is one performance in several lanes: the same words (or vowels) at intervals of a scale, each lane with its own
intonation, vibrato, timing and sometimes formants. Singing is made with the vocoder WORLD (Morise et al. 2016).
"""

from pathlib import Path

import numpy as np
import pyworld

from . import audio, config, effects, sampler
from .compose import Note, Part
from .render import missing_songs, save_song

PERIOD = 5.0  # ms between frames of the vocoder
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
STEPS = (0, 2, -3, 4, -5, 7, -7)  # of the scale, to the melody: unison, third above, fourth below, … octaves
PARALLEL = (0, 4, 3, -5, 7, -8, 12, -12)  # semitones, for recordings whose key is not known
SINGERS = ("everythingisfree", "oatsu_antagata_dokosa")  # folders of songs; in other recordings people speak
CHOIR_SECONDS = 8.0
LANES = 5


def split_of(path: Path) -> str | None:
    """Whether a recording of data/speech or data/singing is for training, held out, or for neither."""
    name, folder = path.stem, path.parent.name
    if folder == "everythingisfree":
        if any(word in name for word in ("echo", "reverse", "glitch")):
            return None
        return "valid" if name.startswith(config.VALID_SONG.split("_")[1]) else "train"
    held = folder == "oatsu_antagata_dokosa" or name.startswith(config.HELD_SPEAKERS) or name.startswith("Sven")
    return "valid" if held else "train"


def recordings(split: str) -> dict[str, list[Path]]:
    """Dry recordings by voice: the speakers, and those who sing more than single notes."""
    found: dict[str, list[Path]] = {}
    for path in sorted((config.DATA / "speech").glob("*/*.opus")):
        if split_of(path) == split:
            several = path.parent.name in ("nabucasa_samples", "misc_16k_24k")
            found.setdefault(path.stem if several else path.parent.name, []).append(path)
    for folder in SINGERS:
        for path in sorted((config.DATA / "singing" / folder).glob("*.opus")):
            if split_of(path) == split:
                found.setdefault(f"{folder}-{'backing' if 'bg' in path.stem else 'lead'}", []).append(path)
    return found


def levelled(x: np.ndarray) -> np.ndarray:
    return (x * (effects.decibel(-20) / (effects.rms(x) + 1e-9))).astype(np.float32)


class Analysis:
    """What WORLD finds in a mono recording: pitch, envelope and aperiodicity by frame."""

    def __init__(self, x: np.ndarray):
        x = np.ascontiguousarray(x, np.float64)
        coarse, at = pyworld.dio(x, config.RATE, f0_floor=70, f0_ceil=900, frame_period=PERIOD)
        self.pitch = pyworld.stonemask(x, coarse, at, config.RATE)
        self.envelope = pyworld.cheaptrick(x, self.pitch, at, config.RATE)
        self.noise = pyworld.d4c(x, self.pitch, at, config.RATE)

    def synthesize(self, pitch: np.ndarray, index: np.ndarray, formants: float, samples: int) -> np.ndarray:
        """float32 [samples]: frames `index` (fractional) at this pitch, formants scaled by that factor."""
        index = np.clip(index, 0, len(self.pitch) - 1.001)
        whole = index.astype(int)
        part = (index - whole)[:, None]
        envelope = np.exp(np.log(self.envelope[whole]) * (1 - part) + np.log(self.envelope[whole + 1]) * part)
        noise = self.noise[whole]
        if formants != 1:
            bins = envelope.shape[1]
            source = np.minimum(np.arange(bins) / formants, bins - 1.001)
            low, rest = source.astype(int), source - source.astype(int)
            envelope = envelope[:, low] * (1 - rest) + envelope[:, low + 1] * rest
        voiced = self.pitch[whole] > 0
        y = pyworld.synthesize(np.where(voiced, pitch, 0.0), np.ascontiguousarray(envelope), np.ascontiguousarray(noise),
                               config.RATE, PERIOD).astype(np.float32)
        out = np.zeros(samples, np.float32)
        out[: min(samples, len(y))] = y[:samples]
        return out


def wander(rng: np.random.Generator, frames: int, every: float) -> np.ndarray:
    """A slow random curve of unit deviation, with a knot every so many seconds."""
    count = max(2, int(frames * PERIOD / 1000 / every) + 2)
    return np.interp(np.linspace(0, count - 1, frames), np.arange(count), rng.normal(0, 1, count))


def smooth(x: np.ndarray, frames: int) -> np.ndarray:
    return np.convolve(np.pad(x, frames // 2, mode="edge"), np.ones(frames) / frames, "valid")[: len(x)]


def semitone(degree: int, scale: tuple[int, ...]) -> int:
    return scale[degree % 7] + 12 * (degree // 7)


def intoned(rng: np.random.Generator, semitones: np.ndarray) -> np.ndarray:
    """Pitch in Hz of notes (MIDI numbers by frame) as a singer would reach and hold them."""
    frames = len(semitones)
    glided = smooth(smooth(semitones, int(rng.integers(5, 15))), 5)
    t = np.arange(frames) * PERIOD / 1000
    vibrato = float(rng.choice([0, 0.15, 0.35])) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * t + rng.uniform(0, 6.3)) * (
        np.clip(wander(rng, frames, 0.7) + 0.5, 0, 1))
    return 440 * 2 ** ((glided + vibrato + 0.08 * wander(rng, frames, 0.15) + rng.normal(0, 0.05) - 69) / 12)


class Melody:
    """Notes of a scale laid over the syllables of a recording, stretched to singing."""

    def __init__(self, analysis: Analysis, rng: np.random.Generator, frames: int):
        pitch = analysis.pitch
        voiced = smooth((pitch > 0).astype(float), 9) > 0.5
        stretch = np.where(voiced, rng.uniform(1.3, 2.6), 1.0)
        ends = np.cumsum(stretch)
        self.index = np.interp(np.arange(min(frames, int(ends[-1]))), ends, np.arange(len(pitch)))
        sung = voiced[np.clip(self.index.astype(int), 0, len(pitch) - 1)]
        own = 69 + 12 * np.log2(np.median(pitch[pitch > 0]) / 440) if (pitch > 0).any() else 55
        self.scale = MAJOR if rng.random() < 0.55 else MINOR
        self.root = int(round(own + rng.uniform(-3, 5)))
        self.degrees = np.zeros(len(self.index), int)
        self.starts: list[int] = []
        degree, left, before = int(rng.integers(0, 5)), 0, False
        for i, now in enumerate(sung):
            left -= 1
            if now and (not before or left <= 0):
                degree = int(np.clip(degree + rng.choice([-2, -1, -1, 0, 1, 1, 2, 3, -3]), -4, 9))
                left = int(rng.uniform(0.25, 0.9) * 1000 / PERIOD)
                self.starts.append(i)
            self.degrees[i], before = degree, bool(now)

    def semitones(self, steps: int) -> np.ndarray:
        """MIDI numbers by frame of the melody, so many steps of the scale higher."""
        table = np.array([semitone(d + steps, self.scale) for d in range(-6, 12)])
        return self.root + table[self.degrees + 6].astype(float)

    def part(self, steps: int) -> Part:
        """The same as notes, for singers of whom there are only notes."""
        pitches, notes = self.semitones(steps), []
        for start, end in zip(self.starts, [*self.starts[1:], len(self.degrees)], strict=True):
            notes.append(Note(start * PERIOD / 1000, (end - start) * PERIOD / 1000, int(pitches[start]), 90))
        return Part("vocals", 0, notes, "lead")


def choir(seed: int, split: str, voices: dict[str, list[Path]] | None = None) -> np.ndarray | None:
    """Lanes [LANES, samples] of one performance, the first the melody itself; none if the excerpt has no voice."""
    rng = np.random.default_rng([seed, 31])
    voices = voices or recordings(split)
    names = sorted(voices)
    name = names[rng.integers(len(names))]
    path = voices[name][rng.integers(len(voices[name]))]
    singing = path.parent.parent.name == "singing"
    whole = audio.read(path).mean(0)
    wanted = int(config.RATE * (CHOIR_SECONDS if singing else CHOIR_SECONDS * 0.6))
    start = int(rng.integers(0, max(1, len(whole) - wanted)))
    x = levelled(whole[None, start : start + wanted])[0]
    analysis = Analysis(x)
    if (analysis.pitch > 0).mean() < 0.2:
        return None
    samples, frames = int(CHOIR_SECONDS * config.RATE), int(CHOIR_SECONDS * 1000 / PERIOD)
    own = float(2 ** (rng.uniform(-0.22, 0.22) if rng.random() < 0.6 else 0))  # turns one speaker into many
    lanes = []
    melody = None if singing else Melody(analysis, rng, frames)
    steps = [0, *rng.choice(STEPS if melody else PARALLEL, size=LANES - 1, replace=False)]
    for i, step in enumerate(steps):
        if melody and i > 0 and rng.random() < 0.2:
            lane = sampler.play(melody.part(int(step)), CHOIR_SECONDS, rng, split)
            lanes.append(np.zeros(samples, np.float32) if lane is None else lane.mean(0)[:samples])
            continue
        if singing and i == 0:
            lane = np.zeros(samples, np.float32)
            lane[: len(x)] = x
            lanes.append(lane)
            continue
        formants = own * (1 if i == 0 else float(2 ** rng.normal(0, 0.02 if rng.random() < 0.5 else 0.12)))
        if melody:
            index, pitch = melody.index, intoned(rng, melody.semitones(int(step)))
        else:
            index = np.arange(len(analysis.pitch), dtype=float)
            pitch = analysis.pitch * 2 ** ((step + 0.1 * wander(rng, len(index), 0.3)) / 12)
        if i > 0:
            index = np.clip(index + 4 * wander(rng, len(index), 0.4) - rng.uniform(0, 4), 0, None)  # ± 20 ms
        lanes.append(analysis.synthesize(pitch, index, float(np.clip(formants, 0.75, 1.35)), samples))
    return np.stack([levelled(lane[None])[0] if np.abs(lane).max() > 1e-4 else lane for lane in lanes])


def build_lanes() -> None:
    """The dry recordings themselves, one song for each voice."""
    for split in ("train", "valid"):
        for name, paths in recordings(split).items():
            if (config.SONGS / f"lane-{split}-{name}.json").exists():
                continue
            sound = np.concatenate([levelled(audio.read(path).mean(0, keepdims=True)) for path in paths], 1)
            save_song(f"lane-{split}-{name}", ["voice"], sound[None, :, : 10 * 60 * config.RATE], "lane", split)


def build_noises() -> None:
    """The noises of each folder in one row; every eighth is held out."""
    for folder in sorted(p for p in (config.DATA / "noise").iterdir() if p.is_dir()):
        paths = sorted(folder.glob("*.opus"))
        for split, chosen in (("train", [p for i, p in enumerate(paths) if i % 8]), ("valid", paths[::8])):
            if chosen and not (config.SONGS / f"noise-{split}-{folder.name}.json").exists():
                clips = [audio.stereo(audio.read(path)) for path in chosen]
                sound = np.concatenate([x * np.float32(effects.decibel(-20) / (effects.rms(x) + 1e-6)) for x in clips], 1)
                save_song(f"noise-{split}-{folder.name}", ["noise"], sound[None], "noise", split)


def build(minutes: float, wall_minutes: float, first: int = 0) -> None:
    """Lanes of all voices and noises, then choirs until there are `minutes` of them or `wall_minutes` have passed."""
    build_lanes()
    build_noises()
    voices = {split: recordings(split) for split in ("train", "valid")}
    for index, split, name in missing_songs("choir", range(first, first + int(minutes * 60 / CHOIR_SECONDS)), wall_minutes):
        lanes = choir(index, split, voices[split])
        if lanes is not None:
            save_song(name, ["voice"] * len(lanes), lanes[:, None], "choir", split)
            print(name, flush=True)
