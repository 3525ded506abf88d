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
cargo build -q -p nizamd
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
work=$(mktemp -d)
chmod 755 "$work"
# It runs for long; somebody may build meanwhile.
nizamd="$work/nizamd"
cp "$target/debug/nizamd" "$nizamd"
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

status=0
for database in ${DATABASES:-sqlite postgres}; do
    state="$work/state-$database"
    mkdir "$state"
    if [ "$database" = postgres ]; then
        if ! postgres; then
            say "SKIPPED schemathesis on PostgreSQL: there is none"
            [[ ",${NIZAM_REQUIRE:-}," != *,postgres,* ]] || status=1
            continue
        fi
    else
        url="sqlite:$state/nizam.db"
    fi
    port=$(free_port)
    export NIZAM_LISTEN="127.0.0.1:$port" NIZAM_STATE_DIR="$state" NIZAM_SOCKET="$state/nizam.sock" \
        NIZAM_DATABASE_URL="$url" NIZAM_RATE_LIMIT=0 NIZAM_LOG=warn
    token=$("$nizamd" admin create --email admin@example.org --password 'correct horse battery')
    "$nizamd" serve 2>"$state/log" &
    daemon=$!
    started+=("$daemon")
    for _ in $(seq 100); do
        curl -sf "http://127.0.0.1:$port/api/v1/health" >/dev/null && break
        sleep 0.1
    done
    seed=$(python3 tests/schemathesis/seed.py "http://127.0.0.1:$port/api/v1" "$token")
    say "== schemathesis on $database"
    (
        cd "$work"
        NIZAM_SEED="$seed" SCHEMATHESIS_HOOKS="$OLDPWD/tests/schemathesis/hooks.py" PYTHONPATH="$OLDPWD/tests/schemathesis" \
            "$venv/bin/st" --config-file "$OLDPWD/tests/schemathesis/schemathesis.toml" run \
            "http://127.0.0.1:$port/api/v1/openapi.json" --url "http://127.0.0.1:$port/api/v1" \
            --checks all --max-examples "${EXAMPLES:-200}" --continue-on-failure \
            --no-color ${ST_ARGUMENTS:-}
    ) 2>&1 | tee "$work/$database.out" || status=1
    if ! kill -0 "$daemon" 2>/dev/null; then
        say "nizamd has ended:"
        tail -5 "$state/log" >&2
        status=1
    fi
    grep -c 'a request failed' "$state/log" | sed 's/^/broken requests in the log: /' || true
    kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null || true
done
exit "$status"
