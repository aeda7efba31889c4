"""Writes the test vectors of the Rust crate `model`: every directory beside this file that has a case.json.

    .venv/bin/python vectors/make_vectors.py [NAME-PREFIX ...]
"""

import sys

import numpy as np

import trees
import vector


def main(prefixes):
    for module in (trees,):
        rng = np.random.default_rng(20130101)
        for case in module.cases(rng):
            if not prefixes or case.name.startswith(tuple(prefixes)):
                vector.write(case)
                print(case.name)


if __name__ == "__main__":
    main(sys.argv[1:])
