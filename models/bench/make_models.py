"""The models of `make bench-models`: what people train, at the size that they use.

    python -m bench.make_models OUTPUT_DIRECTORY

Beside the models, `cases.json` says how each is fed: the name of the case, the inputs with their shape for one row and
their values, the output that is compared with its width, and the speed that is wanted for 1, 8, 32 and 256 rows (ONNX
Runtime = 1).
"""

import json
import pathlib
import sys

import lightgbm
import numpy as np
import onnx
import onnxmltools
import skl2onnx
import xgboost
from onnx import TensorProto, helper
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from random_graph import RandomGraph

ROWS = 20_000
FEATURES = 40
DECISION = pathlib.Path(__file__).parent.parent / "arrival_delay"
OPSETS = {"": 17, "ai.onnx.ml": 3}


def normal(name, *shape):
    return {"name": name, "shape": shape, "values": "normal"}


def ids(name, below, *shape):
    return {"name": name, "shape": shape, "values": {"below": below}}


def texts(name, vocabularies):
    return {"name": name, "shape": [len(vocabularies)], "values": {"texts": vocabularies}}


def training_data(rng):
    x = rng.standard_normal((ROWS, FEATURES)).astype(np.float32)
    score = x @ rng.standard_normal(FEATURES) + 3 * np.sin(x[:, 0] * x[:, 1]) + x[:, 2] * x[:, 3] - np.abs(x[:, 4])
    return x, (score + rng.standard_normal(ROWS) > 0).astype(int)


def without_zipmap(model):
    """Probabilities as a tensor [n, 2]; for a list of maps ONNX Runtime takes no memory of the caller."""
    graph = model.graph
    end = next(i for i, node in enumerate(graph.node) if node.op_type.endswith("Classifier"))
    classifier = graph.node[end]
    del graph.node[end + 1 :]
    classifier.output[1] = "probabilities"
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2]))
    onnx.checker.check_model(model)
    return model


def lightgbm_model(rng):
    x, y = training_data(rng)
    model = lightgbm.LGBMClassifier(n_estimators=300, num_leaves=63, n_jobs=1, deterministic=True, verbose=-1)
    types = [("x", FloatTensorType([None, FEATURES]))]
    return without_zipmap(onnxmltools.convert_lightgbm(model.fit(x, y), initial_types=types, target_opset=15))


def xgboost_model(rng):
    x, y = training_data(rng)
    model = xgboost.XGBClassifier(n_estimators=500, max_depth=6, n_jobs=1, tree_method="hist", base_score=0.5)
    return onnxmltools.convert_xgboost(model.fit(x, y), initial_types=[("x", FloatTensorType([None, FEATURES]))])


def logistic_model(rng):
    x, y = training_data(rng)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    types = [("x", skl2onnx.common.data_types.FloatTensorType([None, FEATURES]))]
    return skl2onnx.to_onnx(model, initial_types=types, target_opset=OPSETS, options={"zipmap": False})


def pipeline_model(rng, vocabularies, width):
    """Numbers through a scaler, strings through a one-hot encoder, both into a logistic regression."""
    numbers = rng.standard_normal((ROWS, width))
    strings = np.stack([rng.choice(words, ROWS) for words in vocabularies], axis=1).astype(object)
    y = (numbers.sum(axis=1) + (strings[:, 0] == vocabularies[0][0]) > rng.standard_normal(ROWS)).astype(int)
    table = np.concatenate([numbers.astype(object), strings], axis=1)
    columns = ColumnTransformer([
        ("numbers", StandardScaler(), list(range(width))),
        ("strings", OneHotEncoder(handle_unknown="ignore"), list(range(width, table.shape[1]))),
    ])
    model = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(table, y)
    kinds = skl2onnx.common.data_types
    types = [("numbers", kinds.FloatTensorType([None, width])),
             ("strings", kinds.StringTensorType([None, len(vocabularies)]))]  # fmt: skip
    return skl2onnx.to_onnx(model, initial_types=types, target_opset=OPSETS, options={"zipmap": False})


class Graph(RandomGraph):
    """What the networks here are made of."""

    def dense(self, x, inputs, outputs):
        return self.add("Gemm", x, self.weights(inputs, outputs), self.weights(outputs))

    def mlp(self, x, *widths):
        for inputs, outputs in zip(widths, widths[1:-1]):
            x = self.add("Relu", self.dense(x, inputs, outputs))
        return self.dense(x, *widths[-2:])

    def sigmoid(self, x):
        return self.add("Sigmoid", x, name="p")

    def model(self, *inputs):
        kind = lambda case: TensorProto.FLOAT if case["values"] == "normal" else TensorProto.INT64
        values = [helper.make_tensor_value_info(case["name"], kind(case), ["n", *case["shape"]]) for case in inputs]
        output = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 1])
        graph = helper.make_graph(self.nodes, "bench", values, [output], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model


def mlp_model(rng, *inputs):
    graph = Graph(rng)
    graph.sigmoid(graph.mlp("x", 64, 256, 128, 1))
    return graph.model(*inputs)


def deepfm_model(rng, *inputs):
    """First-order weights, pairwise products of embeddings, and a dense network, summed."""
    fields, words, dim, dense = 20, 1000, 16, 20
    graph = Graph(rng)
    rows = graph.add("Add", "ids", graph.constant(np.arange(fields, dtype=np.int64) * words))
    embeddings = graph.add("Gather", graph.constant(
        (rng.standard_normal((fields * words, dim)) / dim).astype(np.float32)), rows)
    firsts = graph.add("Gather", graph.weights(fields * words), rows)
    first = graph.add("ReduceSum", firsts, graph.constant(np.array([1], np.int64)), keepdims=1)
    axis = graph.constant(np.array([1], np.int64))
    total = graph.add("ReduceSum", embeddings, axis, keepdims=0)
    squares = graph.add("ReduceSum", graph.add("Mul", embeddings, embeddings), axis, keepdims=0)
    pairs = graph.add("Sub", graph.add("Mul", total, total), squares)
    second = graph.add("ReduceSum", pairs, axis, keepdims=1)
    second = graph.add("Mul", second, graph.constant(np.float32(0.5)))
    flat = graph.add("Reshape", embeddings, graph.constant(np.array([-1, fields * dim], np.int64)))
    deep = graph.mlp(graph.add("Concat", flat, "dense", axis=1), fields * dim + dense, 128, 64, 1)
    linear = graph.dense("dense", dense, 1)
    parts = graph.add("Add", graph.add("Add", first, second), graph.add("Add", deep, linear))
    graph.sigmoid(parts)
    return graph.model(*inputs)


def din_model(rng, *inputs):
    """A history of 100 items, each weighed by a small network that sees it beside the candidate."""
    length, words, dim, hidden = 100, 5000, 32, 36
    graph = Graph(rng)
    table = graph.constant((rng.standard_normal((words, dim)) / dim).astype(np.float32))
    history = graph.add("Gather", table, "history")
    candidate = graph.add("Gather", table, "candidate")
    wide = graph.add("Expand", candidate, graph.constant(np.array([1, length, dim], np.int64)))
    both = graph.add("Concat", wide, history, graph.add("Sub", wide, history), graph.add("Mul", wide, history), axis=2)
    layer = graph.add("Add", graph.add("MatMul", both, graph.weights(4 * dim, hidden)), graph.weights(hidden))
    scores = graph.add("MatMul", graph.add("Sigmoid", layer), graph.weights(hidden, 1))
    shares = graph.add("Softmax", graph.add("Transpose", scores, perm=[0, 2, 1]), axis=2)
    pooled = graph.add("MatMul", shares, history)
    together = graph.add("Concat", pooled, candidate, axis=2)
    flat = graph.add("Reshape", together, graph.constant(np.array([-1, 2 * dim], np.int64)))
    graph.sigmoid(graph.mlp(flat, 2 * dim, 64, 1))
    return graph.model(*inputs)


def encoder_model(rng, *inputs):
    """A layer of a Transformer over a history: attention of four heads, two dense layers, each normalized."""
    length, dim, heads, words = 50, 64, 4, 1000
    graph = Graph(rng)
    size = lambda *dims: graph.constant(np.array(dims, np.int64))
    ones, zeros = graph.constant(np.ones(dim, np.float32)), graph.constant(np.zeros(dim, np.float32))

    def linear(x, inputs, outputs):
        return graph.add("Add", graph.add("MatMul", x, graph.weights(inputs, outputs)), graph.weights(outputs))

    def of_heads(x, order):
        return graph.add("Transpose", graph.add("Reshape", x, size(-1, length, heads, dim // heads)), perm=order)

    def normalized(x, more):
        return graph.add("LayerNormalization", graph.add("Add", x, more), ones, zeros, axis=-1)

    x = graph.add("Add", graph.add("Gather", graph.weights(words, dim), "history"), graph.weights(length, dim))
    query, key, value = (of_heads(linear(x, dim, dim), order) for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
    scores = graph.add("Mul", graph.add("MatMul", query, key), graph.constant(np.float32((dim // heads) ** -0.5)))
    mixed = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value)
    mixed = graph.add("Reshape", graph.add("Transpose", mixed, perm=[0, 2, 1, 3]), size(-1, length, dim))
    x = normalized(x, linear(mixed, dim, dim))
    x = normalized(x, linear(graph.add("Relu", linear(x, dim, 2 * dim)), 2 * dim, dim))
    graph.sigmoid(graph.dense(graph.add("ReduceMean", x, axes=[1], keepdims=0), dim, 1))
    return graph.model(*inputs)


def gelu_model(rng, *inputs):
    """A dense network with GELU as exporters write it, layer normalization and Tanh."""
    graph = Graph(rng)
    number = lambda x: graph.constant(np.float32(x))
    x = graph.dense("x", FEATURES, 128)
    error = graph.add("Erf", graph.add("Div", x, number(2**0.5)))
    x = graph.add("Mul", graph.add("Mul", x, graph.add("Add", error, number(1))), number(0.5))
    x = graph.add("LayerNormalization", x, graph.weights(128), graph.weights(128), axis=-1)
    graph.sigmoid(graph.mlp(graph.add("Tanh", graph.dense(x, 128, 64)), 64, 1))
    return graph.model(*inputs)


def large_forest(rng, trees=500, depth=10):
    """A million nodes: what loading costs. Complete trees with random tests, because training them takes an hour."""
    inner = 2**depth - 1
    count = trees * (2 * inner + 1)
    node = np.tile(np.arange(2 * inner + 1), trees)
    branch = node < inner
    leaf = ~branch
    tree = np.repeat(np.arange(trees), 2 * inner + 1)
    attributes = dict(
        n_targets=1,
        nodes_treeids=tree, nodes_nodeids=node,
        nodes_featureids=np.where(branch, rng.integers(0, FEATURES, count), 0),
        nodes_values=np.where(branch, rng.standard_normal(count), 0).astype(np.float32),
        nodes_modes=np.where(branch, "BRANCH_LEQ", "LEAF"),
        nodes_truenodeids=np.where(branch, 2 * node + 1, 0), nodes_falsenodeids=np.where(branch, 2 * node + 2, 0),
        target_treeids=tree[leaf], target_nodeids=node[leaf], target_ids=np.zeros(leaf.sum(), int),
        target_weights=rng.standard_normal(leaf.sum()).astype(np.float32),
    )  # fmt: skip
    lists = {name: value.tolist() for name, value in attributes.items() if isinstance(value, np.ndarray)}
    attributes.update(lists)
    regressor = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", **attributes)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", FEATURES])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])
    graph = helper.make_graph([regressor], "large", [x], [y])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def cases(rng):
    """(case, file, model, inputs, the output that is compared, wanted)"""
    x = normal("x", FEATURES)
    yield ("LightGBM, 300 trees x 63 leaves, 40 features", "lightgbm", lightgbm_model(rng), [x],
           ["probabilities", 2], [9, 7, 9, 12])  # fmt: skip
    yield ("XGBoost, 500 trees, depth 6, 40 features", "xgboost", xgboost_model(rng), [x],
           ["probabilities", 2], [17, 12, 16, 22])  # fmt: skip
    yield ("scaler + logistic regression", "logistic", logistic_model(rng), [x], ["probabilities", 2], [30, 10, 5, 3])
    words = [[f"w{i}" for i in range(size)] for size in (4, 12, 30, 60)]
    yield ("one-hot + scaler + logistic regression, strings", "pipeline", pipeline_model(rng, words, 10),
           [normal("numbers", 10), texts("strings", words)], ["probabilities", 2], [20, 10, 5, 3])  # fmt: skip
    inputs = [normal("x", 64)]
    yield ("MLP 64-256-128-1", "mlp", mlp_model(rng, *inputs), inputs, ["p", 1], [3.5, 2.2, 1.4, 1.15])
    inputs = [ids("ids", 1000, 20), normal("dense", 20)]
    yield ("DeepFM-like, 20 ids, 20 dense, dim 16", "deepfm", deepfm_model(rng, *inputs), inputs,
           ["p", 1], [4, 3, 1.9, 1.6])  # fmt: skip
    inputs = [ids("history", 5000, 100), ids("candidate", 5000, 1)]
    yield "DIN-like, 100 x 32", "din", din_model(rng, *inputs), inputs, ["p", 1], [3, 2, 2, 2]
    inputs = [ids("history", 1000, 50)]
    yield "Transformer encoder, 50 x 64", "encoder", encoder_model(rng, *inputs), inputs, ["p", 1], [1, 1, 0.9, 0.9]
    yield "MLP 40-128-64-1, GELU, layer normalization", "gelu", gelu_model(rng, x), [x], ["p", 1], [1, 1, 0.9, 0.9]


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    listed = []
    for case, file, model, inputs, output, wanted in cases(np.random.default_rng(7)):
        onnx.save(model, directory / f"{file}.onnx")
        listed.append(dict(case=case, file=f"{file}.onnx", inputs=inputs, output=output, wanted=wanted))
    for version in ("v1", "v2"):
        file = f"arrival_delay_{version}.onnx"
        model = without_zipmap(onnx.load(DECISION / version / "delay.onnx"))
        onnx.save(model, directory / file)
        inputs = [normal(value.name, value.type.tensor_type.shape.dim[1].dim_value) for value in model.graph.input]
        listed.append(dict(case=f"arrival_delay {version}", file=file, inputs=inputs,
                           output=["probabilities", 2], wanted=None))  # fmt: skip
    onnx.save(large_forest(np.random.default_rng(7)), directory / "large.onnx")
    (directory / "cases.json").write_text(json.dumps(listed, indent=1) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
