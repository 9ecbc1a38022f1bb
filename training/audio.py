"""Reading and writing audio, STFT grids, and small helpers on signals."""

import os
import subprocess
from pathlib import Path

import numpy as np
import soundfile
from scipy import signal

from . import config


def resample(x: np.ndarray, rate: int) -> np.ndarray:
    """[channels, n] at `rate` to 44.1 kHz."""
    if rate == config.RATE:
        return x
    divisor = int(np.gcd(rate, config.RATE))
    return signal.resample_poly(x, config.RATE // divisor, rate // divisor, axis=1).astype(np.float32)


def read(path: Path, start: float = 0, seconds: float | None = None) -> np.ndarray:
    """float32 [channels, n] at 44.1 kHz. Formats that libsndfile lacks go through ffmpeg."""
    try:
        with soundfile.SoundFile(str(path)) as file:
            file.seek(int(start * file.samplerate))
            frames = -1 if seconds is None else int(seconds * file.samplerate)
            x, rate = file.read(frames, dtype="float32", always_2d=True).T, file.samplerate
    except soundfile.LibsndfileError:
        command = ["ffmpeg", "-v", "error", "-ss", str(start), "-i", str(path)]
        command += [] if seconds is None else ["-t", str(seconds)]
        command += ["-f", "f32le", "-ac", "2", "-ar", str(config.RATE), "-"]
        raw = subprocess.run(command, capture_output=True, check=True).stdout
        return np.frombuffer(raw, np.float32).reshape(-1, 2).T.copy()
    return resample(np.ascontiguousarray(x), rate)


def stereo(x: np.ndarray) -> np.ndarray:
    """Mono doubled; more than two channels cut to two."""
    return np.repeat(x, 2, 0) if x.shape[0] == 1 else x[:2]


def write_atomically(path: Path, write) -> None:
    """Calls write(file) on a temporary file and renames it: readers never see half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "wb") as file:
        write(file)
    os.replace(temporary, path)


def window() -> np.ndarray:
    """Periodic Hann."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.SIZE) / config.SIZE)).astype(np.float32)


def stft(x: np.ndarray) -> np.ndarray:
    """[channels, n] to complex64 [channels, frames, bins]; frame t is centred at sample t·hop, zeros outside."""
    frames = x.shape[1] // config.HOP + 1
    padded = np.zeros((x.shape[0], (frames - 1) * config.HOP + config.SIZE), np.float32)
    half = config.SIZE // 2
    n = min(x.shape[1], padded.shape[1] - half)
    padded[:, half : half + n] = x[:, :n]
    view = np.lib.stride_tricks.sliding_window_view(padded, config.SIZE, axis=1)[:, :: config.HOP]
    return np.fft.rfft(view * window(), axis=2).astype(np.complex64)


def istft(spectrum: np.ndarray, length: int) -> np.ndarray:
    """Inverse of `stft`: overlap-add of windowed frames over the sum of squared windows."""
    channels, frames, _ = spectrum.shape
    size, hop, w = config.SIZE, config.HOP, window()
    blocks = np.fft.irfft(spectrum, size, axis=2).astype(np.float32) * w
    out = np.zeros((channels, (frames - 1) * hop + size), np.float32)
    norm = np.zeros(out.shape[1], np.float32)
    for t in range(frames):
        out[:, t * hop : t * hop + size] += blocks[:, t]
        norm[t * hop : t * hop + size] += w * w
    out = (out / np.maximum(norm, 1e-8))[:, size // 2 :]
    result = np.zeros((channels, length), np.float32)
    result[:, : min(length, out.shape[1])] = out[:, :length]
    return result
