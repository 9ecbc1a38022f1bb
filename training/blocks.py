"""The networks as the server's engine runs them: on blocks of frames that follow each other, with a memory.

A convolution sees the frames before the block instead of zeros, and says nothing yet of those that need frames after it.
So a recording in blocks gives what it gives in one piece, each frame computed once, some frames later.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from . import config
from .model import PLANES, Block, Core, interpolated

HOPS = 64  # of a block


def frames_of(stride: int) -> int:
    """Frames of a block that a network looks at."""
    return HOPS // stride


class Memory:
    """What goes from block to block, laid out as a row of numbers, channels last, as OpenVINO's convolutions have them."""

    def __init__(self, state: Tensor):
        self.state, self.used, self.rows = state, 0, []

    def joined(self, x: Tensor, count: int) -> Tensor:
        """[1, C, T, F] with the last `count` frames of the blocks before in front."""
        if count == 0:
            return x
        channels, bins = int(x.shape[1]), int(x.shape[3])
        size = channels * count * bins
        before = self.state[:, self.used : self.used + size].reshape(1, count, bins, channels).permute(0, 3, 1, 2)
        self.used += size
        both = torch.cat([before, x], 2)
        # Where OpenVINO computes with fewer bits, it keeps to 32 what leads to an output from the last convolution on. So the
        # last one is here, and changes nothing: times one.
        kept = functional.conv2d(both[:, :, -count:], torch.ones(channels, 1, 1, 1), groups=channels)
        self.rows.append(kept.permute(0, 2, 3, 1).reshape(1, -1))
        return both

    def wait(self, x: Tensor, count: int) -> Tensor:
        """What came `count` frames before [1, C, T, F]."""
        return self.joined(x, count)[:, :, : int(x.shape[2])]

    def next(self) -> Tensor:
        return torch.cat(self.rows, 1)


class Blocks(nn.Module):
    """Magnitudes [1, 4, T, 1536] of a block and what is remembered of those before to masks [1, S, 2, T, 1536] and what is
    remembered next. Row t of the masks is for the frame `delay` before that of row t of the magnitudes. Frames are those
    that the network looks at: with a stride of two every second one."""

    def __init__(self, net: Core):
        super().__init__()
        self.net = net
        self.delay, self.size = 0, 0
        with torch.inference_mode():
            # More than any network needs: how much it is, the first run tells.
            self(torch.zeros(1, len(PLANES), 8, config.BINS), torch.zeros(1, 1 << 24))

    def forward(self, magnitude: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        net, memory = self.net, Memory(state)
        raw = net.raw(magnitude)
        x1, late1 = block(net.encode1, net.split(raw), 0, memory)
        x2, late2 = block(net.encode2, *halve(net.down1, x1, late1, memory), memory)
        x3, late3 = halve(net.down2, x2, late2, memory)
        for layers in net.bottom:
            x3, late3 = block(layers, x3, late3, memory)
        x2 = torch.cat([net.up2(x3), memory.wait(x2, 2 * late3 - late2)], 1)
        x2, late2 = block(net.decode2, x2, 2 * late3, memory)
        x1 = torch.cat([net.up1(x2), memory.wait(x1, 2 * late2 - late1)], 1)
        x1, late1 = block(net.decode1, x1, 2 * late2, memory)
        mask = torch.softmax(net.head(x1, memory.wait(raw, late1)), 1)
        self.delay, self.size = late1, memory.used
        return mask, memory.next()


def halve(layer: nn.Conv2d, x: Tensor, late: int, memory: Memory) -> tuple[Tensor, int]:
    """A convolution of pairs of frames: where the last frame is the first of a pair, it waits for the other."""
    odd = late % 2
    return layer(memory.joined(x, odd)[:, :, : int(x.shape[2])]), (late + odd) // 2


def block(layers: Block, x: Tensor, late: int, memory: Memory) -> tuple[Tensor, int]:
    """The first of its convolutions is computed again for the frames before that the second needs: cheaper than keeping them."""
    first, second = (convolution[0] for convolution in (layers.first, layers.second))
    reach = 1 + second.dilation[0]
    x = memory.joined(x, 2 * reach)
    y = layers.first[1:](functional.conv2d(x, first.weight, padding=(0, 1)))
    y = functional.conv2d(layers.mixed(y), second.weight, padding=(0, 1), dilation=second.dilation)
    return torch.relu(layers.second[1](y) + layers.skip(x[:, :, reach:-reach])), late + reach


Runner = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]  # magnitudes and state to masks and next


def run(runner: Runner, planes: np.ndarray, stride: int, frames: int, delay: int, size: int) -> np.ndarray:
    """Magnitudes [P, T, F] of a whole recording, with silence around it, to masks [S, 2, T, F], block by block."""
    seen = planes[:, ::stride]
    state, silence = np.zeros((1, size), np.float32), np.zeros((1, planes.shape[0], frames, planes.shape[2]), np.float32)
    while True:
        before = state
        _, state = runner(silence, state)
        if np.array_equal(state, before):
            break
    count = -(-(seen.shape[1] + 1 + delay) // frames)  # and one more, to be between
    padded = np.pad(seen, ((0, 0), (0, count * frames - seen.shape[1]), (0, 0)))
    masks = []
    for i in range(count):
        mask, state = runner(padded[None, :, i * frames : (i + 1) * frames], state)
        masks.append(mask[0])
    mask = np.concatenate(masks, 2)[:, :, delay:]
    if stride == 2:
        mask = interpolated(torch.from_numpy(mask)).numpy()
    return mask[:, :, : planes.shape[1]]
