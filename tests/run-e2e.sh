#!/usr/bin/env bash
# make e2e: the suites on a real FreeSWITCH. What is missing is a failure here, never a skip. Ends with a table of all calls that
# were tried for docs/routing.md: the lines, the case, what came of it.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/needs.sh

need_build
need_sip_clients
need_postgres
if ! prefix=$(freeswitch_prefix); then
    say "No FreeSWITCH found. Install one (1.10.0 or later), or set FREESWITCH_PREFIX to where it is."
    exit 1
fi
say "FreeSWITCH in $prefix"
export NIZAM_REQUIRE=freeswitch,sipp,baresip,postgres
suites=()
for file in tests/e2e_*.rs; do
    suites+=(--test "$(basename "$file" .rs)")
done
cargo build -p mod_nizam -p nizamd
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
export NIZAM_BIN_DIR="$target/debug"
NIZAM_CASES=$(mktemp)
export NIZAM_CASES
trap 'rm -f "$NIZAM_CASES"' EXIT
export NIZAM_EXPLAIN_CALLS="${NIZAM_EXPLAIN_CALLS:-1000}"
# The cases wait more than they work.
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-4}"
status=0
cargo test --no-fail-fast "${suites[@]}" -- "$@" || status=$?
sort "$NIZAM_CASES" | awk -F '\t' '
    { printf "%-8s%s: %s\n", $3, $1, $2; if ($3 != "ok") failed++ }
    END { printf "%d routing cases, %d failed\n", NR, failed }'
exit "$status"
