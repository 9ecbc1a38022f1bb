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
from .blocks import Blocks, Runner, frames_of, run
from .mix import Library
from .model import PLANES, Core, planes_of
from .tasks import TASKS, Task

ABOVE = (1400, config.BINS)
HALVED = 256  # numbers of a tensor from which on it is stored with half precision
TOLERANCE = 1e-3  # of a mask, worst bin


def manifest(task: Task, model: bytes, version: str) -> dict:
    return {
        "format": 2,
        "name": task.pack,
        "version": version,
        "licence": "CC-BY-4.0 (attributions in README.md)",
        "sha256": {"model.onnx": hashlib.sha256(model).hexdigest()},
        "kind": "spectrogram",
        **({} if task.input == "mixture" else {"input": task.input}),
        "sample_rate": config.RATE,
        "channels": 2,
        "stft": {"size": config.SIZE, "hop": config.HOP, "window": "hann", "bins": config.BINS},
        "frame_stride": task.stride,
        "block_frames": frames_of(task.stride),
        "delay_frames": Blocks(task.network().eval()).delay,
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
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < HALVED:
            continue
        name = tensor.name
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}_half")
        graph.initializer[i].CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def to_onnx(net: Core) -> bytes:
    """The network as ONNX, opset 17, for blocks; see `Blocks`.

    Nothing is folded: every parameter keeps its name, so that training can go on from the pack (`weights_of`);
    the runtimes fold when they compile.
    """
    blocks = Blocks(net)
    example = (torch.rand(1, len(PLANES), frames_of(net.stride), config.BINS), torch.rand(1, blocks.size))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            blocks, example, str(path), input_names=["magnitude", "state"], output_names=["mask", "next"], opset_version=17,
            dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        )
        model = onnx.load(str(path))
    model = halve_weights(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    """The parameters of an exported pack by their names in the network: what a run without a checkpoint starts from."""
    names = Core().state_dict().keys()
    held = {t.name.removesuffix("_half").removeprefix("net."): numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    missing = [n for n in names if n not in held and not n.endswith("num_batches_tracked")]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing[:3])} …: it was not exported by this version of the trainer")
    return {n: torch.from_numpy(held[n].astype(np.float32)) for n in names if n in held}


def openvino_runner(data: bytes, threads: int = 1) -> tuple[Runner, int]:
    """What runs a block, and the length of its memory."""
    import openvino

    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(data), "CPU", options)

    def runner(magnitude: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = compiled({"magnitude": magnitude, "state": state})
        return found["mask"].copy(), found["next"].copy()

    return runner, compiled.input("state").shape[1]


def parity(net: Core, data: bytes, frames: int = 280) -> dict[str, float]:
    """Largest difference of a mask between PyTorch, all frames in one piece with silence around them, and each runtime, in
    blocks, on noise of music's spectral slope."""
    import onnxruntime

    generator = np.random.default_rng(5)
    slope = 60 / (1 + np.arange(config.BINS) / 20)
    x = (generator.exponential(1, (len(PLANES), frames, config.BINS)) * slope).astype(np.float32)
    wanted = whole(net, x)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    runners: dict[str, Runner] = {
        "onnxruntime": lambda magnitude, state: session.run(["mask", "next"], {"magnitude": magnitude, "state": state}),
        "openvino": openvino_runner(data)[0],
    }
    blocks = Blocks(net)
    found = {name: run(runner, x, net.stride, frames_of(net.stride), blocks.delay, blocks.size) for name, runner in runners.items()}
    differences = {name: float(np.abs(y - wanted).max()) for name, y in found.items()}
    differences["sum of masks"] = float(np.abs(found["openvino"].sum(0) - 1).max())
    return differences


def whole(net: Core, planes: np.ndarray) -> np.ndarray:
    """Magnitudes [P, T, F] of a whole recording, with silence around it, to masks [S, 2, T, F]."""
    around, frames = 256, planes.shape[1]  # more than a frame's masks depend on
    padded = np.pad(planes, ((0, 0), (around, around + -frames % 8), (0, 0)))
    with torch.inference_mode():
        return net(torch.from_numpy(padded[None]))[0, :, :, around : around + frames].numpy()


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


def export(pack: str, out: Path | None = None, share: float = 1) -> Path:
    """Writes Models/<pack>/model.onnx and model.json from the last checkpoint; fails if a runtime differs from PyTorch.

    With a `share` below 1 each parameter is the mean of the checkpoint's and, with the rest of the weight, that of the pack that
    is there: states of one network on a way of small steps, whose mean is often better than both (Izmailov et al. 2018).
    """
    net, about = trained(pack)
    if share < 1:
        new, old = net.state_dict(), weights_of(config.PACKS / pack / "model.onnx")
        net.load_state_dict({**new, **{name: value.lerp(new[name], share) for name, value in old.items()}})
    if TASKS[pack].calibrate:
        print(f"logits times {calibrate(net, TASKS[pack])}")
    print(f"{pack}: step {about['step']}, {about['minutes']:.1f} min, {TASKS[pack].hours(about['step']):.1f} hours of audio seen")
    return write(pack, net, out or config.PACKS / pack)


def again(pack: str) -> Path:
    """Writes Models/<pack> from its own weights: after a change of what surrounds them."""
    net = TASKS[pack].network().eval()
    net.load_state_dict({**net.state_dict(), **weights_of(config.PACKS / pack / "model.onnx")})
    return write(pack, net, config.PACKS / pack)


def write(pack: str, net: Core, folder: Path, version: str = "0.1.0") -> Path:
    for tensor in net.state_dict().values():
        if tensor.is_floating_point() and tensor.numel() >= HALVED:
            tensor.copy_(tensor.half())
    data = to_onnx(net)
    differences = parity(net, data)
    print(f"{folder}: {len(data) / 1e6:.1f} MB; largest difference", differences)
    if max(differences.values()) > TOLERANCE:
        raise ValueError("the exported model does not equal the trained one")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    (folder / "model.json").write_text(json.dumps(manifest(TASKS[pack], data, version), indent=2) + "\n")
    return folder
