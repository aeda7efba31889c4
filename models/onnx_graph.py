"""Small repairs of exported ONNX graphs."""

import onnx


def tidy(model, name):
    """Takes out what exporters leave behind: a random graph name, opsets in random order and twice, Identity nodes."""
    opsets = {opset.domain: opset for opset in model.opset_import}
    del model.opset_import[:]
    model.opset_import.extend(opsets[domain] for domain in sorted(opsets))
    graph = model.graph
    graph.name = name
    outputs = {output.name for output in graph.output}
    # From the end, so that a chain of them is taken apart link by link.
    for identity in [node for node in reversed(graph.node) if node.op_type == "Identity"]:
        source, target = identity.input[0], identity.output[0]
        graph.node.remove(identity)
        old, new = (source, target) if target in outputs else (target, source)
        for node in graph.node:
            node.input[:] = [new if name == old else name for name in node.input]
            node.output[:] = [new if name == old else name for name in node.output]
    onnx.checker.check_model(model)
    return model


def operators(model):
    return [node.op_type for node in model.graph.node]
