"""Trains both versions of the decision arrival_delay, writes their examples and expected outputs, and publishes them.

    .venv/bin/python -m arrival_delay.train [--pelton PATH]        # in models/

Version 1 is a scaled logistic regression, version 2 a LightGBM model of 200 trees. Both learn whether a flight arrives
more than 15 minutes late, from January to October; November is held out, December is for demo and tests. Flights without
an arrival (cancelled, diverted) are not learned from. The same package versions give the same bytes.
"""

import argparse
import pathlib
import re
import subprocess

import lightgbm
import onnxmltools
import pyarrow as pa
import pyarrow.parquet as pq
import skl2onnx
import skl2onnx.common.data_types
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from arrival_delay import examples, features, reference
from flights import build
from onnx_graph import operators, tidy

HERE = pathlib.Path(__file__).parent
LATE = 15  # minutes
HELD_OUT, DEMO = 11, 12
SUPPORTED = {
    "Scaler", "LinearClassifier", "LinearRegressor", "TreeEnsembleClassifier", "TreeEnsembleRegressor",
    "Normalizer", "Cast", "ZipMap",
}  # fmt: skip


def logistic_regression(x, y):
    estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    estimator.fit(x, y)
    types = [("x", skl2onnx.common.data_types.FloatTensorType([None, x.shape[1]]))]
    model = skl2onnx.to_onnx(estimator, initial_types=types, target_opset={"": 17, "ai.onnx.ml": 3})
    return tidy(model, "arrival_delay_1")


def gradient_boosted_trees(x, y):
    estimator = lightgbm.LGBMClassifier(
        n_estimators=200, num_leaves=31, learning_rate=0.08, min_child_samples=200, random_state=7,
        n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1,
    )  # fmt: skip
    estimator.fit(x, y)
    types = [("x", onnxmltools.convert.common.data_types.FloatTensorType([None, x.shape[1]]))]
    return tidy(onnxmltools.convert_lightgbm(estimator, initial_types=types, target_opset=15), "arrival_delay_2")


def train(directory, fit, columns, month):
    """Writes the version's model and returns its AUC on the held-out month, as ONNX Runtime computes it."""
    x, y = reference.tensor(directory, columns), (columns["arr_delay"] > LATE).to_numpy(int)
    labelled = columns["arr_delay"].notna().to_numpy()
    known = labelled & (month < HELD_OUT)
    model = fit(x[known], y[known])
    unknown = set(operators(model)) - SUPPORTED
    assert not unknown, f"{directory.name}: the exporter wrote {unknown}"
    (directory / "delay.onnx").write_bytes(model.SerializeToString(deterministic=True))
    held_out = labelled & (month == HELD_OUT)
    auc = roc_auc_score(y[held_out], reference.probability(directory, x[held_out]))
    print(f"{directory.name}: {known.sum()} flights learned, AUC {auc:.4f} on {held_out.sum()} flights of November")
    return f"{known.sum():,}", f"{held_out.sum():,}", f"{auc:.4f}", ", ".join(operators(model))


def write_expected(directory, december):
    """The version's outputs for every flight of flights/2013-12.csv, in its order."""
    schema = pa.schema(
        [("p_late", pa.float32()), ("risk", pa.float64()), ("action", pa.string()), ("fired_rule", pa.string())]
    )
    decided = reference.decide(directory, december)
    table = pa.Table.from_pandas(decided, schema=schema, preserve_index=False).replace_schema_metadata(None)
    path = HERE / "expected" / f"{directory.name}.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path, compression="snappy", store_schema=False)
    print(f"{directory.name}: December's rules: {decided['fired_rule'].value_counts().to_dict()}")


def write_figures(figures):
    """Puts the table into the README, between its two marks."""
    lines = ["| version | trained on | held out | AUC | operators |", "|---|---|---|---|---|"]
    lines += [f"| {version} | {' | '.join(cells)} |" for version, cells in figures.items()]
    readme = HERE / "README.md"
    block = "<!-- figures, written by train.py -->\n" + "\n".join(lines) + "\n<!-- end of figures -->"
    text = re.sub(r"<!-- figures.*<!-- end of figures -->", block, readme.read_text(), flags=re.DOTALL)
    readme.write_text(text)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pelton", help="the pelton binary; publishes both versions to models/metadata")
    pelton = arguments.parse_args().pelton

    flights, month = build.load_flights()
    planes = build.load_planes().astype({"build_year": float})
    weather = build.load_weather()
    columns = features.columns(features.join(flights, planes, weather))
    december = columns[(month == DEMO).to_numpy()].reset_index(drop=True)
    figures = {}
    for directory, fit in ((HERE / "v1", logistic_regression), (HERE / "v2", gradient_boosted_trees)):
        figures[directory.name[1:]] = train(directory, fit, columns, month.to_numpy())
        write_expected(directory, december)
        count = examples.write(directory, december, planes, weather)
        print(f"{directory.name}: {count} examples")
        if pelton:
            subprocess.run([pelton, "publish", directory, "--to", build.METADATA], check=True)
    write_figures(figures)


if __name__ == "__main__":
    main()
