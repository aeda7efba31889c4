#!/usr/bin/env python3
"""The licences of what is linked into the native library and the `pelton` command, as the file THIRD-PARTY.

Usage: third-party.py           writes THIRD-PARTY
       third-party.py --check   fails when THIRD-PARTY is not what would be written

Reads Cargo.lock and the sources of the crates, through `cargo metadata`. A crate that may be used under the Apache
License 2.0 is, and then adds only its NOTICE: that licence's text stands in LICENSE. Every other crate adds its own
texts, or those of its repository. A crate that has neither is an error, unless its licence asks for nothing.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "THIRD-PARTY"
ROOTS = ("pelton-jni", "pelton-cli")
TARGET = "x86_64-unknown-linux-gnu"
# C code inside a crate, under a licence that the crate's own files do not hold.
BUNDLED = {"zstd-sys": [("zstd (C)", "zstd/LICENSE")]}
# A licence that asks for nothing to be passed on.
WITHOUT_TEXT = {"0BSD"}
TEXTS = re.compile(r"^(LICEN[CS]E|COPYING|UNLICENSE|COPYRIGHT)", re.IGNORECASE)
NOTICE = re.compile(r"^NOTICE", re.IGNORECASE)

HEADER = """\
Third-party software in the binaries of Pelton
==============================================

The jars hold classes of Jackson (https://github.com/FasterXML/jackson), Apache License 2.0; its notices are part of
META-INF/NOTICE, and the licences of what it bundles stand in META-INF/LICENSE and in the files META-INF/*-LICENSE.

The native library and the `pelton` command are linked with the Rust standard library
(https://github.com/rust-lang/rust, MIT OR Apache-2.0), and with the crates below. "used under" says which of the
licences that a crate offers applies here. The Apache License 2.0 is the file LICENSE; the other texts follow the list.
"""


def linked_crates():
    """The packages that end in the binaries: normal dependencies, without macros, sorted."""
    command = ["cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={TARGET}"]
    metadata = json.loads(subprocess.check_output(command, cwd=ROOT))
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    todo = [package["id"] for package in packages.values() if package["name"] in ROOTS]
    linked = set()
    while todo:
        package = todo.pop()
        is_macro = any("proc-macro" in target["kind"] for target in packages[package]["targets"])
        if package in linked or is_macro:
            continue
        linked.add(package)
        for dependency in nodes[package]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                todo.append(dependency["pkg"])
    others = (packages[package] for package in linked if packages[package]["source"] is not None)
    return sorted(others, key=lambda crate: (crate["name"], crate["version"]))


def used_under(licence):
    """The licence chosen from an SPDX expression: Apache-2.0 where it is offered alone."""
    alternatives = [part.strip() for part in re.split(r" OR |/", licence)]
    return "Apache-2.0" if "Apache-2.0" in alternatives else licence


def files(directory, pattern):
    return [path for path in sorted(directory.iterdir()) if path.is_file() and pattern.match(path.name)]


def licence_files(crate, crates):
    """The texts of a crate; of one that has none, those of another crate of its repository."""
    same = [other for other in crates if crate["repository"] and other["repository"] == crate["repository"]]
    found = (files(pathlib.Path(one["manifest_path"]).parent, TEXTS) for one in [crate, *same])
    return next(filter(None, found), [])


def texts_of(crate, crates):
    """(owner, text) of what has to be passed on with a crate."""
    directory = pathlib.Path(crate["manifest_path"]).parent
    name = f"{crate['name']} {crate['version']}"
    licence = used_under(crate["license"])
    paths = [(name, path) for path in files(directory, NOTICE)]
    if licence != "Apache-2.0":
        own = licence_files(crate, crates)
        if not own and licence not in WITHOUT_TEXT:
            sys.exit(f"third-party: {name} ({licence}) has no licence file: name one in packaging/third-party.py")
        paths += [(name, path) for path in own]
    for part, path in BUNDLED.get(crate["name"], []):
        paths.append((f"{part}, in {name}", directory / path))
    return [(owner, normalised(path.read_text(encoding="utf-8"))) for owner, path in paths]


def normalised(text):
    return "\n".join(line.rstrip() for line in text.strip("\ufeff\r\n").splitlines()).strip("\n")


def render(crates):
    apache = normalised((ROOT / "LICENSE").read_text(encoding="utf-8"))
    lines = [HEADER]
    owners = {}  # text -> those who have it, in order
    for crate in crates:
        under = used_under(crate["license"])
        lines.append(f"{crate['name']} {crate['version']}")
        lines.append(f"    {crate['repository'] or crate['homepage'] or 'https://crates.io/crates/' + crate['name']}")
        lines.append(f"    {crate['license']}" + ("" if under == crate["license"] else f"; used under {under}"))
        for owner, text in texts_of(crate, crates):
            if text != apache:
                owners.setdefault(text, []).append(owner)
    for text, names in owners.items():
        lines += ["", "-" * 100, ", ".join(names), "-" * 100, "", text]
    return "\n".join(lines) + "\n"


def main():
    expected = render(linked_crates())
    if sys.argv[1:] == ["--check"]:
        if not OUTPUT.exists() or OUTPUT.read_text(encoding="utf-8") != expected:
            sys.exit("THIRD-PARTY is not what Cargo.lock says: run python3 packaging/third-party.py")
    elif not sys.argv[1:]:
        OUTPUT.write_text(expected, encoding="utf-8")
        print(f"{OUTPUT.name}: {len(expected)} bytes")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
