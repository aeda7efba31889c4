"""Writes the ranking decision: its model, its vocabularies, and examples with the outputs of ONNX Runtime.

    python -m ranking.make

The weights are random: what matters is that a record's candidates are scored as ONNX Runtime scores them in one call
of n = candidates, from features that are computed here by numpy, not by Pelton.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from random_graph import RandomGraph

HERE = pathlib.Path(__file__).parent
SKUS = [f"sku-{number:03}" for number in range(60)] + ["Blumenkohl, weiß", ""]
COUNTRIES = ["AT", "CH", "DE", "FR"]
LENGTH, DIM, ITEMS = 10, 8, 500
EXAMPLES = 40


def ranking_model(rng):
    """Attention of a candidate over the user's clicks, beside what is known of both."""
    graph = RandomGraph(rng)
    axis = lambda number: graph.constant(np.array([number], np.int64))
    table = graph.constant(rng.standard_normal((len(SKUS) + 1, DIM)).astype(np.float32))
    candidate = graph.add("Gather", table, "item_id")
    history = graph.add("Gather", table, "hist")
    scores = graph.add("MatMul", history, graph.add("Unsqueeze", candidate, axis(2)))
    gone = graph.add("Mul", graph.add("Sub", "hist_mask", graph.constant(np.float32(1))), graph.constant(np.float32(1e4)))
    shares = graph.add("Softmax", graph.add("Add", graph.add("Squeeze", scores, axis(2)), gone), axis=1)
    shares = graph.add("Mul", shares, "hist_mask")
    pooled = graph.add("ReduceSum", graph.add("Mul", history, graph.add("Unsqueeze", shares, axis(2))), axis(1), keepdims=0)
    visits = graph.add("ReduceMean", "visits", axes=[1], keepdims=0)
    together = graph.add("Concat", candidate, pooled, "user", "item", visits, axis=1)
    hidden = graph.add("Relu", graph.add("Gemm", together, graph.weights(2 * DIM + 3 + 3 + 2, 16), graph.weights(16)))
    graph.add("Sigmoid", graph.add("Gemm", hidden, graph.weights(16, 1), graph.weights(1)), name="p")
    graph.add("Softmax", graph.add("Gemm", hidden, graph.weights(16, 3), graph.weights(3)), axis=1, name="places")
    value = helper.make_tensor_value_info
    inputs = [
        value("item_id", TensorProto.INT64, ["n"]),
        value("user", TensorProto.FLOAT, ["n", 3]),
        value("item", TensorProto.FLOAT, ["n", 3]),
        value("hist", TensorProto.INT64, ["n", LENGTH]),
        value("hist_mask", TensorProto.FLOAT, ["n", LENGTH]),
        value("visits", TensorProto.FLOAT, ["n", LENGTH, 2]),
    ]
    outputs = [value("p", TensorProto.FLOAT, ["n", 1]), value("places", TensorProto.FLOAT, ["n", 3])]
    graph = helper.make_graph(graph.nodes, "ranking", inputs, outputs, graph.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def words_model():
    """Three strings, and their places in the alphabet: what tests feed sequences of strings to."""
    letters = dict(keys_strings=list("abc"), values_int64s=[0, 1, 2], default_int64=-1)
    nodes = [
        helper.make_node("LabelEncoder", ["words"], ["places"], domain="ai.onnx.ml", **letters),
        helper.make_node("Identity", ["words"], ["same"]),
    ]
    value = lambda name, kind: helper.make_tensor_value_info(name, kind, ["n", 3])
    outputs = [value("places", TensorProto.INT64), value("same", TensorProto.STRING)]
    graph = helper.make_graph(nodes, "words", [value("words", TensorProto.STRING)], outputs)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    return model


def records(rng):
    """Users with clicks and candidates: none, few, many; NULLs in every place that may be NULL."""
    maybe = lambda value, share=0.1: None if rng.random() < share else value
    sku = lambda: maybe(str(rng.choice(SKUS + ["never seen"])))
    for number in range(EXAMPLES):
        click = lambda: {"sku": sku(), "dwell": maybe(round(rng.exponential(30), 2)), "days": int(rng.integers(0, 400))}
        item = lambda: {"sku": sku(), "price": round(rng.exponential(20), 2), "stock": maybe(int(rng.integers(0, 3)))}
        clicks = [click() for _ in range(rng.choice([0, 1, 5, LENGTH, LENGTH + 1, 40]))]
        items = [item() for _ in range(rng.choice([0, 1, 2, 7, 60]))]
        yield {
            "user_id": number,
            "age": int(rng.integers(16, 90)),
            "country": maybe(str(rng.choice(COUNTRIES + ["XX"]))),
            "avg_price": round(1 + rng.exponential(20), 2),
            "clicks": None if number == 3 else clicks,
            "items": None if number == 4 else items,
        }


def tensors(record):
    """What the decision feeds to the model, of one record."""
    sku = lambda text: 1 + SKUS.index(text) if text in SKUS else 0
    f32 = lambda rows, *shape: np.array(rows, np.float64).astype(np.float32).reshape(shape)
    items, clicks = record["items"], (record["clicks"] or [])[-LENGTH:]
    n, missing = len(items), LENGTH - len(clicks)
    country = COUNTRIES.index(record["country"]) if record["country"] in COUNTRIES else np.nan
    user = [record["age"] / 10, country, record["avg_price"]]
    visit = lambda click: [np.nan_to_num(np.float64(click["dwell"] if click["dwell"] is not None else np.nan)), click["days"] / 10]
    in_stock = lambda item: 1 if (item["stock"] or 0) > 0 else 0
    return {
        "item_id": np.array([sku(item["sku"]) for item in items], np.int64),
        "user": f32([[0 if np.isnan(value) else value for value in user]] * n, n, 3),
        "item": f32([[item["price"], item["price"] / record["avg_price"], in_stock(item)] for item in items], n, 3),
        "hist": np.array([[sku(click["sku"]) for click in clicks] + [0] * missing] * n, np.int64).reshape(n, LENGTH),
        "hist_mask": f32([[1] * len(clicks) + [0] * missing] * n, n, LENGTH),
        "visits": f32([[visit(click) for click in clicks] + [[-1, -1]] * missing] * n, n, LENGTH, 2),
    }


def main():
    rng = np.random.default_rng(20260101)
    model = ranking_model(rng)
    onnx.save(model, HERE / "rank.onnx")
    onnx.save(words_model(), HERE / "words.onnx")
    (HERE / "sku.txt").write_text("".join(f"{sku}\n" for sku in SKUS))
    (HERE / "country.txt").write_text("".join(f"{country}\t{number}\n" for number, country in enumerate(COUNTRIES)))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    with open(HERE / "examples.jsonl", "w") as examples:
        for record in records(rng):
            output = {"user_id": record["user_id"], "p_buy": None, "places": None, "candidates": None}
            if record["items"] is not None:
                p, places = session.run(["p", "places"], tensors(record))
                shown = lambda values: [float(str(value)) for value in values]
                output.update(p_buy=shown(p[:, 0]), places=[shown(row) for row in places], candidates=len(p))
            line = {"input": record, "output": output, "tolerance": 1e-5}
            examples.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
