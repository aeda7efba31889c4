"""The features of the decision's two versions, a second time and without SQL.

The SQL in v1/decision.toml and v2/decision.toml is what runs; this is what the models are trained on and what the
expected outputs are computed from. Whoever changes one changes the other. NULL is NaN (None for strings).
"""

import numpy as np

LOW_COST = ["B6", "EV", "F9", "FL", "MQ", "WN", "YV"]
BUSY = ["ATL", "BOS", "CLT", "DFW", "LAX", "MCO", "ORD", "PHL", "SFO"]
AIRLINES = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]
AIRPORTS = ["EWR", "JFK", "LGA"]
JETS = ["Turbo-fan", "Turbo-jet"]


def join(flights, planes, weather):
    """Each flight with its plane's and its hour's columns under `plane.` and `weather.`, NaN where there is none."""
    rows = flights.assign(obs_hour=flights["sched_dep"].dt.floor("h"))
    # pandas joins NULL with NULL, SQL does not: neither dimension has a NULL key.
    rows = rows.merge(_prefixed(planes, "plane", ["tailnum"]), how="left", on="tailnum")
    return rows.merge(_prefixed(weather, "weather", ["origin", "obs_hour"]), how="left", on=["origin", "obs_hour"])


def _prefixed(dimension, lookup, keys):
    assert not dimension[keys].isna().any(axis=None) and not dimension.duplicated(keys).any()
    return dimension.rename(columns={c: f"{lookup}.{c}" for c in dimension.columns if c not in keys})


def columns(rows):
    """Every name that a model's input can list: columns of the record and the lookups, and both versions' features."""
    plane_age = rows["sched_dep"].dt.year - rows["plane.build_year"]
    weekday = rows["sched_dep"].dt.dayofweek  # Monday is 0
    temp, precip = rows["weather.temp"], rows["weather.precip"]
    gust = rows["weather.wind_gust"].fillna(rows["weather.wind_speed"])
    return rows.assign(
        # version 1
        minutes_late=rows["dep_delay"].fillna(0),
        very_late=rows["dep_delay"] > 15,
        departure_hour=rows["local_hour"].fillna(12),
        evening=rows["local_hour"].between(16, 21),
        weekend=weekday >= 5,
        thousand_miles=(rows["distance"] / 1000).fillna(1),
        low_cost=rows["carrier"].isin(LOW_COST),
        seats=rows["plane.seats"].fillna(150),
        wind=gust.fillna(10),
        haze=10 - rows["weather.visib"].fillna(10),
        wet=precip > 0,
        freezing=(temp <= 32) & (precip > 0),
        # version 2
        airline=rows["carrier"].map({code: i for i, code in enumerate(AIRLINES)}),
        airport=rows["origin"].map({code: i for i, code in enumerate(AIRPORTS)}),
        day_of_week=(weekday + 1) % 7 + 1,  # Sunday is 1, as in SQL
        dep_minute=rows["sched_dep"].dt.minute,
        per_mile=rows["dep_delay"] / rows["distance"],
        jet=rows["plane.engine"].isin(JETS).where(rows["plane.engine"].notna()).astype(float),
        gust=gust,
        frost=np.select([(temp <= 32) & (precip > 0), temp <= 32, temp > 32], [2.0, 1.0, 0.0], np.nan),
        # of one name in both, with and without NULLs
        **{"plane_age": plane_age, "busy_airport": rows["dest"].isin(BUSY).where(rows["dest"].notna()).astype(float)},
    )


def tensor(columns, names, filled):
    """The model's input [n, len(names)]; `filled` are the values of NULLs that version 1 replaces."""
    return columns[names].fillna(filled).to_numpy(np.float64).astype(np.float32)
