"""Makes SwiftF0's network, from its wheel, one of blocks of equal length.

    python3 setup/convert_swiftf0.py WHEEL MANIFEST FOLDER

MANIFEST is ``Models/swift-f0/model.json``, which pins the wheel and the result by SHA-256.
FOLDER receives ``model.onnx`` and a copy of the manifest.

The wheel's graph takes a recording of any length, and the range of the pitch as inputs. Here
the length is that of a block, and the range is the whole one, so that the runtime compiles it
once and needs no memory for what is long.

    audio       float32 [1, 256 · FRAMES]  mono, 16 kHz
    pitch       float32 [1, FRAMES]        Hz
    confidence  float32 [1, FRAMES]        voiced from 0.5 on

A frame depends on the eleven before it and the ten after it, no others.
"""

import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import conversion

HOP = 256
FRAMES = 512
RANGE = {"fmin": 46.875, "fmax": 2093.75}
MEMBER = "swift_f0/model.onnx"


def read(wheel):
    try:
        with zipfile.ZipFile(wheel) as archive:
            return onnx.load_from_string(archive.read(MEMBER))
    except (KeyError, zipfile.BadZipFile, ValueError) as error:
        raise conversion.Refused(f"it holds no readable {MEMBER}") from error
    except Exception as error:  # protobuf's own kind of error
        raise conversion.Refused(f"{MEMBER} is no network") from error


def single_precision(graph, output):
    for node in graph.node:
        for index, name in enumerate(node.output):
            if name == output.name:
                node.output[index] = f"{name}_double"
        for index, name in enumerate(node.input):
            if name == output.name:
                node.input[index] = f"{name}_double"
    graph.node.append(helper.make_node(
        "Cast", [f"{output.name}_double"], [output.name], to=TensorProto.FLOAT))
    output.type.tensor_type.elem_type = TensorProto.FLOAT


def build(model, frames=FRAMES):
    graph = model.graph
    if {value.name for value in graph.input} != {"audio", *RANGE}:
        raise conversion.Refused("its network has other inputs")
    for value in list(graph.input):
        if value.name in RANGE:
            graph.input.remove(value)
            graph.initializer.append(
                numpy_helper.from_array(np.float32(RANGE[value.name]).reshape(()), value.name))
        else:
            value.type.tensor_type.shape.dim[1].dim_value = HOP * frames
    for value in graph.output:
        value.type.tensor_type.shape.dim[1].dim_value = frames
        if value.type.tensor_type.elem_type == TensorProto.DOUBLE:
            single_precision(graph, value)
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    conversion.main(__doc__.splitlines()[0], lambda wheel: build(read(wheel)))
