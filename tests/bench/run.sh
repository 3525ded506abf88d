#!/usr/bin/env bash
# make bench: builds the release and runs the parts; see README.md. A figure never fails a build.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/needs.sh

need_build
command -v python3 >/dev/null || install_packages python3
say "Building the release"
cargo build --release -p mod_nizam -p nizamd
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
export NIZAM_BIN_DIR="$target/release"
BENCH_DIR=$(mktemp -d "${TMPDIR:-/tmp}/nizam-bench-XXXXXX")
export BENCH_DIR
trap 'rm -rf "$BENCH_DIR"' EXIT
BENCH_SWITCH=$(freeswitch_prefix) || say "No FreeSWITCH here (FREESWITCH_PREFIX, pkg-config, usual places): parts that need one say so."
export BENCH_SWITCH
if [ -n "$BENCH_SWITCH" ]; then
    need_web_server || true
    command -v sipp >/dev/null || install_packages sip-tester || say "Without sipp calls a second are not measured."
fi
command -v wrk >/dev/null || install_packages wrk || say "Without wrk the API is not measured."
need_postgres || say "Without PostgreSQL the API is measured on SQLite only."

for part in tests/bench/parts/*; do
    [ -x "$part" ] || continue
    name=$(basename "${part%.*}")
    if [ -z "${BENCH:-}" ] || [ "${BENCH:-}" = "$name" ]; then
        say "== $name"
        timeout 1800 "$part" || say "The part $name did not finish."
    fi
done
