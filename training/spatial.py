"""The engine's multichannel Wiener filter in NumPy: stems by masks and by where they stand between two channels.

N. Q. K. Duong, E. Vincent, R. Gribonval: "Under-determined reverberant audio source separation using a full-rank spatial
covariance model", IEEE Transactions on Audio, Speech, and Language Processing 18 (7), 2010.
"""

import numpy as np

from . import config

FADE = np.exp(-config.HOP / (6 * config.RATE))  # from frame to frame: what was heard 6 s ago counts e times less
AHEAD = round(3 * config.RATE / config.HOP)  # frames
CONFUSED = 0.02  # how much of the mixture counts for every stem, as masks confuse some
LOADING = 3e-4  # the share of a power that is taken to come from everywhere alike
LEAST = 1e-12


class Covariance:
    """Hermitian matrices of 2 · 2, as arrays of their elements: of each bin, or of each stem and bin."""

    def __init__(self, first: np.ndarray, second: np.ndarray, cross: np.ndarray):
        self.first, self.second, self.cross = first, second, cross

    @staticmethod
    def of(x: np.ndarray) -> "Covariance":
        """Of spectra [..., 2, F]."""
        a, b = x[..., 0, :], x[..., 1, :]
        return Covariance(np.abs(a) ** 2, np.abs(b) ** 2, a * b.conj())

    def __mul__(self, factor: np.ndarray | float) -> "Covariance":
        return Covariance(self.first * factor, self.second * factor, self.cross * factor)

    def __add__(self, other: "Covariance") -> "Covariance":
        return Covariance(self.first + other.first, self.second + other.second, self.cross + other.cross)

    def spread(self) -> "Covariance":
        """Of trace 2."""
        scaled = self * ((2 - 2 * LOADING) / np.maximum(self.first + self.second, LEAST))
        return Covariance(scaled.first + LOADING, scaled.second + LOADING, scaled.cross)

    def sum(self) -> "Covariance":
        """Over stems."""
        return Covariance(self.first.sum(0), self.second.sum(0), self.cross.sum(0))

    def times(self, x: np.ndarray) -> np.ndarray:
        """The product with vectors [2, F]."""
        return np.stack([self.first * x[0] + self.cross * x[1], self.cross.conj() * x[0] + self.second * x[1]], -2)

    def solve(self, x: np.ndarray) -> np.ndarray:
        """What it has to be multiplied with to give vectors [2, F]."""
        determinant = self.first * self.second - np.abs(self.cross) ** 2
        return np.stack([self.second * x[0] - self.cross * x[1], self.first * x[1] - self.cross.conj() * x[0]]) / determinant


def divided(masks: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
    """Masks [S, 2, T, F] that sum to one, and the mixture's spectrum [2, T, F], to spectra of the stems [S, 2, T, F]."""
    frames, heard = spectrum.shape[1], 0
    nothing = np.zeros((len(masks), spectrum.shape[2]))
    stems, mixture = Covariance(nothing, nothing, nothing), Covariance(nothing[0], nothing[0], nothing[0])
    results = np.empty((*masks.shape[:2], *spectrum.shape[1:]), np.complex64)
    for frame in range(frames):
        while heard < min(frame + AHEAD + 1, frames):
            x = spectrum[:, heard]
            size = np.abs(x) ** 2
            share = (masks[:, :, heard] * size).sum(1) / (size.sum(0) + LEAST)
            stems = stems * FADE + Covariance.of(x) * share**4
            mixture = mixture * FADE + Covariance.of(x)
            heard += 1
        x = spectrum[:, frame]
        power = (masks[:, :, frame] * np.abs(x) ** 2).sum(1) + LEAST
        own = (stems + mixture * CONFUSED).spread() * power
        results[:, :, frame] = own.times(own.sum().solve(x))
    return results
