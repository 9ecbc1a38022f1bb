"""Vocals as `vocals-lead` gets them: with what the first stage takes from the voices, and what it leaves of music."""

import numpy as np

from . import audio, config, effects, separate
from .mix import Library
from .mix_voices import LeadMixer
from .render import missing_songs, save_song

SECONDS = 8
ALONE = 0.3  # how often there is no music
PEAK = 0.9


class SongMixer(LeadMixer):
    """Choirs with and without music."""

    def music(self) -> np.ndarray:
        """Accompaniment [2, samples] from one song."""
        music, songs = np.zeros((2, self.samples), np.float32), self.library.of("synthetic", "multitrack")
        if not songs:
            return music
        song = songs[self.rng.integers(len(songs))]
        start = self.start(song)
        for index, kind in enumerate(song.kinds):
            if kind != "vocals":
                music += self.slice(song, index, start)
        return music

    def item(self) -> np.ndarray:
        """Lead, backing and music [3, 2, samples], the music 12 dB below the voices to 6 dB above."""
        stems, music = self.together(), np.zeros((2, self.samples), np.float32)
        if self.rng.random() > ALONE:
            music = self.music()
            below = float(self.rng.uniform(-6, 12))
            music *= np.float32(effects.decibel(-below) * effects.rms(stems.sum(0)) / (effects.rms(music) + 1e-3))
        return np.stack([*stems, music])


def vocals(separator: separate.Separator, parts: np.ndarray) -> np.ndarray:
    """Lead and all else [2, 2, n] of the vocals that the first stage finds in the sum of lead, backing and music [3, 2, n]."""
    mask = separator.masks(audio.stft(parts.sum(0)))["fused"][0]
    lead, backing, music = (separate.apply(mask[None], part)[0] for part in parts)
    return np.stack([lead, backing + music])


def build(minutes: float, wall_minutes: float, first: int = 0) -> None:
    """Vocals of songs until there are `minutes` of them or `wall_minutes` have passed."""
    separator = separate.Separator(fusion=separate.load_fusion())
    libraries = {split: Library(split) for split in ("train", "valid")}
    for index, split, name in missing_songs("heard", range(first, first + int(minutes * 60 / SECONDS)), wall_minutes):
        found = vocals(separator, SongMixer(libraries[split], SECONDS * config.RATE, seed=index).levelled())
        save_song(name, ["lead", "backing"], found * np.float32(PEAK / max(float(np.abs(found).max()), PEAK)), "heard", split)
        print(name, flush=True)
