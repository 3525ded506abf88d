#!/usr/bin/env bash
# make test: formatting, lints, every test; then the sum of all tests and each skip with its reason.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/needs.sh

need_build
if freeswitch_prefix >/dev/null; then
    need_sip_clients || say "Going on without them; the suites that need them skip."
else
    say "No FreeSWITCH here (FREESWITCH_PREFIX, pkg-config, usual places): the suites that need one skip."
fi

command -v valgrind >/dev/null || install_packages valgrind || say "Going on without valgrind; its test skips."

need_openssl || say "Going on without openssl; what checks signatures by it fails."
need_node || say "Going on without Node.js; what needs it skips."
need_postgres || say "Going on without PostgreSQL; what needs it skips."

python3 -c "from zoneinfo import ZoneInfo; ZoneInfo('Pacific/Chatham')" 2>/dev/null || install_packages python3 tzdata ||
    say "Going on without Python's time zones; the test that compares with them skips."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export NIZAM_SKIPS="$work/skips"
: >"$NIZAM_SKIPS"

say "== cargo fmt --check"
cargo fmt --all --check
say "== cargo clippy"
cargo clippy --workspace --all-targets -- -D warnings
say "== cargo build"
# The suites run these programs; built once here, they need no cargo of their own.
cargo build -p mod_nizam -p nizamd -p nizam
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
export NIZAM_BIN_DIR="$target/debug"
say "== cargo test"
status=0
cargo test --workspace --no-fail-fast -- "$@" 2>&1 | tee "$work/output" || status=$?

# The suites of store, API and switches once more, on PostgreSQL.
if compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then
    say "== cargo test on PostgreSQL"
    NIZAM_TEST_DATABASE=postgres cargo test --workspace --no-fail-fast \
        --test it --test api --test switches --test daemon -- "$@" 2>&1 | tee "$work/postgres" || status=$?
else
    echo "every suite on PostgreSQL: no postgres (apt-get install postgresql)" >>"$NIZAM_SKIPS"
    : >"$work/postgres"
    if [[ ",${NIZAM_REQUIRE:-}," == *,postgres,* ]]; then
        say "NIZAM_REQUIRE names postgres, and there is none."
        status=1
    fi
fi
# api_suite NAME OUTPUT: what became of the API suite on a database.
api_suite() {
    awk -v name="$1" '/^ *Running / { api = /tests\/api\// }
        api && /^test result: / { sub(/^test result: [a-zA-Z]*\. /, ""); sub(/;[^;]*ignored.*/, ""); sub(/;/, ","); print "api suite on " name ": " $0 }' "$2"
}
api_suite SQLite "$work/output"
api_suite PostgreSQL "$work/postgres"

cat "$work/postgres" >>"$work/output"
tests/sum.awk "$work/output" >"$work/sum"
read -r passed failed ignored suites <"$work/sum"
skipped=$(($(wc -l <"$NIZAM_SKIPS") + ignored))
# A test that skips returns early, and the harness counts it as passed.
passed=$((passed - $(wc -l <"$NIZAM_SKIPS")))
say ""
if [ -s "$NIZAM_SKIPS" ]; then
    say "Skipped:"
    sort "$NIZAM_SKIPS" | sed 's/^/  /' >&2
fi
say "$suites suites, $((passed + failed + skipped)) tests"
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
