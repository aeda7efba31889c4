"""A model of the sweep, and rows for it."""

from dataclasses import dataclass, field

import numpy as np

ROWS = 1000
FEATURES = 6
UGLY = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 1e-40, 3e38], np.float32)


@dataclass
class Case:
    """`model` is an onnx.ModelProto, or the reason why the tool that trained it does not export it."""

    name: str
    model: object
    rows: dict  # input -> array: rows as they were trained on
    ugly: dict = field(default_factory=dict)  # the same with NaN, infinities, unseen categories
    maps: tuple = ()  # inputs that ONNX Runtime takes as maps: (input, keys)


def numbers(rng, rows=ROWS, width=FEATURES):
    """Quarter steps: rows hit the thresholds of trees."""
    return (np.round(rng.standard_normal((rows, width)) * 8) / 4).astype(np.float32)


SUMMED = 1e4  # the most that is fed to models that sum: of huge numbers and small ones the order of the sum decides


def spoilt(rng, x, share=0.15, most=SUMMED):
    """Some values become NaN, infinite, tiny, or huge unless that is above `most`."""
    x = x.copy()
    hit = rng.random(x.shape) < share
    choice = UGLY[~np.isfinite(UGLY) | (np.abs(UGLY) < most)]
    x[hit] = rng.choice(choice, hit.sum()).astype(x.dtype)
    return x


def score(rng, x):
    return x[:, 0] + x[:, 1] * (x[:, 2] > 0) - np.abs(x[:, 3]) + rng.normal(0, 0.3, len(x))


def classes(rng, x, count):
    of_score = score(rng, np.nan_to_num(x))
    return np.digitize(of_score, np.quantile(of_score, np.arange(1, count) / count))


WORDS = [["red", "green", "blue", "grün"], ["north", "south", "east", "west", ""], ["a", "b", "c", "d", "e", "f", "g", "h"]]


def words(rng, rows=ROWS):
    """Strings of three vocabularies, a column each."""
    return np.stack([rng.choice(vocabulary, rows) for vocabulary in WORDS], axis=1)


def unseen(rng, strings, share=0.2):
    """Some become strings that nobody was trained on."""
    hit = rng.random(strings.shape) < share
    return np.where(hit, rng.choice(["unseen", "RED", " red", "north ", "ä", "x" * 40], strings.shape), strings)


def sentences(rng, rows=ROWS, vocabulary=None):
    vocabulary = vocabulary or "the late flight from new york was not on time, again! delayed by weather or crew".split()
    return np.array([" ".join(rng.choice(vocabulary, rng.integers(0, 9))) for _ in range(rows)])
