#!/usr/bin/env bash
# What `make test` ran: sums the `test result:` lines of Cargo's log and the Surefire reports newer than that log's start.
# Usage: summary.sh CARGO_LOG STARTED (a file touched before the tests)
set -euo pipefail
cd "$(dirname "$0")/.."
log=$1 started=$2

printf '\n%-32s %7s %7s %8s\n' 'tests' 'passed' 'failed' 'skipped'
awk '/^test result:/ {
         for (i = 2; i <= NF; i++) {
             if ($i ~ /^passed/) passed += $(i - 1)
             if ($i ~ /^failed/) failed += $(i - 1)
             if ($i ~ /^ignored/) ignored += $(i - 1)
         }
     }
     END { printf "%-32s %7d %7d %8d\n", "Rust", passed, failed, ignored; exit passed == 0 }' "$log"

find java-shim tests -path '*-reports/TEST-*.xml' -newer "$started" -print0 |
    xargs -0 -r awk '
        # The first line with an attribute of <testsuite> holds them all, or they follow one a line.
        FNR == 1 { in_head = 1; module = FILENAME; sub(/\/target\/.*/, "", module) }
        in_head {
            count("tests"); count("failures"); count("errors"); count("skipped")
            if (/<properties>|<testcase/) in_head = 0
        }
        function count(name,   value) {
            if (match($0, "(^| )" name "=\"[0-9]+\"")) {
                value = substr($0, RSTART, RLENGTH); gsub(/[^0-9]/, "", value)
                sum[module, name] += value; modules[module]
            }
        }
        END {
            for (m in modules) {
                bad = sum[m, "failures"] + sum[m, "errors"]
                printf "%-32s %7d %7d %8d\n", "Java, " m, sum[m, "tests"] - bad - sum[m, "skipped"], bad, sum[m, "skipped"]
            }
        }' | sort
