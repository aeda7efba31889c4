"""Writes the test vectors of the Rust crate `model`: every directory beside this file that has a case.json.

    .venv/bin/python -m vectors.make_vectors [NAME-PREFIX ...]        # in models/
"""

import shutil
import sys

import numpy as np

from vectors import foreign, linear, loops, networks, trained, trees, vector


def main(prefixes):
    for stale in [] if prefixes else vector.HERE.glob("*/case.json"):
        if not stale.parent.name.startswith("sweep_"):  # those are of sweep.vectors
            shutil.rmtree(stale.parent)
    for family in (trees, linear, networks, trained, foreign, loops):
        rng = np.random.default_rng(20130101)
        for case in family.cases(rng):
            if not prefixes or case.name.startswith(tuple(prefixes)):
                vector.write(case)
                print(case.name)


if __name__ == "__main__":
    main(sys.argv[1:])
