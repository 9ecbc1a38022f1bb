"""What the benchmarks share: songs made with ffmpeg, measured runs, tables."""

import json
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PARTITA = os.path.join(ROOT, "bin", "partita")
WORK = os.path.join(ROOT, ".deps", "bench")
RECORDINGS = os.path.join(ROOT, "..", "shared", "eval")

# Which packs a run may use: PARTITA_MODELS replaces the folders in which packs are looked for.
MODELS = {
    "fused": None,
    "core": os.path.join(ROOT, "Models"),
    "spleeter": os.path.join(ROOT, ".deps", "models"),
}


def song(folder, seconds):
    """A stereo FLAC of ``seconds`` at 44.1 kHz made of the recordings in ``folder``, repeated."""
    target = os.path.join(WORK, f"song-{seconds}.flac")
    if os.path.exists(target):
        return target
    os.makedirs(WORK, exist_ok=True)
    names = sorted(n for n in os.listdir(folder) if n.endswith((".opus", ".flac", ".mp3", ".wav")))
    if not names:
        sys.exit(f"no recordings in {folder}")
    command = ["ffmpeg", "-v", "error", "-y"]
    for name in names:
        command += ["-i", os.path.join(folder, name)]
    chain = "".join(f"[{i}:a]aresample=44100,aformat=channel_layouts=stereo[s{i}];"
                    for i in range(len(names)))
    chain += "".join(f"[s{i}]" for i in range(len(names)))
    chain += f"concat=n={len(names)}:v=0:a=1,aloop=-1:size=2147483647[out]"
    command += ["-filter_complex", chain, "-map", "[out]", "-t", str(seconds),
                "-sample_fmt", "s16", "-f", "flac", target + ".part"]
    subprocess.run(command, check=True)
    os.replace(target + ".part", target)
    return target


def measure(command, environment=None):
    """Runs ``command``; returns (seconds, peak MB of its largest process, standard output)."""
    log = os.path.join(WORK, "output")
    with open(log, "w+", encoding="utf-8") as output:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                   env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        sys.exit(f"exit code {process.returncode}: {' '.join(command)}")
    return seconds, usage.ru_maxrss / 1024, text


def split(file, out, models="fused", stems=("all",)):
    """One run of `partita split`; returns (seconds, peak MB, seconds of inference or None)."""
    command = [PARTITA, "split", file, "--out", out, "--format", "wav", "--force", "--json"]
    for stem in stems:
        command += ["--stem", stem]
    folder = MODELS[models]
    seconds, peak, text = measure(command, {"PARTITA_MODELS": folder} if folder else None)
    return seconds, peak, inference_seconds(text)


def inference_seconds(text):
    """The sum of every ``"seconds": {"inference": …}`` in the program's JSON lines or document."""
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    found = []

    def visit(value):
        if isinstance(value, dict):
            seconds = value.get("seconds")
            if isinstance(seconds, dict) and "inference" in seconds:
                found.append(seconds["inference"])
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                visit(item)

    visit(documents)
    return sum(found) if found else None


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)
