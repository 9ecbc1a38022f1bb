"""What the converters share: the command line, the pins, writing the result."""

import argparse
import hashlib
import json
import os
import sys


class Refused(Exception):
    """The wheel does not hold what it should."""


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def write_atomically(path, data):
    with open(path + ".part", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def main(description, build):
    """Runs a converter: WHEEL MANIFEST FOLDER. ``build`` makes the ONNX model of a wheel's path."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("wheel")
    parser.add_argument("manifest")
    parser.add_argument("folder")
    parser.add_argument("--pin", action="store_true",
                        help="write the hash of the result into MANIFEST instead of checking it")
    options = parser.parse_args()
    with open(options.manifest, encoding="utf-8") as file:
        manifest = json.load(file)
    if sha256(options.wheel) != manifest["wheel"]["sha256"]:
        sys.exit(f"{options.wheel} is not the file that {options.manifest} pins")
    try:
        data = build(options.wheel).SerializeToString(deterministic=True)
    except Refused as error:
        sys.exit(f"{options.wheel} was refused: {error}")
    digest = hashlib.sha256(data).hexdigest()
    if options.pin:
        manifest["sha256"] = {"model.onnx": digest}
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        write_atomically(options.manifest, text.encode())
    elif digest != manifest["sha256"]["model.onnx"]:
        sys.exit(f"the converted network has SHA-256 {digest}, which {options.manifest} does not name")
    os.makedirs(options.folder, exist_ok=True)
    # The manifest goes last: a folder that has one is complete.
    write_atomically(os.path.join(options.folder, "model.onnx"), data)
    with open(options.manifest, "rb") as file:
        write_atomically(os.path.join(options.folder, "model.json"), file.read())
