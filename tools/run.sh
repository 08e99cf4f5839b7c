#!/bin/bash
# Starts the gateway that was built. Left to its defaults it forwards to one Ollama; where none
# answers there, it says so and starts with simulated nodes, so that there is something to see.
set -eu

drover=${BUILD:-build}/src/app/drover

say() { echo "run: $*"; }

# Whoever gave arguments, or has a configuration, knows which nodes are meant.
is_configured() {
    [ $# -gt 0 ] || [ -n "${DROVER_CONFIG:-}" ] || [ -n "${DROVER_BACKENDS:-}" ] ||
        [ -e drover.yaml ] || [ -e /etc/drover/drover.yaml ]
}

# OLLAMA_HOST as Ollama's own client reads it: [http://]host[:port][/path].
split_ollama_host() {
    local address=${OLLAMA_HOST:-127.0.0.1:11434}
    local default_port=11434

    case "$address" in
    http://*) address=${address#http://} default_port=80 ;;
    https://*) address=${address#https://} default_port=443 ;;
    esac
    address=${address%%/*}
    case "$address" in
    \[*\]) host=${address#\[} host=${host%\]} port=$default_port ;;
    \[*\]:*) host=${address#\[} host=${host%%\]*} port=${address##*:} ;;
    *:*) host=${address%:*} port=${address##*:} ;;
    *) host=$address port=$default_port ;;
    esac
    case "$host" in
    '' | 0.0.0.0) host=127.0.0.1 ;;
    ::) host=::1 ;;
    esac
}

# Bash's own sockets: a bare machine has no other client.
ollama_answers() {
    timeout 3 bash -c '
        exec 3<>"/dev/tcp/$0/$1" || exit 1
        printf "GET /api/version HTTP/1.0\r\nHost: %s:%s\r\n\r\n" "$0" "$1" >&3
        read -r version status rest <&3
        [ "$status" = 200 ]' "$host" "$port" 2>/dev/null
}

if ! is_configured "$@"; then
    split_ollama_host
    case "${OLLAMA_HOST:-}" in
    https://*) say "forwarding to $OLLAMA_HOST" ;;
    *)
        if ollama_answers; then
            say "Ollama answers on $host:$port"
        else
            say "no Ollama answers on $host:$port: starting with --demo, two simulated nodes"
            set -- --demo
        fi
        ;;
    esac
fi
say "$drover $*"
exec "$drover" "$@"
