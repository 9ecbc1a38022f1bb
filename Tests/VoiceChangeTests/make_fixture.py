"""Makes Tests/Fixtures/world: what WORLD itself (pyworld) finds in three recordings, for VoiceChangeTests.

    pip install 'setuptools<80' wheel cython numpy; pip install --no-build-isolation pyworld==0.3.5
    python Tests/VoiceChangeTests/make_fixture.py ../shared/eval Tests/Fixtures/world

Needs ffmpeg. Nothing of pyworld is used by the program.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pyworld

# name, recording, sample rate, first second, seconds
RECORDINGS = [
    ("singing", "solo/vocadito_1_singing.flac", 44100, 5.0, 3.0),
    ("speech", "solo/smstools_speech-male.flac", 44100, 0.5, 3.0),
    ("paola", "speech/paola_it_f_city_0dB/clean.flac", 48000, 1.0, 3.0),
]
# Envelopes are kept at each 25th frame and each 4th bin, but not at the ends, where WORLD repeats the last sample
# and Partita goes on with zeros.
FRAME_STEP, BIN_STEP = 25, 4


def decode(path, rate, start, seconds):
    command = ["ffmpeg", "-nostdin", "-v", "error", "-ss", str(start), "-i", str(path), "-t", str(seconds)]
    command += ["-ac", "1", "-ar", str(rate), "-f", "f32le", "-"]
    data = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(data, np.float32).astype(np.float64)


def distance(x, y):
    """Log-spectral distance in decibels; the Swift tests compute the same."""
    size, hop = 1024, 256
    n = min(len(x), len(y))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    starts = range(0, n - size + 1, hop)
    power = [np.array([np.abs(np.fft.rfft(s[i : i + size] * window)) ** 2 for i in starts]) for s in (x, y)]
    loud = power[0].sum(1) > power[0].sum(1).max() * 1e-4
    decibels = [10 * np.log10(p[loud] + 1e-9) for p in power]
    return float(np.mean(np.sqrt(np.mean((decibels[0] - decibels[1]) ** 2, axis=1))))


def main(recordings, output):
    for name, file, rate, start, seconds in RECORDINGS:
        x = decode(pathlib.Path(recordings) / file, rate, start, seconds)
        f0, times = pyworld.harvest(x, rate, f0_floor=65.0, f0_ceil=1100.0, frame_period=5.0)
        f0 = np.round(f0, 2)
        envelope = pyworld.cheaptrick(x, f0, times, rate)
        aperiodicity = pyworld.d4c(x, f0, times, rate)
        coded = pyworld.code_aperiodicity(aperiodicity, rate)
        again = pyworld.synthesize(f0, envelope, aperiodicity, rate, 5.0)
        frames = list(range(12, len(f0) - 12, FRAME_STEP))
        decibels = 10 * np.log10(envelope[frames][:, ::BIN_STEP])
        content = {
            "recording": file,
            "sampleRate": rate,
            "start": start,
            "seconds": seconds,
            "frequencies": [float(f) for f in f0],
            "envelopeFrames": frames,
            "binStep": BIN_STEP,
            "envelopes": [[round(float(v), 2) for v in row] for row in decibels],
            "aperiodicity": [[round(float(v), 1) for v in row] for row in coded],
            "resynthesisDistance": round(distance(x, again), 3),
        }
        path = pathlib.Path(output) / f"{name}.json"
        path.write_text(json.dumps(content, separators=(",", ":")) + "\n")
        print(name, len(f0), int((f0 > 0).sum()), content["resynthesisDistance"], path.stat().st_size)


if __name__ == "__main__":
    main(*sys.argv[1:])
