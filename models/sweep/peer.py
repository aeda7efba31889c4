"""ONNX Runtime on one thread: what a model makes of rows, and what a row costs."""

import itertools
import statistics
import time

import numpy as np
import onnxruntime

TURNS = 15
SECONDS_OF_A_TURN = 3e-3


class Peer:
    def __init__(self, path, maps=()):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.maps = dict(maps)

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
        declared = zip(self.session.get_outputs(), outputs)
        return {output.name: plain(value) for output, value in declared if output.type.startswith("tensor")}

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
        return lambda: self.session.run_with_iobinding(binding)


def plain(value):
    """As an array of numbers, bools or strings; what is none raises."""
    array = np.asarray(value)
    return array.astype(str) if array.dtype.kind == "O" and all(isinstance(x, str) for x in array.ravel()) else array
