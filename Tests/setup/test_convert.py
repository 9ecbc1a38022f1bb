"""The converted graph computes what Spleeter's networks compute.

The reference here is written from the description of the network (pad, stride, crop)
with loops over kernel taps, without any of the converter's operators.
"""

import os
import sys
import tempfile
import unittest
from unittest import mock

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "setup"))
import checkpoint  # noqa: E402
import convert_spleeter as converter  # noqa: E402
import runtime  # noqa: E402


def random_weights(seed):
    generator = np.random.default_rng(seed)
    weights = {}
    for name, shape in converter.expected_shapes().items():
        values = generator.standard_normal(shape)
        if name.endswith("running_var"):
            values = np.abs(values) + 0.5
        elif len(shape) == 4:
            values /= np.sqrt(np.prod(shape[1:]))
        weights[name] = values.astype(np.float32)
    return weights


def strided_convolution(x, weight, bias):
    """Zeros around (1 before, 2 after), then every second position of a 5x5 correlation."""
    padded = np.pad(x, ((0, 0), (1, 2), (1, 2)))
    height, width = x.shape[1] // 2, x.shape[2] // 2
    out = np.zeros((weight.shape[0], height, width)) + bias[:, None, None]
    for i in range(5):
        for j in range(5):
            taps = padded[:, i:i + 2 * height:2, j:j + 2 * width:2]
            out += np.tensordot(weight[:, :, i, j], taps, axes=1)
    return out


def transposed_convolution(x, weight, bias):
    """Each value spreads over 5x5 outputs, two apart; then 1 before and 2 after are cropped."""
    _, height, width = x.shape
    out = np.zeros((weight.shape[1], 2 * height + 3, 2 * width + 3)) + bias[:, None, None]
    for i in range(5):
        for j in range(5):
            out[:, i:i + 2 * height:2, j:j + 2 * width:2] += np.tensordot(
                weight[:, :, i, j].T, x, axes=1)
    return out[:, 1:-2, 1:-2]


def dilated_convolution(x, weight, bias):
    padded = np.pad(x, ((0, 0), (3, 3), (3, 3)))
    out = np.zeros((weight.shape[0],) + x.shape[1:]) + bias[:, None, None]
    for i in range(4):
        for j in range(4):
            taps = padded[:, 2 * i:2 * i + x.shape[1], 2 * j:2 * j + x.shape[2]]
            out += np.tensordot(weight[:, :, i, j], taps, axes=1)
    return out


def reference_share(weights, x):
    def layer(name):
        return weights[name + ".weight"].astype(float), weights[name + ".bias"].astype(float)

    def norm(value, name):
        scale, shift = layer(name)
        mean, variance = weights[name + ".running_mean"], weights[name + ".running_var"]
        factor = scale / np.sqrt(variance + 1e-3)
        return (value - mean[:, None, None]) * factor[:, None, None] + shift[:, None, None]

    value, skips = x, []
    for level in range(1, 7):
        value = strided_convolution(value, *layer(f"down{level}_conv.1"))
        skips.append(value)
        if level < 6:
            value = norm(value, f"down{level}_act.0")
            value = np.where(value > 0, value, 0.2 * value)
    for level in range(1, 7):
        if level > 1:
            value = np.concatenate([skips[6 - level], value])
        value = transposed_convolution(value, *layer(f"up{level}.0"))
        value = norm(np.maximum(value, 0), f"up{level}.3")
    return 1 / (1 + np.exp(-dilated_convolution(value, *layer("up7.0"))))


BEFORE = 448  # frames of silence after which the state is that of silence


def run_blocks(model, x, frames, size):
    """The masks of a recording [2, T, F] with silence around it, block by block."""
    x = np.pad(x, ((0, 0), (BEFORE, 256), (0, 0)))
    state, masks = np.zeros((1, size), np.float32), []
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(model.SerializeToString())
        file.flush()
        for start in range(0, x.shape[1], frames):
            block = x[None, :, start:start + frames]
            mask, state = runtime.run(
                file.name, {"magnitude": block, "state": state}, ["mask", "next"])
            masks.append(mask[0])
    return np.concatenate(masks, axis=2)[:, :, BEFORE + converter.Blocks(None).delay:]


class ConvertTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.networks = [random_weights(1), random_weights(2)]

    def test_blocks_give_what_the_whole_gives(self):
        length, frames, bins = 192, 64, 64
        x = np.abs(np.random.default_rng(3).standard_normal((2, length, bins))).astype(np.float32)
        silence = np.zeros((2, 256, bins))
        whole = np.concatenate([silence, x, silence], axis=1)
        squares = [(reference_share(w, whole)[:, 256:-256]) ** 2 for w in self.networks]
        expected = np.stack([s / sum(squares) for s in squares])
        with mock.patch.multiple(converter, FRAMES=frames, BINS=bins):
            model = converter.build(self.networks)
        size = model.graph.input[1].type.tensor_type.shape.dim[1].dim_value
        mask = run_blocks(model, x, frames, size)[:, :, :length]
        self.assertEqual(mask.shape, (2, 2, length, bins))
        np.testing.assert_allclose(mask, expected, atol=5e-5)
        np.testing.assert_allclose(mask.sum(axis=0), 1, atol=1e-6)

    def test_two_runs_give_the_same_bytes(self):
        first, second = (
            converter.build(self.networks).SerializeToString(deterministic=True) for _ in range(2))
        self.assertEqual(first, second)

    def test_refuses_wrong_weights(self):
        for change in (
            lambda w: w.pop("up3.0.bias"),
            lambda w: w.update({"up3.0.bias": np.zeros(3, np.float32)}),
            lambda w: w.update({"up3.0.bias": np.full(64, np.nan, np.float32)}),
            lambda w: w.update({"up3.0.bias": np.zeros(64)}),
        ):
            weights = dict(self.networks[0])
            change(weights)
            with self.assertRaises(checkpoint.RefusedCheckpoint) as caught:
                converter.build([weights, self.networks[1]])
            self.assertIn("up3.0.bias", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
