"""docs/sweep.md."""

HEAD = """# The sweep: what people train

Models that scikit-learn, LightGBM, XGBoost, CatBoost and torch export, each on 1,000 rows as it was trained on, and on 1,000
rows with NaN, infinities, huge and tiny numbers and unseen categories, beside ONNX Runtime {onnxruntime}. Written by
`make sweep UPDATE=1`; `make sweep` measures again, and fails where something loads or agrees no more
(`models/sweep/results.tsv`).

{counts}

- **runs on**: `own`: wholly on Pelton's kernels; `tract`: with a step on tract; `refused`: the reason stands behind it; `-`:
  there is no ONNX file of it, because the tool does not export it or ONNX Runtime does not run it.
- **agrees**: labels and strings are equal (but for as many as ONNX Runtime changes itself when it gets its rows one by one),
  and floats within 1e-6, relative to the value where that is above 1, or within three times the **rounding**; on both kinds of rows. Rounding is what float32 costs ONNX Runtime itself: how far its own results lie apart
  when it gets the rows together, one by one, and in double, where it has all kernels of the model in double.
  **difference** is the largest one, and **ugly** that on the rows with NaN and infinities. Huge numbers are fed only to what
  compares or scales value by value: in a sum of 1e30 and 1 the order decides.
- **1, 8, 32, 256**: how many times faster than ONNX Runtime, in calls of so many rows, on one thread (ns a row of `pelton model
  bench`, beside ONNX Runtime's Python API with inputs and outputs bound beforehand, or `run` where there are strings; what Python
  adds, some 0.5 us a call, counts as ONNX Runtime's).

{slow}

| model | runs on | agrees | rounding | difference | ugly | 1 | 8 | 32 | 256 | |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def counted(rows, **wanted):
    return sum(all(row[key] == value for key, value in wanted.items()) for row in rows)


def page(rows):
    import onnxruntime

    exported = [row for row in rows if row["executor"] != "-"]
    counts = (
        f"Of {len(exported)} models, {counted(rows, executor='own')} run wholly on Pelton's kernels, {counted(rows, executor='tract')} with a "
        f"step on tract, and {counted(rows, executor='refused')} refused; {counted(rows, agrees='yes')} agree with ONNX Runtime, "
        f"{counted(rows, agrees='no')} do not."
    )
    measured = [row for row in rows if row["executor"] == "own" and row["ratio_256"]]
    least = {1: 1.0, 8: 1.0, 32: 0.9, 256: 0.9}
    slow = [row for row in measured if any(float(row[f"ratio_{n}"]) < ratio for n, ratio in least.items())]
    slower = (
        f"Of the {len(measured)} that run wholly on Pelton's kernels, {len(measured) - len(slow)} are never slower at 1 and 8 rows, and have at "
        f"least 0.9 of ONNX Runtime's speed at 32 and 256."
    )
    behind = lambda row: ", ".join(f"{row[f'ratio_{n}']} at {n}" for n, ratio in least.items() if float(row[f"ratio_{n}"]) < ratio)
    if slow:
        slower += " Behind are " + "; ".join(f"{row['model']} ({behind(row)})" for row in slow) + "."
    text = HEAD.format(onnxruntime=onnxruntime.__version__, counts=counts, slow=slower)
    for row in rows:
        ugly = row["ugly_difference"]
        if row["unequal"] or row["ugly_unequal"]:
            ugly = f"{ugly}, {row['unequal'] or 0} + {row['ugly_unequal'] or 0} unequal"
        cells = [row["model"], row["executor"], row["agrees"], row["rounding"], row["difference"], ugly, *[row[f"ratio_{n}"] for n in least],
                 row["reason"].replace("|", "/")[:160]]  # fmt: skip
        text += "| " + " | ".join(map(str, cells)) + " |\n"
    return text
