"""Writes all_types.parquet and all_types.jsonl: rows of every type, by pyarrow.

The Parquet file is what other tools write; the JSON lines are the same rows in Flink's JSON format.
"""

import base64
import datetime as dt
import decimal
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

D = decimal.Decimal
UTC = dt.timezone.utc

FIELDS = [
    ("id", pa.int64()),
    ("small", pa.decimal128(5, 2)),
    ("large", pa.decimal128(38, 10)),
    ("raw", pa.binary()),
    ("fixed", pa.binary(3)),
    ("seconds", pa.time32("ms")),
    ("micros", pa.time64("us")),
    ("at", pa.timestamp("us", tz="UTC")),
    ("local", pa.timestamp("ns")),
    ("ints", pa.list_(pa.int32())),
    ("prices", pa.large_list(pa.decimal128(5, 2))),
    ("words", pa.list_(pa.list_(pa.string()))),
    ("plane", pa.struct([("seats", pa.int32()), ("names", pa.list_(pa.string()))])),
    ("attributes", pa.map_(pa.string(), pa.struct([("x", pa.timestamp("ms"))]))),
]
ROWS = [
    [
        1, D("-0.05"), D("1234567890123456789012345678.0123456789"), b"\x00\x01\xff", b"abc",
        dt.time(23, 59, 59, 500_000), dt.time(0, 0, 1, 1000),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), dt.datetime(2013, 1, 31, 23, 59, 59, 5),
        [1, None, -3], [D("1.25"), None], [["a", None], [], None],
        {"seats": 55, "names": ["né", ""]}, [("k", {"x": dt.datetime(2013, 1, 1)}), ("", None)],
    ],
    [2] + [None] * 13,
    [
        3, D("999.99"), D("-0.0000000001"), b"", b"\x00\x00\x00", dt.time(0), dt.time(12), dt.datetime(9999, 12, 31, tzinfo=UTC),
        dt.datetime(1970, 1, 1), [], [], [], {"seats": None, "names": None}, [],
    ],
]


def form(value):
    """A value in Flink's JSON format."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d} {clock(value)}" + ("Z" if value.tzinfo else "")
    if isinstance(value, dt.time):
        return clock(value)
    if isinstance(value, D):
        return f"<{value:f}>"
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return {key: form(item) for key, item in value}
    if isinstance(value, list):
        return [form(item) for item in value]
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    return value


def clock(value):
    text = value.strftime("%H:%M:%S")
    return text + f".{value.microsecond:06}".rstrip("0") if value.microsecond else text


def main():
    here = pathlib.Path(__file__).parent
    schema = pa.schema([pa.field(name, data_type) for name, data_type in FIELDS])
    columns = [pa.array(column, data_type) for column, (_, data_type) in zip(zip(*ROWS), FIELDS)]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), here / "all_types.parquet")
    with open(here / "all_types.jsonl", "w") as out:
        for row in ROWS:
            named = {name: form(value) for (name, _), value in zip(FIELDS, row)}
            if named["attributes"] == []:
                named["attributes"] = {}
            # Numbers with all their digits: json knows floats only.
            text = json.dumps(named, ensure_ascii=False)
            out.write(text.replace('"<', "").replace('>"', "") + "\n")


if __name__ == "__main__":
    main()
