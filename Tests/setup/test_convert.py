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


def reference_estimate(weights, x):
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
    return x / (1 + np.exp(-dilated_convolution(value, *layer("up7.0"))))


class ConvertTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.networks = [random_weights(1), random_weights(2)]

    def test_masks_equal_the_reference_and_sum_to_one(self):
        with mock.patch.multiple(converter, FRAMES=64, BINS=128):
            model = converter.build(self.networks)
        x = np.abs(np.random.default_rng(3).standard_normal((1, 2, 64, 128))).astype(np.float32)
        x[:, :, :5] = 0  # silence as well
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            file.write(model.SerializeToString())
            file.flush()
            mask = runtime.run(file.name, {"magnitude": x}, ["mask"])[0]
        squares = [reference_estimate(w, x[0].astype(float)) ** 2 for w in self.networks]
        expected = np.stack([(s + 5e-11) / (sum(squares) + 1e-10) for s in squares])
        self.assertEqual(mask.shape, (1, 2, 2, 64, 128))
        np.testing.assert_allclose(mask[0], expected, atol=2e-5)
        np.testing.assert_allclose(mask.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_allclose(mask[:, :, :, :5], 0.5)

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
