"""What a network remembers from one block of frames to the next."""

import numpy as np
import onnx
from onnx import helper


class Memory:
    """Lays out the row of numbers that goes from block to block: the input ``state`` and the output ``next``.

    ``nodes`` and ``initializers`` are those of the graph, lists or fields of a message.
    """

    def __init__(self, nodes, initializers):
        self.nodes, self.initializers, self.size, self.next = nodes, initializers, 0, []

    def constant(self, name, values):
        data = np.array(values, dtype=np.int64)
        self.initializers.append(onnx.TensorProto(
            name=name, dims=data.shape, data_type=onnx.TensorProto.INT64, raw_data=data.tobytes()))
        return name

    def before(self, name, shape):
        """The part of the state that the next numbers stand for; returns the name of a tensor."""
        count = int(np.prod(shape))
        start = self.constant(f"{name}.start", [self.size])
        end = self.constant(f"{name}.end", [self.size + count])
        axis = self.constant(f"{name}.axis", [1])
        self.size += count
        nodes = [
            helper.make_node("Slice", ["state", start, end, axis], [f"{name}.flat"]),
            helper.make_node("Reshape", [f"{name}.flat", self.constant(f"{name}.shape", shape)],
                             [f"{name}.before"]),
        ]
        # The state is an input: these nodes may come first.
        for index, node in enumerate(nodes):
            self.nodes.insert(index, node)
        return f"{name}.before"

    def after(self, name, tensor):
        """Says that ``tensor`` is what the same part has after the block."""
        shape = self.constant(f"{name}.flattened", [1, -1])
        self.nodes.append(helper.make_node("Reshape", [tensor, shape], [f"{name}.after"]))
        self.next.append(f"{name}.after")

    def joined(self, name, source, count, result):
        """Puts the last frames of the blocks before in front of ``source``.

        ``count`` is (channels, frames, bins): how many there are of each. The state has them with the channels
        last, as OpenVINO's convolutions do.
        """
        channels, frames, bins = count
        before = self.before(name, [1, frames, bins, channels])
        last = self.part(result, f"{name}.last", -frames, 2 ** 31 - 1)
        # Where OpenVINO computes with fewer bits, it keeps to 32 what leads to an output from the
        # last convolution on. So the last one is here, and changes nothing: times one.
        ones = np.ones((channels, 1, 1, 1), np.float32)
        self.initializers.append(onnx.TensorProto(
            name=f"{name}.ones", dims=ones.shape, data_type=onnx.TensorProto.FLOAT,
            raw_data=ones.tobytes()))
        self.nodes.extend([
            helper.make_node("Transpose", [before], [f"{name}.first"], perm=[0, 3, 1, 2]),
            helper.make_node("Concat", [f"{name}.first", source], [result], axis=2),
            last,
            helper.make_node("Conv", [last.output[0], f"{name}.ones"], [f"{name}.kept"], group=channels),
            helper.make_node("Transpose", [f"{name}.kept"], [f"{name}.row"], perm=[0, 2, 3, 1]),
        ])
        self.after(name, f"{name}.row")
        return result

    def part(self, source, result, start, end):
        """A node for the frames of ``source`` from ``start`` to ``end``."""
        ends = [self.constant(f"{result}.{k}", [v])
                for k, v in (("from", start), ("to", end), ("frames", 2))]
        return helper.make_node("Slice", [source, *ends], [result])

    def close(self):
        self.nodes.append(helper.make_node("Concat", self.next, ["next"], axis=1))
