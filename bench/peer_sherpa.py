"""Separates one file with sherpa-onnx: decode, split, write both stems as 32-bit float WAV.

    python peer_sherpa.py WEIGHTS FILE OUT THREADS
"""

import os
import subprocess
import sys

import numpy as np
import sherpa_onnx
import soundfile


def main():
    weights, file, out, threads = sys.argv[1:]
    config = sherpa_onnx.OfflineSourceSeparationConfig(
        model=sherpa_onnx.OfflineSourceSeparationModelConfig(
            spleeter=sherpa_onnx.OfflineSourceSeparationSpleeterModelConfig(
                vocals=os.path.join(weights, "vocals.onnx"),
                accompaniment=os.path.join(weights, "accompaniment.onnx")),
            num_threads=int(threads), debug=False, provider="cpu"))
    separation = sherpa_onnx.OfflineSourceSeparation(config)
    pcm = subprocess.run(["ffmpeg", "-v", "error", "-i", file, "-f", "f32le", "-ac", "2",
                          "-ar", "44100", "-"], stdout=subprocess.PIPE, check=True).stdout
    samples = np.ascontiguousarray(np.frombuffer(pcm, np.float32).reshape(-1, 2).T)
    result = separation.process(sample_rate=44100, samples=samples)
    os.makedirs(out, exist_ok=True)
    for name, stem in zip(("vocals", "accompaniment"), result.stems):
        soundfile.write(os.path.join(out, f"sherpa-{name}.wav"), np.asarray(stem.data).T,
                        result.sample_rate, subtype="FLOAT")


if __name__ == "__main__":
    main()
