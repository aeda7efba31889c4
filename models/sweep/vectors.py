"""Writes the sweep's most telling small models as test vectors, `models/vectors/sweep_*`, after `make sweep`.

    python -m sweep.vectors TARGET/sweep        # in models/

Each with 24 rows as it was trained on and 24 with NaN, infinities and unseen categories.
"""

import pathlib
import pickle
import shutil
import sys

import numpy as np
import onnx

from sweep.run import TOLERANCE, slug
from vectors import vector

ROWS = 24
CHOSEN = [
    "sklearn AdaBoostRegressor",
    "sklearn DecisionTreeClassifier",
    "sklearn FeatureHasher",
    "sklearn GaussianNB, string labels",
    "sklearn HistGradientBoostingClassifier",
    "sklearn IsolationForest",
    "sklearn KBinsDiscretizer",
    "sklearn KNeighborsClassifier, string labels",
    "sklearn OneVsRestClassifier",
    "sklearn OneHotEncoder, ignore",
    "sklearn OrdinalEncoder",
    "sklearn PolynomialFeatures",
    "sklearn QuantileTransformer",
    "sklearn SVC, 2 classes",
    "sklearn TargetEncoder",
    "pipeline: texts, TF-IDF, logistic",
    "pipeline: imputer, one-hot, logistic",
    "pipeline: bins, one-hot, MLP",
    "pipeline: passthrough, ordinal, boosting",
    "LightGBM categorical splits",
    "LightGBM random forest",
    "XGBoost objective multi:softprob",
    "XGBoost DART as gbtree, binary",
    "CatBoost multi-class",
    "torch DeepFM",
    "torch DCN",
    "torch DLRM",
    "torch DIN, old exporter",
    "torch embedding bag",
    "torch MLP, Mish",
    "torch MLP, layer norm, GELU",
    "torch attention over fields",
    "torch Transformer encoder",
]


def main(target):
    for stale in vector.HERE.glob("sweep_*"):
        shutil.rmtree(stale)
    entries = {entry["name"]: entry for entry in pickle.loads((target / "cases" / "cases.pickle").read_bytes())}
    for name in CHOSEN:
        place = target / "cases" / slug(name)
        tolerance = max(TOLERANCE, 3 * entries[name]["rounding"])
        fit = vector.Fit(relative=tolerance, absolute=tolerance)
        parts = [dict(np.load(place / file)) for file in ("in.npz", "ugly_in.npz") if (place / file).exists()]
        inputs = {key: np.concatenate([part[key][:ROWS] for part in parts]) for key in parts[0]}
        inputs = {key: array.astype(object) if array.dtype.kind == "U" else array for key, array in inputs.items()}
        model = onnx.load(place / "model.onnx")
        fits = {output.name: fit for output in model.graph.output}
        vector.write(vector.Case("sweep_" + slug(name), name, model, inputs, fits))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
