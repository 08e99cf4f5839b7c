#!/bin/sh
# Whether Debian's package $1 is at least version $2: distributions mend old releases under the old
# version number, which pkg-config cannot see.
command -v dpkg-query >/dev/null 2>&1 || exit 1
found=$(dpkg-query -W -f='${Version}' "$1" 2>/dev/null) || exit 1
exec dpkg --compare-versions "$found" ge "$2"
