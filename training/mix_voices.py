"""Training items of `vocals-lead` and of `dry`, from the lanes and choirs of `voices.py` and the vocals of `heard.py`."""

import numpy as np

from . import config, rooms
from .effects import decibel, rms
from .mix import Mixer, Song


def pan(x: np.ndarray, position: float) -> np.ndarray:
    """Mono [n] to [2, n] at −1 (left) to 1 (right), constant power; unchanged in the middle."""
    angle = np.pi / 4 * (1 + float(np.clip(position, -1, 1)))
    return np.stack([x * np.float32(np.cos(angle)), x * np.float32(np.sin(angle))]) * np.float32(np.sqrt(2))


class VoiceMixer(Mixer):
    """What both tasks share: mono lanes of one split."""

    def lane(self, song: Song, index: int, start: int, n: int, speed: float = 1.0) -> np.ndarray:
        """float32 [n] of a lane from `start`, silent before it begins and after its end."""
        wanted = int(n * speed) + 2
        first, last = max(0, start), max(0, start + wanted)
        piece = song.sound[index, 0, first:last].astype(np.float32) / 32768
        x = np.zeros(wanted, np.float32)
        x[first - start : first - start + len(piece)] = piece
        return x[:n] if speed == 1 else np.interp(np.arange(n) * speed, np.arange(wanted), x).astype(np.float32)

    def solo(self, n: int, sources: tuple[str, ...] = ("lane",)) -> np.ndarray:
        """A voice [n] by itself, often by varispeed: another speaker of another size."""
        songs, rng = self.library.of(*sources), self.rng
        song = songs[rng.integers(len(songs))]
        index = int(rng.integers(len(song.kinds)))
        speed = float(2 ** rng.uniform(-0.3, 0.3)) if rng.random() < 0.5 else 1.0
        return self.lane(song, index, self.start(song, index), n, speed)


class LeadMixer(VoiceMixer):
    """One voice in the middle, and those behind it: lead and backing, the latter with what a first stage leaves of music."""

    stems = ("lead", "backing")
    related = 0.75  # how often the voices are those of one choir
    heard = 0.35  # how often the vocals are those that a first stage found in a song, where such were built

    def positions(self, count: int) -> np.ndarray:
        """Where backing voices stand: on both sides, anywhere, or close to the lead."""
        rng, draw = self.rng, self.rng.random()
        if draw < 0.45:
            sides = np.where(np.arange(count) % 2 == 0, 1, -1) * rng.choice([-1, 1])
            return sides * rng.uniform(0.35, 1, count)
        return rng.uniform(-1, 1, count) if draw < 0.85 else rng.normal(0, 0.2, count)

    def voices(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """A lead [n] and none to four others: lanes of one choir, or of different recordings."""
        rng, n = self.rng, self.samples
        choirs = self.library.of("choir")
        count = int(rng.integers(1, 5))
        if choirs and rng.random() < self.related:
            song = choirs[rng.integers(len(choirs))]
            start = self.start(song, 0)
            order = np.arange(len(song.kinds)) if rng.random() < 0.6 else rng.permutation(len(song.kinds))
            speed = float(2 ** rng.uniform(-0.2, 0.2)) if rng.random() < 0.4 else 1.0
            lanes = [self.lane(song, int(i), start, n, speed) for i in order[: count + 1]]
            if rng.random() < 0.25:  # a second take of the lead
                lanes[-1] = self.lane(song, int(order[0]), start - int(rng.uniform(0.008, 0.04) * config.RATE), n,
                                      speed * (1 + float(rng.normal(0, 0.002))))
            return lanes[0], lanes[1:]
        sources = ("lane", "choir") if choirs else ("lane",)
        return self.solo(n), [self.solo(n, sources) for _ in range(count)]

    def seated(self, x: np.ndarray, chance: float, wet: tuple[float, float]) -> np.ndarray:
        """[2, n] with a room behind it in some cases, so many dB below it."""
        rng = self.rng
        if rng.random() > chance:
            return x
        response = rooms.response(rng, self.library.split)
        tail = rooms.convolve(x.mean(0), response[:, : int(1.2 * config.RATE)], x.shape[1])
        return x + tail * np.float32(decibel(float(rng.uniform(*wet))) * rms(x) / (rms(tail) + 1e-9))

    def leftovers(self) -> np.ndarray:
        """Something of the accompaniment."""
        songs = [s for s in self.library.of("synthetic", "ensemble") if set(s.kinds) - {"vocals"}]
        if not songs:
            return np.zeros((2, self.samples), np.float32)
        song = songs[self.rng.integers(len(songs))]
        index = int(self.rng.choice([i for i, kind in enumerate(song.kinds) if kind != "vocals"]))
        return self.slice(song, index, self.start(song))

    def together(self) -> np.ndarray:
        """Lead and backing voices, float32 [2, 2, samples].

        15 % have a lead alone, 8 % backing voices alone. Each of those is 2 to 12 dB below the lead; in one item of
        seven they are 6 dB louder. The lead stands within a twentieth of the middle in 85 %.
        """
        rng = self.rng
        draw = rng.random()
        lead, others = self.voices()
        stems = np.zeros((2, 2, self.samples), np.float32)
        if draw > 0.08:
            at = float(rng.normal(0, 0.04 if rng.random() < 0.85 else 0.3))
            stems[0] = self.seated(pan(lead, at), 0.6, (-28, -8))
        if draw < 0.85:
            below = float(rng.uniform(2, 12)) - (6 if rng.random() < 0.15 else 0)
            for voice, at in zip(others, self.positions(len(others)), strict=True):
                x = pan(voice, float(at))
                if rng.random() < 0.2:  # doubled on the other side, a little later
                    late = int(rng.uniform(0.01, 0.035) * config.RATE)
                    x[:, late:] += pan(voice, -float(at))[:, :-late] * 0.8
                stems[1] += x * np.float32(decibel(-below + float(rng.normal(0, 2))))
            stems[1] = self.seated(stems[1], 0.7, (-18, -2))
        return stems

    def from_a_song(self, songs: list[Song]) -> np.ndarray:
        """Lead and backing [2, 2, samples] of vocals as a first stage found them, sometimes with the channels swapped."""
        song = songs[self.rng.integers(len(songs))]
        start = self.start(song)
        stems = np.stack([self.slice(song, index, start) for index in range(len(self.stems))])
        return stems[:, ::-1] if self.rng.random() < 0.5 else stems

    def item(self) -> np.ndarray:
        """float32 [2, 2, samples]: vocals as found in songs, or voices by themselves, two in five with some music among the backing."""
        rng = self.rng
        if (songs := self.library.of("heard")) and rng.random() < self.heard:
            return self.from_a_song(songs)
        stems = self.together()
        if rng.random() < 0.4:
            left = self.leftovers()
            stems[1] += left * np.float32(decibel(-float(rng.uniform(14, 36))) * rms(stems.sum(0)) / (rms(left) + 1e-6))
        return stems


class DryMixer(VoiceMixer):
    """A voice in a room: what reaches the ear directly and within 50 ms, and the rest."""

    stems = ("dry", "reverb")
    before = 1.5  # seconds heard of the voice before the item begins, so that its reverberation is there already

    def item(self) -> np.ndarray:
        """float32 [2, 2, samples]; 12 % without a room, 20 % with noise, which goes to the rest."""
        rng, n = self.rng, self.samples
        ahead = int(self.before * config.RATE)
        voice = self.solo(n + ahead, ("lane",) if rng.random() < 0.7 else ("lane", "choir"))
        stems = np.zeros((2, 2, n), np.float32)
        if rng.random() < 0.12:
            stems[0] = voice[ahead:]
        else:
            early, late = rooms.divided(rooms.response(rng, self.library.split))
            y = rooms.convolve(voice, np.concatenate([early, late]), n)
            stems[0], stems[1] = y[:2], y[2:]
        if rng.random() < 0.2:
            noise = rng.standard_normal((1 if rng.random() < 0.5 else 2, n), np.float32)
            stems[1] += noise * np.float32(decibel(-float(rng.uniform(30, 55))) * rms(stems[0]))
        return stems
