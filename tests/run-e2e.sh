#!/usr/bin/env bash
# make e2e: the suites on a real FreeSWITCH. What is missing is a failure here, never a skip.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/needs.sh

need_build
need_sip_clients
if ! prefix=$(freeswitch_prefix); then
    say "No FreeSWITCH found. Install one (1.10.0 or later), or set FREESWITCH_PREFIX to where it is."
    exit 1
fi
say "FreeSWITCH in $prefix"
export NIZAM_REQUIRE=freeswitch,sipp,baresip
suites=()
for file in tests/e2e_*.rs; do
    suites+=(--test "$(basename "$file" .rs)")
done
cargo build -p mod_nizam -p nizamd
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
NIZAM_BIN_DIR="$target/debug" exec cargo test --no-fail-fast "${suites[@]}" -- "$@"
