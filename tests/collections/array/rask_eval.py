"""rask_eval() through ctypes, with NumPy arrays in and out."""

import ctypes as c
import os

import numpy as np

DTYPES = [np.dtype(t) for t in ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "c8", "c16"]]
MAX_DIMENSIONS = 16


class Block(c.Structure):
    _fields_ = [("dtype", c.c_int), ("ndim", c.c_uint32), ("shape", c.c_int64 * MAX_DIMENSIONS),
                ("strides", c.c_int64 * MAX_DIMENSIONS), ("data", c.c_void_p), ("release", c.c_void_p),
                ("owner", c.c_void_p)]


def block_of(array):
    block = Block(dtype=DTYPES.index(array.dtype), ndim=array.ndim, data=array.ctypes.data)
    for i in range(array.ndim):
        block.shape[i], block.strides[i] = array.shape[i], array.strides[i]
    return block


class Failure(Exception):
    """What a graph reports."""


class Rask:
    def __init__(self, path):
        self.lib = c.CDLL(path)
        for name in ["rask_graph_new", "rask_array_from_block_at", "rask_eval_at", "rask_array_shape"]:
            getattr(self.lib, name).restype = c.c_void_p
        self.lib.rask_graph_error.restype = c.c_char_p
        self.lib.rask_graph_free.argtypes = self.lib.rask_graph_error.argtypes = [c.c_void_p]
        self.lib.rask_array_dtype.argtypes = self.lib.rask_array_ndim.argtypes = [c.c_void_p]
        self.lib.rask_array_shape.argtypes = [c.c_void_p]
        self.lib.rask_array_from_block_at.argtypes = [c.c_void_p, c.c_void_p, c.c_bool, c.c_char_p, c.c_int]
        self.lib.rask_eval_at.argtypes = [c.c_void_p, c.c_char_p, c.c_void_p, c.c_void_p, c.c_size_t, c.c_char_p, c.c_int]

    def configure(self, scheduler="threads", workers=2, memory="256M"):
        """For the runs that follow: the library reads these when a run starts."""
        os.environ.update(RASK_SCHEDULER=scheduler, RASK_WORKERS=str(workers), RASK_MEMORY=str(memory))

    def eval(self, text, arrays):
        """The value of an expression over NumPy arrays by name."""
        graph = self.lib.rask_graph_new()
        try:
            return self._eval(graph, text, arrays)
        finally:
            self.lib.rask_graph_free(graph)

    def _fail(self, graph, text):
        raise Failure(f"{text}: {self.lib.rask_graph_error(graph).decode()}")

    def _eval(self, graph, text, arrays):
        count = len(arrays)
        names = (c.c_char_p * max(count, 1))(*[name.encode() for name in arrays])
        handles = (c.c_void_p * max(count, 1))()
        for i, array in enumerate(arrays.values()):
            handles[i] = self.lib.rask_array_from_block_at(graph, c.byref(block_of(array)), True, None, 0)
        made = self.lib.rask_eval_at(graph, text.encode(), names, handles, count, None, 0)
        if not made:
            self._fail(graph, text)
        shape_at = c.cast(self.lib.rask_array_shape(made), c.POINTER(c.c_int64))
        shape = tuple(shape_at[i] for i in range(self.lib.rask_array_ndim(made)))
        result = np.zeros(shape, DTYPES[self.lib.rask_array_dtype(made)])
        if result.size and self.lib.rask_array_compute(c.byref(c.c_void_p(made)), 1, None, c.byref(block_of(result))):
            self._fail(graph, text)
        return result
