#!/usr/bin/env bash
# make chaos, make outage: the long forms of tests/e2e_chaos.rs and tests/e2e_outage.rs, on the release. What is missing is a failure here.
# Ends with a table of figures; any difference between the accounts of what happened is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/needs.sh

need_build
need_sip_clients
need_postgres
prefix=$(freeswitch_prefix) || {
    say "No FreeSWITCH found. Install one (1.10.0 or later), or set FREESWITCH_PREFIX to where it is."
    exit 1
}
say "FreeSWITCH in $prefix"
cargo build --release -p mod_nizam -p nizamd
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
export NIZAM_BIN_DIR="$target/release"
export NIZAM_REQUIRE=freeswitch,sipp,postgres
export NIZAM_CHAOS_CALLS="${CALLS:-20000}" NIZAM_CHAOS_RATE="${RATE:-40}" NIZAM_OUTAGE_SECONDS="${OUTAGE:-600}"
cargo test --test "$1" -- --nocapture --test-threads=1
