"""Graphs with `Scan`, with rows inside of an axis, with hashes."""

import numpy as np
from onnx import TensorProto, helper

from vectors.foreign import case, ints, node, weights
from vectors.vector import Case, make_model


def cases(rng):
    yield from (distances(rng), recurrence(rng), merged(rng), stacked(rng), hashes())


def graph(nodes, inputs, outputs):
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    return helper.make_graph(nodes, "body", [value(name) for name in inputs], [value(name) for name in outputs])


def distances(rng):
    """As skl2onnx has it: all rows go round as they are, and the training rows are scanned."""
    body = graph(
        [
            node("Identity", "all", "all_out"),
            node("Sub", "all one", "difference"),
            node("ReduceSumSquare", "difference", "squares", axes=[1], keepdims=0),
        ],
        ["all", "one"],
        ["all_out", "squares"],
    )
    nodes = [
        helper.make_node("Scan", ["x", "known"], ["x_out", "d"], name="scan", body=body, num_scan_inputs=1),
        node("Transpose", "d", "t", perm=[1, 0]),
        node("Sqrt", "t", "y"),
    ]
    return case("loop_distances", "Scan over constants", nodes, 5, {"y": 9}, {"known": weights(rng, 9, 5)}, rng)


def recurrence(rng):
    """A state that goes on, forwards and backwards, over an axis of every row."""
    body = graph(
        [
            node("MatMul", "state turn", "turned"),
            node("Add", "turned step", "sum"),
            node("Tanh", "sum", "next"),
            node("Identity", "next", "seen"),
        ],
        ["state", "step"],
        ["next", "seen"],
    )
    scan = lambda outputs, **more: helper.make_node(
        "Scan", ["start", "steps"], outputs, name=outputs[0], body=body, num_scan_inputs=1, scan_input_axes=[1], **more
    )
    nodes = [
        node("Slice", "x zero three one", "start"),
        node("Reshape", "x four_of_three", "steps"),
        scan(["last", "all"], scan_output_axes=[1]),
        scan(["first", "backwards"], scan_output_axes=[-1], scan_input_directions=[1], scan_output_directions=[1]),
        node("Flatten", "all", "flat"),
        node("Flatten", "backwards", "flat_backwards"),
        node("Concat", "last first flat flat_backwards", "y", axis=1),
    ]
    constants = {
        "turn": weights(rng, 3, 3), "zero": ints(0), "one": ints(1), "three": ints(3), "four_of_three": ints(-1, 4, 3),
    }  # fmt: skip
    return case("loop_recurrence", "Scan with a state, both ways", nodes, 12, {"y": 30}, constants, rng)


def merged(rng):
    """As torch has it: [4, n, 2, 3] to [4 * n, 6], a product, and back."""
    nodes = [
        node("Reshape", "x apart", "a"),
        node("Transpose", "a", "b", perm=[1, 0, 2, 3]),
        node("Reshape", "b merged", "c"),
        node("Gemm", "c w bias", "d", transB=1),
        node("Relu", "d", "e"),
        node("Reshape", "e back", "f"),
        node("Transpose", "f", "g", perm=[1, 0, 2]),
        node("Flatten", "g", "y"),
    ]
    constants = {
        "apart": ints(-1, 4, 2, 3), "merged": ints(-1, 6), "back": ints(4, -1, 5), "w": weights(rng, 5, 6),
        "bias": weights(rng, 5),
    }  # fmt: skip
    return case("loop_merged_rows", "rows inside of an axis", nodes, 24, {"y": 20}, constants, rng)


def stacked(rng):
    """As skl2onnx has it: columns on top of each other along the rows, then side by side."""
    nodes = [
        node("MatMul", "x w1", "a"),
        node("MatMul", "x w2", "b"),
        node("MatMul", "x w3", "c"),
        node("Concat", "a b c", "d", axis=0),
        node("Reshape", "d three", "e"),
        node("Transpose", "e", "y", perm=[1, 0]),
    ]
    constants = {"three": ints(3, -1)} | {name: weights(rng, 4, 1) for name in ("w1", "w2", "w3")}
    return case("loop_stacked_rows", "rows on top of each other", nodes, 4, {"y": 3}, constants, rng)


def hashes():
    words = np.array(["", "a", "ab", "abc", "abcd", "äö", "x" * 41, "late"], dtype=object).reshape(-1, 1)
    numbers = np.array([0, 1, -1, 7, 2**31 - 1, -(2**31), 12345, 2], np.int32).reshape(-1, 1)
    hash = lambda source, made, **more: node("MurmurHash3", source, made, domain="com.microsoft", **more)
    nodes = [hash("s", "signed", positive=0), hash("i", "unsigned", seed=9), node("Cast", "unsigned", "wide", to=TensorProto.INT64)]
    model = make_model(nodes, [("s", "string", 1), ("i", "int32", 1)], [("signed", "int32", 1), ("wide", "int64", 1)])
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return Case("loop_hashes", "MurmurHash3 of strings and numbers", model, {"s": words, "i": numbers})
