#!/usr/bin/env bash
# `make dist`: what is released, in target/dist. The native code is linked by zig against an old GLIBC, so that it runs
# on every Linux that is still maintained, whatever machine builds it.
set -euo pipefail
cd "$(dirname "$0")/.."

glibc=2.28
# Target of Rust, and the name of its directory in the jars (NativeLibrary.platform). One line a platform; each needs
# `rustup target add`. Those that are not Linux have no GLIBC to check: packaging/check-native.sh is for Linux.
platforms=(
    "x86_64-unknown-linux-gnu linux-x86_64"
)

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
work=$PWD/target/dist-work
dist=$PWD/target/dist

command -v python3 >/dev/null || { printf 'missing: python3\n    sudo apt-get install python3 python3-venv\n' >&2; exit 1; }
command -v objdump >/dev/null || { printf 'missing: objdump\n    sudo apt-get install binutils\n' >&2; exit 1; }

printf '==== cross linker\n'
[ -x "$work/tools/bin/pip" ] || python3 -m venv "$work/tools"
"$work/tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r packaging/requirements.txt
PATH=$work/tools/bin:$PATH

# Panic messages name source files: as they are called in the repository and on crates.io, not on this machine.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
export CARGO_PROFILE_RELEASE_STRIP=symbols
export CARGO_PROFILE_RELEASE_DEBUG=false
export RUSTFLAGS="--remap-path-prefix=$PWD=pelton --remap-path-prefix=$cargo_home=cargo"
export CFLAGS="-ffile-prefix-map=$cargo_home=cargo"

rm -rf "$dist" "$work/natives"
mkdir -p "$dist"
for platform in "${platforms[@]}"; do
    read -r target name <<<"$platform"
    printf '==== %s\n' "$target"
    cargo zigbuild --release --locked --workspace --target "$target.$glibc" --target-dir "$work/cargo"
    built=$work/cargo/$target/release
    bash packaging/check-native.sh "$glibc" "$built/libpelton_jni.so" "$built/pelton"
    install -D -m 644 "$built/libpelton_jni.so" "$work/natives/$name/libpelton_jni.so"
    install -m 755 "$built/pelton" "$dist/pelton-$version-$name"
done

printf '==== jars, tested as packaged with the released library\n'
(cd java-shim && mvn --quiet verify -Dpelton.target="$work/cargo/x86_64-unknown-linux-gnu/release" \
    -Dpelton.natives="$work/natives" -Dsurefire.failIfNoSpecifiedTests=false \
    -Dtest='ShadedJarTest,NativeLibraryTest,PredictFunctionTest')
cp java-shim/dist/*/target/pelton-flink-*-"$version".jar LICENSE NOTICE THIRD-PARTY "$dist"

(cd "$dist" && sha256sum -- * >SHA256SUMS)
printf '==== target/dist\n'
cat "$dist/SHA256SUMS"
