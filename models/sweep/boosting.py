"""LightGBM, XGBoost and CatBoost, as their exporters write them."""

import json
import tempfile

import catboost
import lightgbm
import numpy as np
import onnx
import onnxmltools
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from sweep.case import FEATURES, Case, classes, numbers, score, spoilt

TYPES = [("x", FloatTensorType([None, FEATURES]))]
LIGHTGBM = dict(n_estimators=20, num_leaves=15, min_child_samples=5, n_jobs=1, deterministic=True, force_row_wise=True,
                verbose=-1, random_state=7)  # fmt: skip
XGBOOST = dict(n_estimators=15, max_depth=4, n_jobs=1, random_state=7)


def convert(function, estimator, **more):
    try:
        return function(estimator, initial_types=TYPES, **more)
    except Exception as cause:  # whatever a converter meets is what the sweep reports
        return f"{type(cause).__name__}: {cause}".splitlines()[0]


def data(rng):
    """Rows with missing values, and the same with infinities and more."""
    x = numbers(rng)
    train = np.where(rng.random(x.shape) < 0.1, np.float32(np.nan), x)
    return train, {"x": train}, {"x": spoilt(rng, x, most=np.inf)}


def lightgbm_cases(rng):
    x, rows, ugly = data(rng)
    two, three, y = classes(rng, x, 2), classes(rng, x, 3), score(rng, np.nan_to_num(x))
    positive = np.exp(y / 4)
    groups = [100] * 10
    regressions = ["regression", "regression_l1", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie",
                   "cross_entropy", "cross_entropy_lambda"]  # fmt: skip
    models = [(f"objective {name}", lightgbm.LGBMRegressor(objective=name, **LIGHTGBM),
               two if name.startswith("cross") else positive, {}) for name in regressions]  # fmt: skip
    classifier, ranker = lightgbm.LGBMClassifier, lightgbm.LGBMRanker
    codes = x.copy()
    codes[:, 0] = np.clip(np.nan_to_num(np.abs(x[:, 0])) * 4, 0, 30).round()
    codes[:, 1] = np.clip(np.nan_to_num(np.abs(x[:, 1])) * 4, 0, 30).round()
    models += [
        ("binary", classifier(**LIGHTGBM), two, {}),
        ("multi-class", classifier(**LIGHTGBM), three, {}),
        ("one against all", classifier(objective="multiclassova", **LIGHTGBM), three, {}),
        ("string labels", classifier(**LIGHTGBM), np.array(["on time", "late", "spät"])[three], {}),
        ("DART", classifier(boosting_type="dart", **LIGHTGBM), two, {}),
        ("random forest", classifier(boosting_type="rf", subsample=0.6, subsample_freq=1, **LIGHTGBM), two, {}),
        ("lambdarank", ranker(objective="lambdarank", **LIGHTGBM), three, dict(group=groups)),
        ("rank_xendcg", ranker(objective="rank_xendcg", **LIGHTGBM), three, dict(group=groups)),
        ("zero as missing", classifier(zero_as_missing=True, **LIGHTGBM), two, {}),
        ("without missing", classifier(use_missing=False, **LIGHTGBM), two, {}),
        ("linear trees", lightgbm.LGBMRegressor(linear_tree=True, **LIGHTGBM), y, {}),
    ]  # fmt: skip
    for name, estimator, target, more in models:
        estimator.fit(x, target, **more)
        model = convert(onnxmltools.convert_lightgbm, estimator, target_opset=15)
        yield Case(f"LightGBM {name}", tensors(model), rows, ugly)
    estimator = classifier(**LIGHTGBM).fit(codes, two, categorical_feature=[0, 1])
    bad = spoilt(rng, codes, most=np.inf)
    model = convert(onnxmltools.convert_lightgbm, estimator, target_opset=15)
    yield Case("LightGBM categorical splits", tensors(model), {"x": codes}, {"x": bad})


def tensors(model):
    """Probabilities as a tensor [n, k] in place of a ZipMap's list of maps."""
    if isinstance(model, str):
        return model
    graph = model.graph
    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        graph.node.remove(node)
        output = next(output for output in graph.output if output.name == node.output[0])
        graph.output.remove(output)
        kind = onnx.TensorProto.FLOAT
        graph.output.append(onnx.helper.make_tensor_value_info(node.input[0], kind, None))
    return model


def xgboost_cases(rng):
    x, rows, ugly = data(rng)
    two, three, y = classes(rng, x, 2), classes(rng, x, 3), score(rng, np.nan_to_num(x))
    positive = np.exp(y / 4)
    unit = 1 / (1 + np.exp(-y))
    groups = [100] * 10
    classifier, regressor, ranker = xgboost.XGBClassifier, xgboost.XGBRegressor, xgboost.XGBRanker
    models = [(f"objective {name}", cls(objective=name, **more, **XGBOOST), target, fit) for name, cls, target, more, fit in [
        ("binary:logistic", classifier, two, {}, {}),
        ("binary:logitraw", classifier, two, {}, {}),
        ("binary:hinge", classifier, two, {}, {}),
        ("multi:softprob", classifier, three, {}, {}),
        ("multi:softmax", classifier, three, {}, {}),
        ("reg:squarederror", regressor, y, {}, {}),
        ("reg:squaredlogerror", regressor, positive, {}, {}),
        ("reg:logistic", regressor, unit, {}, {}),
        ("reg:pseudohubererror", regressor, y, {}, {}),
        ("reg:absoluteerror", regressor, y, {}, {}),
        ("reg:quantileerror", regressor, y, dict(quantile_alpha=0.7), {}),
        ("count:poisson", regressor, positive, {}, {}),
        ("reg:gamma", regressor, positive, {}, {}),
        ("reg:tweedie", regressor, positive, {}, {}),
        ("survival:cox", regressor, positive, {}, {}),
        ("rank:pairwise", ranker, three, {}, dict(group=groups)),
        ("rank:ndcg", ranker, three, {}, dict(group=groups)),
        ("rank:map", ranker, two, {}, dict(group=groups)),
    ]]  # fmt: skip
    models += [
        ("DART", classifier(booster="dart", rate_drop=0.2, **XGBOOST), two, {}),
        ("DART, multi-class", classifier(booster="dart", rate_drop=0.2, **XGBOOST), three, {}),
        ("linear booster", regressor(booster="gblinear", n_estimators=15, n_jobs=1), y, {}),
        ("random forest", xgboost.XGBRFClassifier(**XGBOOST), two, {}),
        ("missing = 0", regressor(missing=0.0, **XGBOOST), y, {}),
        ("several targets", regressor(**XGBOOST), np.stack([y, positive], axis=1), {}),
        ("early stopping", classifier(early_stopping_rounds=2, **XGBOOST), two, dict(eval_set=[(x, two)], verbose=False)),
    ]  # fmt: skip
    for name, estimator, target, more in models:
        estimator.fit(x, target, **more)
        # The exporter knows no rankers, but their boosters.
        exported = estimator.get_booster() if name.startswith("objective rank") else estimator
        yield Case(f"XGBoost {name}", tensors(convert(onnxmltools.convert_xgboost, exported)), rows, ugly)
    for name, objective in [("binary", "binary:logistic"), ("regression", "reg:squarederror")]:
        estimator = regressor(objective=objective, booster="dart", rate_drop=0.2, **XGBOOST)
        estimator.fit(x, two if name == "binary" else y)
        model = convert(onnxmltools.convert_xgboost, without_dart(estimator.get_booster()))
        yield Case(f"XGBoost DART as gbtree, {name}", tensors(model), rows, ugly)


def without_dart(booster):
    """DART as plain trees, which is what the exporter knows: each leaf times the weight of its tree."""
    model = json.loads(booster.save_raw("json"))
    learner = model["learner"]
    dart = learner["gradient_booster"]
    trees = dart["gbtree"]["model"]["trees"]
    for tree, weight in zip(trees, dart["weight_drop"], strict=True):
        for node, left in enumerate(tree["left_children"]):
            if left == -1:
                tree["split_conditions"][node] *= weight
                tree["base_weights"][node] *= weight
    learner["gradient_booster"] = dart["gbtree"] | {"name": "gbtree"}
    return xgboost.Booster(model_file=bytearray(json.dumps(model).encode()))


def catboost_cases(rng):
    x, rows, ugly = data(rng)
    two, three, y = classes(rng, x, 2), classes(rng, x, 3), score(rng, np.nan_to_num(x))
    few = dict(iterations=20, depth=4, thread_count=1, random_seed=7, verbose=False, allow_writing_files=False)
    for name, estimator, target in [
        ("binary", catboost.CatBoostClassifier(**few), two),
        ("multi-class", catboost.CatBoostClassifier(loss_function="MultiClass", **few), three),
        ("string labels", catboost.CatBoostClassifier(**few), np.array(["on time", "late"])[two]),
        ("RMSE", catboost.CatBoostRegressor(**few), y),
        ("MAE", catboost.CatBoostRegressor(loss_function="MAE", **few), y),
        ("Poisson", catboost.CatBoostRegressor(loss_function="Poisson", **few), np.exp(y / 4)),
        ("depth-wise", catboost.CatBoostRegressor(grow_policy="Depthwise", **few), y),
        ("NaN as largest", catboost.CatBoostRegressor(nan_mode="Max", **few), y),
    ]:
        estimator.fit(x, target)
        rename = lambda values: {"features": values["x"]}
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            try:
                estimator.save_model(file.name, format="onnx", export_parameters={"onnx_domain": "sweep"})
                model = onnx.load(file.name)
            except Exception as cause:  # as above
                model = f"{type(cause).__name__}: {cause}".splitlines()[0]
        yield Case(f"CatBoost {name}", tensors(model), rename(rows), rename(ugly))


def cases(rng):
    yield from lightgbm_cases(rng)
    yield from xgboost_cases(rng)
    yield from catboost_cases(rng)
