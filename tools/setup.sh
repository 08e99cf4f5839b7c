#!/bin/sh
# Installs what is missing, and only that: a second run finds everything and needs no network.
#
#   tools/setup.sh build    what compiling needs
#   tools/setup.sh test     and what the tests need: compilers, Python and npm packages
#   tools/setup.sh bench    what compiling needs, and whom the benchmark compares with
#   tools/setup.sh tidy     clang-tidy
#   tools/setup.sh package  what compiling needs, and building the Debian package
#
# Things are looked for by what they are (a command, a pkg-config module, a header), so that
# whoever has them from elsewhere is left alone. Only then is the package manager asked.
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
die() {
    echo "setup: $*" >&2
    exit 1
}

missing=

need_command() { # command package
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need_module() { # pkg-config's name, package
    pkg-config --exists "$1" 2>/dev/null || missing="$missing $2"
}

need_header() { # header package
    echo "#include <$1>" | cc -E - >/dev/null 2>&1 || missing="$missing $2"
}

need_for_building() {
    need_command cc gcc
    need_command gcc gcc
    need_command meson meson
    need_command ninja ninja-build
    need_command pkg-config pkgconf
    need_header stdlib.h libc6-dev
    need_header uthash.h uthash-dev
    need_module libevent libevent-dev
    need_module openssl libssl-dev
    need_module evhtp libevhtp-dev
    need_module libcjson libcjson-dev
    need_module libcyaml libcyaml-dev
    need_module yaml-0.1 libyaml-dev
    need_module libzstd libzstd-dev
    need_module sqlite3 libsqlite3-dev
    need_module libsystemd libsystemd-dev
    need_module ncursesw libncurses-dev
}

need_for_testing() {
    need_module cmocka libcmocka-dev
    need_command clang clang
    need_command clang-format clang-format
    need_command cppcheck cppcheck
    need_command python3 python3
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    need_command node nodejs
    need_command npm npm
    need_command openssl openssl
    need_command curl curl
    need_command promtool prometheus
    command -v chromium-browser >/dev/null 2>&1 || need_command chromium chromium
    need_command valgrind valgrind
    need_command systemd-analyze systemd
    need_command mandoc mandoc
    need_command faketime faketime
    need_command ip iproute2
    [ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
}

need_for_comparing() {
    need_command python3 python3
    PATH=$PATH:/usr/sbin need_command nginx nginx-light
    PATH=$PATH:/usr/sbin need_command haproxy haproxy
}

need_for_packaging() {
    need_command dpkg-buildpackage dpkg-dev
    need_command dh debhelper
    need_command fakeroot fakeroot
    need_command lintian lintian
    need_command debootstrap debootstrap
    need_module cmocka libcmocka-dev
}

install_missing() {
    [ -n "$missing" ] || return 0
    missing=$(echo "$missing" | tr ' ' '\n' | sort -u | tr '\n' ' ')
    command -v apt-get >/dev/null 2>&1 ||
        die "missing: $missing(Debian's names); no apt-get here, so install them by hand"
    install="apt-get install -y --no-install-recommends $missing"
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            die "root is needed, and there is no sudo; as root, run: apt-get update && $install"
        as_root=sudo
        say "sudo may ask for your password"
    fi
    say "apt-get install" $missing
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
        say "apt-get update failed; trying with the lists there are"
    $as_root env DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null ||
        die "apt-get failed; it was: $install"
}

# A folder of packages is laid anew when the file that pins them has changed.
is_current() { # stamp, file
    [ -e "$1" ] && cmp -s "$1" "$2"
}

install_python_packages() {
    wanted=tests/e2e/requirements.txt
    ! is_current .venv/requirements.txt $wanted || return 0
    say "Python packages of $wanted into .venv"
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r $wanted
    cp $wanted .venv/requirements.txt
}

install_node_packages() {
    here=tests/e2e/js
    ! is_current $here/node_modules/.package-lock $here/package-lock.json || return 0
    say "npm packages of $here/package-lock.json"
    (cd $here && npm ci --silent --ignore-scripts --no-audit --no-fund)
    cp $here/package-lock.json $here/node_modules/.package-lock
}

case "${1:-}" in
build)
    need_for_building
    install_missing
    ;;
test)
    need_for_building
    need_for_testing
    install_missing
    install_python_packages
    install_node_packages
    ;;
bench)
    need_for_building
    need_for_comparing
    install_missing
    ;;
tidy)
    need_command clang-tidy clang-tidy
    install_missing
    ;;
package)
    need_for_building
    need_for_packaging
    install_missing
    ;;
*)
    die "usage: tools/setup.sh build|test|bench|tidy|package"
    ;;
esac
