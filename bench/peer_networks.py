"""The bare networks, beside ONNX Runtime and the machine's matrix products. Run by `bench/networks`.

    python peer_networks.py THREADS RUNS LAYERS PACK...

Each network runs on one block of noise, in OpenVINO as the engine configures it and in ONNX Runtime, in turn with a
product of two matrices in NumPy (OpenBLAS); medians are printed. One operation is a multiplication or an addition.
"""

import json
import os
import sys
import time

threads = int(sys.argv[1])
os.environ["OPENBLAS_NUM_THREADS"] = str(threads)

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import openvino  # noqa: E402

SIZE = 2048


def operations(model):
    """Operations of an inference: of convolutions and matrix products, with the shapes that OpenVINO found."""
    total = 0
    for node in model.get_ops():
        kind = node.get_type_name()
        if kind in ("Convolution", "GroupConvolution"):
            # A result is a sum over the weights of one output channel.
            weights = node.input(1).get_shape()
            grouped = kind.startswith("Group")
            total += np.prod(node.output(0).get_shape()) * np.prod(weights[2 if grouped else 1:])
        elif kind == "ConvolutionBackpropData":
            weights = node.input(1).get_shape()
            total += np.prod(node.input(0).get_shape()) * np.prod(weights[1:])
        elif kind == "MatMul":
            inner = node.input(0).get_shape()[-2 if node.get_attributes()["transpose_a"] else -1]
            total += np.prod(node.output(0).get_shape()) * inner
        elif kind.endswith("Sequence") or "Backprop" in kind or kind == "Einsum":
            sys.exit(f"the operations of {kind} are not counted")
    return 2 * float(total)


def timed(run):
    # Threads of the one before wait for more work for a while, and take the time of the one after it.
    time.sleep(0.2)
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    runs, layers, packs = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    a, b = (np.random.rand(SIZE, SIZE).astype(np.float32) for _ in range(2))
    out = np.empty_like(a)
    core = openvino.Core()
    settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads,
                "EXECUTION_MODE_HINT": "PERFORMANCE", "ENABLE_CPU_PINNING": False}
    report = []
    for pack in packs:
        path = os.path.join(pack, "model.onnx")
        with open(os.path.join(pack, "model.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        compiled = core.compile_model(path, "CPU", settings)
        request = compiled.create_infer_request()
        noise = {port.any_name: np.abs(np.random.randn(*port.shape)).astype(np.float32) for port in compiled.inputs}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        contestants = {
            "sgemm": lambda: np.matmul(a, b, out=out),
            "openvino": lambda: request.infer(noise, share_inputs=True),
            "onnxruntime": lambda: session.run(None, noise),
        }
        times = {name: [] for name in contestants}
        for turn in range(runs + 1):
            for name, run in contestants.items():
                seconds = timed(run)
                if turn > 0:
                    times[name].append(seconds)
        entry = {
            "name": manifest["name"], "operations": operations(core.read_model(path)),
            "seconds_of_audio": manifest["block_frames"] * manifest.get("frame_stride", 1) * manifest["stft"]["hop"] / manifest["sample_rate"],
            "peak": 2 * SIZE ** 3 / median(times["sgemm"]),
            **{name: median(times[name]) for name in ("openvino", "onnxruntime")},
        }
        entry["layers"] = profile(core, path, settings, noise, runs) if layers else []
        report.append(entry)
    print(json.dumps(report))


def profile(core, path, settings, noise, runs):
    """Median milliseconds by layer as OpenVINO runs it: (name, type, implementation, milliseconds)."""
    compiled = core.compile_model(path, "CPU", {**settings, "PERF_COUNT": True})
    request = compiled.create_infer_request()
    found = {}
    for _ in range(runs + 1):
        request.infer(noise, share_inputs=True)
        for item in request.profiling_info:
            if item.real_time.total_seconds() > 0:
                key = (item.node_name, item.node_type, item.exec_type)
                found.setdefault(key, []).append(item.real_time.total_seconds() * 1000)
    return sorted(([*key, median(values)] for key, values in found.items()), key=lambda r: -r[3])


if __name__ == "__main__":
    main()
