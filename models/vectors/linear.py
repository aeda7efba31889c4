"""The operators around trees: LinearClassifier, LinearRegressor, Scaler, Normalizer, Cast, ZipMap, and graphs of several."""

import numpy as np
from onnx import helper

from vectors import trees
from vectors.vector import CLOSE, ELEMENTS, SUMMED, Case, make_model, ml_node

ROWS = 200
POST_TRANSFORMS = trees.POST_TRANSFORMS
STRINGS = ["on time", "late", "größer"]


def dyadic(rng, *shape):
    """Multiples of 1/16 of few bits: their products and sums are exact in f32 in every order, so bits can be compared."""
    return (rng.integers(-64, 64, shape) / 16).astype(np.float32)


def numbers(rng, rows, width, dtype):
    """Ordinary and ugly numbers of an element type."""
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        special = np.array([0, 1, -1, 16777217, -16777219, limits.max, limits.min], dtype)
        x = rng.integers(-1000, 1000, (rows, width)).astype(dtype)
    else:
        limits = np.finfo(dtype)
        special = [np.nan, np.inf, -np.inf, -0.0, 0.0, limits.smallest_subnormal, -limits.tiny, limits.max, limits.min]
        special = np.array(special, dtype)
        x = (rng.normal(size=(rows, width)) * 10.0 ** rng.integers(-3, 4, (rows, width))).astype(dtype)
    return np.where(rng.random((rows, width)) < 0.25, rng.choice(special, (rows, width)), x).astype(dtype)


def with_special_rows(x):
    """One ugly value in an otherwise plain row: the result does not depend on the order of a sum."""
    x = x.copy()
    for row, value in enumerate([np.nan, np.inf, -np.inf, -0.0, 1e-40, 1e38]):
        x[row] = 0
        x[row, row % x.shape[1]] = value
    x[6] = 0
    x[7] = -0.0
    return x


def linear_classifiers(rng):
    width = 4
    for transform in POST_TRANSFORMS:
        for classes, multi_class in ((3, 1), (2, 0), (2, 1)) if transform == "LOGISTIC" else ((3, 0), (2, 1)):
            # PROBIT is defined between 0 and 1 alone.
            tame = transform == "PROBIT"
            coefficients = np.abs(dyadic(rng, classes, width)) / 64 if tame else dyadic(rng, classes, width) / 8
            x = np.abs(dyadic(rng, ROWS, width)) / 4 if tame else with_special_rows(dyadic(rng, ROWS, width))
            intercepts = np.abs(dyadic(rng, classes)) / 64 if tame else dyadic(rng, classes) / 16
            labels = [5, -3, 8][:classes]
            yield linear_classifier_case(
                f"linear_classifier_{classes}_{transform.lower()}_multi_{multi_class}",
                f"{classes} classes, {transform}, multi_class {multi_class}",
                x, coefficients, intercepts, labels, transform, multi_class,
            )  # fmt: skip
        if transform != "PROBIT":
            for labels, kind in (([0, 1], ""), (["no", "yes"], "_strings"))[: 1 + (transform == "LOGISTIC")]:
                yield linear_classifier_case(
                    f"linear_classifier_one_row_{transform.lower()}{kind}",
                    f"2 labels over one row of coefficients, {transform}",
                    with_special_rows(dyadic(rng, ROWS, width)), dyadic(rng, 1, width) / 8, dyadic(rng, 1) / 16,
                    labels, transform, 0,
                )  # fmt: skip
    yield linear_classifier_case(
        "linear_classifier_strings", "3 string labels, SOFTMAX", dyadic(rng, ROWS, width), dyadic(rng, 3, width) / 8,
        dyadic(rng, 3) / 16, STRINGS, "SOFTMAX", 1,
    )  # fmt: skip
    for dtype in ("double", "int64", "int32"):
        x = rng.integers(-50, 50, (ROWS, width)) / (16 if dtype == "double" else 1)
        yield linear_classifier_case(
            f"linear_classifier_{dtype}", f"{dtype} input", x.astype(ELEMENTS[dtype][1]), dyadic(rng, 3, width),
            dyadic(rng, 3), [0, 1, 2], "NONE", 1, dtype,
        )  # fmt: skip
    x = rng.normal(size=(ROWS, 20)).astype(np.float32)
    yield linear_classifier_case(
        "linear_classifier_ordinary", "20 ordinary features, where the order of the sum shows", x,
        rng.normal(size=(3, 20)).astype(np.float32), rng.normal(size=3).astype(np.float32), [0, 1, 2], "SOFTMAX", 1,
    )  # fmt: skip


def linear_classifier_case(name, description, x, coefficients, intercepts, labels, transform, multi_class, dtype="float"):
    key = "classlabels_strings" if isinstance(labels[0], str) else "classlabels_ints"
    node = ml_node(
        "LinearClassifier", ["x"], ["label", "scores"], coefficients=coefficients.ravel().tolist(),
        intercepts=intercepts.tolist(), multi_class=multi_class, post_transform=transform, **{key: labels},
    )  # fmt: skip
    element = "string" if isinstance(labels[0], str) else "int64"
    outputs = [("label", element, None), ("scores", "float", len(labels))]
    model = make_model([node], [("x", dtype, x.shape[1])], outputs)
    return Case(name, description, model, {"x": x}, {"scores": trees.fit_of(transform)})


def linear_regressors(rng):
    width = 5
    for targets in (1, 3):
        for transform in POST_TRANSFORMS if targets == 3 else ["NONE"]:
            tame = transform == "PROBIT"
            coefficients = np.abs(dyadic(rng, targets, width)) / 64 if tame else dyadic(rng, targets, width) / 4
            x = np.abs(dyadic(rng, ROWS, width)) / 8 if tame else with_special_rows(dyadic(rng, ROWS, width))
            intercepts = np.abs(dyadic(rng, targets)) / 64 if tame else dyadic(rng, targets)
            node = ml_node(
                "LinearRegressor", ["x"], ["y"], coefficients=coefficients.ravel().tolist(), targets=targets,
                intercepts=intercepts.tolist(), post_transform=transform,
            )  # fmt: skip
            model = make_model([node], [("x", "float", width)], [("y", "float", targets)])
            name = f"linear_regressor_{targets}_{transform.lower()}"
            yield Case(name, f"{targets} targets, {transform}", model, {"x": x}, {"y": trees.fit_of(transform)})
    node = ml_node("LinearRegressor", ["x"], ["y"], coefficients=dyadic(rng, width).tolist())
    model = make_model([node], [("x", "float", width)], [("y", "float", 1)])
    x = with_special_rows(dyadic(rng, ROWS, width))
    yield Case("linear_regressor_defaults", "no intercepts, no targets attribute", model, {"x": x})
    x = rng.normal(size=(ROWS, 20)).astype(np.float32)
    node = ml_node("LinearRegressor", ["x"], ["y"], coefficients=rng.normal(size=20).tolist(), intercepts=[0.5])
    model = make_model([node], [("x", "float", 20)], [("y", "float", 1)])
    text = "20 ordinary features, where the order of the sum shows"
    yield Case("linear_regressor_ordinary", text, model, {"x": x}, {"y": SUMMED})


def scalers(rng):
    parameters = {
        "vector": dict(offset=[0.5, -1.0, 0.0, 1e10], scale=[2.0, 0.0, -0.125, 1e-10]),
        "scalar": dict(offset=[0.3], scale=[1.7]),
    }
    for kind, attributes in parameters.items():
        for dtype in ("float", "double", "int64", "int32") if kind == "vector" else ("float", "double"):
            x = numbers(rng, ROWS, 4, np.dtype(ELEMENTS[dtype][1]))
            node = ml_node("Scaler", ["x"], ["y"], **attributes)
            model = make_model([node], [("x", dtype, 4)], [("y", "float", 4)])
            yield Case(f"scaler_{kind}_{dtype}", f"{kind} offset and scale, {dtype} input", model, {"x": x})


def normalizers(rng):
    for norm in ("MAX", "L1", "L2"):
        for dtype in ("float", "double", "int64", "int32"):
            numeric = np.dtype(ELEMENTS[dtype][1])
            x = rng.integers(-1000, 1000, (ROWS, 4)) / (16 if numeric.kind == "f" else 1)
            x = x.astype(numeric)
            x[:4] = 0
            x[4:8] = -np.abs(x[4:8])
            if numeric.kind == "f":
                x[1] = -0.0
                x[8:40] = numbers(rng, 32, 4, numeric)
            node = ml_node("Normalizer", ["x"], ["y"], norm=norm)
            model = make_model([node], [("x", dtype, 4)], [("y", "float", 4)])
            text = f"norm {norm}, {dtype} input; rows of zeros, of negatives, with NaN and infinities"
            yield Case(f"normalizer_{norm.lower()}_{dtype}", text, model, {"x": x}, {"y": CLOSE})


def casts(rng):
    elements = ["float", "double", "int64", "int32", "bool"]
    for source in elements:
        nodes, outputs = [], []
        for target in elements:
            nodes.append(helper.make_node("Cast", ["x"], [target], to=ELEMENTS[target][0], name=f"to_{target}"))
            outputs.append((target, target, 3))
        if source == "bool":
            x = rng.random((ROWS, 3)) < 0.5
        else:
            x = numbers(rng, ROWS, 3, np.dtype(ELEMENTS[source][1]))
        finite = x if source in ("bool", "int32") else np.where(np.abs(x.astype(np.float64)) < 2e9, x, 0)
        # Beyond the range of an integer the cast is not defined by ONNX: those rows go to the other types alone.
        to_integers = [node for node in nodes if node.name in ("to_int64", "to_int32")]
        for node in to_integers:
            node.input[0] = "finite"
        model = make_model(nodes, [("x", source, 3), ("finite", source, 3)], outputs)
        inputs = {"x": x, "finite": finite.astype(x.dtype)}
        yield Case(f"cast_{source}", f"{source} to every element; toward zero, NaN is true", model, inputs)


def graphs(rng):
    """What exporters write: several operators, several inputs and outputs."""
    for keys, labels in (("int64", [2, 0, 9]), ("string", STRINGS)):
        classifier = trees.classifier(rng, trees.Shape(trees=4, ids=(0, 1, 2)), labels, post_transform="SOFTMAX")
        attribute = {"classlabels_int64s" if keys == "int64" else "classlabels_strings": labels}
        nodes = [classifier, ml_node("ZipMap", ["scores"], ["map"], **attribute)]
        outputs = [("label", keys, None), ("map", keys, "map")]
        model = make_model(nodes, [("x", "float", trees.FEATURES)], outputs)
        inputs = {"x": trees.ugly_rows(rng)}
        yield Case(f"zipmap_{keys}", f"tree ensemble under a ZipMap, {keys} keys", model, inputs, {"map": CLOSE})

    yield Case(
        "graph_scaled_logistic", "as skl2onnx writes a scaled logistic regression: Scaler, LinearClassifier, "
        "Normalizer, Cast, ZipMap",
        make_model(
            [
                ml_node("Scaler", ["x"], ["scaled"], offset=[0.5, -1.0, 2.0], scale=[0.5, 2.0, 0.25]),
                ml_node("LinearClassifier", ["scaled"], ["raw_label", "raw"], coefficients=[-1.0, 0.5, 0.25, 1.0, -0.5, -0.25],
                        intercepts=[-0.25, 0.25], classlabels_ints=[0, 1], multi_class=1, post_transform="LOGISTIC"),
                ml_node("Normalizer", ["raw"], ["probabilities"], norm="L1"),
                helper.make_node("Cast", ["raw_label"], ["label"], to=ELEMENTS["int64"][0], name="label_cast"),
                ml_node("ZipMap", ["probabilities"], ["map"], classlabels_int64s=[0, 1]),
            ],
            [("x", "float", 3)], [("label", "int64", None), ("map", "int64", "map")],
        ),
        {"x": with_special_rows(dyadic(rng, ROWS, 3))}, {"map": CLOSE},
    )  # fmt: skip

    shape = trees.Shape(trees=4, missing="mixed")
    first, second = trees.regressor(rng, shape), trees.regressor(rng, shape)
    second.input[0], second.output[0], second.name = "narrow", "z", "second"
    yield Case(
        "graph_two_inputs", "float and double inputs, each with its own operators; an intermediate is an output too",
        make_model(
            [
                helper.make_node("Cast", ["wide"], ["narrow"], to=ELEMENTS["float"][0], name="narrow"),
                first, second,
                ml_node("Scaler", ["y"], ["scaled"], offset=[0.5], scale=[-2.0]),
                helper.make_node("Cast", ["scaled"], ["integer"], to=ELEMENTS["int64"][0], name="integer"),
            ],
            [("x", "float", trees.FEATURES), ("wide", "double", trees.FEATURES)],
            [("z", "float", 1), ("y", "float", 1), ("integer", "int64", 1), ("narrow", "float", trees.FEATURES)],
        ),
        {"x": trees.ugly_rows(rng), "wide": trees.ugly_rows(rng, dtype=np.float64)},
    )  # fmt: skip

    x = trees.ugly_rows(rng)
    yield Case(
        "graph_stacked", "probabilities of a tree ensemble feed a linear model; unused nodes beside the way",
        make_model(
            [
                trees.classifier(rng, trees.Shape(trees=4, ids=(0, 1, 2)), [0, 1, 2], post_transform="SOFTMAX"),
                ml_node("LinearRegressor", ["scores"], ["y"], coefficients=[1.0, -2.0, 0.5], intercepts=[3.0]),
                ml_node("Scaler", ["x"], ["unused"], offset=[0.0], scale=[1.0]),
            ],
            [("x", "float", trees.FEATURES)], [("y", "float", 1)],
        ),
        {"x": x}, {"y": CLOSE},
    )  # fmt: skip


def cases(rng):
    for family in (linear_classifiers, linear_regressors, scalers, normalizers, casts, graphs):
        yield from family(rng)
