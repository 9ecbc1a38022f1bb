"""A small synthesizer for parts that are one: wavetables, FM, detuned voices, a filter that closes.

Soundfonts hold a dozen synthesizer sounds; every part played here has one of its own. Wavetables are sums of
the harmonics below 16 kHz; FM is Chowning's (1973) with one modulator.
"""

import numpy as np

from . import config
from .compose import Part

TABLE = 2048
TOP = 16000.0  # Hz


def harmonics(shape: str, count: int, width: float) -> np.ndarray:
    """Amplitudes of harmonics 1 … count of a waveform."""
    h = np.arange(1, count + 1)
    return {
        "saw": 1 / h,
        "square": (h % 2) / h,
        "triangle": (h % 2) / h**2,
        "pulse": np.abs(np.sin(np.pi * h * width)) / h,
        "organ": np.isin(h, (1, 2, 3, 4, 6, 8)) * (0.4 + 0.6 * np.abs(np.sin(h * width * 20))),
    }[shape]


def table(shape: str, hertz: float, cutoff: float, order: int, width: float) -> np.ndarray:
    """One period, low-passed at `cutoff` Hz."""
    count = max(1, min(TABLE // 2 - 1, int(TOP / hertz)))
    at = hertz * np.arange(1, count + 1)
    spectrum = np.zeros(TABLE // 2 + 1, complex)
    spectrum[1 : count + 1] = -1j * harmonics(shape, count, width) / np.sqrt(1 + (at / cutoff) ** (2 * order))
    wave = np.fft.irfft(spectrum, TABLE)
    return (wave / (np.sqrt((wave**2).mean()) + 1e-12)).astype(np.float32)


def envelope(n: int, held: int, attack: float, decay: float, sustain: float, release: float) -> np.ndarray:
    """Attack, decay to a level, release after `held` samples; times in seconds."""
    t = np.arange(n, dtype=np.float32) / config.RATE
    level = np.minimum(t / attack, 1) * (sustain + (1 - sustain) * np.exp(-np.maximum(t - attack, 0) / decay))
    if held < n:
        level[held:] = level[held] * np.exp(-(t[held:] - t[held]) / release)
    return level


class Voice:
    """The sound of one part, drawn once."""

    def __init__(self, rng: np.random.Generator, role: str):
        self.rng = rng
        self.shape = str(rng.choice(["saw", "square", "triangle", "pulse", "organ", "fm"], p=[0.3, 0.13, 0.08, 0.19, 0.08, 0.22]))
        self.width = float(rng.uniform(0.05, 0.45))
        self.voices = int(rng.choice([1, 2, 3, 5]))
        self.detune = float(rng.uniform(3, 20)) if self.voices > 1 else 0.0
        self.cutoff, self.opening = float(2 ** rng.uniform(8.5, 13)), float(2 ** rng.uniform(0, 4))
        self.order = int(rng.choice([1, 2, 4]))
        self.closing = float(2 ** rng.uniform(-4, 1))
        slow = role == "pad"
        self.attack = float(2 ** (rng.uniform(-4, -0.5) if slow else rng.uniform(-9, -4)))
        self.decay, self.sustain = float(2 ** rng.uniform(-4, 1)), float(rng.choice([0, 0.3, 0.7, 1]))
        self.release = float(2 ** rng.uniform(-5, -1))
        self.ratio, self.index = float(rng.choice([0.5, 1, 1, 2, 3, 3.5, 7])), float(rng.uniform(0.5, 6))
        self.wobble, self.rate = float(rng.choice([0, 0, rng.uniform(3, 25)])), float(rng.uniform(3, 7))
        self.octave = int(rng.choice([0, 0, 0, 12, -12]))
        self.tables: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def tables_for(self, pitch: int, hertz: float) -> tuple[np.ndarray, np.ndarray]:
        if pitch not in self.tables:
            bright = min(self.cutoff * self.opening, TOP)
            self.tables[pitch] = tuple(table(self.shape, hertz, c, self.order, self.width) for c in (bright, self.cutoff))
        return self.tables[pitch]

    def note(self, pitch: int, length: float) -> np.ndarray:
        """float32 [2, n]."""
        pitch = int(np.clip(pitch + self.octave, 24, 100))
        hertz, held = 440 * 2 ** ((pitch - 69) / 12), int(length * config.RATE)
        n = held + int(min(3 * self.release, 1.5) * config.RATE)
        t = np.arange(n) / config.RATE
        cents = self.wobble * np.sin(2 * np.pi * self.rate * t) * np.minimum(t / 0.3, 1)
        out = np.zeros((2, n), np.float32)
        closing = np.exp(-t / self.closing).astype(np.float32)
        for i in range(self.voices):
            off = 0.0 if self.voices == 1 else self.detune * (2 * i / (self.voices - 1) - 1)
            phase = np.cumsum(hertz * 2 ** ((cents + off) / 1200)) / config.RATE + self.rng.random()
            if self.shape == "fm":
                wave = np.sin(2 * np.pi * phase + self.index * closing * np.sin(2 * np.pi * self.ratio * phase)).astype(np.float32)
            else:
                bright, dark = self.tables_for(pitch, hertz)
                at = (phase % 1 * TABLE).astype(np.int32) % TABLE
                wave = bright[at] * closing + dark[at] * (1 - closing)
            side = 0.0 if self.voices == 1 else 0.6 * (2 * i / (self.voices - 1) - 1)
            out[0] += wave * (1 - side)
            out[1] += wave * (1 + side)
        return out / self.voices * envelope(n, held, self.attack, self.decay, self.sustain, self.release)


def play(part: Part, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """A part with a sound of its own, float32 [2, n]."""
    voice, n = Voice(rng, part.role), int(seconds * config.RATE)
    out = np.zeros((2, n), np.float32)
    for note in part.notes:
        at = int(note.start * config.RATE)
        sound = voice.note(note.pitch, note.length)[:, : max(0, n - at)]
        out[:, at : at + sound.shape[1]] += sound * (note.velocity / 100) ** 1.5
    return out
