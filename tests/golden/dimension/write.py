"""Writes types.orc, types.parquet and types.jsonl: the same rows three times; types_plain.orc; lists.orc and
lists_v1.orc; types_for_flink.orc, which is what Flink's own ORC reader can read of them: no points in time, no
fractions of seconds before 1970.

pyarrow writes ORC with ORC's C++ library, in stripes of a few rows, compressed with zlib; types_plain.orc is not. Its Parquet file has
timestamps as INT96, as Hive and older Spark write them, row groups of two rows, dictionaries, zstd. The JSON lines
are the rows in Flink's JSON format.

The lists have lengths that repeat, rise, fall, vary, and vary with a few that are far longer: every kind of run that
ORC codes integers by. They are not compressed; lists_v1.orc has the runs of the format's first version.
"""

import datetime as dt
import decimal
import json
import pathlib
import random

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq

D = decimal.Decimal
UTC = dt.timezone.utc

FIELDS = [
    ("id", pa.int64()),
    ("tiny", pa.int8()),
    ("small", pa.int16()),
    ("seats", pa.int32()),
    ("retired", pa.bool_()),
    ("ratio", pa.float32()),
    ("price", pa.float64()),
    ("amount", pa.decimal128(12, 3)),
    ("large", pa.decimal128(38, 10)),
    ("name", pa.string()),
    ("day", pa.date32()),
    ("local", pa.timestamp("us")),
    ("instant", pa.timestamp("us", tz="UTC")),
    ("words", pa.list_(pa.string())),
    ("plane", pa.struct([("seats", pa.int32()), ("name", pa.string())])),
    ("attributes", pa.map_(pa.string(), pa.int64())),
]
ROWS = [
    [
        1, 127, -32768, 2**31 - 1, True, 1.5, -0.1, D("-123456789.125"), D("1234567890123456789012345678.0123456789"),
        "né", dt.date(2013, 1, 1), dt.datetime(2013, 1, 1, 6, 30, 0, 123_456), dt.datetime(2013, 1, 1, 6, 30, tzinfo=UTC),
        ["a", None, ""], {"seats": 55, "name": "EMBRAER"}, [("k", 7), ("l", None)],
    ],
    [2] + [None] * (len(FIELDS) - 1),
    [
        3, -128, 32767, -(2**31), False, float("inf"), 1e300, D("0.001"), D("-0.0000000001"),
        "", dt.date(1969, 12, 31), dt.datetime(1969, 12, 31, 23, 59, 59, 500_000),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), [], {"seats": None, "name": None}, [],
    ],
    [
        4, 0, 0, 0, True, -0.0, 0.0, D("0.000"), D("0E-10"),
        "né", dt.date(9999, 12, 31), dt.datetime(9999, 12, 31, 23, 59, 59), dt.datetime(9999, 12, 31, tzinfo=UTC),
        None, None, None,
    ],
    [
        5, 1, 1, 1, None, 1.0, 2.5, D("999999999.999"), D("9999999999999999999999999999.9999999999"),
        "tail", dt.date(1600, 1, 1), dt.datetime(1600, 2, 29, 0, 0, 0, 1), dt.datetime(1600, 1, 1, tzinfo=UTC),
        [None], {"seats": 1, "name": "x"}, [("", 0)],
    ],
]


class Digits(str):
    """A number as it is written: JSON's own are doubles."""


def timestamp(value, zone):
    digits = f".{value.microsecond:06}".rstrip("0").rstrip(".")
    return f"{value.year:04}-{value:%m-%d %H:%M:%S}{digits}{zone}"


def as_json(value, data_type):
    if value is None:
        return None
    if pa.types.is_map(data_type):
        return dict(value)
    if pa.types.is_timestamp(data_type):
        return timestamp(value, "Z" if data_type.tz else "")
    if pa.types.is_date(data_type):
        return value.isoformat()
    if pa.types.is_decimal(data_type):
        return Digits(format(value, "f"))
    if value == float("inf"):
        return "Infinity"
    return value


def main():
    directory = pathlib.Path(__file__).parent
    schema = pa.schema(FIELDS)
    columns = [pa.array([row[i] for row in ROWS], field.type) for i, field in enumerate(schema)]
    table = pa.table(columns, schema=schema)
    for name, compression in [("types.orc", "zlib"), ("types_plain.orc", "uncompressed")]:
        orc.write_table(
            table, directory / name, compression=compression, batch_size=2, stripe_size=1, dictionary_key_size_threshold=1.0
        )
    readable = table.take([0, 1, 3]).drop_columns(["instant"])
    orc.write_table(readable, directory / "types_for_flink.orc", compression="zlib")
    pq.write_table(
        table, directory / "types.parquet", compression="zstd", row_group_size=2, use_deprecated_int96_timestamps=True
    )
    write_lists(directory)
    with open(directory / "types.jsonl", "w", encoding="utf-8") as lines:
        for row in ROWS:
            cells = []
            for field, value in zip(schema, row):
                cell = as_json(value, field.type)
                text = cell if isinstance(cell, Digits) else json.dumps(cell, ensure_ascii=False)
                cells.append(f"{json.dumps(field.name)}: {text}")
            lines.write("{" + ", ".join(cells) + "}\n")


def lists():
    """Columns of lists and maps whose lengths are of every kind. No element is NULL."""
    generator = random.Random(4)
    lengths = [7] * 20 + list(range(40)) + list(range(40, 0, -1)) + [generator.randrange(9) for _ in range(400)]
    lengths += [100 if i % 61 == 3 else generator.randrange(4) for i in range(600)]
    numbers = [None if i % 97 == 5 else list(range(i, i + n)) for i, n in enumerate(lengths)]
    words = [["x" * (i % 3)] * n for i, n in enumerate(lengths)]
    deep = [[float(i)] * n for i, n in enumerate(lengths)]
    pairs = [[(f"k{j}", j) for j in range(n)] for n in lengths]
    return pa.table(
        {
            "numbers": pa.array(numbers, pa.list_(pa.int32())),
            "words": pa.array(words, pa.list_(pa.string())),
            "prices": pa.array(deep, pa.list_(pa.float64())),
            "pairs": pa.array(pairs, pa.map_(pa.string(), pa.int64())),
            "amounts": pa.array([[D(n)] * n for n in lengths], pa.list_(pa.decimal128(12, 3))),
        }
    )


def write_lists(directory):
    for name, version in [("lists.orc", "0.12"), ("lists_v1.orc", "0.11")]:
        orc.write_table(
            lists(), directory / name, compression="uncompressed", file_version=version, dictionary_key_size_threshold=0.0
        )


if __name__ == "__main__":
    main()
