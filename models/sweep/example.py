"""Writes the files of `example/`, which the tests of `pelton model` read: `python -m sweep.example` in models/.

model.onnx      a pipeline on numbers and strings, three labels
in.npz          40 rows for it, unseen categories and NaN among them, as np.savez writes them
expected.npz    what ONNX Runtime makes of them; other_expected.npz has two values that differ
mistakes.npz    arrays that do not fit; unequal.npz too few rows; typo.npz outputs of another type and name
ids.onnx        a table of five rows; ids.npz has ids for it, of which number 300 is outside
arrays.npz      an array of every type that is read, as np.savez_compressed writes them
"""

import pathlib

import numpy as np
import onnx
from onnx import helper, numpy_helper
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn import compose, impute, linear_model, pipeline, preprocessing

from onnx_graph import tidy
from sweep.case import numbers, unseen
from sweep.peer import Peer
from sweep.scikit import export

HERE = pathlib.Path(__file__).parent / "example"


def main():
    rng = np.random.default_rng(7)
    amounts, colours = numbers(rng, 200, 2), rng.choice(["red", "green", "blau", "ü"], (200, 2))
    y = np.digitize(amounts[:, 0] + (colours[:, 1] == "red"), [-0.5, 1])
    table = np.concatenate([amounts.astype(object), colours.astype(object)], axis=1)
    columns = compose.ColumnTransformer([
        ("numbers", pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()), [0, 1]),
        ("strings", preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False), [2, 3]),
    ])
    model = pipeline.make_pipeline(columns, linear_model.LogisticRegression())
    model.fit(table, np.array(["low", "middle", "high"])[y])
    types = [("amounts", FloatTensorType([None, 2])), ("colours", StringTensorType([None, 2]))]
    HERE.mkdir(exist_ok=True)
    onnx.save(tidy(export(model, types), "example"), HERE / "model.onnx")
    rows = dict(amounts=amounts[:40].copy(), colours=unseen(rng, colours[:40]))
    rows["amounts"][::7, 1] = np.nan
    np.savez(HERE / "in.npz", **rows)
    expected = Peer(HERE / "model.onnx").run(rows)
    np.savez(HERE / "expected.npz", **expected)
    expected["label"][3] = "none"
    expected["probabilities"][5, 2] += 0.25
    np.savez(HERE / "other_expected.npz", **expected)
    np.savez_compressed(HERE / "mistakes.npz", amounts=np.zeros((40, 3)), colors=rows["colours"])
    np.savez_compressed(HERE / "unequal.npz", amounts=rows["amounts"], colours=rows["colours"][:39])
    np.savez(HERE / "typo.npz", label=np.zeros(40, np.int64), probabilitys=expected["probabilities"])
    table = numpy_helper.from_array(np.arange(10, dtype=np.float32).reshape(5, 2), "table")
    gather = helper.make_node("Gather", ["table", "ids"], ["rows"])
    ids = helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, ["n"])
    found = helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, ["n", 2])
    graph = helper.make_graph([gather], "ids", [ids], [found], [table])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), HERE / "ids.onnx")
    np.savez(HERE / "ids.npz", ids=np.where(np.arange(400) == 300, 5, np.arange(400) % 5))
    np.savez_compressed(
        HERE / "arrays.npz",
        float32=np.array([[0.5, -0.0, np.inf], [np.nan, 1e-40, 3e38]], "<f4"),
        float64=np.array([1e300, -1.25], "<f8"),
        big_endian=np.array([1.5, -2.0], ">f4"),
        first_axis_fastest=np.asfortranarray(np.arange(6, dtype="<i4").reshape(2, 3)),
        bool=np.array([True, False]),
        **{name: np.array([0, 1, 100], name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")},
        unicode=np.array([["", "äöü"], ["x y", "𝄞"]]),
        bytes=np.array([b"abc", b""]),
        scalar=np.array(7),
        empty=np.zeros((0, 4), np.float32),
        float16=np.array([1.0], np.float16),
        objects=np.array(["a", None], object),
        too_large=np.array([2**63], np.uint64),
    )


if __name__ == "__main__":
    main()
