#!/usr/bin/env bash
# Are the tools here, and new enough? Names every missing one with the command that installs it (Debian, Ubuntu).
# Without an argument those that building needs; with `tests` those of the tests, too.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=0
miss() { # what is wrong, how to mend it
    printf 'missing: %s\n    %s\n' "$1" "$2" >&2
    missing=1
}
at_least() { # version, lowest
    [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

rust_needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if ! command -v cargo >/dev/null; then
    miss "cargo (Rust $rust_needed or newer)" "curl --proto '=https' -sSf https://sh.rustup.rs | sh"
else
    rust=$(rustc --version | cut -d ' ' -f 2)
    at_least "$rust" "$rust_needed" || miss "Rust $rust_needed or newer; this is $rust" "rustup update stable"
fi

if ! command -v cc >/dev/null; then
    miss "cc (a C compiler: it links Rust, and compiles zstd)" "sudo apt-get install build-essential"
fi

if ! command -v mvn >/dev/null; then
    miss "mvn (Maven 3.8 or newer)" "sudo apt-get install maven"
    if ! command -v javac >/dev/null; then
        miss "a JDK 17" "sudo apt-get install openjdk-17-jdk-headless"
    fi
elif ! versions=$(mvn --version 2>&1); then
    miss "a JDK 17 (mvn finds none: $(head -n 1 <<<"$versions"))" "sudo apt-get install openjdk-17-jdk-headless"
else
    # Maven says which Java it runs on; that one counts, not the first on the PATH.
    versions=$(sed 's/\x1b\[[0-9;]*m//g' <<<"$versions")
    maven=$(sed -n 's/^Apache Maven \([0-9.]*\).*/\1/p' <<<"$versions")
    java=$(sed -n 's/^Java version: \([0-9.]*\).*/\1/p' <<<"$versions")
    home=$(sed -n 's/.*runtime: \(.*\)/\1/p' <<<"$versions")
    at_least "$maven" 3.8 || miss "Maven 3.8 or newer; this is $maven" "sudo apt-get install maven"
    case $java in
    17 | 17.*) [ -x "$home/bin/javac" ] || miss "a JDK 17; $home has no javac" "sudo apt-get install openjdk-17-jdk-headless" ;;
    *) miss "JDK 17; Maven runs on Java $java ($home)" "sudo apt-get install openjdk-17-jdk-headless, then export JAVA_HOME=/usr/lib/jvm/java-17-openjdk-\$(dpkg --print-architecture)" ;;
    esac
fi

if [ "${1:-}" = tests ]; then
    command -v chromium >/dev/null || miss "chromium (opens the pages of pelton explain)" "sudo apt-get install chromium"
    [ -x tests/.venv/bin/moto_server ] || miss "moto (the S3 server of the tests)" "python3.11 -m venv tests/.venv && tests/.venv/bin/pip install -r tests/requirements.txt"
    command -v dot >/dev/null || miss "dot (reads the graphs of pelton explain)" "sudo apt-get install graphviz"
fi

exit $missing
