"""Turns compositions and recordings into songs on disk that the mixer reads.

A song is `<name>.npy`, int16 [parts, 2, samples], and `<name>.json`, which tells the kind of each part,
where the song came from and whether it is training or validation material.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import fluidsynth
import numpy as np

from . import audio, config, effects, sampler, synth
from .compose import Composer, Part


class Synthesizer:
    """fluidsynth with one bank loaded once, rendering one part at a time."""

    def __init__(self, path: Path):
        self.kit = path in config.TRAIN_DRUM_KITS
        self.engine = fluidsynth.Synth(gain=0.35, samplerate=float(config.RATE))
        self.bank = self.engine.sfload(str(path))
        self.engine.set_reverb(0.3, 0.4, 0.5, 0.15)
        self.engine.set_chorus(1, 0.2, 0.3, 4.0, 0)

    def render(self, part: Part, seconds: float) -> np.ndarray:
        """float32 [2, n] of one part."""
        self.engine.system_reset()
        channel = 9 if part.kind == "drum" else 0
        number = 128 if part.kind == "drum" else 0
        if self.kit:
            self.engine.program_select(channel, self.bank, 0, 0)  # drum soundfonts keep their kit in bank 0
        elif self.engine.program_select(channel, self.bank, number, part.program) != 0:
            self.engine.program_select(channel, self.bank, number, 0)
        events = [(n.start, 1, n) for n in part.notes] + [(n.start + n.length, 0, n) for n in part.notes]
        blocks, now = [], 0
        for at, is_on, note in sorted(events, key=lambda e: (e[0], e[1])):
            sample = min(int(at * config.RATE), int(seconds * config.RATE))
            if sample > now:
                blocks.append(self.engine.get_samples(sample - now))
                now = sample
            if is_on:
                self.engine.noteon(channel, note.pitch, note.velocity)
            else:
                self.engine.noteoff(channel, note.pitch)
        if int(seconds * config.RATE) > now:
            blocks.append(self.engine.get_samples(int(seconds * config.RATE) - now))
        return np.concatenate(blocks).reshape(-1, 2).T.astype(np.float32) / 32768


class Renderer:
    """Renders whole songs; loads soundfonts when first needed.

    An `ensemble` has more banks, and synthesizers of `synth.py`. `recorded` plays all that it can with recorded notes.
    """

    def __init__(self, test: bool = False, ensemble: bool = False, recorded: bool = False):
        self.test, self.ensemble, self.recorded = test, ensemble, recorded
        self.loaded: dict[Path, Synthesizer] = {}

    def synthesizer(self, path: Path) -> Synthesizer:
        if path not in self.loaded:
            self.loaded[path] = Synthesizer(path)
        return self.loaded[path]

    def part(self, part: Part, seconds: float, rng: np.random.Generator, split: str) -> np.ndarray:
        """One part by a soundfont or by recorded notes (singing always by recorded vowels)."""
        if part.kind == "vocals":
            return sampler.play(part, seconds, rng, split)
        if self.test:
            return self.synthesizer(config.TEST_BANK).render(part, seconds)
        chance = {"drum": 0.35, "strings": 0.45, "wind": 0.5, "bass": 0.3, "electric_guitar": 0.35, "rest": 0}.get(part.kind, 0.25)
        if rng.random() < (1 if self.recorded and chance else chance):
            if part.kind == "drum":
                return sampler.play_drums(part, seconds, rng)
            return sampler.play(part, seconds, rng, split)
        if part.kind == "bass" and rng.random() < 0.35:
            return synth.play(part, seconds, rng)
        if self.ensemble and part.kind == "synthesizer" and (draw := rng.random()) < 0.55:
            if draw < 0.1 and config.FM_BANK.exists():
                return self.synthesizer(config.FM_BANK).render(part, seconds)
            return synth.play(part, seconds, rng)
        weights = config.TRAIN_BANKS
        banks = [b for b in weights if b.exists()]
        kits = [kit for kit in config.TRAIN_DRUM_KITS if kit.exists()]
        if part.kind == "drum" and kits and rng.random() < 0.3:
            return self.synthesizer(kits[rng.integers(len(kits))]).render(part, seconds)
        weight = np.array([weights[b] for b in banks])
        return self.synthesizer(banks[rng.choice(len(banks), p=weight / weight.sum())]).render(part, seconds)

    def song(self, seed: int, seconds: float, split: str = "train", kinds: list[str] | None = None) -> tuple[list[str], np.ndarray]:
        """Kinds and float32 [parts, 2, n], each part at −20 dBFS RMS."""
        rng = np.random.default_rng(seed)
        if kinds is None:
            extra = [str(k) for k in rng.choice(config.OTHER_KINDS, size=int(rng.integers(3, 6)), replace=True)]
            kinds = ["drum", "bass", *extra] + (["vocals"] if rng.random() < 0.5 else [])
        composition = Composer(rng, seconds).compose(kinds)
        if self.ensemble and not self.test:
            for part in composition.parts:  # how hard an instrument is played colours it
                force = float(rng.uniform(0.55, 1.2))
                for note in part.notes:
                    note.velocity = int(np.clip(note.velocity * force, 15, 127))
        parts = []
        for part in composition.parts:
            sound = self.part(part, composition.seconds, rng, split)
            parts.append(effects.dress(sound, part.kind, rng, composition.tempo))
        return kinds, np.stack(parts)


def save_song(name: str, kinds: list[str], sound: np.ndarray, source: str, split: str) -> None:
    """Writes a song so that a reader finds it whole or not at all."""
    peak = np.abs(sound).max(axis=(1, 2), keepdims=True)
    sound = sound / np.maximum(peak / 0.99, 1) if source != "multitrack" else sound / max(float(peak.max()) / 0.99, 1)
    audio.write_atomically(config.SONGS / f"{name}.npy", lambda f: np.save(f, np.round(sound * 32767).astype(np.int16)))
    about = json.dumps({"kinds": kinds, "source": source, "split": split})
    audio.write_atomically(config.SONGS / f"{name}.json", lambda f: f.write(about.encode()))


def missing_songs(source: str, numbers: range, minutes: float) -> Iterator[tuple[int, str, str]]:
    """Number, split and name of each of these songs that is not there yet, until so many minutes have passed. One in twelve is held out."""
    began = time.monotonic()
    for number in numbers:
        if time.monotonic() - began > minutes * 60:
            return
        split = "valid" if number % 12 == 5 else "train"
        name = f"{source}-{split}-{number:05d}"
        if not (config.SONGS / f"{name}.json").exists():
            yield number, split, name


def build_recordings() -> None:
    """Real multitracks, singing and speech as songs."""
    for folder in sorted(p for p in (config.DATA / "multitrack").iterdir() if p.is_dir()):
        stems = {path.stem: audio.stereo(audio.read(path)) for path in sorted(folder.glob("*.opus"))}
        n = min(x.shape[1] for x in stems.values())
        kinds = [{"drums": "drum", "other": "synthesizer"}.get(name, name) for name in stems]
        split = "valid" if folder.name == config.VALID_SONG else "train"
        save_song(f"multitrack-{folder.name}", kinds, np.stack([x[:, :n] for x in stems.values()]), "multitrack", split)
    held_song = config.VALID_SONG.split("_")[1]
    rng = np.random.default_rng(7)
    for folder in (*sorted((config.DATA / "singing").iterdir()), *sorted((config.DATA / "speech").iterdir())):
        speech = folder.parent.name == "speech"
        split = "valid" if folder.name in config.VALID_VOICES else "train"
        if folder.name in ("spectmorph_vowels", "olpc_berklee_voices"):
            continue  # these are played as instruments
        clips = []
        for path in sorted(folder.glob("*.opus")):
            if folder.name == "everythingisfree" and path.stem.startswith(held_song):
                continue
            x = audio.stereo(audio.read(path))
            clips.append(x * (effects.decibel(-20) / (effects.rms(x) + 1e-9)))
        if not clips:
            continue
        whole = np.concatenate(clips, 1)[:, : 12 * 60 * config.RATE]
        for dressed in (False,) if speech else (False, True):
            sound = whole
            if dressed or speech:
                pieces = np.array_split(whole, max(1, whole.shape[1] // (20 * config.RATE)), axis=1)
                sound = np.concatenate([effects.dress(p, "vocals", rng) for p in pieces], 1)
            name = f"voice-{folder.name}" + ("-dressed" if dressed else "")
            save_song(name, ["vocals"], sound[None], "speech" if speech else "singing", split)


def ensemble_kinds(seed: int) -> list[str]:
    """Five to seven different instruments, sometimes one of them twice."""
    rng = np.random.default_rng([seed, 2])
    kinds = [str(k) for k in rng.permutation(config.INSTRUMENTS)[: int(rng.integers(5, 8))]]
    return kinds + [kinds[0]] * (rng.random() < 0.3)


def build(minutes: float, seconds: float = 40, wall_minutes: float = 20, ensemble: bool = False, first: int = 0,
          recorded: bool = False) -> None:
    """Adds recordings, then synthetic songs until `minutes` of them exist or `wall_minutes` have passed.

    With `ensemble` songs of pitched instruments alone, for `music-instruments`. Several processes may build at
    once if each has a `first` number of its own.
    """
    began = time.monotonic()
    renderer, wanted = Renderer(ensemble=ensemble, recorded=recorded), int(minutes * 60 / seconds)
    source, seeds = ("ensemble", 500_000) if ensemble else ("synthetic", 1000)
    for index in range(first, first + wanted):
        if index == min(12, wanted // 2) and not any(config.SONGS.glob("multitrack-*.json")):
            build_recordings()
        if time.monotonic() - began > wall_minutes * 60:
            break
        split = "valid" if index % 12 == 5 else "train"
        name = f"{source}-{split}-{index:05d}"
        if (config.SONGS / f"{name}.json").exists():
            continue
        kinds = ensemble_kinds(seeds + index) if ensemble else None
        kinds, sound = renderer.song(seeds + index, seconds, split, kinds)
        save_song(name, kinds, sound, source, split)
        print(f"{name}: {', '.join(kinds)}", flush=True)
