"""The sweep: do the models that people train load, and do they agree with ONNX Runtime?

    python -m sweep.run PELTON TARGET [--only TEXT] [--no-bench] [--update]        # in models/

PELTON is the command line, TARGET a directory for the models (made once, `--again` makes them anew) and for results.tsv,
which has everything that was measured. What must not slip back stands in sweep/results.tsv and is compared; `--update`
writes it, and the page docs/sweep.md.
"""

import argparse
import csv
import importlib
import json
import pathlib
import pickle
import re
import subprocess
import sys

import numpy as np
import onnx

from sweep.peer import Peer, rounding

HERE = pathlib.Path(__file__).parent
FAMILIES = ["scikit", "boosting", "networks"]
ROWS = [1, 8, 32, 256]
TOLERANCE = 1e-6
COMMITTED = ["model", "executor", "agrees", "reason"]
ALL = ["model", "executor", "agrees", "rounding", "difference", "unequal", "ugly_difference", "ugly_unequal", *[f"ratio_{n}" for n in ROWS],
       *[f"ns_{n}" for n in ROWS], "reason"]  # fmt: skip


def slug(name):
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def make(directory):
    """Trains, exports and saves all models, each with its rows and what ONNX Runtime makes of them."""
    directory.mkdir(parents=True, exist_ok=True)
    listed = []
    for family in FAMILIES:
        for case in importlib.import_module(f"sweep.{family}").cases(np.random.default_rng(7)):
            listed.append(entry := dict(name=case.name, reason=None, ugly="", maps=case.maps, rounding=0.0, undecided=0))
            print(f"made {case.name}", flush=True)
            if isinstance(case.model, str):
                entry["reason"] = f"not exported: {case.model}"
                continue
            place = directory / slug(case.name)
            place.mkdir(exist_ok=True)
            onnx.save(case.model, place / "model.onnx")
            for kind, rows in [("", case.rows), ("ugly_", case.ugly)]:
                for file in (f"{kind}in.npz", f"{kind}expected.npz"):
                    (place / file).unlink(missing_ok=True)
                try:
                    if rows:
                        expected = Peer(place / "model.onnx", case.maps).run(rows)
                        np.savez(place / f"{kind}expected.npz", **expected)
                        np.savez(place / f"{kind}in.npz", **rows)
                        moved, undecided = rounding(place / "model.onnx", rows, expected, case.maps)
                        entry["rounding"] = max(entry["rounding"], moved)
                        entry["undecided"] = max(entry["undecided"], undecided)
                except Exception as cause:
                    entry["reason" if kind == "" else "ugly"] = failed = f"ONNX Runtime fails: {cause}".splitlines()[0]
                    print(f"    {failed}")
    (directory / "cases.pickle").write_bytes(pickle.dumps(listed))


def pelton(command, *arguments):
    """What a command printed as JSON; a message if it failed."""
    done = subprocess.run([str(command), "model", *map(str, arguments), "--json"], capture_output=True, text=True)
    if done.stdout:
        return json.loads(done.stdout)
    return done.stderr.strip().removeprefix("pelton: ")


def first_line(text):
    """Of an error, without the path in it, and without the list of all operators."""
    return re.sub(r"\S*/cases/\S+?/", "", text.strip().splitlines()[0]).split("; of ai.onnx are")[0]


def check(command, place, entry):
    """A row of the table."""
    row = dict.fromkeys(ALL, "") | dict(model=entry["name"])
    if entry["reason"]:
        return row | dict(executor="-", reason=first_line(entry["reason"]))
    steps = pelton(command, "inspect", place / "model.onnx")
    if isinstance(steps, str):
        return row | dict(executor="refused", reason=first_line(steps))
    reasons = [step["tract"] for step in steps["steps"] if step["tract"]]
    notes = sorted(set(reasons)) + [f"with NaN or unseen categories {first_line(entry['ugly'])}" for _ in range(bool(entry["ugly"]))]
    row |= dict(executor="tract" if reasons else "own", reason="; ".join(notes), rounding=f"{entry['rounding']:.1e}")
    # Another order of the sum is wrong by as much, in the other direction or in the worst row.
    tolerance = max(TOLERANCE, 3 * entry["rounding"])
    fits = True
    for kind in ("", "ugly_"):
        if not (place / f"{kind}in.npz").exists():
            continue
        files = ["--inputs", place / f"{kind}in.npz", "--expected", place / f"{kind}expected.npz", "--tolerance", tolerance]
        compared = pelton(command, "compare", place / "model.onnx", *files)
        if isinstance(compared, str):
            return row | dict(agrees="no", reason=first_line(compared))
        outputs = compared["outputs"]
        undecided = lambda output: output["difference"] is None and output["not_the_same"] <= entry["undecided"]
        fits &= all(output["fits"] or undecided(output) for output in outputs)
        differences = [output["difference"] for output in outputs if output["difference"] is not None]
        unequal = [output for output in outputs if output["at"] and output["difference"] is None]
        row[f"{kind}difference"] = f"{max(differences, default=0):.1e}"
        row[f"{kind}unequal"] = sum(output["not_the_same"] for output in unequal)
    return row | dict(agrees="yes" if fits else "no")


def bench(command, place, entry, row):
    """Nanoseconds a row, and how much slower ONNX Runtime is."""
    ours = pelton(command, "bench", place / "model.onnx", "--inputs", place / "in.npz", "--batch", ",".join(map(str, ROWS)))
    if isinstance(ours, str):
        return
    peer, rows = Peer(place / "model.onnx", entry["maps"]), dict(np.load(place / "in.npz"))
    for batch in ours["batches"]:
        n, ns = batch["rows"], batch["nanoseconds"]
        row[f"ns_{n}"] = f"{ns:.1f}"
        if not (entry["maps"] and n > 1):
            row[f"ratio_{n}"] = f"{peer.nanoseconds(rows, n) / ns:.2f}"


def write(path, rows, columns):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter="\t", lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def slipped(rows):
    """What was better in the committed list."""
    with open(HERE / "results.tsv", newline="") as file:
        before = {row["model"]: row for row in csv.DictReader(file, delimiter="\t")}
    rank = {"own": 3, "tract": 2, "refused": 1, "-": 0}
    for row in rows:
        old = before.get(row["model"])
        if old and (rank[row["executor"]], row["agrees"]) < (rank[old["executor"]], old["agrees"]):
            yield f"slipped back: {row['model']}: was {old['executor']} {old['agrees']}, is {row['executor']} {row['agrees']} {row['reason']}"
        elif not old or any(old[column] != row[column] for column in ("executor", "agrees")):
            print(f"new or better, UPDATE=1 notes it: {row['model']}: {row['executor']} {row['agrees']}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pelton", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--no-bench", action="store_true")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    if options.update and options.only:
        parser.error("--update writes the list of all models, not of a part of them")
    cases = options.target / "cases"
    if options.again or not (cases / "cases.pickle").exists():
        make(cases)
    rows = []
    for entry in pickle.loads((cases / "cases.pickle").read_bytes()):
        if options.only not in entry["name"]:
            continue
        place = cases / slug(entry["name"])
        row = check(options.pelton, place, entry)
        if not options.no_bench and row["agrees"] == "yes":
            bench(options.pelton, place, entry, row)
        rows.append(row)
        figures = [row[column] for column in ALL[1:12]]
        print(f"{row['model']:<60} {' '.join(f'{x!s:>7}' for x in figures)}  {row['reason'][:100]}", flush=True)
    write(options.target / "results.tsv", rows, ALL)
    count = lambda **wanted: sum(all(row[key] == value for key, value in wanted.items()) for row in rows)
    print(f"{len(rows)} models: {count(executor='own')} on Pelton's own kernels, {count(executor='tract')} with a step on tract, "
          f"{count(executor='refused')} refused, {count(executor='-')} not exported; {count(agrees='yes')} agree with "
          f"ONNX Runtime, {count(agrees='no')} do not")  # fmt: skip
    if options.update:
        from sweep.page import page

        write(HERE / "results.tsv", rows, COMMITTED)
        (HERE.parent.parent / "docs" / "sweep.md").write_text(page(rows))
        return
    lost = list(slipped(rows)) if (HERE / "results.tsv").exists() else []
    print("\n".join(lost))
    sys.exit(bool(lost))


if __name__ == "__main__":
    main()
