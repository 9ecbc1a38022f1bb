"""What the server's engine does with the packs, in NumPy: level, STFT, masks, fusion, places, inverse.

Used by the evaluator and to learn fusion weights. The server has its own implementation.
"""

import json
from pathlib import Path

import numpy as np

from . import audio, blocks, config, effects, export, spatial, spleeter
from .model import Core

CLAMP = 1e-4
LEVEL_REACH = 32  # frames before and after its own whose mean power is how loud it is around a frame
LEVEL_RANGE = 0.025  # what is quieter than the loudest before it is taken for so much quieter at most: 16 dB, as power
LEVEL_FALL = 0.999465  # how much of the loudest is kept from one frame to the next: it falls by 6 dB a minute
LEVEL_LEAST = 1e-8  # as power: nothing is taken for quieter
LEVEL_WEAKEST = 0.0625  # nor is a stem, by more than this, than the mixture: 12 dB, as power


def frame_power(spectrum: np.ndarray) -> np.ndarray:
    """[2, T, F] to the mean square of the samples under each frame's window, by Parseval's theorem."""
    window = np.hanning(config.SIZE + 1)[:-1]
    return 2 * (np.abs(spectrum) ** 2).sum(2).mean(0) / (config.SIZE * (window**2).sum())


def frame_levels(power: np.ndarray, reach: int = LEVEL_REACH, floor: np.ndarray | None = None) -> np.ndarray:
    """What the networks take for the mean square around each frame: not less than a `floor`, or what the loudest before it says."""
    sums = np.concatenate([[0], np.cumsum(power, dtype=np.float64)])
    frames = np.arange(len(power))
    first, last = np.maximum(frames - reach, 0), np.minimum(frames + reach + 1, len(power))
    mean = (sums[last] - sums[first]) / (last - first)
    if floor is None:
        decay = frames * np.log(LEVEL_FALL)
        floor = np.exp(np.maximum.accumulate(np.log(mean + 1e-30) - decay) + decay) * LEVEL_RANGE
    return np.maximum(np.maximum(mean, floor), LEVEL_LEAST)


def frame_gains(power: np.ndarray, whole: np.ndarray | None = None) -> np.ndarray:
    """What brings each frame to the networks' level by what is around it. A silence does not become noise.

    Frames of a stem get no more than what brings them to 12 dB below the `whole`, the power of the mixture that it is part of.
    """
    level = frame_levels(power, floor=None if whole is None else frame_levels(whole) * LEVEL_WEAKEST)
    return (effects.decibel(config.LEVEL_DBFS) / np.sqrt(level)).astype(np.float32)


def extended(mask: np.ndarray, above: tuple[int, int]) -> np.ndarray:
    """Masks up to the last bin: above the network's bins, the mean over `above`."""
    top = mask[..., above[0] : above[1]].mean(-1, keepdims=True)
    return np.concatenate([mask, np.repeat(top, config.FULL_BINS - mask.shape[-1], -1)], -1)


class Network:
    """One of our own packs, by its name or its folder, or a network in training."""

    def __init__(self, model: Core | Path | str, threads: int = 1):
        if isinstance(model, Core):
            self.run = lambda planes: export.whole(model, planes)
        else:
            folder = config.PACKS / model
            manifest = json.loads((folder / "model.json").read_text())
            runner, size = export.openvino_runner((folder / "model.onnx").read_bytes(), threads)
            stride, frames, delay = (manifest[key] for key in ("frame_stride", "block_frames", "delay_frames"))
            self.run = lambda planes: blocks.run(runner, planes, stride, frames, delay, size)

    def masks(self, spectrum: np.ndarray, mixture: np.ndarray | None = None) -> np.ndarray:
        """[2, T, 2049], of a stem with the mixture that it is part of, to [S, 2, T, 2049]."""
        return extended(self.run(leveled_planes(spectrum, mixture)), export.ABOVE)


def leveled_planes(spectrum: np.ndarray, mixture: np.ndarray | None = None) -> np.ndarray:
    """[2, T, 2049], of a stem with the mixture that it is part of, to the magnitudes [4, T, 1536] at the networks' level."""
    left, right = spectrum[0, :, : config.BINS], spectrum[1, :, : config.BINS]
    planes = np.stack([np.abs(left), np.abs(right), np.abs(left + right) / 2, np.abs(left - right) / 2])
    gains = frame_gains(frame_power(spectrum), None if mixture is None else frame_power(mixture))
    return (planes * gains[:, None]).astype(np.float32)


def spleeter_masks(networks: spleeter.Spleeter, spectrum: np.ndarray) -> np.ndarray:
    """[2, T, 2049] to vocals and accompaniment [2, 2, T, 2049]."""
    gains = frame_gains(frame_power(spectrum)) * effects.decibel(spleeter.LEVEL_DBFS - config.LEVEL_DBFS)
    planes = np.abs(spectrum[:, :, : spleeter.BINS]) * gains[:, None]
    return extended(networks.masks(planes.astype(np.float32)), spleeter.ABOVE)


class Separator:
    """The packs of the first stage and their fusion."""

    def __init__(self, core: Core | None = None, threads: int = 1, fusion: dict | None = None):
        self.core = Network("music-core" if core is None else core, threads)
        self.fusion = fusion
        self.spleeter = spleeter.Spleeter()

    def masks(self, spectrum: np.ndarray) -> dict[str, np.ndarray]:
        """Masks of each system: `core` and `fused` [4, 2, T, 2049], `spleeter` [2, 2, T, 2049]."""
        found = {"core": self.core.masks(spectrum), "spleeter": spleeter_masks(self.spleeter, spectrum)}
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


def divided(masks: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """All masks [S, 2, T, 2049] of a first stage, and where stems stand, on a mixture [2, n]: stems [S, 2, n]."""
    return np.stack([audio.istft(x, mixture.shape[1]) for x in spatial.divided(masks, audio.stft(mixture))])


def apply(mask: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """Masks [S, 2, T, 2049] on a mixture [2, n]: stems [S, 2, n]."""
    spectrum = audio.stft(mixture)
    return np.stack([audio.istft(spectrum * m, mixture.shape[1]) for m in mask])
