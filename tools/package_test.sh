#!/bin/sh
# Installs the Debian package in a clean root, and sees whether what it brought works there.
#
#   tools/package_test.sh PACKAGE.deb [MIRROR]
set -eu
package=$1
# By default whence this machine has its packages; else debootstrap knows one.
mirror=${2:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | head -1)}
root=$(mktemp -d)
chmod 755 "$root" # it becomes another user's root
running=
trap 'if [ -n "$running" ]; then kill "$running" || true; fi; rm -rf "$root"' EXIT

say() { echo "package-test: $*"; }
inside() { chroot "$root" "$@"; }

say "a clean root"
debootstrap --variant=minbase --include=systemd,curl,logrotate bookworm "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 ||
    { tail -20 "$root.log"; exit 1; }
rm -f "$root.log"
cp "$package" "$root/drover.deb"
# How this machine reaches its mirror is how the root does.
for conf in $(grep -l Acquire /etc/apt/apt.conf.d/* || true) /etc/resolv.conf; do
    cp "$conf" "$root$conf"
done

say "installing"
inside env DEBIAN_FRONTEND=noninteractive apt-get update -qq
inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ./drover.deb >/dev/null

say "what is there"
inside getent passwd drover
inside drover --version
[ "$(inside stat -c '%U:%G %a' /etc/drover/drover.yaml)" = "root:drover 640" ]
for page in 1/drover.1 1/drover-bench.1 1/drover-node.1 5/drover.yaml.5; do
    zcat "$root/usr/share/man/man$page.gz" | grep -q "^.Sh NAME"
done

say "its configuration and units"
inside drover check -c /etc/drover/drover.yaml
inside setpriv --reuid drover --regid drover --clear-groups drover check
inside systemd-analyze verify --man=no drover.service drover.socket
inside systemd-analyze security --offline=true drover.service | tail -1
inside systemctl is-enabled drover.service
inside logrotate --debug /etc/logrotate.d/drover 2>&1 | grep -q '/var/log/drover'

say "it serves as its user"
chroot "$root" setpriv --reuid drover --regid drover --clear-groups --no-new-privs \
    env STATE_DIRECTORY=/tmp drover --demo --listen 127.0.0.1:18980 --admin off >"$root/log" 2>&1 &
running=$!
inside curl -sf --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:18980/healthz
inside curl -sf http://127.0.0.1:18980/api/tags | grep -q llama3.2
kill "$running"
wait "$running"
running=
grep -q stopped "$root/log"

say "it goes as it came"
inside env DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq drover >/dev/null
[ ! -e "$root/etc/drover/drover.yaml" ] && [ ! -e "$root/usr/bin/drover" ]
say "good"
