#!/usr/bin/env bash
# make bench: builds the release and runs the parts; see README.md. A figure that falls short fails nothing, a part that
# does not finish does: its figures were not seen.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/needs.sh

ran=0 unfinished=()
if [ -n "${BENCH:-}" ] && ! compgen -G "tests/bench/parts/$BENCH.*" >/dev/null; then
    parts=(tests/bench/parts/*.py)
    parts=("${parts[@]##*/}")
    say "BENCH=$BENCH is no part; there are: ${parts[*]%.py}"
    exit 2
fi
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
        if timeout 1800 "$part"; then
            ran=$((ran + 1))
        else
            unfinished+=("$name")
        fi
    fi
done
if [ ${#unfinished[@]} -gt 0 ]; then
    say "Parts that did not finish, so that their figures are missing: ${unfinished[*]}"
    exit 1
fi
say "Parts that finished: $ran"
