"""Writes Tests/Fixtures/division: two small packs, one of which divides a stem of the other, and what NumPy makes of them.

Run as `python -m training.make_division_fixture`. The networks have random weights, so the fixture outlives every training.
"""

import hashlib
import io
import json

import numpy as np
import soundfile
import torch
from torch import Tensor, nn
from torch.nn import functional

from . import audio, blocks, config, export, separate, spatial
from .model import PLANES

FRAMES = 64
SIZE = len(PLANES) * 2 * config.BINS  # two frames
SAMPLES = 129 * config.HOP  # three blocks
FIRST = ("vocals", "other")
SECOND = ("piano", "electric_guitar", "acoustic_guitar", "synthesizer", "strings", "wind", "rest")
CHECKED = "piano"

README = """# A network that divides the stem of another

`first` divides the mixture into vocals and other, `second` divides other into seven instruments. Both are one convolution
(3 × 3, random weights) of magnitudes to the power of 0.3, and a softmax: real networks, but nothing that separates.

`piano.flac`: the piano that they find in the first {samples} samples of `../spleeter-parity/mixture.flac` (its sources are named
there), 24 bit, computed with NumPy and OpenVINO by `python -m training.make_division_fixture`:

1. the mixture's STFT 4096/1024; each frame at −12 dBFS by the RMS of it and the 32 before and after, or what is 16 dB below the loudest such RMS up to there
   (which falls by 6 dB a minute) where that is more; the masks of `first`, block by block of 64 frames
2. the mask of other times that spectrum: leveled and in blocks likewise, but for the bound, which is 12 dB below the level of the mixture's frame, it is the input of `second`
3. other's spectrum by its mask and by where it stands (`training/spatial.py`), times the piano's mask, inverse STFT

The piano has an RMS of {level:.1f} dBFS. Equal means: the difference lies 60 dB below that or more.
"""


class Small(nn.Module):
    """Blocks of magnitudes [1, 4, T, F] and their memory to masks [1, stems, 2, T, F] of the frames before, and what is next."""

    def __init__(self, stems: int, seed: int):
        super().__init__()
        random = np.random.default_rng(seed)
        self.kernel = nn.Parameter(torch.from_numpy(random.normal(0, 0.6, (2 * stems, len(PLANES), 3, 3)).astype(np.float32)))

    def forward(self, magnitude: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        memory = blocks.Memory(state)
        maps = functional.conv2d(memory.joined(magnitude.pow(0.3), 2), self.kernel, padding=(0, 1))
        logits = maps.reshape(1, self.kernel.shape[0] // 2, 2, FRAMES, config.BINS)
        return torch.softmax(logits, 1), memory.next()


def network(stems: int, seed: int) -> bytes:
    example = (torch.rand(1, len(PLANES), FRAMES, config.BINS), torch.rand(1, SIZE))
    file = io.BytesIO()
    torch.onnx.export(Small(stems, seed).eval(), example, file, input_names=["magnitude", "state"],
                      output_names=["mask", "next"], opset_version=17, dynamo=False)
    return file.getvalue()


def manifest(name: str, model: bytes, stems: tuple[str, ...], serves: tuple[str, ...], **more: str) -> dict:
    return {
        "format": 2, "name": name, "version": "1", "licence": "Apache-2.0",
        "sha256": {"model.onnx": hashlib.sha256(model).hexdigest()}, "kind": "spectrogram", **more,
        "sample_rate": config.RATE, "channels": 2,
        "stft": {"size": config.SIZE, "hop": config.HOP, "window": "hann", "bins": config.BINS},
        "frame_stride": 1, "block_frames": FRAMES, "delay_frames": 1, "planes": list(PLANES), "stems": list(stems),
        "input_level_dbfs": config.LEVEL_DBFS, "above_bins": {"from": export.ABOVE[0], "to": export.ABOVE[1]},
        "serves": {stem: stem for stem in serves},
    }


def masks(model: bytes, spectrum: np.ndarray, mixture: np.ndarray | None = None) -> np.ndarray:
    """A spectrum [2, T, 2049], of a stem with its mixture's, to masks [S, 2, T, 2049]."""
    found = blocks.run(export.openvino_runner(model)[0], separate.leveled_planes(spectrum, mixture), 1, FRAMES, 1, SIZE)
    return separate.extended(found, export.ABOVE)


def main() -> None:
    folder = config.REPO / "Tests" / "Fixtures" / "division"
    first, second = network(len(FIRST), 1), network(len(SECOND), 2)
    packs = {
        "first": (first, manifest("first", first, FIRST, ("vocals",))),
        # The API has no stem for the rest; here it is one.
        "second": (second, manifest("second", second, SECOND, SECOND, input="other")),
    }
    for name, (model, about) in packs.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "model.onnx").write_bytes(model)
        (folder / name / "model.json").write_text(json.dumps(about, indent=2) + "\n")

    x = audio.stereo(audio.read(folder.parent / "spleeter-parity" / "mixture.flac"))[:, :SAMPLES]
    spectrum = audio.stft(x)
    found = masks(first, spectrum)
    seen, other = (y[FIRST.index("other")] for y in (found * spectrum, spatial.divided(found, spectrum)))
    piano = audio.istft(other * masks(second, seen, spectrum)[SECOND.index(CHECKED)], SAMPLES)
    soundfile.write(folder / f"{CHECKED}.flac", piano.T, config.RATE, subtype="PCM_24")
    level = 10 * np.log10((piano**2).mean())
    (folder / "README.md").write_text(README.format(samples=SAMPLES, level=level))
    print(f"written: {folder}, level {level:.1f} dBFS")


if __name__ == "__main__":
    main()
