"""Mixes training items on the fly from the songs on disk.

Each item is four stems (vocals, drum, bass, other) whose sum is the mixture. How often a kind of
material appears is decided here, and decides what the network believes: see `Mixer.item`.
"""

import json
import queue
import threading
from dataclasses import dataclass

import numpy as np

from . import config, effects, rooms

GAIN_DB = {"vocals": 1.5, "drum": 0.0, "bass": -1.0}  # other kinds: -4, for there are several at once


@dataclass
class Song:
    """A song on disk, its samples mapped into memory."""

    name: str
    kinds: list[str]
    source: str
    sound: np.ndarray  # int16 [parts, 2, n]


class Library:
    """The songs of one split; `refresh` finds those that were rendered since."""

    def __init__(self, split: str):
        self.split = split
        self.songs: dict[str, Song] = {}
        self.refresh()

    def refresh(self) -> None:
        for path in sorted(config.SONGS.glob("*.json")):
            if path.stem in self.songs:
                continue
            about = json.loads(path.read_text())
            if about["split"] == self.split:
                sound = np.load(path.with_suffix(".npy"), mmap_mode="r")
                self.songs[path.stem] = Song(path.stem, about["kinds"], about["source"], sound)

    def of(self, *sources: str) -> list[Song]:
        return [song for song in self.songs.values() if song.source in sources]

    def with_kind(self, kind: str, *sources: str) -> list[Song]:
        return [song for song in self.of(*sources) if kind in song.kinds]


class Mixer:
    """Draws items from a library with one random generator."""

    stems = config.STEMS
    tries = 3  # starts, of which the one with the most sound is taken

    def __init__(self, library: Library, samples: int, seed: int):
        self.library = library
        self.samples = samples
        self.rng = np.random.default_rng(seed)

    def slice(self, song: Song, index: int, start: int, speed: float = 1.0) -> np.ndarray:
        """float32 [2, samples] of one part; `speed` other than one is varispeed."""
        n = int(self.samples * speed) + 2
        x = np.zeros((2, n), np.float32)
        piece = song.sound[index, :, start : start + n]
        x[:, : piece.shape[1]] = piece.astype(np.float32) / 32768
        if speed == 1.0:
            return x[:, : self.samples]
        at = np.arange(self.samples) * speed
        return np.stack([np.interp(at, np.arange(n), channel) for channel in x]).astype(np.float32)

    def start(self, song: Song, index: int | None = None) -> int:
        """A random start; for one part the best of some, so that rests are rarer than in songs."""
        limit = max(1, song.sound.shape[2] - int(self.samples * 1.25))
        starts = self.rng.integers(0, limit, size=self.tries if index is not None else 1)
        if index is None:
            return int(starts[0])
        power = [np.abs(song.sound[index, 0, s : s + self.samples : 64].astype(np.float32)).mean() for s in starts]
        return int(starts[int(np.argmax(power))])

    def vary(self, x: np.ndarray, kind: str, spread: float = 4.0) -> np.ndarray:
        """Gain, polarity, channel swap and width of one part."""
        rng = self.rng
        gain = 10 ** ((GAIN_DB.get(kind, -4.0) + rng.normal(0, spread)) / 20)
        if rng.random() < 0.5:
            gain = -gain
        if rng.random() < 0.5:
            x = x[::-1]
        if rng.random() < 0.3:
            mid, side = x.mean(0), (x[0] - x[1]) / 2 * rng.uniform(0, 1.4)
            x = np.stack([mid + side, mid - side])
        return x * np.float32(gain)

    def quieter(self) -> np.float32:
        """A gain for the voice: in two items of five below what songs usually have, by 6 dB on average."""
        return np.float32(10 ** (-self.rng.exponential(6) / 20)) if self.rng.random() < 0.4 else np.float32(1)

    def lone(self, kind: str) -> np.ndarray:
        """One part of a kind from anywhere, sometimes by varispeed."""
        rng, library = self.rng, self.library
        if kind == "vocals":
            if rng.random() < 0.3 and (choirs := library.of("choir")):
                return self.made_singer(choirs)
            source = rng.choice(["singing", "multitrack", "synthetic", "speech"], p=[0.45, 0.2, 0.15, 0.2])
            songs = library.with_kind(kind, str(source)) or library.with_kind(kind, "synthetic", "singing", "multitrack", "speech")
        elif kind in ("drum", "bass") and rng.random() < 0.2:
            songs = library.with_kind(kind, "multitrack") or library.with_kind(kind, "synthetic")
        else:
            songs = library.with_kind(kind, "synthetic")
        return self.part_of(songs, kind, varispeed=0.5 if kind == "vocals" else 0.15)

    def made_singer(self, choirs: list[Song]) -> np.ndarray:
        """A voice that sings what somebody spoke (see `voices.py`), through a studio's effects drawn anew."""
        rng = self.rng
        song = choirs[rng.integers(len(choirs))]
        index = int(rng.integers(len(song.kinds)))
        speed = float(2 ** rng.uniform(-0.2, 0.2)) if rng.random() < 0.5 else 1.0
        return effects.dress(self.slice(song, index, self.start(song, index), speed), "vocals", rng)

    def choir(self, choirs: list[Song]) -> np.ndarray:
        """Two to five voices that sing together, each in a place of its own."""
        rng = self.rng
        song = choirs[rng.integers(len(choirs))]
        start, x = self.start(song, 0), np.zeros((2, self.samples), np.float32)
        for index in rng.permutation(len(song.kinds))[: int(rng.integers(2, 6))]:
            voice, angle = self.slice(song, int(index), start)[0], float(rng.uniform(0, np.pi / 2))
            gain = np.float32(effects.decibel(float(rng.uniform(-10, 0))))
            x += np.stack([voice * np.float32(np.cos(angle)), voice * np.float32(np.sin(angle))]) * gain
        return x * np.float32(effects.decibel(-20) / (effects.rms(x) + 1e-3))

    def in_room(self, x: np.ndarray) -> np.ndarray:
        """A part as it is heard from one place in a room that was silent before, as loud as by itself."""
        response = rooms.response(self.rng, self.library.split)
        y = rooms.convolve(x.mean(0), response, self.samples)
        return y * np.float32(effects.rms(x) / (effects.rms(y) + 1e-9))

    def vocals(self) -> np.ndarray:
        """All vocals of an item: 64 % one voice, 16 % two, 20 % a choir; a quarter of each in a room."""
        rng = self.rng
        if rng.random() < 0.2 and (choirs := self.library.of("choir")):
            x = self.vary(self.choir(choirs), "vocals")
        else:
            x = self.vary(self.lone("vocals"), "vocals")
            if rng.random() < 0.2:
                x = x + self.vary(self.lone("vocals"), "vocals") * 0.5
        return self.in_room(x) if rng.random() < 0.25 else x

    def part_of(self, songs: list[Song], kind: str, varispeed: float) -> np.ndarray:
        """A part of this kind of one of these songs, by varispeed with this probability."""
        rng = self.rng
        if not songs:
            return np.zeros((2, self.samples), np.float32)
        song = songs[rng.integers(len(songs))]
        index = int(rng.choice([i for i, k in enumerate(song.kinds) if k == kind]))
        speed = float(2 ** rng.uniform(-0.25, 0.25)) if rng.random() < varispeed else 1.0
        return self.slice(song, index, self.start(song, index), speed)

    def item(self) -> np.ndarray:
        """float32 [4, 2, samples].

        26 % solos and duos drawn evenly among kinds, 24 % real multitracks, 25 % coherent synthetic
        songs, 25 % parts of different songs. Voices are absent in 38 % of the items; of those beside the multitracks' own,
        a fifth are choirs, and of the rest 30 % singing made of speech where choirs were built, 10 % sung vowels played by the composer, 14 % speech, the rest
        songs that people sang.
        """
        rng = self.rng
        stems = np.zeros((4, 2, self.samples), np.float32)
        draw = rng.random()
        if draw < 0.26:
            for kind in rng.choice(config.KINDS, size=1 + (rng.random() < 0.5), replace=False):
                x = self.vocals() if kind == "vocals" else self.vary(self.lone(str(kind)), kind)
                stems[config.stem_of(kind)] += x
            return stems
        voice = rng.random() < 0.81  # with the solos this leaves 38 % of all items without one
        real = self.library.of("multitrack")
        if draw < 0.50 and real:
            song = real[rng.integers(len(real))]
            start = self.start(song)
            for index, kind in enumerate(song.kinds):
                if (kind == "vocals" and not voice) or rng.random() < 0.1:
                    continue
                x = self.slice(song, index, start) * (10 ** (rng.normal(0, 3) / 20))
                if kind == "vocals":
                    x = x * self.quieter()
                stems[config.stem_of(kind)] += x[::-1] if rng.random() < 0.3 else x
            for kind in ("bass", "drum"):
                if kind not in song.kinds and rng.random() < 0.4:
                    stems[config.stem_of(kind)] += self.vary(self.lone(kind), kind) * 0.5
            return stems
        if draw < 0.75:
            songs = self.library.of("synthetic")
            song = songs[rng.integers(len(songs))]
            start = self.start(song)
            for index, kind in enumerate(song.kinds):
                if kind != "vocals" and rng.random() < 0.85:
                    stems[config.stem_of(kind)] += self.vary(self.slice(song, index, start), kind)
        else:
            for kind in ("drum", "bass"):
                if rng.random() < 0.8:
                    stems[config.stem_of(kind)] += self.vary(self.lone(kind), kind)
            for kind in rng.choice(config.OTHER_KINDS, size=int(rng.integers(1, 5))):
                stems[3] += self.vary(self.lone(str(kind)), str(kind))
        if voice:
            stems[0] += self.vocals() * self.quieter()
        return stems

    def levelled(self) -> np.ndarray:
        """An item whose mixture lies around the networks' input level; silence is drawn again."""
        for _ in range(20):
            stems = self.item()
            value = float(np.sqrt((stems.sum(0) ** 2).mean()))
            if np.isfinite(value) and value > 1e-4:
                wanted = config.LEVEL_DBFS + self.rng.normal(0, 4)
                return stems * np.float32(10 ** (wanted / 20) / value)
        return stems

    def batch(self, size: int) -> np.ndarray:
        return np.stack([self.levelled() for _ in range(size)])


class Feeder:
    """Mixes batches in a thread ahead of the trainer, and looks for new songs now and then."""

    def __init__(self, mixer: Mixer, size: int, ahead: int = 6):
        self.queue: queue.Queue = queue.Queue(ahead)
        self.mixer, self.size = mixer, size
        threading.Thread(target=self.work, daemon=True).start()

    def work(self) -> None:
        count = 0
        while True:
            try:
                batch = self.mixer.batch(self.size)
            except (OSError, ValueError) as error:  # a song that was removed or cut short: go on with others
                print(f"mixing failed once: {error}", flush=True)
                continue
            self.queue.put(batch)
            count += 1
            if count % 100 == 0:
                self.mixer.library.refresh()

    def next(self) -> np.ndarray:
        return self.queue.get()
