#!/usr/bin/env bash
# make run: nizamd with an embedded database and demo data, and the module inside FreeSWITCH where one is installed, else
# inside the stand-in. Shows a directory lookup and a routed number answered in-process, and stays up until Ctrl-C.
#
#   RUN_ONCE=1            end after the show
#   FREESWITCH_PREFIX=DIR the FreeSWITCH to use
#   STANDIN=1             the stand-in, even where FreeSWITCH is installed
#   RUN_DIR=DIR           where the state is kept (default .nizam-run, so that the demo survives a restart)
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/needs.sh

need_build
say "Building (the first time takes some minutes)"
# The profile of make test, so that whoever runs both builds once.
cargo build -p mod_nizam -p nizamd -p nizam
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
bin="$target/debug"

mkdir -p "${RUN_DIR:=$PWD/.nizam-run}"
dir=$(cd "$RUN_DIR" && pwd)
chmod 700 "$dir"
echo '*' >"$dir/.gitignore"
mkdir -p "$dir/state"
# A path of a Unix socket has 107 bytes (unix(7)); a checkout may be deeper than that.
sockets=$(mktemp -d "${TMPDIR:-/tmp}/nizam-run-XXXXXX")

children=()
finish() {
    local pid
    for pid in "${children[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    for pid in "${children[@]}"; do
        for _ in $(seq 100); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$sockets"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# free_port FIRST: the first port from FIRST on that nobody listens on.
free_port() {
    local port
    for port in $(seq "$1" $(($1 + 200))); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s\n' "$port"
            return
        fi
    done
    say "No free port from $1 on"
    return 1
}

# await SECONDS COMMAND...: runs the command until it succeeds.
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            say "Waited in vain for: $*"
            return 1
        fi
        sleep 0.1
    done
}

api_port=$(free_port 8080)
export NIZAM_LISTEN="127.0.0.1:$api_port" NIZAM_SOCKET="$sockets/nizam.sock" NIZAM_STATE_DIR="$dir/state"
"$bin/nizamd" migrate >>"$dir/nizamd.log" 2>&1 || { tail -n 5 "$dir/nizamd.log" >&2; exit 1; }
"$bin/nizamd" seed-demo >"$dir/demo-data" || { say "seed-demo failed"; exit 1; }
chmod 600 "$dir/demo-data"
if [ ! -s "$dir/admin" ]; then
    password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
    token=$("$bin/nizamd" admin create --email admin@demo.nizam.local --password "$password" | grep -oE '[0-9]+\|[A-Za-z0-9]+' | tail -n 1)
    (umask 077 && printf '%s\n%s\n' "$password" "$token" >"$dir/admin")
fi
{ read -r password && read -r token; } <"$dir/admin"

"$bin/nizamd" serve >>"$dir/nizamd.log" 2>&1 &
children+=($!)
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$api_port"); }
await 30 answers || { tail -n 20 "$dir/nizamd.log" >&2; exit 1; }

if [ -z "${STANDIN:-}" ] && prefix=$(freeswitch_prefix); then
    . tests/demo-freeswitch.sh
else
    . tests/demo-standin.sh
fi

echo
echo "== Answered inside $host, by the module, from shared memory:"
show 'lookup directory 1001@demo.nizam.local'
show 'lookup dialplan demo.nizam.local 1002'
cat <<END

== Up
API      http://127.0.0.1:$api_port/api/v1
Login    admin@demo.nizam.local  $password
Token    $token
Logs     $dir/nizamd.log
Phones   $(sed 's/^/         /' "$dir/demo-data" | sed '1s/^ *//')
$where

== Try
curl -s http://127.0.0.1:$api_port/api/v1/health
curl -s -H 'Authorization: Bearer $token' http://127.0.0.1:$api_port/api/v1/tenants
curl -s -H 'Authorization: Bearer $token' http://127.0.0.1:$api_port/api/v1/auth/me
$more
END

if [ "${RUN_ONCE:-}" = 1 ]; then
    exit 0
fi
echo
echo "Ctrl-C ends it."
while true; do
    for pid in "${children[@]}"; do
        kill -0 "$pid" 2>/dev/null || { say "Process $pid has ended; see $dir"; exit 1; }
    done
    sleep 1
done
