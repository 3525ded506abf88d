#!/usr/bin/env bash
# make fuzz: each target for FUZZ_SECONDS (60) with coverage feedback. Ends with an error at the first finding.
#
# libFuzzer without cargo-fuzz: that one needs a nightly compiler for its sanitizer; coverage needs none.
set -euo pipefail
cd "$(dirname "$0")"

host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
target=${FUZZ_TARGET_DIR:-../../target/fuzz}
# A named target keeps the instrumentation out of build scripts and macros.
cargo build --release --target "$host" --target-dir "$target"
for name in ${FUZZ:-image frame xml}; do
    corpus="$target/corpus/$name"
    mkdir -p "$corpus"
    echo "== fuzz $name for ${FUZZ_SECONDS:-60} s"
    "$target/$host/release/$name" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096 -print_final_stats=1 \
        -artifact_prefix="$target/$name-" "$corpus" 2>&1 | grep -E "^(#[0-9]+.*(DONE|pulse)|stat::|==|SUMMARY|Done|.*panicked|.*ERROR)" || {
        echo "the target $name found something: see above and $target/$name-*"
        exit 1
    }
    status=${PIPESTATUS[0]}
    [ "$status" = 0 ] || exit "$status"
done
