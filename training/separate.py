"""What the server's engine does with the packs, in NumPy: level, STFT, segments, masks, fusion, inverse.

Used by the evaluator and to learn fusion weights. The server has its own implementation.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from . import audio, config, effects, export, spleeter
from .model import Core

Masker = Callable[[np.ndarray], np.ndarray]  # planes [P, T, F] to masks [S, 2, T, F]
CLAMP = 1e-4
SEGMENT_RANGE = 4.0  # a segment's gain may differ from the clip's by 12 dB either way


def frame_power(spectrum: np.ndarray) -> np.ndarray:
    """[2, T, F] to the mean square of the samples under each frame's window, by Parseval's theorem."""
    window = np.hanning(config.SIZE + 1)[:-1]
    return 2 * (np.abs(spectrum) ** 2).sum(2).mean(0) / (config.SIZE * (window**2).sum())


def segment_gain(power: np.ndarray) -> float:
    """What brings a segment of a clip at the networks' level to that level itself, within 12 dB."""
    gain = effects.decibel(config.LEVEL_DBFS) / np.sqrt(power.mean() + 1e-20)
    return float(np.clip(gain, 1 / SEGMENT_RANGE, SEGMENT_RANGE))


def segmented(planes: np.ndarray, power: np.ndarray, masker: Masker, frames: int, overlap: int) -> np.ndarray:
    """Masks of a whole clip from segments, each at the input level, that overlap and are cross-faded."""
    total, step = planes.shape[1], frames - overlap
    count = 1 + max(0, -(-(total - frames) // step))
    padded = np.zeros((planes.shape[0], (count - 1) * step + frames, planes.shape[2]), np.float32)
    padded[:, :total] = planes
    result = weight = None
    ramp = np.ones(frames, np.float32)
    fade = np.sin(np.pi / 2 * (np.arange(overlap, dtype=np.float32) + 0.5) / overlap) ** 2
    for i in range(count):
        gain = segment_gain(power[i * step : i * step + frames])
        mask = masker(padded[:, i * step : i * step + frames] * np.float32(gain))
        if result is None:
            result = np.zeros((*mask.shape[:2], padded.shape[1], mask.shape[3]), np.float32)
            weight = np.zeros(padded.shape[1], np.float32)
        w = ramp.copy()
        if i > 0:
            w[:overlap] = fade
        if i < count - 1:
            w[-overlap:] = fade[::-1]
        result[:, :, i * step : i * step + frames] += mask * w[:, None]
        weight[i * step : i * step + frames] += w
    return (result / weight[:, None])[:, :, :total]


def extended(mask: np.ndarray, above: tuple[int, int]) -> np.ndarray:
    """Masks up to the last bin: above the network's bins, the mean over `above`."""
    top = mask[..., above[0] : above[1]].mean(-1, keepdims=True)
    return np.concatenate([mask, np.repeat(top, config.FULL_BINS - mask.shape[-1], -1)], -1)


class Network:
    """One of our own packs: its ONNX file, the bytes of one, or a network in training."""

    def __init__(self, model: Core | bytes | str, threads: int = 1):
        if isinstance(model, str):
            model = (config.PACKS / model / "model.onnx").read_bytes()
        self.net = model if isinstance(model, Core) else None
        self.compiled = None if self.net is not None else export.openvino_model(model, threads)

    def segment(self, planes: np.ndarray) -> np.ndarray:
        if self.net is None:
            return self.compiled([planes[None]])[0][0]
        with torch.inference_mode():
            return self.net(torch.from_numpy(planes[None]))[0].numpy()

    def masks(self, spectrum: np.ndarray) -> np.ndarray:
        """[2, T, 2049] to [S, 2, T, 2049]."""
        left, right = spectrum[0, :, : config.BINS], spectrum[1, :, : config.BINS]
        planes = np.stack([np.abs(left), np.abs(right), np.abs(left + right) / 2, np.abs(left - right) / 2])
        mask = segmented(planes.astype(np.float32), frame_power(spectrum), self.segment, export.SEGMENT, export.OVERLAP)
        return extended(mask, export.ABOVE)


class Separator:
    """The packs of the first stage and their fusion."""

    def __init__(self, core: Core | bytes | None = None, threads: int = 1, fusion: dict | None = None):
        self.core = Network("music-core" if core is None else core, threads)
        self.fusion = fusion
        self.spleeter = spleeter.Spleeter()

    def spleeter_segment(self, planes: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return self.spleeter(torch.from_numpy(planes[None]))[0].numpy()

    def spleeter_masks(self, spectrum: np.ndarray) -> np.ndarray:
        """[2, T, 2049] to vocals and accompaniment [2, 2, T, 2049]."""
        planes = np.abs(spectrum[:, :, : spleeter.BINS]).astype(np.float32)
        mask = segmented(planes, frame_power(spectrum), self.spleeter_segment, spleeter.FRAMES, spleeter.FRAMES // 2)
        return extended(mask, spleeter.ABOVE)

    def masks(self, spectrum: np.ndarray) -> dict[str, np.ndarray]:
        """Masks of each system: `core` and `fused` [4, 2, T, 2049], `spleeter` [2, 2, T, 2049]."""
        found = {"core": self.core.masks(spectrum), "spleeter": self.spleeter_masks(spectrum)}
        if self.fusion:
            found["fused"] = fuse(self.fusion, found["spleeter"][0], found["core"])
        return found


def logit(mask: np.ndarray) -> np.ndarray:
    clamped = np.clip(mask, CLAMP, 1 - CLAMP)
    return np.log(clamped / (1 - clamped))


def fuse(fusion: dict, vocals: np.ndarray, core: np.ndarray) -> np.ndarray:
    """Core masks [4, 2, T, F] with vocals by both opinions; the other stems share what is left."""
    first, second = logit(vocals), logit(core[0])
    fused = np.empty_like(first)
    for band in fusion["bands"]:
        part = slice(band["from"], band["to"])
        combined = band["weights"][0] * first[..., part] + band["weights"][1] * second[..., part] + band["bias"]
        fused[..., part] = 1 / (1 + np.exp(-combined))
    result = core * ((1 - fused) / np.maximum(1 - core[0], 1e-6))
    result[0] = fused
    return result / np.maximum(result.sum(0), 1e-6)


def load_fusion(path: Path | None = None) -> dict | None:
    path = path or config.PACKS / "fusion.json"
    return json.loads(path.read_text()) if path.exists() else None


def spectrum_at_level(mixture: np.ndarray) -> np.ndarray:
    """The STFT of a clip whose RMS was brought to the networks' input level."""
    return audio.stft(mixture * audio.level_gain(mixture))


def apply(mask: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """Masks [S, 2, T, 2049] on a mixture [2, n]: stems [S, 2, n]."""
    spectrum = audio.stft(mixture)
    return np.stack([audio.istft(spectrum * m, mixture.shape[1]) for m in mask])
