"""Writes Tests/Fixtures/division: two small packs, one of which divides a stem of the other, and what NumPy makes of them.

Run as `python -m training.make_division_fixture`. The networks have random weights, so the fixture outlives every training.
"""

import hashlib
import json

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper, numpy_helper

from . import audio, config, export, separate

FRAMES, OVERLAP = 64, 16
SAMPLES = 129 * config.HOP  # three segments
FIRST = ("vocals", "other")
SECOND = ("piano", "electric_guitar", "acoustic_guitar", "synthesizer", "strings", "wind", "rest")
PLANES = ("left", "right", "mid", "side")
CHECKED = "piano"

README = """# A network that divides the stem of another

`first` divides the mixture into vocals and other, `second` divides other into seven instruments. Both are one convolution
(3 × 3, random weights) of magnitudes to the power of 0.3, and a softmax: real networks, but nothing that separates.

`piano.flac`: the piano that they find in the first {samples} samples of `../spleeter-parity/mixture.flac` (its sources are named
there), 24 bit, computed with NumPy and OpenVINO by `python -m training.make_division_fixture`:

1. the mixture at −12 dBFS RMS, STFT 4096/1024; segments of 64 frames, 16 of them cross-faded, each at −12 dBFS within 12 dB; the masks of `first`
2. the mask of other times that spectrum: segments of it, each at −12 dBFS within 12 dB, are the input of `second`
3. the product of both masks times the mixture's spectrum, inverse STFT

The piano has an RMS of {level:.1f} dBFS. Equal means: the difference lies 60 dB below that or more.
"""


def network(stems: int, seed: int) -> bytes:
    """Magnitudes [1, 4, T, F] to masks [1, stems, 2, T, F]."""
    random = np.random.default_rng(seed)
    kernel = (random.normal(0, 0.6, (2 * stems, len(PLANES), 3, 3))).astype(np.float32)
    constants = {
        "exponent": np.float32(0.3), "kernel": kernel,
        "shape": np.array([1, stems, 2, FRAMES, config.BINS], np.int64),
    }
    nodes = [
        helper.make_node("Pow", ["magnitude", "exponent"], ["loudness"]),
        helper.make_node("Conv", ["loudness", "kernel"], ["maps"], pads=[1, 1, 1, 1]),
        helper.make_node("Reshape", ["maps", "shape"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["mask"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "division",
        [helper.make_tensor_value_info("magnitude", TensorProto.FLOAT, [1, len(PLANES), FRAMES, config.BINS])],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, stems, 2, FRAMES, config.BINS])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def manifest(name: str, model: bytes, stems: tuple[str, ...], serves: tuple[str, ...], **more: str) -> dict:
    return {
        "format": 1, "name": name, "version": "1", "licence": "Apache-2.0",
        "sha256": {"model.onnx": hashlib.sha256(model).hexdigest()}, "kind": "spectrogram", **more,
        "sample_rate": config.RATE, "channels": 2,
        "stft": {"size": config.SIZE, "hop": config.HOP, "window": "hann", "bins": config.BINS},
        "segment_frames": FRAMES, "overlap_frames": OVERLAP, "planes": list(PLANES), "stems": list(stems),
        "input_level_dbfs": config.LEVEL_DBFS, "above_bins": {"from": export.ABOVE[0], "to": export.ABOVE[1]},
        "serves": {stem: stem for stem in serves},
    }


def masks(model: bytes, spectrum: np.ndarray) -> np.ndarray:
    """A spectrum [2, T, 2049] to masks [S, 2, T, 2049]."""
    compiled = export.openvino_model(model)
    left, right = spectrum[0, :, : config.BINS], spectrum[1, :, : config.BINS]
    planes = np.stack([np.abs(left), np.abs(right), np.abs(left + right) / 2, np.abs(left - right) / 2]).astype(np.float32)
    found = separate.segmented(
        planes, separate.frame_power(spectrum), lambda x: compiled([x[None]])[0][0].copy(), FRAMES, OVERLAP)
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
    spectrum = separate.spectrum_at_level(x)
    other = masks(first, spectrum)[FIRST.index("other")]
    piano = separate.apply((other * masks(second, spectrum * other)[SECOND.index(CHECKED)])[None], x)[0]
    soundfile.write(folder / f"{CHECKED}.flac", piano.T, config.RATE, subtype="PCM_24")
    level = 10 * np.log10((piano**2).mean())
    (folder / "README.md").write_text(README.format(samples=SAMPLES, level=level))
    print(f"written: {folder}, level {level:.1f} dBFS")


if __name__ == "__main__":
    main()
