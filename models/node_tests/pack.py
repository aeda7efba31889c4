"""Packs the ONNX project's node tests: `python -m node_tests.pack --all FILE` every case, `--suite LIST` those that pass.

The PyPI package `onnx` (1.20.1; newer ones have no files) carries a model, inputs and outputs for every case. A packed
case is what a reader without protobuf needs:

    pack   = { u32 length, case }
    case   = name, operator, model, tensors of the inputs, tensors of the outputs; all with a u32 length
    tensor = name, element (u32, as ONNX numbers them), dims (u32 each), data (little-endian, strings one by one)

The operator is that of the model's only node; a model of several tests the function that an operator stands for.
"""

import argparse
import struct
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

# Larger cases are left out of the committed file, by name, in its report.
LARGEST = 4_000


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<I", len(data)) + data


def many(parts):
    return struct.pack("<I", len(parts)) + b"".join(parts)


def tensor(path, name):
    proto = onnx.TensorProto()
    proto.ParseFromString(path.read_bytes())
    array = numpy_helper.to_array(proto)
    if proto.data_type == onnx.TensorProto.STRING:
        data = many([text(s if isinstance(s, bytes) else str(s)) for s in array.ravel()])
    else:
        data = text(np.ascontiguousarray(array).tobytes())
    dims = many([struct.pack("<I", dim) for dim in array.shape])
    return text(name) + struct.pack("<I", proto.data_type) + dims + data


def is_tensor(value):
    return value.type.WhichOneof("value") == "tensor_type"


def pack(directory):
    """The case as bytes; None where an input or output is no tensor."""
    model = onnx.load(directory / "model.onnx")
    given = {value.name for value in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in given]
    outputs = list(model.graph.output)
    if not all(is_tensor(value) for value in inputs + outputs):
        return None
    sets = sorted(directory.glob("test_data_set_*"))
    if not sets:
        return None
    tensors = []
    for kind, values in (("input", inputs), ("output", outputs)):
        paths = [sets[0] / f"{kind}_{i}.pb" for i in range(len(values))]
        if not all(path.exists() for path in paths):
            return None
        tensors.append(many([tensor(path, value.name) for path, value in zip(paths, values)]))
    name = directory.name.removeprefix("test_")
    nodes = model.graph.node
    operator = f"{nodes[0].domain or 'ai.onnx'} {nodes[0].op_type}" if len(nodes) == 1 else "several"
    return text(name) + text(operator) + text((directory / "model.onnx").read_bytes()) + b"".join(tensors)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("file", type=Path)
    arguments.add_argument("--all", action="store_true", help="every case, of any size")
    arguments.add_argument("--suite", type=Path, help="what became of all cases: those that pass")
    arguments = arguments.parse_args()
    root = Path(onnx.__file__).parent / "backend/test/data/node"
    wanted = None
    if arguments.suite:
        lines = [line.split("\t") for line in arguments.suite.read_text().splitlines()]
        wanted = {name for name, _, became in lines if became.startswith("passed") or became == "tract"}
    with arguments.file.open("wb") as out:
        packed, large, other = 0, [], []
        for directory in sorted(root.iterdir()):
            name = directory.name.removeprefix("test_")
            if wanted is not None and name not in wanted:
                continue
            try:
                case = pack(directory)
            except (TypeError, ValueError, KeyError) as error:
                case, reason = None, str(error)
            if case is None:
                other.append(name)
            elif not arguments.all and len(case) > LARGEST:
                large.append(name)
            else:
                out.write(text(case))
                packed += 1
    print(f"{packed} cases packed; {len(other)} with other inputs than tensors: {' '.join(other)}")
    if large:
        print(f"left out, over {LARGEST} bytes: {' '.join(large)}")


if __name__ == "__main__":
    main()
