"""Writes an untrained htdemucs in the form that the `demucs` command loads (`--repo FOLDER -n htdemucs`).

    python peer_demucs_model.py FOLDER

The hyper-parameters are those of the released htdemucs: the class's own defaults, and what its authors
changed (a Transformer of 512 channels between the branches, segments of 7.8 s). Weights are random: speed and
memory do not depend on their values, the sound does.
"""

import os
import sys
from fractions import Fraction
from pathlib import Path

import torch
from demucs.htdemucs import HTDemucs
from demucs.states import save_with_checksum


def main():
    folder = Path(sys.argv[1])
    if list(folder.glob("*.th")):
        return
    torch.manual_seed(0)
    arguments = {
        "sources": ["drums", "bass", "other", "vocals"],
        "bottom_channels": 512,
        "segment": Fraction(39, 5),
    }
    model = HTDemucs(**arguments)
    count = sum(p.numel() for p in model.parameters())
    print(f"htdemucs with {count / 1e6:.1f} million random parameters", file=sys.stderr)
    state = {name: value.half() for name, value in model.state_dict().items()}
    os.makedirs(folder, exist_ok=True)
    save_with_checksum({"klass": HTDemucs, "args": (), "kwargs": arguments, "state": state,
                        "training_args": {}}, folder / "random.th")
    (folder / "htdemucs.yaml").write_text("models: ['random']\n", encoding="utf-8")


if __name__ == "__main__":
    main()
