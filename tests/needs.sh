#!/usr/bin/env bash
# Sourced by the scripts of make: what they need from the machine, installed where that is possible.

say() { printf '%s\n' "$*" >&2; }

# install_packages PACKAGE...: by apt, as root or with a sudo that asks for nothing. Fails when neither is possible.
install_packages() {
    local apt=(apt-get)
    if ! command -v apt-get >/dev/null; then
        say "This is no Debian; please install the equivalent of: $*"
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "Please run: sudo apt-get install --no-install-recommends $*"
            return 1
        fi
        apt=(sudo -n apt-get)
    fi
    say "Installing: $*"
    DEBIAN_FRONTEND=noninteractive "${apt[@]}" update -qq >&2 || say "apt-get update failed; trying with the lists at hand"
    DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y -qq --no-install-recommends "$@" >&2
}

# Whether bindgen will find libclang (clang-sys looks into the same places).
have_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    ldconfig -p 2>/dev/null | grep -q 'libclang[-.0-9]*\.so' && return 0
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null
}

# What the build needs: a C compiler, libclang, pkg-config, and cargo.
need_build() {
    local missing=()
    command -v cc >/dev/null || missing+=(build-essential)
    command -v pkg-config >/dev/null || missing+=(pkg-config)
    have_libclang || missing+=(libclang-dev)
    if [ ${#missing[@]} -gt 0 ]; then
        install_packages "${missing[@]}"
    fi
    if ! command -v cargo >/dev/null && [ -r "$HOME/.cargo/env" ]; then
        # shellcheck source=/dev/null
        . "$HOME/.cargo/env"
    fi
    if ! command -v cargo >/dev/null; then
        say "No cargo. Install Rust 1.95 or later from https://rustup.rs, then run this again."
        return 1
    fi
}

# The SIP clients of the suites. Without them the suites skip and say so.
need_sip_clients() {
    local missing=()
    command -v sipp >/dev/null || missing+=(sip-tester)
    command -v baresip >/dev/null || missing+=(baresip-core)
    if [ ${#missing[@]} -gt 0 ]; then
        install_packages "${missing[@]}"
    fi
}

# The PostgreSQL of the suites: only its programs. Each test process runs a server of its own, and Debian's package must not
# start another beside it.
need_postgres() {
    compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && return
    if [ "$(id -u)" = 0 ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    install_packages postgresql
}

# What checks our signatures in the suites, and makes their certificates.
need_openssl() {
    command -v openssl >/dev/null || install_packages openssl
}

# What runs receivers and clients in JavaScript. Without it their suites skip and say so.
need_node() {
    if command -v node >/dev/null && command -v npm >/dev/null; then
        return
    fi
    install_packages nodejs npm
}

# The web server that mod_xml_curl is measured against. Its package starts a server on port 80 where systemd runs, so it is
# installed only where that does not happen.
need_web_server() {
    if command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]; then
        return
    fi
    if [ -d /run/systemd/system ]; then
        say "Without nginx mod_xml_curl is not measured: sudo apt-get install --no-install-recommends nginx-light"
        return 1
    fi
    install_packages nginx-light
}

# freeswitch_prefix: prints where FreeSWITCH is installed; the same places in the same order as tests/support/freeswitch.
freeswitch_prefix() {
    local prefix packaged
    if [ -n "${FREESWITCH_PREFIX:-}" ]; then
        freeswitch_binary "$FREESWITCH_PREFIX" >/dev/null && printf '%s\n' "$FREESWITCH_PREFIX"
        return
    fi
    packaged=$(pkg-config --variable=prefix freeswitch 2>/dev/null || true)
    for prefix in $packaged /usr/local/freeswitch /opt/freeswitch /usr/local /usr; do
        if freeswitch_binary "$prefix" >/dev/null && freeswitch_modules "$prefix" >/dev/null; then
            printf '%s\n' "$prefix"
            return
        fi
    done
    return 1
}

freeswitch_binary() { first_file "$1/bin/freeswitch" "$1/freeswitch"; }

freeswitch_modules() {
    local sofia
    sofia=$(first_file "$1/lib/freeswitch/mod/mod_sofia.so" "$1/mod/mod_sofia.so" "$1/lib/mod/mod_sofia.so" \
        "$1/lib/x86_64-linux-gnu/freeswitch/mod/mod_sofia.so") && dirname "$sofia"
}

first_file() {
    local file
    for file in "$@"; do
        if [ -f "$file" ]; then
            printf '%s\n' "$file"
            return
        fi
    done
    return 1
}
