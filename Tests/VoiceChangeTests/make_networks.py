"""Writes Tests/Fixtures/neural-voice: small networks with the inputs and outputs of ContentVec and of RVC's voices.

Run with the `onnx` package of set-up: `PYTHONPATH=.deps/python python3 Tests/VoiceChangeTests/make_networks.py`.

They are no voices: the content is how loud each 20 ms are, and the voice hums it, a sine of the pitch that it is told.
So a test can measure in the sound whether content, pitch, speaker and time arrived.
"""

import json
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 8
RATE, FRAME = 40_000, 400  # samples of 10 ms
NOISE = 192
FOLDER = os.path.join(os.path.dirname(__file__), "..", "Fixtures", "neural-voice")

README = """# Small networks with the inputs and outputs of real ones

Written by `Tests/VoiceChangeTests/make_networks.py`, which says what they compute.

| file | inputs |
|---|---|
| `content.onnx` | `source` [1, 1, samples at 16 kHz] to [1, frames of 20 ms, 8], as ContentVec's usual export |
| `content-turned.onnx` | the same, [1, 8, frames] |
| `content-wide.onnx` | the same, [1, frames, 12], which is for none of the voices |
| `webui.onnx` | `phone`, `phone_lengths`, `pitch`, `pitchf`, `ds`, `rnd`, as the RVC WebUI exports; 40 kHz, which nothing in the file says |
| `client.onnx` | `feats`, `p_len`, `pitch`, `pitchf`, `sid`, and a description in JSON, as the VC client exports |
| `client-lying.onnx` | the same, but its description says 48 kHz, and it speaks at 40 |
| `client-random.onnx` | the same as `client.onnx`, and noise that it draws itself, without a seed, as real ones do |
| `client-half.onnx` | the same, but the content is of 16-bit numbers |
| `client-flat.onnx` | `feats`, `p_len`, `sid`: a voice that is not told the pitch |
"""


def constant(name, value, kind=np.float32):
    return numpy_helper.from_array(np.asarray(value, dtype=kind), name)


def save(name, nodes, inputs, outputs, constants, description=None):
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if description:
        helper.set_model_props(model, {"metadata": json.dumps(description)})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, os.path.join(FOLDER, f"{name}.onnx"))


def content(name, turned=False, channels=CHANNELS):
    """The mean magnitude of 400 samples, every 320; channel c times c + 1."""
    weights = np.repeat(np.arange(1, channels + 1)[:, None, None] / 400, 400, axis=2)
    nodes = [
        helper.make_node("Abs", ["source"], ["magnitude"]),
        helper.make_node("Conv", ["magnitude", "weights"], ["frames"], strides=[320]),
        helper.make_node("Identity", ["frames"], ["embed"]) if turned
        else helper.make_node("Transpose", ["frames"], ["embed"], perm=[0, 2, 1]),
    ]
    shape = [1, channels, "frames"] if turned else [1, "frames", channels]
    save(name, nodes, [helper.make_tensor_value_info("source", TensorProto.FLOAT, [1, 1, "samples"])],
         [helper.make_tensor_value_info("embed", TensorProto.FLOAT, shape)], [constant("weights", weights)])


def repeated(source, target):
    """[1, T] to [1, T · FRAME]"""
    return [
        helper.make_node("Unsqueeze", [source, "last"], [f"{target}_column"]),
        helper.make_node("Tile", [f"{target}_column", "tiles"], [f"{target}_tiled"]),
        helper.make_node("Reshape", [f"{target}_tiled", "flat"], [target]),
    ]


def voice(name, phone, length, speaker, noise=None, pitched=True, random=False, half=False, description=None):
    """Loudness times a sine of the pitch, where `pitch` says that there is one; half as loud for each further speaker."""
    inputs = [
        helper.make_tensor_value_info(
            phone, TensorProto.FLOAT16 if half else TensorProto.FLOAT, [1, "frames", CHANNELS]),
        helper.make_tensor_value_info(length, TensorProto.INT64, [1]),
    ]
    constants = [constant("last", [2], np.int64), constant("tiles", [1, 1, FRAME], np.int64),
                 constant("flat", [1, -1], np.int64), constant("half", 0.5), constant("middle", [1], np.int64),
                 constant("length_scale", 0.0), constant("mean", np.full((CHANNELS, 1), 2 / CHANNELS / (CHANNELS + 1)))]
    nodes = [
        *([helper.make_node("Cast", [phone], ["whole_phone"], to=TensorProto.FLOAT)] if half else []),
        helper.make_node("MatMul", ["whole_phone" if half else phone, "mean"], ["loud_column"]),
        helper.make_node("Squeeze", ["loud_column", "last"], ["loud"]),
        helper.make_node("Cast", [length], ["length_number"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["length_number", "length_scale"], ["nothing"]),
        helper.make_node("Cast", [speaker], ["speaker_number"], to=TensorProto.FLOAT),
        helper.make_node("Pow", ["half", "speaker_number"], ["gain"]),
    ]
    if pitched:
        inputs += [helper.make_tensor_value_info("pitch", TensorProto.INT64, [1, "frames"]),
                   helper.make_tensor_value_info("pitchf", TensorProto.FLOAT, [1, "frames"])]
        constants += [constant("turn", 2 * np.pi / RATE), constant("axis", 1, np.int64), constant("one", 1, np.int64)]
        nodes += [
            *repeated("pitchf", "frequency"),
            helper.make_node("CumSum", ["frequency", "axis"], ["cycles"]),
            helper.make_node("Mul", ["cycles", "turn"], ["phase"]),
            helper.make_node("Sin", ["phase"], ["wave"]),
            helper.make_node("Greater", ["pitch", "one"], ["voiced"]),
            helper.make_node("Cast", ["voiced"], ["voiced_number"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["loud", "voiced_number"], ["voiced_loud"]),
            *repeated("voiced_loud", "level"),
            helper.make_node("Mul", ["wave", "level"], ["hum"]),
        ]
    else:
        nodes += repeated("loud", "hum")
    inputs.append(helper.make_tensor_value_info(speaker, TensorProto.INT64, [1]))
    quiet = "hum"
    if noise:
        inputs.append(helper.make_tensor_value_info(noise, TensorProto.FLOAT, [1, NOISE, "frames"]))
        constants.append(constant("little", 0.001))
        nodes += [
            helper.make_node("ReduceMean", [noise], ["breath"], axes=[1], keepdims=0),
            helper.make_node("Mul", ["breath", "little"], ["breath_quiet"]),
            *repeated("breath_quiet", "breath_level"),
            helper.make_node("Add", ["hum", "breath_level"], ["hum_breath"]),
        ]
        quiet = "hum_breath"
    if random:
        constants.append(constant("soft", 0.01))
        nodes += [
            helper.make_node("RandomNormalLike", [quiet], ["normal"]),
            helper.make_node("RandomUniformLike", [quiet], ["uniform"]),
            helper.make_node("Add", ["normal", "uniform"], ["drawn"]),
            helper.make_node("Mul", ["drawn", "soft"], ["drawn_soft"]),
            helper.make_node("Add", [quiet, "drawn_soft"], ["hum_drawn"]),
        ]
        quiet = "hum_drawn"
    nodes += [
        helper.make_node("Mul", [quiet, "gain"], ["spoken"]),
        helper.make_node("Add", ["spoken", "nothing"], ["whole"]),
        helper.make_node("Unsqueeze", ["whole", "middle"], ["audio"]),
    ]
    save(name, nodes, inputs, [helper.make_tensor_value_info("audio", TensorProto.FLOAT, [1, 1, "samples"])],
         constants, description)


os.makedirs(FOLDER, exist_ok=True)
content("content")
content("content-turned", turned=True)
content("content-wide", channels=12)
voice("webui", "phone", "phone_lengths", "ds", noise="rnd")
client = {"application": "VC_CLIENT", "version": "2", "samplingRate": RATE, "f0": True, "embChannels": CHANNELS}
voice("client", "feats", "p_len", "sid", description=client)
voice("client-lying", "feats", "p_len", "sid", description={**client, "samplingRate": 48_000})
voice("client-random", "feats", "p_len", "sid", random=True, description=client)
voice("client-half", "feats", "p_len", "sid", half=True, description=client)
voice("client-flat", "feats", "p_len", "sid", pitched=False, description={**client, "f0": False})
with open(os.path.join(FOLDER, "README.md"), "w", encoding="utf-8") as file:
    file.write(README)
