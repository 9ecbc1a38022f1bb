"""Training items of `speech`, from the lanes and noises of `voices.py` and the songs of `music-core`."""

import numpy as np

from . import rooms
from .effects import decibel, dress, equalise, rms
from .mix import Mixer, Song
from .mix_voices import VoiceMixer, pan
from .voices import SINGERS


class SpeechMixer(VoiceMixer):
    """Somebody who speaks over music, over noise or over both, and singing, which is music here."""

    stems = ("speech", "rest")

    def speakers(self) -> list[Song]:
        return [song for song in self.library.of("lane") if not any(name in song.name for name in SINGERS)]

    def speaker(self) -> np.ndarray:
        """[2, n] of one voice, often by varispeed, with a studio's equaliser, near the middle, in one of three cases in a room."""
        rng, songs = self.rng, self.speakers()
        song = songs[rng.integers(len(songs))]
        speed = float(2 ** rng.uniform(-0.3, 0.3)) if rng.random() < 0.5 else 1.0
        voice = self.lane(song, 0, self.start(song, 0), self.samples, speed)
        x = equalise(pan(voice, float(rng.normal(0, 0.04 if rng.random() < 0.85 else 0.4))), rng)
        if rng.random() < 0.35:
            tail = rooms.convolve(voice, rooms.response(rng, self.library.split), self.samples)
            x = x + tail * np.float32(decibel(float(rng.uniform(-20, 0))) * rms(x) / (rms(tail) + 1e-9))
        return x

    def music(self) -> np.ndarray:
        """[2, n] as for `music-core`, in two cases of five with somebody who sings."""
        rng = self.rng
        x = Mixer.item(self)[1:].sum(0)
        if rng.random() < 0.4:
            choirs = self.library.of("choir")
            if choirs and rng.random() < 0.5:
                sung = self.made_singer(choirs)
            else:
                sung = self.part_of(self.library.with_kind("vocals", "singing", "multitrack"), "vocals", varispeed=0.5)
            x = x + self.vary(dress(sung, "vocals", rng), "vocals")
        return x

    def noise(self) -> np.ndarray:
        """[2, n] of a place or of things, or a hiss."""
        rng, songs = self.rng, self.library.of("noise")
        if not songs or rng.random() < 0.2:
            hiss = rng.standard_normal((1 if rng.random() < 0.5 else 2, self.samples), np.float32)
            return equalise(np.repeat(hiss, 2 // len(hiss), 0), rng, 8)
        song = songs[rng.integers(len(songs))]
        return equalise(self.slice(song, 0, self.start(song, 0)), rng)

    def item(self) -> np.ndarray:
        """float32 [2, 2, samples]: 12 % without speech; 15 % without music, 30 % with noise; music is 2 dB below speech, ±7."""
        rng = self.rng
        stems = np.zeros((2, 2, self.samples), np.float32)
        if rng.random() < 0.88:
            stems[0] = self.speaker()
            if rng.random() < 0.08:  # two at once
                stems[0] += self.speaker() * np.float32(decibel(float(rng.normal(-3, 4))))
        level = rms(stems[0]) or 0.1
        if rng.random() < 0.85:
            music = self.music()
            stems[1] += music * np.float32(decibel(float(rng.normal(-2, 7))) * level / (rms(music) + 1e-6))
        if rng.random() < 0.3:
            noise = self.noise()
            stems[1] += noise * np.float32(decibel(-float(rng.uniform(0, 35))) * level / (rms(noise) + 1e-6))
        return stems
