"""Models as people train and export them: LightGBM through onnxmltools, scikit-learn through skl2onnx."""

import lightgbm
import numpy as np
import onnxmltools
import skl2onnx
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from onnx_graph import tidy
from vectors import trees
from vectors.vector import CLOSE, LAST_BIT, SUMMED, Case

ROWS = 200
FEATURES = 6
OPSETS = {"": 17, "ai.onnx.ml": 3}
ONE_THREAD = dict(n_jobs=1, num_threads=1, deterministic=True, force_row_wise=True, verbose=-1, random_state=7)


def data(rng, classes=0):
    """1,000 rows to train on, with NULLs; half-steps, so that rows of the vectors hit thresholds."""
    x = (rng.integers(-8, 9, (1000, FEATURES)) / 2).astype(np.float32)
    score = x[:, 0] + x[:, 1] * (x[:, 2] > 0) - np.abs(x[:, 3]) + rng.normal(0, 0.5, 1000)
    x[rng.random(x.shape) < 0.1] = np.nan
    if classes:
        return x, np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
    return x, score


def lightgbm_model(estimator, x, y):
    estimator.fit(x, y)
    types = [("x", FloatTensorType([None, FEATURES]))]
    return tidy(onnxmltools.convert_lightgbm(estimator, initial_types=types, target_opset=15), "lightgbm")


def sklearn_model(estimator, x, y, options=None):
    estimator.fit(x, y)
    types = [("x", skl2onnx.common.data_types.FloatTensorType([None, FEATURES]))]
    return tidy(skl2onnx.to_onnx(estimator, initial_types=types, target_opset=OPSETS, options=options), "sklearn")


def plain_cases(rng):
    """(name, description, model, dense: whether the model was trained without NULLs, fits)"""
    x, y = data(rng, classes=2)
    labels = np.array(["on time", "late"])[y]
    small = dict(n_estimators=10, num_leaves=12, min_child_samples=5)
    estimator = lightgbm.LGBMClassifier(**small, **ONE_THREAD)
    yield ("lightgbm_binary", "LightGBM, 2 classes, with ZipMap", lightgbm_model(estimator, x, y),
           {"probabilities": LAST_BIT})  # fmt: skip
    yield ("lightgbm_binary_strings", "LightGBM, 2 string classes",
           lightgbm_model(estimator, x, labels), {"probabilities": LAST_BIT})  # fmt: skip
    x, y = data(rng, classes=3)
    estimator = lightgbm.LGBMClassifier(**{**small, "n_estimators": 4, "num_leaves": 10}, **ONE_THREAD)
    yield ("lightgbm_multiclass", "LightGBM, 3 classes", lightgbm_model(estimator, x, y), {"probabilities": CLOSE})
    x, y = data(rng)
    estimator = lightgbm.LGBMRegressor(**small, **ONE_THREAD)
    yield ("lightgbm_regressor", "LightGBM regression", lightgbm_model(estimator, x, y), {})
    # NaN is read as zero then.
    estimator = lightgbm.LGBMRegressor(**small, **ONE_THREAD, use_missing=False)
    yield ("lightgbm_no_missing", "LightGBM with use_missing = false", lightgbm_model(estimator, x, y), {})

    dense = lambda pair: (np.nan_to_num(pair[0]), pair[1])
    x, y = dense(data(rng, classes=3))
    forest = RandomForestClassifier(n_estimators=8, max_depth=4, random_state=7, n_jobs=1)
    yield ("sklearn_forest_classifier", "RandomForestClassifier, 3 classes, with ZipMap",
           sklearn_model(forest, x, y), {})  # fmt: skip
    logistic = make_pipeline(StandardScaler(), LogisticRegression())
    yield ("sklearn_logistic_multiclass", "StandardScaler and LogisticRegression, 3 classes",
           sklearn_model(logistic, x, y), {"output_probability": CLOSE})  # fmt: skip
    x, y = dense(data(rng, classes=2))
    yield ("sklearn_logistic", "StandardScaler and LogisticRegression, 2 classes, no ZipMap",
           sklearn_model(logistic, x, y, {"zipmap": False}), {"probabilities": CLOSE})  # fmt: skip
    x, y = dense(data(rng))
    forest = RandomForestRegressor(n_estimators=8, max_depth=4, random_state=7, n_jobs=1)
    yield ("sklearn_forest_regressor", "RandomForestRegressor", sklearn_model(forest, x, y), {})
    boosted = GradientBoostingRegressor(n_estimators=12, max_depth=3, random_state=7)
    yield ("sklearn_boosted_regressor", "GradientBoostingRegressor", sklearn_model(boosted, x, y), {})
    linear = make_pipeline(Normalizer("l2"), StandardScaler(), LinearRegression())
    yield ("sklearn_normalized_linear", "Normalizer, StandardScaler and LinearRegression",
           sklearn_model(linear, x, y), {"variable": SUMMED})  # fmt: skip


def cases(rng):
    for name, description, model, fits in plain_cases(rng):
        if name.startswith(("sklearn_logistic", "sklearn_normalized")):
            x = rng.normal(0, 2, (ROWS, FEATURES)).astype(np.float32)
        else:
            x = trees.ugly_rows(rng, ROWS, FEATURES, thresholds=np.arange(-9, 9) / 4)
        yield Case(name, description, model, {"x": x}, fits)
