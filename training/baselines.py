"""Methods without learning that any model has to beat, and the oracle that none can."""

import numpy as np
from scipy import ndimage, signal

from . import audio, config


def percussive(mixture: np.ndarray) -> np.ndarray:
    """Drums by median filtering along time and frequency (Fitzgerald 2010), soft masks."""
    spectrum = audio.stft(mixture)
    magnitude = np.abs(spectrum)
    harmonic = ndimage.median_filter(magnitude, size=(1, 17, 1))
    hits = ndimage.median_filter(magnitude, size=(1, 1, 17))
    return audio.istft(spectrum * (hits**2 / (hits**2 + harmonic**2 + 1e-10)), mixture.shape[1])


def low_pass(mixture: np.ndarray, hertz: float = 150) -> np.ndarray:
    """Bass by a fourth-order zero-phase low-pass filter."""
    sections = signal.butter(4, hertz, "low", fs=config.RATE, output="sos")
    return signal.sosfiltfilt(sections, mixture, axis=1).astype(np.float32)


def centre(mixture: np.ndarray) -> np.ndarray:
    """Vocals as what both channels share above 120 Hz; the best of five such formulas on real singing."""
    spectrum = audio.stft(mixture)
    left, right = spectrum
    middle, side = np.abs(left + right) / 2, np.abs(left - right) / 2
    mask = np.clip(1 - 2 * side / (middle + 1e-9), 0, 1)
    mask = mask * (np.arange(config.FULL_BINS) * config.RATE / config.SIZE > 120)
    return audio.istft(np.stack([(left + right) / 2 * mask] * 2), mixture.shape[1])


def oracle(stems: np.ndarray) -> np.ndarray:
    """Each stem [S, 2, n] by the best real mask between 0 and 1 that the STFT grid allows."""
    mixture = stems.sum(0)
    whole = audio.stft(mixture)
    found = []
    for stem in stems:
        mask = np.clip((audio.stft(stem) / (whole + 1e-9)).real, 0, 1)
        found.append(audio.istft(whole * mask, mixture.shape[1]))
    return np.stack(found)
