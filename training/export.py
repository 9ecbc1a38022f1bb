"""Writes a pack: ONNX with half-precision weights, manifest, and a check that it equals PyTorch."""

import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from . import config, train
from .mix import Library
from .model import PLANES, Core, planes_of
from .tasks import TASKS, Task

SEGMENT, OVERLAP = 128, 16
ABOVE = (1400, config.BINS)
TOLERANCE = 0.02  # of a mask, worst bin, for half-precision weights


def manifest(task: Task, model: bytes, version: str) -> dict:
    return {
        "format": 1,
        "name": task.pack,
        "version": version,
        "licence": "CC-BY-4.0 (attributions in README.md)",
        "sha256": {"model.onnx": hashlib.sha256(model).hexdigest()},
        "kind": "spectrogram",
        **({} if task.input == "mixture" else {"input": task.input}),
        "sample_rate": config.RATE,
        "channels": 2,
        "stft": {"size": config.SIZE, "hop": config.HOP, "window": "hann", "bins": config.BINS},
        "segment_frames": SEGMENT,
        "overlap_frames": OVERLAP,
        "planes": list(PLANES),
        "stems": list(task.stems),
        "input_level_dbfs": config.LEVEL_DBFS,
        "above_bins": {"from": ABOVE[0], "to": ABOVE[1]},
        "serves": {stem: stem for stem in task.serves},
    }


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Stores large weights as float16 followed by a cast: half the file, the same float32 arithmetic."""
    graph, casts = model.graph, []
    for i, tensor in enumerate(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < 256:
            continue
        name = tensor.name
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}_half")
        graph.initializer[i].CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def to_onnx(net: Core, frames: int = SEGMENT) -> bytes:
    """The network as ONNX, opset 17, batch 1, a fixed number of frames.

    Nothing is folded: every parameter keeps its name, so that training can go on from the pack (`weights_of`);
    the runtimes fold when they compile.
    """
    example = torch.rand(1, len(PLANES), frames, config.BINS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            net, (example,), str(path), input_names=["magnitude"], output_names=["mask"], opset_version=17, dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        )
        model = onnx.load(str(path))
    model = halve_weights(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    """The parameters of an exported pack by their names in the network: what a run without a checkpoint starts from."""
    names = Core().state_dict().keys()
    held = {t.name.removesuffix("_half"): numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    missing = [n for n in names if n not in held and not n.endswith("num_batches_tracked")]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing[:3])} …: it was not exported by this version of the trainer")
    return {n: torch.from_numpy(held[n].astype(np.float32)) for n in names if n in held}


def openvino_model(data: bytes, threads: int = 1):  # noqa: ANN201 - an openvino.CompiledModel
    import openvino

    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    return core.compile_model(core.read_model(data), "CPU", options)


def parity(net: Core, data: bytes, frames: int = SEGMENT) -> dict[str, float]:
    """Largest difference of a mask between PyTorch and each runtime, on noise of music's spectral slope."""
    import onnxruntime

    generator = np.random.default_rng(5)
    slope = 60 / (1 + np.arange(config.BINS) / 20)
    x = (generator.exponential(1, (1, len(PLANES), frames, config.BINS)) * slope).astype(np.float32)
    with torch.inference_mode():
        wanted = net(torch.from_numpy(x)).numpy()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found = {"onnxruntime": session.run(None, {"magnitude": x})[0], "openvino": openvino_model(data)([x])[0]}
    differences = {name: float(np.abs(y - wanted).max()) for name, y in found.items()}
    differences["sum of masks"] = float(np.abs(found["openvino"].sum(1) - 1).max())
    return differences


def trained(pack: str) -> tuple[Core, dict]:
    """The averaged weights of the last checkpoint, and what the checkpoint says about itself."""
    held = torch.load(config.RUNS / pack / "checkpoint.pt", map_location="cpu", weights_only=True)
    net = TASKS[pack].network().eval()
    net.load_state_dict(held["average"])
    return net, {"step": held["step"], "minutes": held["seconds"] / 60}


def calibrate(net: Core, task: Task, items: int = 60) -> float:
    """Multiplies the logits by what gives held-out items of three stems and more (of both, where there are two) the best mean SDR;
    returns that factor.

    Temperature scaling (Guo et al. 2017): the network is surer of itself than it should be where several play.
    """
    held_out = Library("valid")
    if not held_out.songs:
        return 1.0
    mixer, factors = task.mixer(held_out, task.samples, seed=77), (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15)
    scores = np.zeros(len(factors))
    with torch.inference_mode():
        for _ in range(items):
            truth = train.Truth(torch.from_numpy(mixer.batch(1)), task.hop)
            if len(truth.stem) < min(3, len(task.stems)):
                continue
            logits = net.logits(planes_of(truth.mixture)).float()
            for i, factor in enumerate(factors):
                mask = torch.softmax(logits * factor, 1)
                scores[i] += sum(
                    max(-10.0, train.sdr_db(mask[0, s] * truth.mixture[0], t))
                    for s, t in zip(truth.stem, truth.spectra, strict=True)
                    if t.abs().square().sum() > 1e-3 * truth.mixture.abs().square().sum()
                )
        best = factors[int(scores.argmax())]
        for parameter in (*net.head.out, *net.head.out_bias):
            parameter.mul_(best)
    return best


def export(pack: str, version: str = "0.1.0", out: Path | None = None) -> Path:
    """Writes Models/<pack>/model.onnx and model.json; fails if a runtime differs from PyTorch."""
    net, about = trained(pack)
    if TASKS[pack].calibrate:
        print(f"logits times {calibrate(net, TASKS[pack])}")
    data = to_onnx(net)
    differences = parity(net, data)
    print(f"{pack}: step {about['step']}, {about['minutes']:.1f} min; {len(data) / 1e6:.1f} MB; largest difference", differences)
    if max(differences.values()) > TOLERANCE:
        raise ValueError("the exported model does not equal the trained one")
    folder = out or config.PACKS / pack
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    (folder / "model.json").write_text(json.dumps(manifest(TASKS[pack], data, version), indent=2) + "\n")
    print(f"written: {folder}, {TASKS[pack].hours(about['step']):.1f} hours of audio seen")
    return folder
