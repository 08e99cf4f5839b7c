#!/bin/sh
# Builds the Debian package from what is committed, in build/package.
set -eu
cd "$(dirname "$0")/.."
into=build/package
rm -rf "$into"
mkdir -p "$into/source"
git archive HEAD | tar -x -C "$into/source"
cd "$into/source"
dpkg-buildpackage --build=binary --no-sign
cd ..
ls -l ./*.deb
command -v lintian >/dev/null && lintian --fail-on error ./*.changes
