"""What the plan takes together: encoders, products, biases and activations; attention over a history and within itself."""

import numpy as np

from random_graph import RandomGraph
from vectors.vector import SUMMED, Case, make_model, ml_node

ROWS = 200


class Graph(RandomGraph):
    """What exporters make of a layer, and a graph as a case."""

    def reshape(self, x, *shape, name=None):
        return self.add("Reshape", x, self.constant(np.array(shape, np.int64)), name=name)

    def dense(self, x, inputs, outputs):
        return self.add("Add", self.add("MatMul", x, self.weights(inputs, outputs)), self.weights(outputs))

    def case(self, name, description, inputs, outputs):
        kinds = [(key, "int64" if array.dtype == np.int64 else "float", array.shape[1]) for key, array in inputs.items()]
        model = make_model(self.nodes, kinds, outputs)
        model.graph.initializer.extend(self.constants)
        return Case(name, description, model, inputs, {output: SUMMED for output, _, _ in outputs})


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def encoded(rng, classes):
    """Numbers through a scaler and categories through an encoder, side by side into one sum; some are unknown."""
    graph = Graph(rng)
    graph.nodes += [
        ml_node("Scaler", ["x"], ["scaled"], offset=normal(rng, 5).tolist(), scale=normal(rng, 5).tolist()),
        ml_node("OneHotEncoder", ["ids"], ["columns"], cats_int64s=[3, 5, 8, 13], zeros=1),
    ]
    flat = graph.reshape("columns", -1, 8)
    together = graph.add("Concat", "scaled", flat, "y", axis=1)
    graph.nodes.append(
        ml_node("LinearClassifier", [together], ["label", "scores"],
                coefficients=normal(rng, classes * 16).tolist(), intercepts=normal(rng, classes).tolist(),
                classlabels_ints=list(range(classes)), post_transform="LOGISTIC"))  # fmt: skip
    inputs = {"x": normal(rng, ROWS, 5), "ids": rng.choice([3, 5, 8, 13, 21], (ROWS, 2)), "y": normal(rng, ROWS, 3)}
    outputs = [("scores", "float", classes)]
    return graph.case(f"network_encoded_{classes}", "Scaler, OneHotEncoder, Concat, LinearClassifier", inputs, outputs)


def perceptron(rng, *widths):
    graph = Graph(rng)
    x = "x"
    for inputs, outputs in zip(widths, widths[1:]):
        x = graph.add("Relu", graph.dense(x, inputs, outputs))
    x = graph.add("Gemm", x, graph.weights(3, widths[-1]), graph.weights(3), transB=1, alpha=0.5, beta=2.0)
    graph.add("Concat", graph.add("Sigmoid", x), graph.add("Tanh", x), axis=1, name="p")
    name = "network_perceptron_" + "_".join(map(str, widths))
    return graph.case(name, "dense layers", {"x": normal(rng, ROWS, widths[0])}, [("p", "float", 6)])


def history(rng, length, dim, hidden):
    """Items beside one candidate, as in DIN, every way round."""
    graph = Graph(rng)
    items = graph.reshape("items", -1, length, dim)
    candidate = graph.reshape("candidate", -1, 1, dim)
    wide = graph.add("Expand", candidate, graph.constant(np.array([1, length, dim], np.int64)))
    parts = [wide, graph.add("Sub", wide, items), graph.add("Mul", items, wide), items, graph.add("Sub", items, wide)]
    both = graph.add("Concat", *parts, axis=2)
    layer = graph.add("Relu", graph.dense(both, 5 * dim, hidden))
    scores = graph.add("MatMul", layer, graph.weights(hidden, 1))
    shares = graph.add("Softmax", graph.add("Transpose", scores, perm=[0, 2, 1]), axis=2)
    graph.reshape(graph.add("MatMul", shares, items), -1, dim, name="p")
    inputs = {"items": normal(rng, ROWS, length * dim), "candidate": normal(rng, ROWS, dim)}
    name = f"network_history_{length}_{dim}_{hidden}"
    return graph.case(name, "attention to the items of a history", inputs, [("p", "float", dim)])


def attention(rng, length, dim):
    """A head of self-attention, with a layer norm."""
    graph = Graph(rng)
    x = graph.reshape("x", -1, length, dim)
    query, key, value = (graph.dense(x, dim, dim) for _ in range(3))
    turned = graph.add("Transpose", key, perm=[0, 2, 1])
    scores = graph.add("Div", graph.add("MatMul", query, turned), graph.constant(np.float32(np.sqrt(dim))))
    mixed = graph.add("Add", x, graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value))
    scale, bias = graph.weights(dim), graph.weights(dim)
    graph.reshape(graph.add("LayerNormalization", mixed, scale, bias, axis=-1), -1, length * dim, name="p")
    inputs = {"x": normal(rng, ROWS, length * dim)}
    return graph.case(f"network_attention_{length}_{dim}", "self-attention", inputs, [("p", "float", length * dim)])


def cases(rng):
    for classes in (2, 3, 10):
        yield encoded(rng, classes)
    yield perceptron(rng, 7, 70, 9)
    yield perceptron(rng, 33, 150, 40)
    yield history(rng, 6, 5, 12)
    yield history(rng, 20, 16, 70)
    yield attention(rng, 12, 8)
