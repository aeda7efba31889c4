"""The rows of examples.jsonl: every rule, and every way for something to be NULL."""

import json
import math

import pandas as pd

from arrival_delay import features, reference

INPUT = ["carrier", "tailnum", "origin", "dest", "sched_dep", "local_hour", "dep_delay", "distance"]
LOOKUPS = {
    "v1": {"plane": ["build_year", "seats"], "weather": ["temp", "wind_speed", "wind_gust", "precip", "visib"]},
    "v2": {
        "plane": ["build_year", "engine", "engines", "seats"],
        "weather": ["temp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"],
    },
}
# Records that no airline sends; together with the picked ones they reach every branch of the SQL.
WRITTEN = [
    {},
    {"carrier": "zz", "origin": "LAX", "dest": "JFK", "sched_dep": "2013-07-01 23:59:59.999", "local_hour": 19,
     "dep_delay": -0.0, "distance": 2475},
    {"carrier": "UA", "origin": "EWR", "dest": "ORD", "sched_dep": "2012-12-30 11:30:00", "dep_delay": 1e9,
     "distance": 719},
    {"tailnum": "N14228", "origin": "JFK", "sched_dep": "2013-02-28 05:00:00", "local_hour": 0, "dep_delay": 15.0},
]  # fmt: skip
# The logistic of a negative score is 1 - p in float32, so that a small probability is off by the last bit of 1,
# which is 6e-8: of 0.01 that is 6e-6.
TOLERANCE = {"v1": 1e-5}


def pick(columns, decided):
    """Row numbers of flights of December, a few for each kind."""
    plane, weather = columns["plane.seats"].notna(), columns["weather.visib"].notna()
    cancelled, year = columns["dep_delay"].isna(), columns["plane.build_year"].notna()
    kinds = [decided["fired_rule"] == rule for rule in sorted(set(decided["fired_rule"]))]
    kinds += [
        ~plane & weather & ~cancelled,
        plane & ~weather & ~cancelled,
        ~plane & ~weather,
        cancelled & columns["tailnum"].isna(),
        cancelled & plane & weather,
        plane & ~year,
        columns["weather.wind_speed"].isna() & weather,
        columns["weather.wind_gust"].notna() & (columns["weather.precip"] > 0),
        columns["plane.engine"].notna() & ~columns["plane.engine"].isin(features.JETS),
        columns["weather.temp"] <= 32,
    ]
    return sorted({row for kind in kinds for row in kind[kind].index[[0, len(kind[kind]) // 2] if kind.any() else []]})


def write(directory, december, planes, weather):
    """`december` are the joined columns of the month's flights, in order."""
    decided = reference.decide(directory, december)
    written = pd.DataFrame(WRITTEN, columns=INPUT)
    written["sched_dep"] = pd.to_datetime(written["sched_dep"], format="ISO8601").astype("datetime64[ns]")
    written = features.columns(features.join(written, planes, weather))
    rows = pd.concat([december.loc[pick(december, decided)], written], ignore_index=True)
    expected = reference.decide(directory, rows)
    with open(directory / "examples.jsonl", "w") as file:
        for (_, row), (_, output) in zip(rows.iterrows(), expected.iterrows()):
            example = {
                "input": {name: plain(name, row[name]) for name in INPUT},
                "lookups": {
                    lookup: lookup_row(lookup, names, row) for lookup, names in LOOKUPS[directory.name].items()
                },
                "output": {name: plain(name, output[name]) for name in reference.OUTPUT},
            }
            if directory.name in TOLERANCE:
                example["tolerance"] = TOLERANCE[directory.name]
            file.write(json.dumps(example) + "\n")
    return len(rows)


def lookup_row(lookup, names, row):
    """None where the lookup finds nothing: a plane always has seats, an observation its precipitation."""
    if pd.isna(row[f"{lookup}.{'seats' if lookup == 'plane' else 'precip'}"]):
        return None
    return {name: plain(name, row[f"{lookup}.{name}"]) for name in names}


def plain(name, value):
    """A value as Flink's JSON format writes it."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return str(value)[:23]  # with milliseconds where there are any
    if isinstance(value, str):
        return value
    if name in ("local_hour", "distance", "build_year", "engines", "seats"):
        return int(value)
    assert math.isfinite(value)
    return float(value)
