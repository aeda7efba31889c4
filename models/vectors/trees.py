"""Tree ensembles put together node by node: every attribute of TreeEnsembleRegressor and TreeEnsembleClassifier."""

import itertools
from dataclasses import dataclass

import numpy as np
from onnx import helper, numpy_helper
from onnx.external_data_helper import convert_model_to_external_data

from vectors.vector import CLOSE, EXACT, LAST_BIT, Case, make_model, ml_node

ROWS = 200
FEATURES = 4
AGGREGATES = ["SUM", "AVERAGE", "MIN", "MAX"]
POST_TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
# Few values, so that rows hit them exactly; the last three are as small and as large as they look.
THRESHOLDS = np.array([-2, -1, -0.5, -0.0, 0.0, 0.1, 0.5, 1, 2, 3, 1e-40, 1e30, -1e30], dtype=np.float64)


def fit_of(post_transform):
    return {"NONE": EXACT, "LOGISTIC": LAST_BIT}.get(post_transform, CLOSE)


@dataclass
class Shape:
    """What the random trees look like."""

    trees: int = 5
    depth: int = 4
    modes: tuple = ("BRANCH_LEQ",)
    missing: str = "none"  # none (attribute absent) | mixed | all
    weight: callable = None  # rng -> weight of a leaf
    ids: tuple = (0,)  # target or class ids a leaf may have a weight for
    weights_per_leaf: int = 1  # how many of `ids` each leaf has a weight for
    thresholds: np.ndarray = None
    shuffled: bool = False  # tree ids out of order, node ids with gaps


def ensemble(rng, shape):
    """Random trees as the attributes of the ONNX operators, without the prefix `target_` or `class_` of the weights."""
    nodes, weights = [], []
    thresholds = THRESHOLDS if shape.thresholds is None else shape.thresholds
    weight = shape.weight or (lambda r: r.normal())

    def grow(tree, ids, depth):
        node = next(ids)
        at = len(nodes)
        nodes.append(None)
        if depth == shape.depth or (depth > 1 and rng.random() < 0.25):
            nodes[at] = (tree, node, 0, "LEAF", 0.0, 0, 0, 0)
            for i in sorted(rng.choice(len(shape.ids), shape.weights_per_leaf, replace=False)):
                weights.append((tree, node, shape.ids[i], weight(rng)))
            return node
        true, false = grow(tree, ids, depth + 1), grow(tree, ids, depth + 1)
        missing = {"none": 0, "all": 1, "mixed": int(rng.integers(2))}[shape.missing]
        mode = shape.modes[rng.integers(len(shape.modes))]
        nodes[at] = (tree, node, int(rng.integers(FEATURES)), mode, rng.choice(thresholds), true, false, missing)
        return node

    for tree in range(shape.trees):
        step, name = (3, (tree * 5 + 3) % 11) if shape.shuffled else (1, tree)
        grow(name, itertools.count(0, step), 0)
    trees, ids, features, modes, values, true, false, missing = (list(column) for column in zip(*nodes))
    attributes = dict(
        nodes_treeids=trees, nodes_nodeids=ids, nodes_featureids=features, nodes_modes=modes, nodes_values=values,
        nodes_truenodeids=true, nodes_falsenodeids=false,
    )  # fmt: skip
    if shape.missing != "none":
        attributes["nodes_missing_value_tracks_true"] = missing
    return attributes, [list(column) for column in zip(*weights)]


def regressor(rng, shape, n_targets=1, base_values=None, **attributes):
    nodes, (trees, ids, targets, values) = ensemble(rng, shape)
    if base_values is not None:
        attributes["base_values"] = base_values
    return ml_node(
        "TreeEnsembleRegressor", ["x"], ["y"], **nodes, **attributes, n_targets=n_targets,
        target_treeids=trees, target_nodeids=ids, target_ids=targets, target_weights=values,
    )  # fmt: skip


def classifier(rng, shape, labels, base_values=None, **attributes):
    nodes, (trees, ids, classes, values) = ensemble(rng, shape)
    if base_values is not None:
        attributes["base_values"] = base_values
    key = "classlabels_strings" if isinstance(labels[0], str) else "classlabels_int64s"
    return ml_node(
        "TreeEnsembleClassifier", ["x"], ["label", "scores"], **nodes, **attributes, **{key: labels},
        class_treeids=trees, class_nodeids=ids, class_ids=classes, class_weights=values,
    )  # fmt: skip


def ugly_rows(rng, rows=ROWS, width=FEATURES, thresholds=THRESHOLDS, dtype=np.float32):
    """Ordinary values, exact hits and their neighbours, NaN, infinities, both zeros, tiny and huge values."""
    x = rng.normal(0, 1.5, (rows, width)).astype(dtype)
    hits = rng.choice(thresholds, (rows, width)).astype(dtype)
    neighbours = np.nextafter(hits, rng.choice([-np.inf, np.inf], (rows, width)).astype(dtype)).astype(dtype)
    limits = np.finfo(dtype)
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, limits.smallest_subnormal, limits.max, limits.min], dtype)
    kind = rng.choice(4, (rows, width), p=[0.4, 0.25, 0.1, 0.25])
    x = np.choose(kind, [x, hits, neighbours, rng.choice(special, (rows, width))]).astype(dtype)
    x[0], x[1], x[2], x[3] = np.nan, np.inf, -np.inf, -0.0
    return x


def small_sums(rng):
    """Leaf weights in tens of thousandths of one: the sums stay where the post-transforms still tell values apart."""
    return float(rng.integers(-4000, 4000)) / 1e4


def positive(rng):
    """For sums of up to 6 trees below 1, where PROBIT ends."""
    return float(rng.integers(1, 1500)) / 1e4


def large_positive(rng):
    """Sums of 3 trees on both sides of 0.5, the threshold of a lone class."""
    return float(rng.integers(1, 3300)) / 1e4


def regressor_case(name, description, rng, shape, width=1, dtype="float", x=None, post_transform="NONE", **attributes):
    node = regressor(rng, shape, n_targets=width, post_transform=post_transform, **attributes)
    model = make_model([node], [("x", dtype, FEATURES)], [("y", "float", width)])
    x = ugly_rows(rng) if x is None else x
    return Case(name, description, model, {"x": x}, {"y": fit_of(post_transform)})


def classifier_case(name, description, rng, shape, labels, dtype="float", x=None, post_transform="NONE", **attributes):
    node = classifier(rng, shape, labels, post_transform=post_transform, **attributes)
    element = "string" if isinstance(labels[0], str) else "int64"
    outputs = [("label", element, None), ("scores", "float", max(2, len(labels)))]
    model = make_model([node], [("x", dtype, FEATURES)], outputs)
    x = ugly_rows(rng) if x is None else x
    return Case(name, description, model, {"x": x}, {"scores": fit_of(post_transform)})


def regressors(rng):
    for aggregate in AGGREGATES:
        shape = Shape(missing="mixed")
        text = f"aggregate_function {aggregate}"
        yield regressor_case(f"tree_regressor_{aggregate.lower()}", text, rng, shape, aggregate_function=aggregate)
        shape = Shape(trees=10, depth=3, missing="mixed", ids=(0, 1, 2), weights_per_leaf=2)
        name = f"tree_regressor_{aggregate.lower()}_targets_base"
        text = f"aggregate_function {aggregate}, 3 targets, each leaf has a weight for 2 of them, base_values"
        yield regressor_case(
            name, text, rng, shape, 3, aggregate_function=aggregate, base_values=[0.25, -1.5, 3.0]
        )  # fmt: skip
    for transform in POST_TRANSFORMS:
        weight = positive if transform == "PROBIT" else small_sums
        shape = Shape(trees=3, weight=weight)
        name = f"tree_regressor_{transform.lower()}"
        yield regressor_case(name, f"one target, {transform}", rng, shape, post_transform=transform)
        shape = Shape(trees=6, weight=weight, ids=(0, 1, 2))
        yield regressor_case(
            name + "_targets", f"3 targets, {transform}; rows where a target has no weight", rng, shape, 3,
            post_transform=transform,
        )  # fmt: skip
    for mode in MODES:
        for missing in ("none", "mixed", "all") if mode == "BRANCH_LEQ" else ("none", "mixed"):
            shape = Shape(trees=5, modes=(mode,), missing=missing)
            name = f"tree_regressor_{mode.removeprefix('BRANCH_').lower()}_missing_{missing}"
            yield regressor_case(name, f"{mode}, missing_value_tracks_true: {missing}", rng, shape)
    shape = Shape(trees=6, depth=5, modes=tuple(MODES), missing="mixed")
    yield regressor_case("tree_regressor_mixed_modes", "every branch mode in each tree", rng, shape)
    shape = Shape(trees=6, missing="mixed", shuffled=True)
    yield regressor_case("tree_regressor_ids", "tree ids out of order, node ids with gaps", rng, shape)
    shape = Shape(trees=20, depth=5, modes=("BRANCH_LT",), missing="mixed", weight=lambda r: r.normal() / 10)
    yield regressor_case(
        "tree_regressor_xgboost", "as XGBoost's exporter writes it: BRANCH_LT, one base value", rng, shape,
        base_values=[0.5],
    )  # fmt: skip
    shape = Shape(trees=3, depth=0)
    yield regressor_case("tree_regressor_leaves_only", "every tree is one leaf", rng, shape)


def classifiers(rng):
    both, one = (0, 1), (1,)
    for transform in POST_TRANSFORMS:
        lower = transform.lower()
        weight = positive if transform == "PROBIT" else small_sums
        yield classifier_case(
            f"tree_classifier_{lower}", f"3 int64 classes, {transform}", rng,
            Shape(trees=6, weight=weight, ids=(0, 1, 2), missing="mixed"), [3, 1, 7], post_transform=transform,
        )  # fmt: skip
        yield classifier_case(
            f"tree_classifier_binary_{lower}", f"2 classes, both have weights, {transform}", rng,
            Shape(trees=6, weight=weight, ids=both), [0, 1], post_transform=transform,
        )  # fmt: skip
        if transform != "PROBIT":
            yield classifier_case(
                f"tree_classifier_binary_one_{lower}", f"2 classes, weights of both signs for one, {transform}", rng,
                Shape(trees=6, weight=small_sums, ids=one), [0, 1], post_transform=transform,
            )  # fmt: skip
        yield classifier_case(
            f"tree_classifier_binary_one_positive_{lower}", f"2 classes, positive weights for one, {transform}", rng,
            Shape(trees=3, weight=large_positive, ids=one), [0, 1], post_transform=transform,
        )  # fmt: skip
    yield classifier_case(
        "tree_classifier_strings", "4 string labels", rng,
        Shape(trees=6, ids=(0, 1, 2, 3), missing="mixed"), ["on time", "late", "", "größer"],
        post_transform="SOFTMAX",
    )  # fmt: skip
    for ids, text in ((one, "class 1"), ((0,), "class 0")):
        yield classifier_case(
            f"tree_classifier_binary_strings_{ids[0]}", f"2 string labels, weights for {text} only", rng,
            Shape(trees=5, weight=small_sums, ids=ids), ["no", "yes"], post_transform="LOGISTIC",
        )  # fmt: skip
        yield classifier_case(
            f"tree_classifier_binary_strings_positive_{ids[0]}", f"2 string labels, positive weights for {text} only",
            rng, Shape(trees=3, weight=large_positive, ids=ids), ["no", "yes"], post_transform="NONE",
        )  # fmt: skip
    yield classifier_case(
        "tree_classifier_binary_labels", "2 int64 labels that are not 0 and 1, weights for one", rng,
        Shape(trees=5, weight=small_sums, ids=one), [-4, 9000000000], post_transform="LOGISTIC",
    )  # fmt: skip
    yield classifier_case(
        "tree_classifier_base_values", "3 classes with base_values", rng,
        Shape(trees=6, ids=(0, 1, 2)), [0, 1, 2], base_values=[0.5, -0.25, 1.5],
    )  # fmt: skip
    yield classifier_case(
        "tree_classifier_binary_base_2", "2 classes, base_values of both", rng,
        Shape(trees=6, weight=small_sums, ids=both), [0, 1], base_values=[0.25, -0.5], post_transform="SOFTMAX",
    )  # fmt: skip
    for transform in ("NONE", "LOGISTIC"):
        yield classifier_case(
            f"tree_classifier_xgboost_{transform.lower()}", f"one weight class, one base value, BRANCH_LT, {transform}",
            rng, Shape(trees=12, depth=5, weight=lambda r: r.normal() / 10, ids=(0,), modes=("BRANCH_LT",),
                       missing="mixed"), [0, 1], base_values=[0.3], post_transform=transform,
        )  # fmt: skip
    yield classifier_case(
        "tree_classifier_mixed_modes", "every branch mode, several weights a leaf", rng,
        Shape(trees=6, modes=tuple(MODES), missing="mixed", ids=(0, 1, 2), weights_per_leaf=3), [0, 1, 2],
        post_transform="LOGISTIC",
    )  # fmt: skip


def other_elements(rng):
    """double and integer inputs: what a threshold is compared as."""
    values = THRESHOLDS.copy()
    values[5] = 0.1  # not a float: a kernel that narrows double inputs or thresholds goes the wrong way
    shape = Shape(trees=6, missing="mixed")
    x = ugly_rows(rng, dtype=np.float64)
    x[4:60, :] = rng.choice([0.1, float(np.float32(0.1)), np.nextafter(0.1, 1), np.nextafter(0.1, -1)], (56, FEATURES))
    yield as_tensors(regressor_case("tree_regressor_double", "double input, *_as_tensor attributes", rng, shape,
                                    dtype="double", x=x, base_values=[0.1]))  # fmt: skip
    case = as_tensors(regressor_case("tree_regressor_external_data", "double attributes in a file beside the model", rng,
                                     shape, dtype="double", x=x))  # fmt: skip
    convert_model_to_external_data(case.model, location="model.data", size_threshold=0, convert_attribute=True)
    yield case
    shape = Shape(trees=6, missing="mixed", ids=(0, 1, 2))
    yield as_tensors(classifier_case("tree_classifier_double", "double input, *_as_tensor attributes", rng, shape,
                                     [0, 1, 2], dtype="double", x=x, base_values=[0.1, 0.2, 0.3]))  # fmt: skip
    shape = Shape(trees=6, missing="mixed")
    yield regressor_case("tree_regressor_double_float_values", "double input, float attributes", rng, shape,
                         dtype="double", x=x)  # fmt: skip
    cuts = np.array([-3, 0, 0.5, 1, 16777216, 16777218, -16777218], dtype=np.float64)
    near = np.array([-4, -3, -2, 0, 1, 2, 16777215, 16777216, 16777217, 16777218, 16777219, -16777217, -16777219])
    # ONNX Runtime has no TreeEnsembleRegressor over integers.
    for element, dtype in (("int64", np.int64), ("int32", np.int32)):
        x = rng.choice(near, (ROWS, FEATURES)).astype(dtype)
        shape = Shape(trees=6, thresholds=cuts, modes=("BRANCH_LT",), ids=(0, 1, 2))
        yield classifier_case(f"tree_classifier_{element}", f"{element} input, values beyond 2^24", rng, shape,
                              [0, 1, 2], dtype=element, x=x)  # fmt: skip


def as_tensors(case):
    """Moves the float lists into the double tensors that the operators have had since ai.onnx.ml 3."""
    node = case.model.graph.node[0]
    for name in ("nodes_values", "nodes_hitrates", "target_weights", "class_weights", "base_values"):
        found = [a for a in node.attribute if a.name == name]
        if found:
            # The thresholds again as doubles: the float list has rounded 0.1.
            exact = [round(v, 6) if abs(v) > 1e-30 and abs(v) < 1e20 else v for v in found[0].floats]
            tensor = numpy_helper.from_array(np.array(exact), name)
            node.attribute.remove(found[0])
            node.attribute.append(helper.make_attribute(name + "_as_tensor", tensor))
    return case


def first_class_alone(rng):
    """Positive weights for class 0 alone, as xgboost and forests have them: one score becomes two."""
    for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        for base_values in ([], [0.1]):
            yield classifier_case(
                f"tree_classifier_first_class_{transform.lower()}{'_base' if base_values else ''}",
                f"2 classes, positive weights for class 0, {transform}", rng,
                Shape(trees=3, weight=lambda r: abs(r.normal()) / 4, ids=(0,)), [5, -3], post_transform=transform,
                **({"base_values": base_values} if base_values else {}),
            )  # fmt: skip


def cases(rng):
    yield from regressors(rng)
    yield from classifiers(rng)
    yield from other_elements(rng)
    yield from first_class_alone(rng)
