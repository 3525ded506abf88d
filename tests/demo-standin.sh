#!/usr/bin/env bash
# Sourced by run-demo.sh: the module in the stand-in host, for a machine without FreeSWITCH.
# shellcheck disable=SC2154,SC2034

host="the stand-in (no FreeSWITCH here)"
standin="$dir/standin"
rm -rf "$standin"
mkdir -p "$standin"
cp "$bin/libmod_nizam.so" "$standin/mod_nizam.so"
sed -e "s|\$\${nizam_socket}|$NIZAM_SOCKET|" -e "s|\$\${nizam_snapshot}|$NIZAM_STATE_DIR/snapshot|" \
    -e 's|\$\${nizam_mode}|authoritative|' -e 's|\$\${nizam_log_level}|info|' \
    conf/freeswitch/autoload_configs/nizam.conf.xml >"$standin/nizam.conf.xml"

coproc STANDIN { exec "$bin/nizam-standin" --conf "$standin" 2>"$standin/log"; }
children+=("$STANDIN_PID")
# bash closes the descriptors of a coproc in subshells, pipelines included; copies stay open.
exec 4>&"${STANDIN[1]}" 5<&"${STANDIN[0]}"

# tell LINE: one command to the stand-in and what it answers: a line, or `+BODY LENGTH` and so many bytes (tests/standin/host.rs).
tell() {
    local line body
    printf '%s\n' "$1" >&4 || return 1
    IFS= read -r -t 60 line <&5 || return 1
    case "$line" in
    '+BODY '*)
        line=${line#+BODY }
        # One more for the line end behind the body.
        LC_ALL=C IFS= read -r -t 60 -N "$((${line%% *} + 1))" body <&5 || return 1
        printf '%s' "$body"
        ;;
    *) printf '%s\n' "$line" ;;
    esac
}
tell "load $standin/mod_nizam.so" | grep -q '^+OK' || { tail -n 20 "$standin/log" >&2; exit 1; }
connected() { tell 'api nizam status json' | grep -Eq '"origin": ?"daemon"'; }
await 40 connected || { tail -n 20 "$standin/log" >&2; exit 1; }

show() {
    echo "standin> api nizam $1"
    tell "api nizam $1"
    echo
}
where="SIP      none: with FreeSWITCH installed, or FREESWITCH_PREFIX=DIR, phones register here"
more=""
