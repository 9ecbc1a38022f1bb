"""What the benchmarks share: songs made with ffmpeg, measured runs, tables."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import venv

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Another build of the program can be measured.
PARTITA = os.environ.get("PARTITA_PROGRAM", os.path.join(ROOT, "bin", "partita"))
WORK = os.path.join(ROOT, ".deps", "bench")
RECORDINGS = os.path.join(ROOT, "..", "shared", "eval")

# Which packs a run may use: PARTITA_MODELS replaces the folders in which packs are looked for.
MODELS = {
    "fused": None,
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


def peer_python(name):
    """The interpreter of the virtual environment ``name`` of peers, made at the first run."""
    folder = os.path.join(WORK, name)
    python = os.path.join(folder, "bin", "python")
    stamp = os.path.join(folder, "ready")
    requirements = os.path.join(ROOT, "bench", f"{name}.txt")
    with open(requirements, encoding="utf-8") as file:
        wanted = file.read()
    if not os.path.exists(stamp) or open(stamp, encoding="utf-8").read() != wanted:
        print(f"installing {requirements} into {folder}", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        "--requirement", requirements], check=True)
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(wanted)
    return python


class Measurement:
    """A finished run: seconds of the clock and of processors, and memory in MB."""

    def __init__(self, seconds, usage, tree, text):
        self.seconds = seconds
        self.processor = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024
        self.tree = tree
        self.text = text

    @property
    def stages(self):
        """What `partita … --json` says of the first file: seconds by stage; only of our own program's runs."""
        return json.loads(self.text)["files"][0]["seconds"]


def proportional_memory(root):
    """MB of a process and of all that descend from it; pages that several have count once."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="latin-1") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry))
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, [])
        try:
            with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            pass
    return total / 1024


def measure(command, environment=None):
    """Runs ``command`` to its end; its standard output is kept, what it says on the way is not."""
    log = os.path.join(WORK, "output")
    with open(log, "w+", encoding="utf-8") as output, open(log + ".err", "w+", encoding="utf-8") as errors:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                                   env={**os.environ, **(environment or {})})
        tree, ended = [0.0], threading.Event()

        def watch():
            while not ended.wait(0.5):
                tree[0] = max(tree[0], proportional_memory(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        ended.set()
        watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
        errors.seek(0)
        if process.returncode != 0:
            sys.exit(f"exit code {process.returncode}: {' '.join(command)}\n{errors.read()[-2000:]}")
    return Measurement(seconds, usage, tree[0], text)


def empty_folder(name):
    """The path of a folder of that name, with nothing in it."""
    folder = os.path.join(WORK, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def split(file, out, models="fused", stems=("all",), options=()):
    """One run of `partita split`."""
    command = [PARTITA, "split", file, "--out", out, "--format", "wav", "--force", "--json", "--quiet",
               *options]
    for stem in stems:
        command += ["--stem", stem]
    folder = MODELS.get(models, models)
    return measure(command, {"PARTITA_MODELS": folder} if folder else None)


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)
