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
# The project has no mail address that would be a right one.
lintian --allow-root --fail-on error,warning --suppress-tags \
    bogus-mail-host,bogus-mail-host-in-debian-changelog ./*.changes
