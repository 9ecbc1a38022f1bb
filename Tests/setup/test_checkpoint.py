"""The reader of checkpoints fills arrays and can do nothing else."""

import io
import os
import pickle
import sys
import unittest
import zipfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "setup"))
import checkpoint  # noqa: E402


def packed(pickled):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/data.pkl", pickled)
        archive.writestr("net/version", "3\n")
    return buffer.getvalue()


def pickled(content):
    """A pickle as NumPy 1 wrote it with protocol 2, whatever NumPy runs the test."""
    return pickle.dumps(content, protocol=2).replace(b"numpy._core.", b"numpy.core.")


class Call:
    """Pickles as a call of ``function`` with ``arguments``."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class CheckpointTests(unittest.TestCase):
    def refused(self, data, words):
        with self.assertRaises(checkpoint.RefusedCheckpoint) as caught:
            checkpoint.load(data)
        self.assertIn(words, str(caught.exception))

    def test_reads_arrays_in_both_orders(self):
        generator = np.random.default_rng(1)
        arrays = {
            "a": generator.standard_normal((3, 2, 5, 5)).astype(np.float32),
            "b": np.asfortranarray(generator.standard_normal((4, 7)).astype(np.float32)),
            "count": np.array(12, dtype=np.int64),
        }
        loaded = checkpoint.load(packed(pickled(arrays)))
        self.assertEqual(loaded.keys(), arrays.keys())
        for name, array in arrays.items():
            np.testing.assert_array_equal(loaded[name], array)
            self.assertEqual(loaded[name].dtype, array.dtype)

    def test_refuses_calls(self):
        for function in (os.system, eval, exec, print, os.remove):
            self.refused(packed(pickled({"a": Call(function, "1")})), "which no array needs")

    def test_refuses_a_call_hidden_in_an_object_array(self):
        array = np.empty(1, dtype=object)
        array[0] = Call(os.getpid)
        self.refused(packed(pickled({"a": array})), "which no array needs")
        array[0] = None
        self.refused(packed(pickled({"a": array})), "neither of float32")

    def test_refuses_another_codec(self):
        import _codecs
        self.refused(packed(pickled({"a": Call(_codecs.encode, "x", "rot13")})), "latin1")

    def test_refuses_what_is_not_a_dictionary_of_arrays(self):
        self.refused(packed(pickled([1, 2])), "not a dictionary")
        self.refused(packed(pickled({"a": "text"})), "not an array")
        self.refused(packed(pickled({3: np.zeros(2, np.float32)})), "not an array")

    def test_refuses_broken_files(self):
        whole = packed(pickled({"a": np.zeros(1000, np.float32)}))
        self.refused(b"", "cannot be read")
        self.refused(whole[: len(whole) // 2], "cannot be read")
        self.refused(packed(pickled({"a": np.zeros(9, np.float32)})[:-20]), "cannot be read")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("net/version", "3\n")
        self.refused(buffer.getvalue(), "no data.pkl")


if __name__ == "__main__":
    unittest.main()
