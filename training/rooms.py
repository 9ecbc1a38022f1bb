"""Responses of rooms, recorded and made up, and their division into what comes early and what comes late."""

from functools import lru_cache

import numpy as np
from scipy import fft, signal

from . import audio, config, effects

EARLY = 0.05  # seconds after the direct sound
LONGEST = 2.5


def arrival(response: np.ndarray) -> int:
    """The sample at which the direct sound of a response [2, n] is strongest."""
    level = np.abs(response).max(0)
    first = int(np.argmax(level > 0.5 * level[: config.RATE // 2].max()))
    return first + int(np.argmax(level[first : first + config.RATE // 500]))


@lru_cache(2)
def recorded(split: str) -> list[np.ndarray]:
    """Recorded responses [2, n] from their direct sound on; those of four channels are two of two."""
    found = []
    for folder in ("openair_toobamp", "webaudio_samples", "misc"):
        for path in sorted((config.DATA / "rir" / folder).glob("*.flac")):
            if path.stem.startswith(config.HELD_ROOMS) != (split == "valid"):
                continue
            x = audio.read(path)
            for pair in (x[:2], x[2:4]) if x.shape[0] == 4 else (audio.stereo(x),):
                if pair.shape[1] > config.RATE // 10 and np.abs(pair).max() > 1e-4:
                    start = max(0, arrival(pair) - 40)
                    pair = pair[:, start : start + int(LONGEST * config.RATE)]
                    found.append((pair / np.abs(pair).max()).astype(np.float32))
    return found


def made_up(rng: np.random.Generator) -> np.ndarray:
    """Direct sound, some reflections, and noise that decays, the treble faster: [2, n], what follows the direct sound
    between 5 dB above and 15 dB below it."""
    decay = float(np.exp(rng.uniform(np.log(0.15), np.log(2.5))))
    n = int(min(LONGEST, decay * 0.9 + 0.15) * config.RATE)
    t = np.arange(n, dtype=np.float32) / config.RATE
    bands = signal.butter(2, float(rng.uniform(1500, 5000)), fs=config.RATE, output="sos")
    late = np.zeros((2, n), np.float32)
    noise = rng.standard_normal((2, n), np.float32)
    low = signal.sosfilt(bands, noise, axis=1).astype(np.float32)
    late = low * np.exp(-6.9 * t / decay) + (noise - low) * np.exp(-6.9 * t / (decay * float(rng.uniform(0.3, 0.9))))
    begin = float(rng.uniform(0.002, 0.06))
    late *= np.clip((t - begin) / float(rng.uniform(0.005, 0.04)), 0, 1)
    for _ in range(int(rng.integers(4, 24))):
        at = int(rng.uniform(0.002, 0.08) * config.RATE)
        late[:, min(at, n - 1)] += rng.normal(0, 1, 2) * np.abs(late).max() * 2 * 10 ** (-0.3 * at / (0.05 * config.RATE))
    late /= np.sqrt((late**2).sum() / 2)
    response = late * effects.decibel(-float(rng.uniform(-5, 15)))
    response[:, 0] += 1
    return response


def response(rng: np.random.Generator, split: str) -> np.ndarray:
    """A response [2, n] with its direct sound: a recorded one as it is or longer, shorter or with more of the direct
    sound, or a made-up one. In one of three both ears hear the same, as in most recordings of speech."""
    if rng.random() < 0.55:
        found = made_up(rng)
    else:
        rooms = recorded(split)
        found = rooms[rng.integers(len(rooms))].copy()
        at = np.arange(0, found.shape[1] - 1, float(rng.uniform(0.75, 1.3)))
        found = np.stack([np.interp(at, np.arange(found.shape[1]), c) for c in found]).astype(np.float32)
        found = found[:, : int(LONGEST * config.RATE)]
        if rng.random() < 0.5:
            found *= np.exp(-float(rng.exponential(3)) * np.arange(found.shape[1]) / config.RATE).astype(np.float32)
        if rng.random() < 0.5:
            found /= np.sqrt((found**2).sum() / 2) + 1e-9
            found *= effects.decibel(-float(rng.uniform(-5, 15)))
            found[:, 0] += 1
    return np.repeat(found[:1], 2, 0) if rng.random() < 0.35 else found


def divided(response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Direct sound with the first 50 ms, and the rest; they sum to the response."""
    n, fade = response.shape[1], int(0.004 * config.RATE)
    edge = arrival(response) + int(EARLY * config.RATE)
    keep = np.zeros(n, np.float32)
    keep[:edge] = 1
    ramp = (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, fade))).astype(np.float32)[: max(0, n - edge)]
    keep[edge : edge + len(ramp)] = ramp
    return response * keep, response * (1 - keep)


def convolve(x: np.ndarray, responses: np.ndarray, samples: int) -> np.ndarray:
    """Mono [n] through responses [r, m]: the last `samples` before n, [r, samples]."""
    size = fft.next_fast_len(len(x) + responses.shape[1], real=True)
    spectrum = fft.rfft(x.astype(np.float32), size)
    y = fft.irfft(fft.rfft(responses.astype(np.float32), size, axis=1) * spectrum, size, axis=1)
    return y[:, len(x) - samples : len(x)].astype(np.float32)
