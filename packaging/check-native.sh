#!/usr/bin/env bash
# Is this binary fit to be shipped? Fails when it needs a newer GLIBC, another library than those of every Linux, or
# holds symbols, debug sections or paths of this machine.
# Usage: check-native.sh GLIBC FILE...   for instance check-native.sh 2.28 target/release/pelton
set -euo pipefail

glibc=$1
shift
# What GLIBC itself brings, under the names of 2.28 and before; the dynamic loader ends in the platform's name.
libraries='^(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|libutil\.so\.1|ld-linux-.*)$'
here=$(cd "$(dirname "$0")/.." && pwd)

failed=0
wrong() {
    printf '%s: %s\n' "$1" "$2" >&2
    failed=1
}

for file in "$@"; do
    symbols=$(objdump -T "$file")
    newest=$(grep -o 'GLIBC_[0-9][0-9.]*' <<<"$symbols" | sed 's/GLIBC_//' | sort -uV | tail -n 1 || true)
    if [ -z "$newest" ]; then
        wrong "$file" "needs no symbol of GLIBC: not a dynamic binary of Linux"
    elif [ "$(printf '%s\n' "$newest" "$glibc" | sort -V | tail -n 1)" != "$glibc" ]; then
        wrong "$file" "needs GLIBC $newest, newer than $glibc: $(grep -F "GLIBC_$newest)" <<<"$symbols" | awk '{ print $NF }' | paste -sd ' ')"
    fi

    needed=$(objdump -p "$file" | awk '$1 == "NEEDED" { print $2 }')
    others=$(grep -Ev "$libraries" <<<"$needed" || true)
    [ -z "$others" ] || wrong "$file" "needs other libraries: $(paste -sd ' ' <<<"$others")"

    sections=$(readelf -SW "$file" | grep -oE ' \.(debug_info|debug_line|symtab) ' | tr -d ' ' || true)
    [ -z "$sections" ] || wrong "$file" "is not stripped: $(paste -sd ' ' <<<"$sections")"

    paths=$(strings -a "$file" | grep -F -e "$here" -e "$HOME/" -e "${CARGO_HOME:-$HOME/.cargo}" || true)
    [ -z "$paths" ] || wrong "$file" "holds paths of this machine: $(head -n 3 <<<"$paths" | cut -c 1-200)"

    [ $failed -ne 0 ] || printf '%s: GLIBC %s, %s bytes\n' "$(basename "$file")" "$newest" "$(stat -c %s "$file")"
done
exit $failed
