"""Runs a network with the runtime that the server uses, through its C library."""

import ctypes
import os

import numpy as np

LIBRARY = os.path.join(
    os.path.dirname(__file__), "..", "..", ".deps", "openvino", "libs", "libopenvino_c.so")
FLOAT32 = ctypes.c_int(4)  # of ov_element_type_e


class Shape(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_int64), ("dims", ctypes.POINTER(ctypes.c_int64))]


def run(model, inputs, outputs):
    """The outputs of the ONNX file ``model``, by name, for float32 arrays by name, in full precision."""
    library = ctypes.CDLL(LIBRARY)

    def call(function, *arguments):
        status = getattr(library, function)(*arguments)
        if status != 0:
            raise RuntimeError(f"{function} returned {status}")

    core, network, compiled, request = (ctypes.c_void_p() for _ in range(4))
    call("ov_core_create", ctypes.byref(core))
    call("ov_core_read_model", core, os.fsencode(model), None, ctypes.byref(network))
    call("ov_core_compile_model", core, network, b"CPU", ctypes.c_size_t(2),
         ctypes.byref(compiled), b"INFERENCE_PRECISION_HINT", b"f32")
    call("ov_compiled_model_create_infer_request", compiled, ctypes.byref(request))
    kept = {name: np.ascontiguousarray(x, dtype=np.float32) for name, x in inputs.items()}
    for name, x in kept.items():
        tensor, shape = ctypes.c_void_p(), Shape(x.ndim, (ctypes.c_int64 * x.ndim)(*x.shape))
        call("ov_tensor_create_from_host_ptr", FLOAT32, shape,
             x.ctypes.data_as(ctypes.c_void_p), ctypes.byref(tensor))
        call("ov_infer_request_set_tensor", request, name.encode(), tensor)
    call("ov_infer_request_infer", request)

    def read(name):
        result, shape, data = ctypes.c_void_p(), Shape(), ctypes.c_void_p()
        call("ov_infer_request_get_tensor", request, name.encode(), ctypes.byref(result))
        call("ov_tensor_get_shape", result, ctypes.byref(shape))
        call("ov_tensor_data", result, ctypes.byref(data))
        dims = [shape.dims[i] for i in range(shape.rank)]
        floats = ctypes.cast(data, ctypes.POINTER(ctypes.c_float))
        return np.ctypeslib.as_array(floats, (int(np.prod(dims)),)).reshape(dims).copy()

    return [read(name) for name in outputs]
