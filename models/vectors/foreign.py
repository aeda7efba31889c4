"""Graphs with operators that are not Pelton's own: convolutions, recurrent layers, images, ONNX Runtime's own operators."""

import numpy as np
from onnx import helper, numpy_helper

from vectors.vector import SUMMED, Case, make_model

ROWS = 40


def cases(rng):
    yield from (convolution(rng), lstm(rng), gru(rng), resize(rng), pools(rng), contrib(rng))


def node(op, inputs, outputs, domain="", **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), name=f"{op}_{outputs.split()[0]}", domain=domain, **attributes)


def case(name, description, nodes, width, outputs, constants, rng, domain=None):
    """`outputs` are names with widths; `constants` names with arrays."""
    declared = [(output, "float", columns) for output, columns in outputs.items()]
    model = make_model(nodes, [("x", "float", width)], declared)
    for constant, array in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), constant))
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 1))
    x = rng.normal(size=(ROWS, width)).astype(np.float32)
    x[0] = 0
    return Case(name, description, model, {"x": x}, {output: SUMMED for output in outputs})


def weights(rng, *shape):
    return (rng.normal(size=shape) / 4).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def convolution(rng):
    nodes = [
        node("Reshape", "x image", "a"),
        node("Conv", "a w1 b1", "b", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Relu", "b", "c"),
        node("MaxPool", "c", "d", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "d w2", "e", kernel_shape=[3, 3]),
        node("GlobalAveragePool", "e", "f"),
        node("Flatten", "f", "g"),
        node("Gemm", "g w3", "y"),
    ]
    constants = {
        "image": ints(-1, 2, 8, 8), "w1": weights(rng, 4, 2, 3, 3), "b1": weights(rng, 4),
        "w2": weights(rng, 5, 4, 3, 3), "w3": weights(rng, 5, 3),
    }  # fmt: skip
    description = "Conv, then MaxPool, Conv and GlobalAveragePool in one step, between steps of ours"
    return case("foreign_convolution", description, nodes, 128, {"y": 3}, constants, rng)


def lstm(rng):
    nodes = [
        node("Reshape", "x steps", "a"),
        node("Transpose", "a", "b", perm=[1, 0, 2]),
        node("LSTM", "b w r bias", "c hidden cell", hidden_size=5, direction="bidirectional"),
        node("Transpose", "c", "d", perm=[2, 0, 1, 3]),
        node("Reshape", "d flat_all", "y"),
        node("Transpose", "hidden", "e", perm=[1, 0, 2]),
        node("Reshape", "e flat_last", "h"),
    ]
    constants = {
        "steps": ints(-1, 4, 3), "flat_all": ints(-1, 40), "flat_last": ints(-1, 10),
        "w": weights(rng, 2, 20, 3), "r": weights(rng, 2, 20, 5), "bias": weights(rng, 2, 40),
    }  # fmt: skip
    description = "LSTM both ways, whose rows are on the second and the third axis"
    return case("foreign_lstm", description, nodes, 12, {"y": 40, "h": 10}, constants, rng)


def gru(rng):
    nodes = [
        node("Reshape", "x steps", "a"),
        node("Transpose", "a", "b", perm=[1, 0, 2]),
        # As torch exports it: the first state is made for the number of rows.
        node("Shape", "b", "shape"),
        node("Gather", "shape one", "rows"),
        node("Concat", "layers rows hidden", "state", axis=0),
        node("ConstantOfShape", "state", "first"),
        node("GRU", "b w r bias empty first".replace("empty", "lens"), "c last", hidden_size=4, linear_before_reset=1),
        node("Squeeze", "last zero", "y"),
    ]
    nodes[6].input[4] = ""
    constants = {
        "steps": ints(-1, 6, 2), "one": ints(1), "layers": ints(1), "hidden": ints(4), "zero": ints(0),
        "w": weights(rng, 1, 12, 2), "r": weights(rng, 1, 12, 4), "bias": weights(rng, 1, 24),
    }  # fmt: skip
    description = "GRU whose first state is computed from the number of rows"
    return case("foreign_gru", description, nodes, 12, {"y": 4}, constants, rng)


def resize(rng):
    nodes = [
        node("Reshape", "x image", "a"),
        # As torch exports it: the number of rows and channels stays, the rest is given.
        node("Shape", "a", "shape"),
        node("Slice", "shape zero two zero", "kept"),
        node("Concat", "kept larger", "sizes", axis=0),
        node("Resize", "a none none2 sizes", "b", mode="linear", coordinate_transformation_mode="half_pixel"),
        node("Flatten", "b", "y"),
    ]
    nodes[4].input[1] = nodes[4].input[2] = ""
    constants = {"image": ints(-1, 2, 3, 3), "zero": ints(0), "two": ints(2), "larger": ints(5, 7)}
    return case("foreign_resize", "Resize to sizes computed from a shape", nodes, 18, {"y": 70}, constants, rng)


def pools(rng):
    nodes = [
        node("Reshape", "x line", "a"),
        node("AveragePool", "a", "b", kernel_shape=[3], strides=[2], pads=[1, 1]),
        node("LRN", "image", "c", size=3, alpha=0.5, beta=0.5, bias=1.0),
        node("ConvTranspose", "b w", "d", strides=[2]),
        node("Flatten", "d", "y"),
        node("Flatten", "c", "z"),
        node("Reshape", "x square", "image"),
    ]
    nodes.insert(1, nodes.pop())
    constants = {"line": ints(-1, 3, 12), "square": ints(-1, 3, 3, 4), "w": weights(rng, 3, 2, 2)}
    description = "AveragePool and ConvTranspose in one step, LRN in another"
    return case("foreign_pools", description, nodes, 36, {"y": 24, "z": 36}, constants, rng)


def contrib(rng):
    domain = "com.microsoft"
    nodes = [
        node("Reshape", "x tokens", "a"),
        node("SkipLayerNormalization", "a a gamma beta", "b", domain, epsilon=1e-5),
        node("BiasGelu", "b bias", "c", domain),
        node("FastGelu", "c", "d", domain),
        node("QuickGelu", "d", "e", domain, alpha=1.702),
        node("Flatten", "e", "y"),
    ]
    constants = {
        "tokens": ints(-1, 3, 6), "gamma": weights(rng, 6), "beta": weights(rng, 6), "bias": weights(rng, 6),
    }  # fmt: skip
    description = "what ONNX Runtime's optimizer makes of a transformer"
    return case("foreign_contrib", description, nodes, 18, {"y": 18}, constants, rng, domain)
