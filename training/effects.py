"""Random effects that a recording studio would put on one stem; all take and return float32 [2, n]."""

from functools import lru_cache

import numpy as np
from scipy import signal

from . import audio, config


def decibel(value: float) -> float:
    return float(10 ** (value / 20))


def rms(x: np.ndarray) -> float:
    """RMS over the loud half of 50 ms frames, so that rests do not lower it."""
    n = config.RATE // 20
    frames = x[:, : x.shape[1] // n * n].reshape(x.shape[0], -1, n)
    power = np.sort((frames**2).mean((0, 2)))
    return float(np.sqrt(power[len(power) // 2 :].mean())) if power.size else 0.0


@lru_cache(1)
def rooms() -> list[np.ndarray]:
    """Impulse responses of rooms, each [2, n], at most 3 s, normalised to unit energy."""
    found = []
    for folder in ("openair_toobamp", "webaudio_samples", "misc"):
        for path in sorted((config.DATA / "rir" / folder).glob("*.flac")):
            x = audio.read(path)[:2, : 3 * config.RATE]
            if x.shape[1] > 2000:
                found.append(x / np.sqrt((x**2).sum() / 2 + 1e-9))
    return found


@lru_cache(1)
def cabinets() -> list[np.ndarray]:
    """Impulse responses of guitar loudspeakers, mono."""
    paths = sorted((config.DATA / "rir" / "guitar_cabs_adventurekid").glob("*.flac"))
    found = [audio.read(path).mean(0)[: config.RATE // 4] for path in paths]
    return [x / np.sqrt((x**2).sum() + 1e-9) for x in found]


def equalise(x: np.ndarray, rng: np.random.Generator, spread: float = 3.0) -> np.ndarray:
    """A smooth random response, `spread` dB at a few control frequencies."""
    knots = np.log2([30, 80, 200, 500, 1200, 3000, 7000, 16000])
    n = 1 << int(np.ceil(np.log2(x.shape[1])))
    frequency = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / config.RATE), 20))
    gain = 10 ** (np.interp(frequency, knots, rng.normal(0, spread, len(knots))) / 20)
    return np.fft.irfft(np.fft.rfft(x, n) * gain, n)[:, : x.shape[1]].astype(np.float32)


def compress(x: np.ndarray, threshold: float, ratio: float) -> np.ndarray:
    """Feed-forward compression: one-pole envelope over 1 ms blocks, threshold relative to the part's RMS."""
    block = 44
    n = -(-x.shape[1] // block)
    padded = np.zeros(n * block, np.float32)
    padded[: x.shape[1]] = np.abs(x).max(0)
    envelope = signal.lfilter([0.02], [1, -0.98], padded.reshape(n, block).max(1))
    over = np.maximum(20 * np.log10(envelope / (rms(x) + 1e-9) + 1e-9) - threshold, 0)
    gain = 10 ** (-over * (1 - 1 / ratio) / 20)
    return x * np.interp(np.arange(x.shape[1]), np.arange(n) * block, gain).astype(np.float32)


def reverberate(x: np.ndarray, rng: np.random.Generator, wet_db: float) -> np.ndarray:
    """Adds a random room; the tail beyond the end is dropped."""
    room = rooms()[rng.integers(len(rooms()))]
    stretch = float(rng.uniform(0.7, 1.2))
    at = np.arange(0, room.shape[1] - 1, stretch)
    room = np.stack([np.interp(at, np.arange(room.shape[1]), room[c % room.shape[0]]) for c in range(2)])
    wet = np.stack([signal.oaconvolve(x[c], room[c])[: x.shape[1]] for c in range(2)])
    return (x + wet * (decibel(wet_db) * rms(x) / (rms(wet) + 1e-9))).astype(np.float32)


def drive(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Valve-like distortion and a loudspeaker cabinet, for guitars and basses recorded dry."""
    amount = decibel(float(rng.uniform(0, 30)))
    mono = x.mean(0) / (rms(x) + 1e-9) * 0.3
    shaped = np.tanh(mono * amount + 0.1) - np.tanh(0.1)
    cabinet = cabinets()[rng.integers(len(cabinets()))]
    shaped = signal.oaconvolve(shaped, cabinet)[: x.shape[1]]
    return np.stack([shaped, shaped]).astype(np.float32)


def delay(x: np.ndarray, rng: np.random.Generator, tempo: float) -> np.ndarray:
    """Ping-pong echoes in time with the song."""
    n = int(60 / tempo * float(rng.choice([0.5, 0.75, 1.0])) * config.RATE)
    out, gain = x.copy(), float(rng.uniform(0.15, 0.45))
    for i in range(1, 5):
        if i * n < x.shape[1]:
            out[:, i * n :] += x[:: -1 if i % 2 else 1, : -i * n] * gain**i
    return out


def place(x: np.ndarray, rng: np.random.Generator, spread: float) -> np.ndarray:
    """Random width and constant-power pan."""
    mid, side = x.mean(0), (x[0] - x[1]) / 2 * float(rng.uniform(0, 1.3))
    angle = np.pi / 4 * (1 + float(np.clip(rng.normal(0, spread), -1, 1)))
    return np.stack([mid + side, mid - side]).astype(np.float32) * np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * np.float32(np.sqrt(2))


def dress(x: np.ndarray, kind: str, rng: np.random.Generator, tempo: float = 120) -> np.ndarray:
    """A random chain of effects for one part, ending at −20 dBFS RMS."""
    if rms(x) < 1e-5:
        return x
    if rng.random() < {"electric_guitar": 0.35, "bass": 0.2}.get(kind, 0.02):
        x = drive(x, rng)
    if rng.random() < 0.8:
        x = equalise(x, rng)
    if rng.random() < {"vocals": 0.8, "drum": 0.5, "bass": 0.5}.get(kind, 0.3):
        x = compress(x, float(rng.uniform(-8, 4)), float(rng.uniform(1.5, 6)))
    if kind in ("electric_guitar", "synthesizer", "vocals") and rng.random() < 0.2:
        x = delay(x, rng, tempo)
    wide = {"vocals": 0.08, "drum": 0.1, "bass": 0.06}.get(kind, 0.45)
    x = place(x, rng, wide)
    if rng.random() < {"vocals": 0.75, "drum": 0.45, "bass": 0.12}.get(kind, 0.5):
        x = reverberate(x, rng, float(rng.uniform(-26, -6)))
    return (x * (decibel(-20) / (rms(x) + 1e-9))).astype(np.float32)
