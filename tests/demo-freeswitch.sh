#!/usr/bin/env bash
# Sourced by run-demo.sh: the module in the FreeSWITCH under $prefix, with a copy of conf/freeswitch in $dir/freeswitch.
# shellcheck disable=SC2154,SC2034

host="FreeSWITCH ($prefix)"
fs="$dir/freeswitch"
esl_port=$(free_port 8021)
sip_port=$(free_port 5060)
external_port=$(free_port $((sip_port + 20)))
esl_password=$(od -An -N20 -tx1 /dev/urandom | tr -d ' \n')

mkdir -p "$fs"/{log,run,db,storage,recordings,temp}
rm -rf "$fs/conf" "$fs/mod"
cp -R conf/freeswitch "$fs/conf"
mkdir "$fs/mod"
for module in "$(freeswitch_modules "$prefix")"/*.so; do
    ln -s "$module" "$fs/mod/"
done
rm -f "$fs/mod/mod_nizam.so"
cp "$bin/libmod_nizam.so" "$fs/mod/mod_nizam.so"
{
    echo '<include>'
    for setting in sip_ip=127.0.0.1 rtp_ip=127.0.0.1 external_sip_ip=127.0.0.1 external_rtp_ip=127.0.0.1 \
        "internal_sip_port=$sip_port" "external_sip_port=$external_port" \
        "event_socket_port=$esl_port" "event_socket_password=$esl_password" \
        "nizam_socket=$NIZAM_SOCKET" "nizam_snapshot=$NIZAM_STATE_DIR/snapshot"; do
        printf '  <X-PRE-PROCESS cmd="set" data="%s"/>\n' "$setting"
    done
    echo '</include>'
} >"$fs/conf/vars.d/instance.xml"

LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$(freeswitch_binary "$prefix")" -nf -nc -np -nonat \
    -conf "$fs/conf" -log "$fs/log" -run "$fs/run" -db "$fs/db" -storage "$fs/storage" -recordings "$fs/recordings" \
    -temp "$fs/temp" -mod "$fs/mod" >"$fs/freeswitch.out" 2>&1 </dev/null &
children+=($!)

# ask COMMAND: one command over the event socket (mod_event_socket.c, parse_command).
ask() {
    local line length=0
    exec 3<>"/dev/tcp/127.0.0.1/$esl_port" || return 1
    printf 'auth %s\n\napi %s\n\n' "$esl_password" "$1" >&3
    while IFS= read -r -t 20 -u 3 line; do
        case "$line" in
        'Content-Length: '*) length=${line#Content-Length: } ;;
        '') [ "$length" -gt 0 ] && break ;;
        esac
    done
    [ "$length" -gt 0 ] && LC_ALL=C head -c "$length" <&3
    exec 3>&-
}
connected() { ask 'nizam status json' | grep -Eq '"origin": ?"daemon"'; }
running() { [ "$(ask 'sofia status' | grep -c RUNNING)" -ge 2 ]; }
if ! { await 60 running && await 40 connected; }; then
    ask 'nizam status' >&2 || true
    tail -n 20 "$fs/log/freeswitch.log" >&2 || true
    exit 1
fi

show() {
    echo "fs_cli> nizam $1"
    ask "nizam $1"
    echo
}
where="SIP      127.0.0.1:$sip_port (trunks $external_port), domain demo.nizam.local"
fs_cli=fs_cli
[ ! -x "$prefix/bin/fs_cli" ] || fs_cli="$prefix/bin/fs_cli"
more="$fs_cli -P $esl_port -p $esl_password -x 'nizam status'"
