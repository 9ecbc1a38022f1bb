"""The core network: a small U-Net over time and bands that divides a mixture among four stems.

Bins are gathered into 104 bands (narrow at the bottom, wide at the top), each with weights of its own.
Everything from the linear magnitudes to the masks is inside, so the engine needs no feature code.
"""

import torch
from torch import Tensor, nn

from . import config

LAYOUT = ((32, 4), (32, 8), (24, 16), (16, 48))  # (bands, bins in each): 1536 bins
BANDS = sum(count for count, _ in LAYOUT)
PLANES = ("left", "right", "mid", "side")


class BandSplit(nn.Module):
    """[B, P, T, F] to [B, C, T, bands]; one linear map per band."""

    def __init__(self, planes: int, channels: int):
        super().__init__()
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(count, planes * width, channels) / (planes * width) ** 0.5) for count, width in LAYOUT
        )
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, BANDS))

    def forward(self, x: Tensor) -> Tensor:
        batch, planes, frames, _ = x.shape
        outputs, first = [], 0
        for (count, width), weight in zip(LAYOUT, self.weights, strict=True):
            part = x[..., first : first + count * width].reshape(batch, planes, frames, count, width)
            part = part.permute(3, 0, 2, 1, 4).reshape(count, batch * frames, planes * width)
            outputs.append(torch.bmm(part, weight))
            first += count * width
        y = torch.cat(outputs, 0).reshape(BANDS, batch, frames, -1)
        return y.permute(1, 3, 2, 0) + self.bias


class MaskHead(nn.Module):
    """Latents and the raw band to logits [B, S, 2, T, F]; two layers per band."""

    def __init__(self, planes: int, channels: int, hidden: int, stems: int):
        super().__init__()
        self.stems = stems
        self.latent = nn.ParameterList(
            nn.Parameter(torch.randn(count, channels + planes * width, hidden) / (channels + planes * width) ** 0.5)
            for count, width in LAYOUT
        )
        self.latent_bias = nn.ParameterList(nn.Parameter(torch.zeros(count, 1, hidden)) for count, _ in LAYOUT)
        self.out = nn.ParameterList(
            nn.Parameter(torch.randn(count, hidden, stems * 2 * width) * 0.5 / hidden**0.5) for count, width in LAYOUT
        )
        self.out_bias = nn.ParameterList(nn.Parameter(torch.zeros(count, 1, stems * 2 * width)) for count, width in LAYOUT)

    def forward(self, latents: Tensor, raw: Tensor) -> Tensor:
        batch, planes, frames, _ = raw.shape
        latents = latents.permute(3, 0, 2, 1).reshape(BANDS, batch * frames, -1)
        outputs, first, band = [], 0, 0
        for i, (count, width) in enumerate(LAYOUT):
            part = raw[..., first : first + count * width].reshape(batch, planes, frames, count, width)
            part = part.permute(3, 0, 2, 1, 4).reshape(count, batch * frames, planes * width)
            both = torch.cat([latents[band : band + count], part], 2)
            hidden = torch.relu(torch.baddbmm(self.latent_bias[i], both, self.latent[i]))
            logits = torch.baddbmm(self.out_bias[i], hidden, self.out[i])
            logits = logits.reshape(count, batch, frames, self.stems, 2, width)
            outputs.append(logits.permute(1, 3, 4, 2, 0, 5).reshape(batch, self.stems, 2, frames, count * width))
            first, band = first + count * width, band + count
        return torch.cat(outputs, 4)


def over_bands(linear: nn.Linear, x: Tensor) -> Tensor:
    """`linear` over the last axis of [B, C, T, bands]; in the trainer without leaving the channels-last layout."""
    if not linear.training:
        return linear(x)
    return torch.matmul(linear.weight, x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Two 3×3 convolutions and, between them, a bottleneck that lets every band see every other."""

    def __init__(self, inputs: int, channels: int, bands: int, dilation: int = 1):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(inputs, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
        squeezed = max(8, bands // 4)
        self.across = nn.Sequential(
            nn.Linear(bands, squeezed, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Linear(squeezed, bands, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
        )
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=(dilation, 1), dilation=(dilation, 1), bias=False), nn.BatchNorm2d(channels)
        )
        self.skip = nn.Conv2d(inputs, channels, 1, bias=False) if inputs != channels else nn.Identity()

    def mixed(self, y: Tensor) -> Tensor:
        """Every band with what all bands say."""
        squeeze, norm1, relu1, widen, norm2, relu2 = self.across
        narrow = relu1(norm1(over_bands(squeeze, y)))
        return y + relu2(norm2(over_bands(widen, narrow)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(self.mixed(self.first(x))) + self.skip(x))


def spatial(magnitude: Tensor) -> Tensor:
    """[B, 4, T, F] to [B, 2, T, F], both between −1 and 1: the cosine of the phase between left and right, for which
    |M|² − |S|² = Re(L·R̄), and the balance of their levels. One and zero where all comes from the middle."""
    left, right, mid, side = magnitude.unbind(1)
    cosine = (mid.square() - side.square()) / (left * right + 1e-9)
    return torch.stack([cosine.clamp(-1, 1), (left - right) / (left + right + 1e-7)], 1)


class Core(nn.Module):
    """Magnitudes [B, 4, T, 1536] to masks [B, S, 2, T, 1536] that sum to one over stems; T divides by 4 · stride.

    A `placed` network looks at `spatial`, too: for stems that differ in where they are.

    With a stride of two only every second frame is looked at (windows of 4096 samples still overlap by half) and
    the masks between are the mean of their neighbors: half the work, for stems whose masks change slowly.
    """

    def __init__(self, stems: int = 4, width: tuple[int, int, int] = (48, 96, 128), hidden: int = 64, stride: int = 1,
                 placed: bool = False):
        super().__init__()
        self.stride, self.placed = stride, placed
        planes = len(PLANES)
        low, middle, deep = width
        self.centre = nn.Parameter(torch.full((1, planes, 1, config.BINS), 1.5))
        self.scale = nn.Parameter(torch.ones(1, planes, 1, config.BINS))
        planes += 2 * placed
        self.split = BandSplit(planes, low)
        self.encode1 = Block(low, low, BANDS)
        self.down1 = nn.Conv2d(low, middle, 2, stride=2)
        self.encode2 = Block(middle, middle, BANDS // 2)
        self.down2 = nn.Conv2d(middle, deep, 2, stride=2)
        self.bottom = nn.Sequential(*(Block(deep, deep, BANDS // 4, dilation=d) for d in (1, 2, 4, 8)))
        self.up2 = nn.ConvTranspose2d(deep, middle, 2, stride=2)
        self.decode2 = Block(middle * 2, middle, BANDS // 2)
        self.up1 = nn.ConvTranspose2d(middle, low, 2, stride=2)
        self.decode1 = Block(low * 2, low, BANDS)
        self.head = MaskHead(planes, low, hidden, stems)

    def raw(self, magnitude: Tensor) -> Tensor:
        """What the layers see of the magnitudes."""
        raw = (magnitude.clamp(min=1e-7).pow(0.3) - self.centre) * self.scale
        return torch.cat([raw, spatial(magnitude)], 1) if self.placed else raw

    def logits(self, magnitude: Tensor) -> Tensor:
        raw = self.raw(magnitude)
        x1 = self.encode1(self.split(raw))
        x2 = self.encode2(self.down1(x1))
        x3 = self.bottom(self.down2(x2))
        x2 = self.decode2(torch.cat([self.up2(x3), x2], 1))
        x1 = self.decode1(torch.cat([self.up1(x2), x1], 1))
        return self.head(x1, raw)

    def masks(self, magnitude: Tensor) -> Tensor:
        """Masks of frames that are `stride` hops apart, of all of them: what is trained."""
        return torch.softmax(self.logits(magnitude).float(), 1)

    def forward(self, magnitude: Tensor) -> Tensor:
        mask = self.masks(magnitude[:, :, :: self.stride])
        return mask if self.stride == 1 else interpolated(mask)


def interpolated(mask: Tensor) -> Tensor:
    """Masks [..., T, F] of every second frame to those of all 2·T; after the last nothing changes."""
    following = torch.cat([mask[..., 1:, :], mask[..., -1:, :]], -2)
    return torch.stack([mask, (mask + following) / 2], -2).flatten(-3, -2)


def planes_of(spectrum: Tensor) -> Tensor:
    """Complex [B, 2, T, F] to the magnitudes [B, 4, T, F] that the network takes."""
    left, right = spectrum[:, 0], spectrum[:, 1]
    return torch.stack([left.abs(), right.abs(), ((left + right) / 2).abs(), ((left - right) / 2).abs()], 1)
