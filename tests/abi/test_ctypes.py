"""Drives the plain ABI from Python: no macro, no variadic call, no C compiler. Argument: the shared library."""

import ctypes as c
import sys
import unittest

OK, EINVAL, ETYPE, EIO, ECANCELLED = 0, 1, 3, 7, 5
ARG_NODE, ARG_I64, ARG_F64, ARG_STR = 0, 2, 3, 4
OUT_I64, OUT_F64 = 1, 2
PURE = 1

Function = c.CFUNCTYPE(c.c_int, c.c_void_p)


class Bytes(c.Structure):
    _fields_ = [("data", c.c_char_p), ("len", c.c_size_t)]


class As(c.Union):
    _fields_ = [("node", c.c_void_p), ("boolean", c.c_bool), ("i64", c.c_int64), ("f64", c.c_double),
                ("str", c.c_char_p), ("bytes", Bytes), ("value", c.c_void_p)]


class Arg(c.Structure):
    _fields_ = [("kind", c.c_uint32), ("as_", As)]


class Definition(c.Structure):
    _fields_ = [("size", c.c_size_t), ("name", c.c_char_p), ("call", Function), ("identity", c.c_void_p),
                ("arguments", c.c_char_p), ("result", c.c_char), ("flags", c.c_uint32), ("retries", c.c_uint32),
                ("timeout", c.c_double), ("priority", c.c_int32), ("result_bytes", c.c_uint64)]


class Value(c.Structure):
    _fields_ = [("type", c.c_uint32), ("reserved", c.c_uint32), ("as_i64", c.c_int64)]


def load(path):
    rask = c.CDLL(path)
    pointers = ["rask_graph_new", "rask_call_at", "rask_call_nodes_at", "rask_list_at", "rask_sum_at", "rask_const_at",
                "rask_input_at", "rask_node_graph"]
    for name in pointers:
        getattr(rask, name).restype = c.c_void_p
    for name in ["rask_graph_error", "rask_version", "rask_status_name", "rask_plan_error", "rask_node_name"]:
        getattr(rask, name).restype = c.c_char_p
    rask.rask_arg_i64.restype = c.c_int64
    rask.rask_arg_i64.argtypes = [c.c_void_p, c.c_size_t]
    rask.rask_return_i64.argtypes = [c.c_void_p, c.c_int64]
    rask.rask_fail.argtypes = [c.c_void_p, c.c_int, c.c_char_p]
    return rask


def i64(number):
    return Arg(ARG_I64, As(i64=number))


def node(pointer):
    return Arg(ARG_NODE, As(node=pointer))


def definition(name, call, arguments, result=b"i", flags=0):
    return Definition(c.sizeof(Definition), name, call, None, arguments, result, flags, 0, 0, 0, 0)


class Abi(unittest.TestCase):
    def setUp(self):
        self.graph = c.c_void_p(rask.rask_graph_new())
        self.add = Function(lambda t: rask.rask_return_i64(t, rask.rask_arg_i64(t, 0) + rask.rask_arg_i64(t, 1)))
        self.add_def = definition(b"add", self.add, b"ii", flags=PURE)

    def tearDown(self):
        rask.rask_graph_free(self.graph)

    def call(self, task, *args):
        array = (Arg * len(args))(*args)
        return rask.rask_call_at(self.graph, c.byref(task), array, c.c_size_t(len(args)), b"test_ctypes.py", 1)

    def sum(self, *pointers):
        array = (c.c_void_p * len(pointers))(*pointers)
        listed = rask.rask_list_at(self.graph, array, c.c_size_t(len(pointers)), b"test_ctypes.py", 2)
        return rask.rask_sum_at(c.c_void_p(listed), b"test_ctypes.py", 3)

    def compute(self, pointer):
        answer = c.c_int64(-1)
        status = rask.rask_compute_out(c.c_void_p(pointer), None, OUT_I64, c.byref(answer))
        return status, answer.value

    def error(self):
        return rask.rask_graph_error(self.graph).decode()

    def test_a_graph_of_python_functions_is_computed(self):
        parts = [self.call(self.add_def, i64(i), i64(10 * i)) for i in range(100)]
        chained = [self.call(self.add_def, node(part), i64(1)) for part in parts]
        self.assertEqual(self.compute(self.sum(*chained)), (OK, 11 * 4950 + 100), self.error())

    def test_a_failure_names_task_place_and_message(self):
        @Function
        def fails(t):
            return rask.rask_fail(t, EIO, b"as Python wants it")

        task = definition(b"fails", fails, None)
        self.assertEqual(self.compute(self.sum(self.call(task)))[0], EIO)
        for part in ["task fails", "test_ctypes.py:1", "as Python wants it", "needed by"]:
            self.assertIn(part, self.error())

    def test_a_wrong_argument_is_latched(self):
        self.assertIsNone(self.call(self.add_def, i64(1), Arg(ARG_STR, As(str=b"two"))))
        self.assertIsNone(self.call(self.add_def, i64(1), i64(2)), "the graph has failed")
        self.assertIn("argument 1 is bytes, not i64", self.error())
        self.assertEqual(rask.rask_graph_status(self.graph), ETYPE)

    def test_a_plan_is_bound_and_run_again(self):
        argument = i64(0)
        bound = rask.rask_input_at(self.graph, c.byref(argument), b"test_ctypes.py", 4)
        target = (c.c_void_p * 1)(self.call(self.add_def, node(bound), i64(5)))
        plan, result = c.c_void_p(), Value()
        self.assertEqual(rask.rask_plan_new(target, c.c_size_t(1), c.byref(plan)), OK)
        for number in range(20):
            value = Value(2, 0, number)
            self.assertEqual(rask.rask_plan_bind(plan, c.c_void_p(bound), c.byref(value)), OK)
            self.assertEqual(rask.rask_plan_run(plan, None, c.byref(result)), OK)
            self.assertEqual(result.as_i64, number + 5)
        rask.rask_plan_free(plan)

    def test_version_and_status_names_are_strings(self):
        self.assertRegex(rask.rask_version().decode(), r"^\d+\.\d+\.\d+$")
        self.assertEqual(rask.rask_status_name(ECANCELLED), b"RASK_ECANCELLED")


if __name__ == "__main__":
    rask = load(sys.argv.pop(1))
    unittest.main()
