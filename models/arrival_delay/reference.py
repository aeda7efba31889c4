"""The decision in Python: ONNX Runtime for the model, NumPy for lookups, features and rules."""

import tomllib

import numpy as np
import onnxruntime as ort
import pandas as pd

from arrival_delay import features

# What version 1's SQL makes of NULLs in the two features that both versions name.
FILLED = {"v1": {"plane_age": 12, "busy_airport": 0}, "v2": {}}
OUTPUT = ["p_late", "risk", "action", "fired_rule"]


def model_columns(directory):
    """The names in the model's input, in order, as decision.toml lists them."""
    with open(directory / "decision.toml", "rb") as file:
        return tomllib.load(file)["models"]["delay"]["inputs"]["x"]["columns"]


def tensor(directory, columns):
    return features.tensor(columns, model_columns(directory), FILLED[directory.name])


def probability(directory, x):
    """p_late of each row of the model's input, f32, by ONNX Runtime on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # LightGBM's exporter declares labels as [1]: a warning each time
    session = ort.InferenceSession(directory / "delay.onnx", options, providers=["CPUExecutionProvider"])
    _, by_class = session.run(None, {"x": x})
    return np.array([row[1] for row in by_class], np.float32)


def decide(directory, columns):
    """The outputs of the version in `directory`; an unknown or NULL comparison is False, as in a rule."""
    p_late = probability(directory, tensor(directory, columns))
    p, delay = p_late.astype(np.float64), columns["dep_delay"].to_numpy(np.float64)
    bad_weather = (columns["weather.visib"] < 3) | (columns["weather.wind_gust"] >= 35)
    rules = [
        ("cancelled", np.isnan(delay), "rebook"),
        ("hopeless", (p >= 0.8) & (delay > 60), "rebook"),
        ("late", (p >= 0.5) | (delay > 30), "notify"),
        ("bad_weather", (p >= 0.3) & bad_weather, "notify"),
        ("otherwise", np.full(len(columns), True), "none"),
    ]
    hit = np.argmax([condition for _, condition, _ in rules], axis=0)
    return pd.DataFrame(
        {
            "p_late": p_late,
            "risk": p * delay,
            "action": np.array([action for _, _, action in rules])[hit],
            "fired_rule": np.array([rule for rule, _, _ in rules])[hit],
        }
    )
