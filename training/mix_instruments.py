"""Training items of the second stage: what is in *other*, divided among instruments and a rest."""

import numpy as np

from . import config
from .mix import Mixer

LUMPED = ("lithium", "potassium")  # multitracks whose "other" has pianos and mallets among the synthesizers


class InstrumentMixer(Mixer):
    """Draws seven stems. Every kind has the same level and presence, or the network learns which is likelier."""

    stems = config.INSTRUMENTS
    tries = 6

    def lone(self, kind: str) -> np.ndarray:
        if kind in ("vocals", "drum", "bass"):
            return super().lone(kind)
        rng = self.rng
        songs = self.library.with_kind(kind, "ensemble", "synthetic")
        if kind == "synthesizer" and rng.random() < 0.15:
            real = [s for s in self.library.with_kind(kind, "multitrack") if not s.name.endswith(LUMPED)]
            songs = real or songs
        return self.part_of(songs, kind, varispeed=0.25)

    def leak(self) -> np.ndarray:
        """What the first stage leaves of a voice, drums or bass: 12 to 30 dB below a part."""
        kind = str(self.rng.choice(["vocals", "drum", "bass"]))
        return self.vary(self.lone(kind), kind) * np.float32(10 ** (-self.rng.uniform(12, 30) / 20))

    def item(self) -> np.ndarray:
        """float32 [7, 2, samples].

        12 % solos and 18 % duos drawn evenly among kinds, 35 % two to five parts of one song, 35 % two to five
        of different songs; a quarter of all items with a leak of the first stage in the rest.
        """
        rng = self.rng
        stems = np.zeros((len(self.stems), 2, self.samples), np.float32)
        draw, songs = rng.random(), self.library.of("ensemble")
        if draw < 0.35 and songs:
            song = songs[rng.integers(len(songs))]
            start = self.start(song)
            for index in rng.permutation(len(song.kinds))[: int(rng.integers(2, 6))]:
                kind = song.kinds[index]
                stems[self.stems.index(kind)] += self.vary(self.slice(song, int(index), start), kind)
        else:
            count = int(rng.integers(2, 6)) if draw < 0.70 else 1 if draw < 0.82 else 2
            for kind in rng.choice(self.stems, size=count, replace=False):
                stems[self.stems.index(kind)] += self.vary(self.lone(str(kind)), str(kind))
        if rng.random() < 0.25:
            stems[-1] += self.leak()
        return stems
