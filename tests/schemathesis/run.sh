#!/usr/bin/env bash
# make schemathesis: requests made from our own OpenAPI document, against nizamd on SQLite and on PostgreSQL. EXAMPLES is how
# many for each operation (200); DATABASES which databases ("sqlite postgres").
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/needs.sh

need_build
version=4.32.5
venv="${XDG_CACHE_HOME:-$HOME/.cache}/nizam/schemathesis-$version"
if [ ! -x "$venv/bin/st" ]; then
    python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
    say "Installing schemathesis $version"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q "schemathesis==$version"
fi
# Optimised a little, because time limits are among the checks; arithmetic is still checked.
cargo build -q --profile checked -p nizamd
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
work=$(mktemp -d)
chmod 755 "$work"
# It runs for long; somebody may build meanwhile.
nizamd="$work/nizamd"
cp "$target/checked/nizamd" "$nizamd"
started=()
finish() {
    for pid in "${started[@]}"; do
        kill -INT "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

# A server of our own, on a Unix socket; PostgreSQL does not run as root.
postgres() {
    local bin account=()
    need_postgres || return 1
    bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -1)
    mkdir "$work/postgres"
    if [ "$(id -u)" = 0 ]; then
        chown postgres "$work/postgres"
        account=(setpriv --reuid postgres --regid postgres --clear-groups --)
    fi
    "${account[@]}" "$bin/initdb" -U postgres -A trust -E UTF8 --no-locale -N -D "$work/postgres/data" >/dev/null
    "${account[@]}" "$bin/postgres" -D "$work/postgres/data" -k "$work/postgres" -h '' -c fsync=off >"$work/postgres.log" 2>&1 &
    started+=($!)
    for _ in $(seq 100); do
        "$bin/pg_isready" -q -h "$work/postgres" && break
        sleep 0.1
    done
    "$bin/createdb" -U postgres -h "$work/postgres" nizam
    url="postgres://postgres@localhost/nizam?host=$work/postgres"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# serve DATABASE URL: a daemon with an admin and rows to work with; then the requests, beside those to the other database.
serve() {
    local database=$1 state="$work/state-$1" port token seed
    mkdir "$state"
    port=$(free_port)
    base="http://127.0.0.1:$port/api/v1"
    export NIZAM_LISTEN="127.0.0.1:$port" NIZAM_STATE_DIR="$state" NIZAM_SOCKET="$state/nizam.sock" \
        NIZAM_DATABASE_URL="$2" NIZAM_RATE_LIMIT=0 NIZAM_LOG=warn
    token=$("$nizamd" admin create --email "$email" --password "$password")
    "$nizamd" serve 2>"$state/log" &
    daemon[$database]=$!
    started+=($!)
    for _ in $(seq 100); do
        curl -sf "$base/health" >/dev/null && break
        sleep 0.1
    done
    seed="$state/seed"
    python3 "$here/seed.py" "$base" "$token" "$email" "$password" >"$seed"
    # Before it is read.
    : >"$work/$database.out"
    (
        cd "$work"
        export NIZAM_SEED="$seed" SCHEMATHESIS_HOOKS="$here/hooks.py" PYTHONPATH="$here"
        # shellcheck disable=SC2086
        exec "$venv/bin/st" --config-file "$here/schemathesis.toml" run "$base/openapi.json" --url "$base" \
            --max-examples "${EXAMPLES:-200}" --continue-on-failure --no-color ${ST_ARGUMENTS:-}
    ) >"$work/$database.out" 2>&1 &
    run[$database]=$!
    started+=($!)
}

here=$PWD/tests/schemathesis email=admin@example.org password='correct horse battery'
declare -A daemon run
databases=()
status=0
for database in ${DATABASES:-sqlite postgres}; do
    url="sqlite:$work/state-$database/nizam.db"
    if [ "$database" = postgres ] && ! postgres; then
        say "SKIPPED schemathesis on PostgreSQL: there is none"
        [[ ",${NIZAM_REQUIRE:-}," != *,postgres,* ]] || status=1
        continue
    fi
    serve "$database" "$url"
    databases+=("$database")
done
for database in "${databases[@]}"; do
    say "== schemathesis on $database"
    tail -n +1 -f --pid="${run[$database]}" "$work/$database.out"
    wait "${run[$database]}" || status=1
    log="$work/state-$database/log"
    if ! kill -0 "${daemon[$database]}" 2>/dev/null; then
        say "nizamd has ended:"
        tail -5 "$log" >&2
        status=1
    fi
    echo "broken requests in the log: $(grep -c 'a request failed' "$log")"
done
# The last lines of each, together.
for database in "${databases[@]}"; do
    echo "$database: $(grep -A1 '^Test cases:' "$work/$database.out" | tail -1 | sed 's/^ *//'); $(tail -1 "$work/$database.out" | tr -d =)"
done
exit "$status"
