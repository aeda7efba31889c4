"""ONNX Runtime on one thread: what a model makes of rows, and what a row costs."""

import itertools
import statistics
import time

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

TURNS = 15
SECONDS_OF_A_TURN = 3e-3


class Peer:
    """`model` is a path, or the bytes of a file."""

    def __init__(self, model, maps=()):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"])
        self.maps = dict(maps)
        # A sequence of tensors is its parts, by their names.
        self.parts = {}
        if any(output.type.startswith("seq(tensor") for output in self.session.get_outputs()):
            nodes = (onnx.load_from_string(model) if isinstance(model, bytes) else onnx.load(model)).graph.node
            self.parts = {node.output[0]: node.input for node in nodes if node.op_type == "SequenceConstruct"}

    def feeds(self, rows):
        """Maps as lists of dicts; zeros are left out, as DictVectorizer has it."""
        pairs = lambda keys, row: {key: float(value) for key, value in zip(keys, row) if value != 0}
        return {
            name: [pairs(self.maps[name], row) for row in values] if name in self.maps else
                  values.astype(object) if values.dtype.kind == "U" else values
            for name, values in rows.items()
        }  # fmt: skip

    def run(self, rows):
        """The outputs by name; a map input is one record at a time."""
        if self.maps:
            feeds = self.feeds(rows)
            count = len(next(iter(rows.values())))
            calls = [self.session.run(None, {name: values[i] for name, values in feeds.items()}) for i in range(count)]
            outputs = [np.concatenate(parts) for parts in zip(*calls)]
        else:
            outputs = self.session.run(None, self.feeds(rows))
        declared = list(zip(self.session.get_outputs(), outputs))
        parts = [pair for output, value in declared if output.name in self.parts for pair in zip(self.parts[output.name], value)]
        tensors = [(output.name, value) for output, value in declared if output.type.startswith("tensor")]
        return {name: plain(value) for name, value in tensors + parts}

    def alone(self, rows):
        """The same, row by row."""
        calls = [self.run({name: values[i : i + 1] for name, values in rows.items()}) for i in range(len(next(iter(rows.values()))))]
        return {name: np.concatenate([call[name] for call in calls]) for name in calls[0]}

    def nanoseconds(self, rows, n):
        """A row in calls of `n` rows, by a binding of inputs and outputs that lie ready, where there are no strings."""
        count = len(next(iter(rows.values())))
        calls = [self.call(rows, np.arange(start, start + n) % count) for start in range(0, min(count, 64 * n), n)]
        forever = itertools.cycle(calls)

        def turn(times):
            start = time.perf_counter()
            for call in itertools.islice(forever, times):
                call()
            return (time.perf_counter() - start) / times

        turn(len(calls))
        times = 1 + int(SECONDS_OF_A_TURN / turn(1 + 100 // n))
        return statistics.median(turn(times) for _ in range(TURNS)) / n * 1e9

    def call(self, rows, which):
        part = {name: np.ascontiguousarray(values[which]) for name, values in rows.items()}
        if self.maps or any(values.dtype.kind == "U" for values in part.values()):
            feeds = self.feeds(part)
            if self.maps:
                feeds = {name: values[0] for name, values in feeds.items()}
            return lambda: self.session.run(None, feeds)
        binding = self.session.io_binding()
        for name, values in part.items():
            binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(values))
        for output in self.session.get_outputs():
            binding.bind_output(output.name)
        try:
            for _ in range(2):
                self.session.run_with_iobinding(binding)
        except RuntimeError:  # the second time, of an output that declares another shape than it has
            return lambda: self.session.run(None, part)
        return lambda: self.session.run_with_iobinding(binding)


def plain(value):
    """As an array of numbers, bools or strings; what is none raises."""
    array = np.asarray(value)
    return array.astype(str) if array.dtype.kind == "O" and all(isinstance(x, str) for x in array.ravel()) else array


def rounding(path, rows, expected, maps=()):
    """By how much float32 moves what ONNX Runtime makes: its rows together, alone, and in double where it has all kernels.
    And how many labels differ when it gets its rows alone."""
    others = [Peer(path, maps).alone(rows)]
    undecided = sum(int(np.sum(expected[name] != other)) for name, other in others[0].items() if other.dtype.kind != "f")
    try:
        doubles = {name: values.astype(np.float64) if values.dtype == np.float32 else values for name, values in rows.items()}
        others.append(Peer(in_double(onnx.load(path))).run(doubles))
    except Exception:  # a kernel that ONNX Runtime has for float only
        pass
    differences = [apart(expected[name], other[name]) for other in others for name in expected if name in other]
    return max(differences, default=0.0), undecided


def apart(expected, other):
    """The largest difference of finite floats, relative where they are above 1."""
    if expected.dtype.kind != "f" or expected.shape != other.shape:
        return 0.0
    finite = np.isfinite(expected) & np.isfinite(other)
    expected, other = expected[finite].astype(np.float64), other[finite].astype(np.float64)
    return float(np.max(np.abs(expected - other) / np.maximum(1, np.abs(expected)), initial=0.0))


def in_double(model):
    """The model with doubles in place of floats, as a file."""

    def double(tensor):
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))

    def walk(graph):
        for tensor in graph.initializer:
            double(tensor)
        for value in [*graph.input, *graph.output, *graph.value_info]:
            if value.type.tensor_type.elem_type == TensorProto.FLOAT:
                value.type.tensor_type.elem_type = TensorProto.DOUBLE
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.name == "to" and node.op_type == "Cast" and attribute.i == TensorProto.FLOAT:
                    attribute.i = TensorProto.DOUBLE
                double(attribute.t)
                walk(attribute.g)

    walk(model.graph)
    return model.SerializeToString()
