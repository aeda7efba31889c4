"""One test vector: a small ONNX file, inputs, and what ONNX Runtime makes of them.

A case is a directory:

    model.onnx      the graph
    case.json       {"description", "rows", "inputs": [tensor], "outputs": [tensor]}
    in0.bin ...     the tensors, row-major, little-endian, nothing but values
    out0.bin ...

A tensor is {"name", "element", "rank", "width", "file" or "strings"}; `element` is float, double, int64, int32,
bool (one byte) or string (then `strings` holds the values in place of a file). `rank` 1 is [rows], 2 is [rows, width].
An output also has `ulp`, `relative` and `absolute`: a value fits when it is within any one of the three.
NaN fits NaN only. A ZipMap output is written as the [rows, classes] floats that it maps, in class order.
"""

import json
import pathlib
import shutil
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

HERE = pathlib.Path(__file__).parent
ML_DOMAIN = "ai.onnx.ml"

ELEMENTS = {
    "float": (TensorProto.FLOAT, "<f4"),
    "double": (TensorProto.DOUBLE, "<f8"),
    "int64": (TensorProto.INT64, "<i8"),
    "int32": (TensorProto.INT32, "<i4"),
    "bool": (TensorProto.BOOL, "u1"),
    "string": (TensorProto.STRING, None),
}


@dataclass(frozen=True)
class Fit:
    """How near to ONNX Runtime an output has to be; any of the three suffices."""

    ulp: int = 0
    relative: float = 0.0
    absolute: float = 0.0


EXACT = Fit()
# One exp, one division: the last bit may differ.
LAST_BIT = Fit(ulp=1)
# Sums of exponentials, and what follows from a SUMMED value.
CLOSE = Fit(ulp=1, relative=1e-6, absolute=1e-7)
# Sums of some 20 terms of size 1 that may cancel; ONNX Runtime's matrix kernels add in an order of their own.
SUMMED = Fit(ulp=1, relative=1e-6, absolute=2e-6)


@dataclass
class Case:
    name: str
    description: str
    model: onnx.ModelProto
    inputs: dict  # name -> array [rows, width]
    fits: dict = field(default_factory=dict)  # output name -> Fit, EXACT when absent


def ml_node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, name=outputs[0] + "_" + op, domain=ML_DOMAIN, **attributes)


def make_model(nodes, inputs, outputs, ml_opset=3):
    """`inputs` and `outputs` are lists of (name, element, width); width None is rank 1, "map" a ZipMap's output."""
    graph = helper.make_graph(nodes, "vector", [_value_info(*i) for i in inputs], [_value_info(*o) for o in outputs])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(ML_DOMAIN, ml_opset)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="vectors")
    model.ir_version = 8
    return model


def _value_info(name, element, width):
    if width == "map":
        key = TensorProto.INT64 if element == "int64" else TensorProto.STRING
        value = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        return helper.make_value_info(name, helper.make_sequence_type_proto(helper.make_map_type_proto(key, value)))
    shape = ["n"] if width is None else ["n", width]
    return helper.make_tensor_value_info(name, ELEMENTS[element][0], shape)


def session(model):
    """`model` is a path, or bytes."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def write(case):
    directory = HERE / case.name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    onnx.save(case.model, directory / "model.onnx")  # and the files of external data
    runner = session(directory / "model.onnx")
    values = runner.run(None, case.inputs)
    rows = len(next(iter(case.inputs.values())))
    described = {
        "description": case.description,
        "rows": rows,
        "inputs": [
            _tensor(directory, f"in{i}.bin", name, array) for i, (name, array) in enumerate(case.inputs.items())
        ],
        "outputs": [],
    }
    for i, (declared, value) in enumerate(zip(runner.get_outputs(), values)):
        fit = case.fits.get(declared.name, EXACT)
        tensor = _tensor(directory, f"out{i}.bin", declared.name, _plain(value, _labels(case.model, declared.name)))
        described["outputs"].append(tensor | {"ulp": fit.ulp, "relative": fit.relative, "absolute": fit.absolute})
    (directory / "case.json").write_text(json.dumps(described, ensure_ascii=False) + "\n")


def _labels(model, output):
    """The labels of the ZipMap that makes `output`, in the order of the columns that it maps."""
    for node in model.graph.node:
        if node.op_type == "ZipMap" and output in node.output:
            labels = helper.get_attribute_value(node.attribute[0])
            return [label.decode() if isinstance(label, bytes) else label for label in labels]
    return None


def _plain(value, labels):
    """A ZipMap's list of dicts, which are sorted by label, as [rows, classes] in class order."""
    if isinstance(value, list):
        return np.array([[row[label] for label in labels] for row in value], dtype=np.float32)
    return value


def _tensor(directory, file, name, array):
    array = np.asarray(array)
    tensor = {"name": name, "rank": array.ndim, "width": 1 if array.ndim == 1 else array.shape[1]}
    if array.dtype.kind in "OUS":
        return tensor | {"element": "string", "strings": [str(s) for s in array.ravel()]}
    element = {"f4": "float", "f8": "double", "i8": "int64", "i4": "int32", "b1": "bool"}[array.dtype.str[1:]]
    (directory / file).write_bytes(np.ascontiguousarray(array).astype(ELEMENTS[element][1]).tobytes())
    return tensor | {"element": element, "file": file}
